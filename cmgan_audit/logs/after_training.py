"""Scores that stand behind a training that is over: of the best checkpoint, of an average, of a last test.

They are called as the evaluations before them are, and read as the last of the course they would hide any fall.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from cmgan_audit.logs.runs import Point
from cmgan_audit.logs.series import INDEX, Run, Series

# A course has so many evaluations; where nothing counts, a validation and a test set follow it, and no more.
_FEWEST, _MOST_UNCOUNTED = 3, 2


def part_behind(run: Run, place: int) -> None:
    """Give what stands behind a place, where the training was over, series of its own; scores are of a checkpoint.

    Nothing is parted where the training turns out to go on: a loss that is not of an evaluation does.
    """
    parted: list[Series] = []
    for series in run.series:
        course = [point for point in series if point[2] <= place]
        behind = [point for point in series if point[2] > place]
        of_training = series.role.kind == "loss" and series.role.phase != "eval"
        if not behind or len(course) < _FEWEST:
            parted.append(series)
        elif not _goes_on(series.x_kind, course, behind, 0 if of_training else _MOST_UNCOUNTED):
            seen = len(behind) * series.stride
            role = replace(series.role, kind="saved") if series.role.kind == "metric" else series.role
            name = f"{series.name} (after the training)"
            parted.append(replace(series.replaced(course), seen=series.seen - seen))
            parted.append(replace(series.replaced(behind), name=name, role=role, seen=seen))
        elif of_training:
            return
        else:
            parted.append(series)
    run.series = parted


def _goes_on(x_kind: str, course: Sequence[Point], behind: Sequence[Point], most_uncounted: int) -> bool:
    """Whether what stands behind is of the course, and no evaluation beside those that it has.

    Of the course is what comes as far behind its last epoch or step as others come behind each other, and what stands
    at the last one, as long as there are no more than at others.
    """
    if x_kind == INDEX:
        return len(behind) > most_uncounted
    counts = Counter(x for x, _, _ in course)
    *others, last = sorted(counts)
    on = max(x for x, _, _ in behind) - last
    if on > 0:
        return on >= min((b - a for a, b in itertools.pairwise([*others, last])), default=0)
    return counts[last] + len(behind) <= max((counts[x] for x in others), default=0)
