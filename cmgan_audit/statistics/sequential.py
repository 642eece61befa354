"""Group-sequential looks: stop the evaluation early when a difference is already certain.

The test is looked at after 1/8, 1/2 and all of the utterances. The error is spent over the looks by the
O'Brien-Fleming-type function of Lan and DeMets (1983, Biometrika 70:659, eq. 3.1), and the bounds come from the
recursive integration of Armitage, McPherson and Rowe (1969): they are computed for the fractions and the level at
hand. For m comparisons of which any may decide, each is tested at alpha / m. Stopping is for a difference only:
equivalence needs all utterances.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import special

from cmgan_audit.lazy_dataclasses import dataclass

FRACTIONS = (1 / 8, 1 / 2, 1.0)
# A first look at fewer pairs would rest on the far tail of a t distribution with hardly any degrees of freedom.
MIN_LOOK = 32
_GRID_POINTS = 801
# Levels at which the repeated p-value is tabulated; one beyond the last is reported as the last (an upper limit).
_P_GRID = np.logspace(-0.02, -30, 91)
# The score process never gets this far; bounds beyond it cannot be crossed.
_UNREACHABLE = 38.0


@dataclass(frozen=True, slots=True)
class LookPlan:
    """When to look.

    Attributes:
        sizes: utterances at each look, increasing; the last is the full set.
        alpha: two-sided level over all looks and all comparisons together.
    """

    sizes: tuple[int, ...]
    alpha: float = 0.05

    @property
    def fractions(self) -> tuple[float, ...]:
        """Share of the full set at each look."""
        return tuple(size / self.sizes[-1] for size in self.sizes)

    def look(self, index: int) -> Look:
        """The look number `index`, counted from 0."""
        return Look(self, index)

    def bound(self, index: int, comparisons: int = 1) -> float:
        """The bound on the standard normal scale at this look: 5.54, 2.77, 1.98 for 103 / 412 / 824 at 0.05."""
        return spending_bounds(self.fractions[: index + 1], self.alpha / comparisons)[-1]


@dataclass(frozen=True, slots=True)
class Look:
    """One look of a plan; what `compare_checkpoints` needs to judge the utterances that are in so far."""

    plan: LookPlan
    index: int

    @property
    def size(self) -> int:
        """Utterances that are in at this look."""
        return self.plan.sizes[self.index]

    @property
    def final(self) -> bool:
        """All utterances are in."""
        return self.index == len(self.plan.sizes) - 1

    def critical_t(self, df: float, comparisons: int = 1) -> float:
        """The bound as a t value: the one with the same tail probability, so that it also holds for few utterances."""
        return float(-special.stdtrit(df, float(special.ndtr(-self.plan.bound(self.index, comparisons)))))

    def p_value(self, t: float, df: float, comparisons: int = 1) -> float:
        """Repeated p-value: the level of the whole plan at which this t would just stop here, times `comparisons`.

        Dual to the bound: below alpha exactly when `abs(t)` exceeds `critical_t`. Interpolated in a table of levels
        (at alpha / comparisons itself exact); below 1e-30 an upper limit.
        """
        z = float(-special.ndtri(special.stdtr(df, -abs(t))))
        nodes = np.sort(np.append(_P_GRID, self.plan.alpha / comparisons))[::-1]
        bounds = np.array([spending_bounds(self.plan.fractions[: self.index + 1], float(p))[-1] for p in nodes])
        if z <= bounds[0]:
            return 1.0
        return min(1.0, comparisons * math.exp(float(np.interp(z, bounds, np.log(nodes)))))

    def describe(self) -> str:
        """How far the evaluation went, for the signature: `looks:103/412/824,stopped:103`."""
        return f"looks:{'/'.join(map(str, self.plan.sizes))},stopped:{self.size}"


def plan_looks(n: int, *, alpha: float = 0.05, fractions: Sequence[float] = FRACTIONS) -> LookPlan:
    """Looks for n utterances; looks at fewer than 32 are left out (so a set of about 60 has one look, at the end).

    Raises:
        ValueError: n is below 1.
    """
    if n < 1:
        raise ValueError(f"{n} utterances: nothing to look at")
    early = {round(n * fraction) for fraction in fractions if fraction < 1}
    return LookPlan((*sorted(size for size in early if MIN_LOOK <= size < n), n), alpha)


def spent(fraction: float, alpha: float) -> float:
    """Two-sided error spent when this share of the information is in: `2 - 2 Phi(z_{alpha/2} / sqrt(fraction))`.

    The whole two-sided alpha goes through the function once. Packages that spend alpha / 2 on each side by itself
    (ldbounds, gsDesign) have larger early bounds and slightly smaller last ones: 2.96 / 1.97 for two equal looks.
    """
    return float(2 * special.ndtr(special.ndtri(alpha / 2) / math.sqrt(fraction)))


@functools.lru_cache(maxsize=4096)
def spending_bounds(fractions: tuple[float, ...], alpha: float) -> tuple[float, ...]:
    """Symmetric two-sided bounds on the z statistic at these information fractions.

    The score process `B(t) = Z(t) sqrt(t)` has independent normal increments. Its density among the paths that have not
    crossed yet is carried from look to look on a grid; each bound is where the paths that cross now use up what the
    spending function allows.
    """
    bounds = [min(float(-special.ndtri(spent(fractions[0], alpha) / 2)), _UNREACHABLE)]
    edge = bounds[0] * math.sqrt(fractions[0])
    points = np.linspace(-edge, edge, _GRID_POINTS)
    density = _normal_density(points, math.sqrt(fractions[0]))
    for before, now in pairwise(fractions):
        step = math.sqrt(now - before)
        weights = density * _simpson(points)
        allowed = spent(now, alpha) - spent(before, alpha)

        def crossing(
            z: float,
            now: float = now,
            step: float = step,
            points: NDArray[np.float64] = points,
            weights: NDArray[np.float64] = weights,
        ) -> float:
            level = z * math.sqrt(now)
            return float(weights @ (special.ndtr((points - level) / step) + special.ndtr((-level - points) / step)))

        bound = _falling_root(crossing, allowed)
        bounds.append(bound)
        if now == fractions[-1]:
            break
        edge = bound * math.sqrt(now)
        arrival = np.linspace(-edge, edge, _GRID_POINTS)
        density = np.asarray(_normal_density(arrival[:, None] - points[None, :], step) @ weights)
        points = arrival
    return tuple(bounds)


def _normal_density(x: NDArray[np.float64], sd: float) -> NDArray[np.float64]:
    density: NDArray[np.float64] = np.exp(-0.5 * (x / sd) ** 2) / (sd * math.sqrt(2 * math.pi))
    return density


def _simpson(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights of Simpson's rule on an odd number of equally spaced points."""
    weights = np.full(len(points), 2.0)
    weights[1::2] = 4.0
    weights[0] = weights[-1] = 1.0
    return weights * (float(points[1] - points[0]) / 3)


def _falling_root(function: Callable[[float], float], target: float) -> float:
    """Where a falling function of z between 0 and the unreachable takes the value `target`, to 1e-10."""
    low, high = 0.0, _UNREACHABLE
    while high - low > 1e-10:
        middle = (low + high) / 2
        if function(middle) > target:
            low = middle
        else:
            high = middle
    return (low + high) / 2
