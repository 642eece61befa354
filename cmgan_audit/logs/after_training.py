"""Scores that stand behind a training that is over: of the best checkpoint, of an average, of a last test.

They are called as the evaluations before them are, and read as the last of the course they would hide any fall.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from cmgan_audit.logs.runs import Point
from cmgan_audit.logs.series import INDEX, STEP, Run, Series

# A course has so many evaluations; where nothing counts, a validation and a test set follow it, and no more.
_FEWEST, _MOST_UNCOUNTED = 3, 2


def part_behind(run: Run, place: int) -> None:
    """Give what stands behind a place, where the training was over, series of its own."""
    run.series = [part for series in run.series for part in _parts(series, place)]


def _parts(series: Series, place: int) -> Iterator[Series]:
    """The course down to the place and what stands behind it; the series as it is where it goes on there."""
    course = [point for point in series if point[2] <= place]
    behind = [point for point in series if point[2] > place]
    if not behind or len(course) < _FEWEST or _goes_on(series, course, behind):
        yield series
        return
    yield replace(series.replaced(course), seen=series.seen - len(behind) * series.stride)
    yield replace(series.replaced(behind), name=f"{series.name} (after the training)", seen=len(behind) * series.stride)


def _goes_on(series: Series, course: list[Point], behind: list[Point]) -> bool:
    """Whether more stands behind than one last evaluation."""
    if series.x_kind == INDEX:
        return len(behind) > _MOST_UNCOUNTED
    return series.x_kind == STEP and max(x for x, _, _ in behind) > max(x for x, _, _ in course)
