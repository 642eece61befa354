"""Trends of a metric over evaluations: how noisy it is, whether it fell from its best and stayed there.

Pure functions on plain sequences; no numpy. "Evaluation" is one value of the metric, in the order of training.

A step detector is the wrong tool for a learning curve: it reports the rise as a change and has no power on the three
to five values that people have. What is asked here is one-sided and anchored at the best value: do the last
evaluations all lie below the best, by more than two evaluations of one and the same network would differ?
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace
from statistics import NormalDist, median

from cmgan_audit.lazy_dataclasses import dataclass

# Below this many evaluations a series says too little about its own noise (FACTS: five values gave 0.47).
MEASURABLE = 8
# Evaluations at the end that must all lie low; and the fewest, where the best was only just reached.
SUSTAINED = 3
SUSTAINED_AFTER_LATE_BEST = 2

# So many noise floors above both neighbours, and little fell without it: a fall that rests on one evaluation.
_LONE = 1.0
# Without the best, this share of the fall must remain, or so many noise floors of it.
_OF_THE_FALL, _FALL_LEFT = 0.5, 3.0
# Levels are medians of so many evaluations; so many standard errors apart, the later one is lower.
_LEVEL_SPAN, _LEVEL_APART = 5, 3.5
# A median scatters so much more than a mean does.
_OF_A_MEDIAN = math.sqrt(math.pi / 2)
# From here on the later part of a series is long enough to be looked at by itself.
_LEVEL_LEAST = 12

_Z = NormalDist().inv_cdf(0.975)
# Makes the median of absolute differences a standard deviation for normal noise.
_MAD = 1.4826


@dataclass(frozen=True, slots=True)
class NoiseFloor:
    """95 % half-width of the difference of two evaluations of an unchanged network, and where it comes from.

    `origin` is "table" (random crops), "measured" (this series) or "assumed". `measured` is the series' own
    half-width where it has enough evaluations, also when the table decides.
    """

    half_width: float
    origin: str
    measured: float | None = None

    @property
    def sd(self) -> float:
        """Standard deviation of one evaluation that gives this half-width."""
        return self.half_width / (_Z * math.sqrt(2))

    @staticmethod
    def of_sd(sd: float) -> float:
        """The half-width that this standard deviation of one evaluation gives."""
        return _Z * math.sqrt(2) * sd


@dataclass(frozen=True, slots=True)
class Decline:
    """A sustained fall; indices count evaluations, `drop` and `typical_drop` are positive.

    `since` is the first evaluation of the low stretch that lasts until the end. `drop` is best minus last;
    `typical_drop` is best minus the median of the last three. `beyond_selection`: the typical drop is larger than the
    floor plus what the best owes to being picked among many, or a long low stretch lies clearly below the level around
    the best. `lone_best`: the best stands out from both of its neighbours, and without it little of the fall is left.
    """

    best: int
    since: int
    drop: float
    typical_drop: float
    beyond_selection: bool
    lone_best: bool = False

    @property
    def counts(self) -> bool:
        """Whether the network got worse: neither luck nor a single evaluation explains the fall."""
        return self.beyond_selection and not self.lone_best


def evaluation_sd(values: Sequence[float]) -> float:
    """Standard deviation of one evaluation around a smooth course, from the series itself.

    Median absolute first and second differences, whichever is smaller: the first are inflated by a steady rise, the
    second by bends (looked at in the later part alone, too), neither by a few dips or one step.

    Args:
        values: at least three finite evaluations in order, any unit.
    """
    first = [b - a for a, b in itertools.pairwise(values)]
    second = [c - 2 * b + a for a, b, c in zip(values, values[1:], values[2:], strict=False)]
    if not second:
        raise ValueError("at least three evaluations are needed")
    centre = median(first)
    by_first = _MAD * median(abs(d - centre) for d in first) / math.sqrt(2)
    by_second = _MAD * median(abs(d) for d in second) / math.sqrt(6)
    estimates = [by_first, by_second]
    if len(values) >= _LEVEL_LEAST:
        # The second half is past the steep rise, whose bends inflate both.
        estimates.append(_MAD * median(abs(d) for d in second[len(second) * 2 // 5 :]) / math.sqrt(6))
    return min(estimates) * _small_sample(len(values))


def _small_sample(n: int) -> float:
    """The smaller of two noisy estimates is low on average; factor measured on normal noise (tests hold it to 8 %)."""
    return 1.0 + 1.8 / n if n < _LEVEL_LEAST else 1.0 + 2.2 / n


def noise_floor(
    values: Sequence[float], *, assumed: float, finest: float, from_table: float | None = None
) -> NoiseFloor:
    """The noise floor of a series: from the crop table if it is given, measured from 8 evaluations on, else assumed.

    Args:
        values: finite evaluations in order.
        assumed: half-width to take when nothing better is known, in the metric's unit.
        finest: the floor is never taken to be smaller than this.
        from_table: half-width that random crops cause, when their number and length are known.
    """
    measured = None
    if len(values) >= MEASURABLE:
        measured = max(finest, _Z * math.sqrt(2) * evaluation_sd(values))
    if from_table is not None:
        return NoiseFloor(max(from_table, 0.0), "table", measured)
    if measured is not None:
        return NoiseFloor(measured, "measured", measured)
    return NoiseFloor(assumed, "assumed")


def best_index(values: Sequence[float], higher_is_better: bool) -> int:
    """Index of the best evaluation, the first of equals."""
    sign = 1.0 if higher_is_better else -1.0
    return max(range(len(values)), key=lambda i: (sign * values[i], -i))


def expected_maximum(k: int) -> float:
    """Expected maximum of k independent standard normal values (Blom's approximation, within 1 % from k = 2 on)."""
    if k <= 1:
        return 0.0
    return NormalDist().inv_cdf((k - 0.375) / (k + 0.25))


def find_decline(values: Sequence[float], floor: NoiseFloor, higher_is_better: bool = True) -> Decline | None:
    """The sustained fall at the end of a series, or None.

    Sustained: the last three or more evaluations all lie below the best by more than the floor; with fewer after the
    best all of them, and at least two. A single dip is none, and neither is a low stretch that was recovered from.

    Args:
        values: finite evaluations in order.
        floor: 95 % half-width of the difference of two evaluations.
        higher_is_better: direction of the metric.
    """
    sign = 1.0 if higher_is_better else -1.0
    course = [sign * value for value in values]
    found = _sustained_fall(course, floor)
    if found is None or not found.beyond_selection:
        return found
    return replace(found, lone_best=_is_lone(course, found, floor))


def _sustained_fall(course: Sequence[float], floor: NoiseFloor) -> Decline | None:
    """The fall at the end of a course of which more is better, whatever its best rests on."""
    if len(course) < 1 + SUSTAINED_AFTER_LATE_BEST:
        return None
    best = best_index(course, True)
    after = len(course) - 1 - best
    since = len(course)
    while since - 1 > best and course[best] - course[since - 1] > floor.half_width:
        since -= 1
    low = len(course) - since
    if low < min(SUSTAINED, after) or low < SUSTAINED_AFTER_LATE_BEST:
        return None
    return _fall_to_the_end(course, since, floor)


def _is_lone(course: Sequence[float], fall: Decline, floor: NoiseFloor) -> bool:
    """Whether a fall rests on one evaluation: a mean over few utterances, or of another set, can be anything.

    Only where the series knows its own noise: of a handful of values, one far up may be the course itself. Whether the
    next best is a lone one too is not asked: without both, another would be, and so on through a long series.
    """
    best = fall.best
    if floor.measured is None or not 0 < best < len(course) - 1:
        return False
    noise = max(floor.measured, floor.half_width)
    if course[best] - max(course[best - 1], course[best + 1]) <= _LONE * noise:
        return False
    others = [*course[:best], *course[best + 1 :]]
    rest = _sustained_fall(others, floor) or _fall_to_the_end(others, fall.since - 1, floor)
    if not rest.beyond_selection:
        return True
    return rest.typical_drop < min(_OF_THE_FALL * fall.typical_drop, _FALL_LEFT * noise)


def _fall_to_the_end(course: Sequence[float], since: int, floor: NoiseFloor) -> Decline:
    """The fall from the best to a low stretch, of which the beginning may lie on the level of the best."""
    best = best_index(course, True)
    typical = course[best] - _level_at_the_end(course, since)
    beyond = _beyond_selection(course, best, since, floor, typical)
    return Decline(best, since, course[best] - course[-1], typical, beyond)


def _level_at_the_end(course: Sequence[float], since: int) -> float:
    """The median of the last three evaluations of the low stretch."""
    return median(course[max(since, len(course) - SUSTAINED) :])


def _beyond_selection(course: Sequence[float], best: int, since: int, floor: NoiseFloor, typical: float) -> bool:
    """Whether a fall is more than the luck of the best: the highest of k noisy evaluations lies above their level.

    k counts the evaluations on the best's level, within two floors of it; each more makes the best luckier. The noise
    is that of the whole series or of its last third, whichever is larger: it may grow late in the training. Of a long
    low stretch, its level beside that around the best says more than the best itself.
    """
    sd = floor.sd if floor.measured is None else max(floor.sd, floor.measured / (_Z * math.sqrt(2)))
    if len(course) >= 2 * MEASURABLE:
        sd = max(sd, evaluation_sd(course[-max(MEASURABLE, len(course) // 3) :]))
    level = sum(1 for value in course if course[best] - value <= 2 * _Z * math.sqrt(2) * sd)
    if typical > _Z * math.sqrt(2) * sd + expected_maximum(level) * sd:
        return True
    around, low = course[max(0, best - _LEVEL_SPAN + 1) : min(since, best + _LEVEL_SPAN)], course[since:]
    if min(len(around), len(low)) < _LEVEL_SPAN:
        return False
    error = _OF_A_MEDIAN * sd * math.sqrt(1 / len(around) + 1 / len(low))
    return median(around) - median(low) > _LEVEL_APART * error


def moving_median(values: Sequence[float], width: int = 3) -> list[float]:
    """Median of each value and its neighbours; the ends use what there is."""
    half = width // 2
    return [median(values[max(0, i - half) : i + half + 1]) for i in range(len(values))]


def levels(xs: Sequence[float], ys: Sequence[float], most: int) -> tuple[list[float], list[float]]:
    """The course of a long series: medians of as many equal stretches, each at its first x; a short one as it is."""
    size = -(-len(ys) // most)
    if size <= 1:
        return list(xs), list(ys)
    starts = range(0, len(ys), size)
    return [xs[i] for i in starts], [median(ys[i : i + size]) for i in starts]


def per_x(xs: Sequence[float], ys: Sequence[float]) -> tuple[list[float], list[float]]:
    """Means of the values that share an x (the steps of one epoch), in the order of x."""
    sums: dict[float, tuple[float, int]] = {}
    for x, y in zip(xs, ys, strict=True):
        total, n = sums.get(x, (0.0, 0))
        sums[x] = (total + y, n + 1)
    ordered = sorted(sums)
    return ordered, [sums[x][0] / sums[x][1] for x in ordered]
