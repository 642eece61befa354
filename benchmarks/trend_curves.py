"""Learning curves of which it is known whether they declined: synthetic ones, and bootstrapped from real logs.

All numbers are synthetic or resampled; no curve is a log of a training.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

# 95 % half-width of the difference of two values, in standard deviations of one.
FLOOR_IN_SD = 1.96 * math.sqrt(2)


@dataclass(frozen=True)
class Curve:
    """Values, the standard deviation of one evaluation, and where a decline is complete (None: healthy)."""

    values: list[float]
    sd: float
    onset: int | None = None


def rise(rng: random.Random, n: int) -> list[float]:
    """A saturating rise to 2.4 .. 3.4."""
    top, depth, tau = rng.uniform(2.4, 3.4), rng.uniform(0.2, 1.2), rng.uniform(0.05, 0.3) * n
    return [top - depth * math.exp(-i / tau) for i in range(n)]


def plain(rng: random.Random, n: int) -> Curve:
    """Rise and plateau with normal noise."""
    sd = rng.choice((0.005, 0.01, 0.02, 0.03, 0.05))
    return Curve([y + rng.gauss(0, sd) for y in rise(rng, n)], sd)


def dips(rng: random.Random, n: int) -> Curve:
    """A noisy plateau on which one evaluation in twelve falls by 2 to 6 standard deviations more."""
    curve = plain(rng, n)
    return Curve([y - (rng.uniform(2, 6) * curve.sd if rng.random() < 1 / 12 else 0) for y in curve.values], curve.sd)


def late_noise(rng: random.Random, n: int) -> Curve:
    """Noise that doubles in the last third."""
    curve = plain(rng, n)
    start = n - n // 3
    return Curve(
        [y + (rng.gauss(0, math.sqrt(3) * curve.sd) if i >= start else 0) for i, y in enumerate(curve.values)], curve.sd
    )


def bootstrapped(real: Sequence[Sequence[float]]) -> Callable[[random.Random, int], Curve]:
    """Healthy curves from real ones: a smooth course, and the residuals around it drawn again with replacement."""

    def draw(rng: random.Random, n: int) -> Curve:
        source = rng.choice(real)
        course = [median(source[max(0, i - 4) : i + 5]) for i in range(len(source))]
        residuals = [y - c for y, c in zip(source, course, strict=True)]
        centre = sum(residuals) / len(residuals)
        sd = math.sqrt(sum((r - centre) ** 2 for r in residuals) / len(residuals))
        length = min(n, len(course))
        return Curve([course[i] + rng.choice(residuals) - centre for i in range(length)], sd)

    return draw


def collapse(rng: random.Random, n: int, floors: float = 3.0, after: int = 3) -> Curve:
    """A plateau that falls at once by so many noise floors and stays there for `after` evaluations."""
    curve = plain(rng, n)
    drop = floors * FLOOR_IN_SD * curve.sd
    onset = n - after
    return Curve([y - (drop if i >= onset else 0) for i, y in enumerate(curve.values)], curve.sd, onset)


def slow_decline(rng: random.Random, n: int, floors: float = 3.0, after: int = 3) -> Curve:
    """A fall over a quarter of the training; the onset is where it has reached so many noise floors."""
    curve = plain(rng, n)
    drop = floors * FLOOR_IN_SD * curve.sd
    onset = n - after
    start = max(1, onset - n // 4)
    slope = drop / (onset - start)
    return Curve([y - max(0.0, slope * (i - start)) for i, y in enumerate(curve.values)], curve.sd, onset)


HEALTHY = {"rise and plateau": plain, "noisy plateau with dips": dips, "late noise": late_noise}
DECLINING = {"collapse": collapse, "slow decline": slow_decline}
