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

# So many stretches of a common length show a habit.
_FEWEST = 3
# Two evaluations that mostly differ by so many units of the last digit are hardly ever equal by chance.
_UNITS = 10


def without_repetitions(series: Series) -> Series:
    """The first of each stretch of one value, where values are repeated; as it is where few digits make some equal.

    Args:
        series: without NaN and infinity.
    """
    stretches = [list(points) for _, points in itertools.groupby(series, key=lambda point: point[1])]
    if series.x_kind == INDEX or len(stretches) == len(series):
        return series
    ys = [points[0][1] for points in stretches]
    lengths = [len(points) for points in stretches]
    if _have_a_length(lengths) or (_are_mostly_said_again(lengths) and _differ_widely(ys)):
        return series.replaced(points[0] for points in stretches)
    return series


def _have_a_length(lengths: Sequence[int]) -> bool:
    """Whether all stretches are several times as long as one length; the last may have been cut off."""
    between = lengths[1:-1]
    return len(between) >= _FEWEST and math.gcd(*between) > 1


def _are_mostly_said_again(lengths: Sequence[int]) -> bool:
    """The last stretch tells nothing: a network that has collapsed to one output scores the same to the end."""
    return len(lengths) > 1 and median(lengths[:-1]) > 1


def _differ_widely(ys: Sequence[float]) -> bool:
    """Whether the last digit that is printed is far finer than what a value differs by from the one before."""
    if len(ys) <= _FEWEST:
        return False
    digits = max(-int(Decimal(repr(y)).as_tuple().exponent) for y in ys)
    return median(abs(b - a) for a, b in itertools.pairwise(ys)) >= _UNITS * 10.0**-digits
