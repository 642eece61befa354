"""Trainings that were stopped after their first epoch and begun again: the log says epoch 1 twice, and never goes back.

`Epoch 1 | PESQ 2.62`, an error, then `Epoch 1 | PESQ 1.71`, `Epoch 2 | PESQ 1.75`, ...: the first value is of another
training, whose settings may be others, and no best that the second one fell from.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Sequence

from cmgan_audit.logs.series import EPOCH, Run, Series

# So many epochs with one value each show that the first one has too many.
_FEWEST = 3
# Nobody begins more often; a first epoch with more values is printed by batches.
_MOST = 20


def begun_again(run: Run) -> list[Run]:
    """The run, or the trainings that it is made of, the aborted ones first."""
    metrics = [s for s in run.series if s.x_kind == EPOCH and s.role.kind == "metric" and len(s)]
    if run.restarts or not any(len(set(series.xs)) >= _FEWEST for series in metrics):
        return [run]
    first = min(min(series.xs) for series in metrics)
    starts = [_starts(series, first) for series in metrics if first in series.xs]
    if len(set(map(len, starts))) > 1 or not 2 <= len(starts[0]) <= _MOST:
        return [run]
    # An evaluation before the training says the first epoch twice as well, but no loss of the training.
    trained = [s for s in run.series if s.x_kind == EPOCH and s.role.kind == "loss" and s.role.phase != "eval"]
    if any(0 < len(_starts(series, first)) < len(starts[0]) for series in trained):
        return [run]
    # Each training begins behind the last value of the one before.
    together = list(zip(*starts, strict=True))
    if any(max(before) >= min(after) for before, after in itertools.pairwise(together)):
        return [run]
    return _cut(run, [max(places) for places in together[:-1]])


def _starts(series: Series, first: float) -> list[int]:
    """Where the values of the first epoch stand, if every later epoch has one value; else none."""
    later = [x for x in series.xs if x != first]
    return [place for x, _, place in series if x == first] if len(set(later)) == len(later) else []


def _cut(run: Run, ends: Sequence[int]) -> list[Run]:
    """The run in parts, each up to one of the places, and what is left."""
    parts = [Run(run.source, named=run.named) for _ in range(len(ends) + 1)]
    for series in run.series:
        points: list[list[tuple[float, float, int]]] = [[] for _ in parts]
        for point in series:
            points[bisect_right(ends, point[2] - 1)].append(point)
        for part, own in zip(parts, points, strict=True):
            if own:
                cut = series.replaced(own)
                cut.seen = len(own) if series.stride == 1 else series.seen
                part.series.append(cut)
    for part, begin, end in zip(parts, [run.first_place, *ends], [*ends, run.last_place], strict=True):
        part.first_place, part.last_place = begin + (part is not parts[0]), end
    parts[-1].printed, parts[-1].unsaid = run.printed, run.unsaid
    return parts
