"""Trainings whose lines stand among each other: folds that take turns, jobs that print into one file.

Each line says whose it is, `[fold 2] epoch 7 ...`, `[cmgan-small] epoch 7 ...` or the hash of a job, or the one above
it does, `Fold 2`; by their order alone they would be one course.
"""

from __future__ import annotations

import itertools
import sys
from bisect import bisect_right
from collections import Counter

from cmgan_audit.lazy_regex import regex
from cmgan_audit.logs.lines.plan import Plan
from cmgan_audit.logs.roles import table, words_of
from cmgan_audit.logs.runs import RunBuilder

# So many stretches of lines are remembered; a log that has more is left as it is.
_MOST_STRETCHES = 1 << 16
# The end of a stretch of lines that goes on.
_OPEN = sys.maxsize
# More trainings than these do not take turns; each is named again so many times, and the turn goes round so often.
_MOST, _FEWEST, _ROUNDS = 32, 3, 2

# `[cmgan-small] epoch 3 ...`
_TAG = regex(r"\[\s*([A-Za-z][\w.+\-]*(?: [\w.+\-]+){0,2})\s*\]")


def tag_of(body: str) -> str:
    """The name in brackets that a line begins with, if it may be that of a training: no phase, no network, no mean."""
    found = _TAG.match(body)
    t = table()
    usual = {*t.phases, *t.networks, *t.qualifiers, *t.epochs, *itertools.chain(*t.ranks, *t.steps), "best"}
    return "" if found is None or not any(map(str.isalpha, set(words_of(found[1])) - usual)) else found[1]


class CrossingTrainings:
    """Remembers which lines are of which training, and parts a log in which they take turns."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._names: list[str] = []
        self._tags: dict[str, bool] = {}  # whether a loss stands behind it

    def note(self, name: str, line: int, count: int = 1) -> None:
        """So many lines are of the training of this name."""
        if self._names and self._names[-1] == name and self._ends[-1] == line:
            self._ends[-1] += count
        else:
            self._begin(name, line, line + count)

    def note_below(self, name: str, line: int) -> None:
        """All lines from here on are of the training of this name, as far as the next that names one."""
        if not (self._names and self._names[-1] == name and self._is_open()):
            self._begin(name, line, _OPEN)

    def note_hash(self, name: str, line: int, count: int) -> None:
        """So many lines hold the hash of a job; it names one that is not named above them."""
        if not self._is_open():
            self.note(name, line, count)

    def note_tag(self, plan: Plan, line: int, count: int) -> None:
        """So many lines begin with a name in brackets, which is that of a training if a loss stands behind it."""
        if not self._is_open():
            self.note(plan.tag, line, count)
            self._tags[plan.tag] = self._tags.get(plan.tag, False) or any(v.role.kind == "loss" for v in plan.values)

    def _is_open(self) -> bool:
        return bool(self._ends) and self._ends[-1] == _OPEN

    def _begin(self, name: str, start: int, end: int) -> None:
        if self._is_open():
            self._ends[-1] = start
        if len(self._starts) <= _MOST_STRETCHES:
            self._starts.append(start)
            self._ends.append(end)
            self._names.append(name)

    def settle(self, builder: RunBuilder) -> None:
        """Make a run of each training, where they take turns all along."""
        self._names = [name if self._tags.get(name, True) else "" for name in self._names]
        said = [name for name in self._names if name]
        named = Counter(said)
        if not 2 <= len(named) <= _MOST or len(self._starts) > _MOST_STRETCHES:
            return
        turns = sum(a != b for a, b in itertools.pairwise(said))
        if min(named.values()) >= _FEWEST and turns >= _ROUNDS * len(named):
            builder.part(self._name_at, set(named))

    def _name_at(self, line: int) -> str:
        at = bisect_right(self._starts, line) - 1
        return self._names[at] if at >= 0 and line < self._ends[at] else ""
