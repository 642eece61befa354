"""Scores of the best checkpoint that a training evaluates once more when it is over.

Most trainers end so: `Loading best checkpoint for testing`, and below it the words of every evaluation before. Read as
the last of the course, that score hides any fall. It gets a series of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from cmgan_audit.logs.lines.headers_below import HeadersBelow
from cmgan_audit.logs.runs import Point
from cmgan_audit.logs.series import INDEX, STEP, Run, Series

# A course has so many evaluations; where nothing counts, a validation and a test set close it, and no more.
_FEWEST, _MOST_UNCOUNTED = 3, 2
_MOST = 1 << 12


class BestAtTheEnd:
    """The lines that speak of the best checkpoint, by their words."""

    def __init__(self) -> None:
        self._lines: dict[str, list[int]] = {}

    def say(self, words: str, line: int, count: int) -> None:
        """Lines of one shape, from `line` on, say which checkpoint was best, or that it is loaded or evaluated."""
        said = self._lines.setdefault(words, [])
        if len(said) < _MOST:
            said += [line] * min(count, 2)

    def settle(self, run: Run, heads: HeadersBelow) -> None:
        """Part the scores from their courses that stand below such a line, if no other epoch does.

        What is said again and again, as `best epoch: 7` after every evaluation, is about the training so far.
        """
        last = run.last_place
        once = [at for at in (self._only_line(said, run) for said in self._lines.values()) if at]
        line = max((at for at in once if not heads.comes_to_another(at, last)), default=0)
        if line:
            run.series = [part for series in run.series for part in _parts(series, line)]

    def _only_line(self, said: list[int], run: Run) -> int:
        within = [at for at in said if run.first_place <= at <= run.last_place]
        return within[0] if len(within) == 1 else 0


def _parts(series: Series, line: int) -> Iterator[Series]:
    """The course above the line and what closes it below; the series as it is where it goes on there."""
    course = [point for point in series if point[2] < line]
    closing = [point for point in series if point[2] > line]
    if not closing or len(course) < _FEWEST or _goes_on(series, course, closing):
        yield series
        return
    yield replace(series.replaced(course), seen=series.seen - len(closing) * series.stride)
    yield replace(series.replaced(closing), name=f"{series.name} (best checkpoint)", seen=len(closing) * series.stride)


def _goes_on(series: Series, course: list[Point], closing: list[Point]) -> bool:
    """Whether more stands below the line than one last evaluation."""
    if series.x_kind == INDEX:
        return len(closing) > _MOST_UNCOUNTED
    return series.x_kind == STEP and max(x for x, _, _ in closing) > max(x for x, _, _ in course)
