"""How much too good the best of K checkpoints looks on the set on which it was chosen. Pure Python."""

from __future__ import annotations

import functools
import math

_STEPS = 4000
_REACH = 9.0


@functools.lru_cache(maxsize=256)
def expected_maximum(k: int) -> float:
    """Expected maximum of k independent standard normal variables (0 for one, 1.54 for ten, 2.57 for 120).

    The mean of the largest order statistic, `E = int x d(Phi(x)^k)`, by the trapezoidal rule, which is exact to
    rounding for this integrand.

    Raises:
        ValueError: k is below 1.
    """
    if k < 1:
        raise ValueError(f"{k} checkpoints: at least one is needed")
    step = 2 * _REACH / _STEPS
    total = 0.0
    for index in range(_STEPS + 1):
        x = -_REACH + index * step
        below = 0.5 * math.erfc(-x / math.sqrt(2))
        total += x * k * below ** (k - 1) * math.exp(-x * x / 2)
    return total * step / math.sqrt(2 * math.pi)


def selection_optimism(k: int, sd_of_mean: float) -> float:
    """Expected excess of the best of k equally good checkpoints over their common true mean, in units of the metric.

    An upper limit for checkpoints that differ: then the best is chosen less by luck. Successive checkpoints make
    correlated errors; only the part of the error that is a checkpoint's own counts, so `sd_of_mean` is that part.

    Args:
        k: checkpoints among which the best was chosen.
        sd_of_mean: SD of a checkpoint's mean score that is its own (`own_sd_of_mean` in own_spread.py from scores, or
            the crop noise of the mean where the evaluation draws crops).
    """
    return expected_maximum(k) * sd_of_mean
