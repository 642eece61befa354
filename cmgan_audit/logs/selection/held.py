"""Scores that are said again at every epoch until the next evaluation: `if epoch % 5 == 0: pesq = evaluate()`.

Read as an evaluation each, they would show no noise at all, and one low score would be a fall that lasts.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from decimal import Decimal
from statistics import median

from cmgan_audit.logs.series import INDEX, Series

# So many stretches show a habit, if fewer than one in so many series had a common length by chance.
_FEWEST, _CHANCE = 3, 100
# Two evaluations that mostly differ by so many units of the last digit are hardly ever equal by chance.
_UNITS = 10


def without_repetitions(series: Series) -> Series:
    """One value of each evaluation, where values are repeated; as it is where few digits make some equal.

    A stretch that is longer than others, as of a network that has collapsed, is several evaluations.

    Args:
        series: without NaN and infinity.
    """
    stretches = [list(points) for _, points in itertools.groupby(series, key=lambda point: point[1])]
    # The first and the last may have been cut off, or be what a metric is before and after there is a network.
    between = [len(points) for points in stretches[1:-1]]
    if series.x_kind == INDEX or len(between) < _FEWEST:
        return series
    length = _common_length(between)
    if length == 1 and median(between) > 1 and _differ_widely([points[0][1] for points in stretches]):
        length = max(between)
    return series.replaced(point for points in stretches for point in points[::length]) if length > 1 else series


def _common_length(lengths: Sequence[int]) -> int:
    """The length of which all are multiples; 1 where that may be chance."""
    length = math.gcd(*lengths)
    return length if length ** len(lengths) >= _CHANCE else 1


def _differ_widely(ys: Sequence[float]) -> bool:
    """Whether the last digit that is printed is far finer than what a value differs by from the one before."""
    digits = max(-int(Decimal(repr(y)).as_tuple().exponent) for y in ys)
    return median(abs(b - a) for a, b in itertools.pairwise(ys)) >= _UNITS * 10.0**-digits
