"""Many comparisons at once: Holm's procedure, and the sign-flip max-t reference for the best of several checkpoints."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Signs = NDArray[np.int8]

# With a multiple of 10,000 minus one, (count + 1) / (RESAMPLES + 1) hits 0.05 and 0.10 exactly.
RESAMPLES = 9_999
_BLOCK_ROWS = 1_000


def holm(p_values: Sequence[float]) -> tuple[list[float], list[float]]:
    """Holm's step-down adjustment (Holm 1979).

    Returns:
        adjusted p-values, and for each comparison the divisor of alpha at which it is in effect tested: adjusted is
        below alpha exactly when p < alpha / divisor, so an interval at level 1 - alpha / divisor is dual to it.
    """
    m = len(p_values)
    adjusted = [0.0] * m
    divisors = [1.0] * m
    bar = 0.0
    for rank, index in enumerate(sorted(range(m), key=lambda i: p_values[i])):
        p = p_values[index]
        bar = max(bar, (m - rank) * p)
        adjusted[index] = min(1.0, bar)
        divisors[index] = bar / p if p > 0 else float(m - rank)
    return adjusted, divisors


def sign_flips(n: int, resamples: int = RESAMPLES, seed: int = 0) -> Signs:
    """Random signs of shape (resamples, n), the same for the same arguments."""
    bits = np.unpackbits(np.frombuffer(np.random.default_rng(seed).bytes((resamples * n + 7) // 8), dtype=np.uint8))
    return (bits[: resamples * n].reshape(resamples, n).astype(np.int8) << 1) - np.int8(1)


def flipped_sums(signs: Signs, residuals: Array) -> Array:
    """Sums of sign-flipped residuals: signs (b, n) times residuals (n, k), in blocks that stay small in memory."""
    blocks = [
        signs[start : start + _BLOCK_ROWS].astype(np.float64) @ residuals for start in range(0, len(signs), _BLOCK_ROWS)
    ]
    return np.concatenate(blocks)


def flip_scale(t: float, df: float) -> float:
    """The t statistic on the scale of the flipped sums, `sum(s e) / sqrt(sum(e^2))`.

    For one sample flipping leaves the sum of squares as it is, so the t statistic of flipped residuals is the
    increasing function `z sqrt(df / (df + 1 - z^2))` of the flipped sum z; this is its inverse. It lets one set of
    sums serve all comparisons instead of a variance per flip.
    """
    return t * math.sqrt((df + 1) / (df + t * t))


def t_scale(z: float, df: float) -> float:
    """The inverse of `flip_scale`; infinite where z lies beyond what flips of so few rows can reach."""
    room = df + 1 - z * z
    return z * math.sqrt(df / room) if room > 0 else math.inf


def resampled_p(reference: Array, observed: float) -> float:
    """(1 + number of resampled values at or above the observed one) / (1 + resamples); never zero."""
    return (1 + int(np.count_nonzero(reference >= observed * (1 - 1e-12)))) / (1 + len(reference))


def resampled_critical(reference: Array, alpha: float) -> float:
    """The value that must be exceeded for `resampled_p` to be at most alpha.

    Raises:
        ValueError: there are too few resamples for this alpha.
    """
    place = math.floor(alpha * (1 + len(reference)) + 1e-9) - 1
    if place < 0:
        raise ValueError(f"{len(reference)} resamples cannot reach a level of {alpha}")
    return float(np.partition(reference, len(reference) - 1 - place)[len(reference) - 1 - place])
