"""`loss 0.123 (0.140)`: the value of a batch, and in brackets the mean of the epoch so far; the mean counts.

The meter of PyTorch's ImageNet example prints so, and much that was made after it. The last mean of an epoch is that of
the whole epoch. In other logs the brackets hold a standard deviation, a difference or the best so far: then they count
for nothing.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from statistics import median

from cmgan_audit.logs.lines.plan import SlotValue
from cmgan_audit.logs.roles import words_of
from cmgan_audit.logs.series import EPOCH, INDEX, Run, Series

RUNNING = "running mean"
_SUFFIX = f" ({RUNNING})"
_MEAN = frozenset("avg average mean ave".split())
_FEWEST = 3
_PER_EPOCH = 2
# The mean lies among the values of the batches: so many times nearer than they scatter from one to the next.
_NEAR = 3.0


def says_mean(label: str) -> bool:
    """Whether the brackets themselves say that they hold a mean: `0.123 (avg 0.140)`."""
    words = words_of(label)
    return bool(words) and set(words) <= _MEAN


def with_means(values: Sequence[SlotValue]) -> list[SlotValue]:
    """The values of a line, and behind them as values of their own what stands in brackets."""
    means = [
        replace(value, name=f"{value.name}{_SUFFIX}", role=replace(value.role, kind=RUNNING), slots=value.mean, mean=())
        for value in values
        if value.mean
    ]
    return [*values, *means]


def settle_running_means(run: Run) -> None:
    """Put the last mean of every epoch in place of the values of its batches; take out brackets that hold no mean."""
    for mean in [series for series in run.series if series.role.kind == RUNNING]:
        run.series.remove(mean)
        name = mean.name.replace(_SUFFIX, "")
        for place, series in enumerate(run.series):
            if series.name == name and series.x_kind == mean.x_kind and _is_mean_of(mean, series):
                run.series[place] = _settled(series, mean)


def _is_mean_of(mean: Series, values: Series) -> bool:
    """Whether what stands in brackets follows the values of the batches, and several of them in every epoch.

    A standard deviation lies far from all of them, and the best so far never gets worse.
    """
    by_place = dict(zip(values.places, values.ys, strict=True))
    pairs = [(by_place[place], y) for _, y, place in mean if place in by_place]
    if len(pairs) < _FEWEST or (mean.x_kind == EPOCH and len(pairs) < _PER_EPOCH * len(set(mean.xs))):
        return False
    if _is_best_so_far(pairs, 1.0 if values.role.higher_is_better else -1.0):
        return False
    steps = median(abs(b[0] - a[0]) for a, b in itertools.pairwise(pairs))
    return median(abs(value - y) for value, y in pairs) <= _NEAR * steps


def _is_best_so_far(pairs: Sequence[tuple[float, float]], sign: float) -> bool:
    never_beaten = all(sign * y >= sign * value for value, y in pairs)
    return never_beaten and all(sign * b[1] >= sign * a[1] for a, b in itertools.pairwise(pairs))


def _settled(values: Series, mean: Series) -> Series:
    """The means at the end of every epoch, or what a line without brackets says of it: `* PESQ 2.10`."""
    at = set(mean.places)
    said = [point for point in values if point[2] not in at]
    epochs = {x for x, _, _ in said} if values.x_kind != INDEX else set()
    ends = [point for point in _ends(mean, values) if point[0] not in epochs]
    return values.replaced(sorted([*said, *ends], key=lambda point: point[2]))


def _ends(mean: Series, values: Series) -> Iterator[tuple[float, float, int]]:
    """The last mean of every epoch; without epochs the last before a mean begins anew, with the value of one batch."""
    by_place = dict(zip(values.places, values.ys, strict=True))
    points = list(mean)
    for point, after in itertools.zip_longest(points, points[1:]):
        if after is None or (after[1] == by_place.get(after[2]) if mean.x_kind == INDEX else after[0] != point[0]):
            yield point
