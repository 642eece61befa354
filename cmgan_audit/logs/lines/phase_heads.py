"""Lines that say which phase begins: `Start validation from epoch 3` above lines that look like those of training.

funcwj's trainer, and all that was made after it, prints `<epoch: 3, loss: -12.1>` for both. A series is taken apart
only where the log announces both phases in nearly every epoch, first training and then evaluation.
"""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Iterator
from dataclasses import replace

from cmgan_audit.logs.roles import table, words_of
from cmgan_audit.logs.series import EPOCH, Run, Series

# A longer line is a sentence about something else.
_MOST_WORDS = 10
# So many epochs with the same order of phases show a habit, and so many of all must have it.
_FEWEST, _HABIT = 3, 0.9
_ORDER = ["train", "eval"]


def announced_phase(body: str) -> str:
    """The word for the only phase that a line without scores speaks of; "" where there is none or more than one."""
    words = words_of(body)
    phases = table().phases
    named = [word for word in words if word in phases and len(word) > 2]
    if not named or len(words) > _MOST_WORDS or len({phases[word] for word in named}) > 1:
        return ""
    return named[0]


class PhaseHeads:
    """The phases that a log has announced, in the order of its lines."""

    def __init__(self) -> None:
        self._lines: list[int] = []
        self._words: list[str] = []

    def say(self, word: str, line: int) -> None:
        """The log speaks of a phase; what follows belongs to it."""
        if not self._words or self._words[-1] != word:
            self._lines.append(line)
            self._words.append(word)

    def settle(self, run: Run) -> None:
        """Take the series apart that hold both phases under one name."""
        if len(self._lines) > 1:
            run.series = [part for series in run.series for part in self._parts(series)]

    def _parts(self, series: Series) -> Iterator[Series]:
        role = series.role
        phased = role.phase or role.given or role.kind not in ("metric", "loss") or series.x_kind != EPOCH
        words = [] if phased else self._words_at(series)
        if phased or not self._alternates(series, words):
            yield series
            return
        for phase in _ORDER:
            word = next(word for word in words if table().phases.get(word) == phase)
            points = [point for point, at in zip(series, words, strict=True) if table().phases.get(at) == phase]
            yield replace(series.replaced(points), name=f"{series.name} ({word})", role=replace(role, phase=phase))

    def _words_at(self, series: Series) -> list[str]:
        """The phase of each value; above the first evaluation that is announced stands what the training printed."""
        first = _ORDER[0] if table().phases.get(self._words[0]) == _ORDER[1] else ""
        before = [bisect.bisect_right(self._lines, place) for place in series.places]
        return [self._words[lines - 1] if lines else first for lines in before]

    def _alternates(self, series: Series, words: list[str]) -> bool:
        phases = table().phases
        if {phases.get(word) for word in words} != set(_ORDER):
            return False
        epochs = itertools.groupby(zip(series.xs, words, strict=True), key=lambda pair: pair[0])
        orders = [[phase for phase, _ in itertools.groupby(phases[word] for _, word in points)] for _, points in epochs]
        both = sum(order == _ORDER for order in orders)
        # A check before the training is announced otherwise than all that follows.
        return both >= _FEWEST and both >= _HABIT * (len(orders) - 1)
