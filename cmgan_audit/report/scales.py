"""Which axis a curve is drawn on."""

from __future__ import annotations

import math
from collections.abc import Iterable


def spans_a_decade(curves: Iterable[Iterable[float]]) -> bool:
    """Whether a logarithmic axis has a power of ten to write on: below that it would be an axis without numbers."""
    values = [y for ys in curves for y in ys if math.isfinite(y)]
    return bool(values) and min(values) > 0 and max(values) >= 10 * min(values)
