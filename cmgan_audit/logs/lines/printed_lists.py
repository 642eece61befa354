"""Lists that a log prints under one name: the history of a training, or the scores of a batch.

`val_pesq: [2.1, 2.35, 2.5]` at the end of a training is a course, and so is a list that is one longer at every epoch;
`PESQ: [ 2.67 -1.  3.7 ]` at every step, or the scores of all utterances of a test set, are none.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import field

from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex
from cmgan_audit.logs.axes import common_axis, spread
from cmgan_audit.logs.lines.plan import SlotArray
from cmgan_audit.logs.roles import words_of
from cmgan_audit.logs.runs import RunBuilder
from cmgan_audit.logs.series import EPOCH, Note, PrintedBatch, Role, Run, Series
from cmgan_audit.logs.single_scores import are_single

# Fewer numbers are a handful of parameters, no course.
_FEWEST = 3
# Lists of one dictionary, or of prints that follow each other, stand no more lines apart than this.
_BESIDE = 12
# Words of a name that holds a value per epoch, and not one per utterance.
_COURSE = frozenset("history hist curve course epochwise epochs val valid validation train training dev".split())
_PLURAL = regex(r"losses|errors", re.IGNORECASE)


@dataclass(slots=True)
class _Listed:
    """What was printed under one name, of which the last list is kept.

    `growing`: every list begins with the one before it. `lengths`: as many different ones.
    """

    name: str
    role: Role | None
    counter: str
    line: int
    growing: bool = True
    lengths: set[int] = field(default_factory=set)
    last: list[float] = field(default_factory=list)
    seen: PrintedBatch = field(default_factory=PrintedBatch)

    def add(self, numbers: list[float], line: int) -> None:
        """One more list of this name."""
        if self.lengths and not _begins_with(numbers, self.last):
            self.growing = False
        self.lengths.add(len(numbers))
        self.last, self.line = numbers, line

    def is_course(self, run: Run, others: Iterable[_Listed]) -> bool:
        """Whether the last list is the history of the run, by its name, its growth or what is printed beside it."""
        words = set(words_of(self.name))
        return self.may_be_course and (
            len(self.lengths) > 1
            or (bool(words & _COURSE) and not self._has_more_than_epochs(run))
            or (self.role is not None and self.role.kind == "loss" and bool(_PLURAL.search(self.name)))
            or self._is_as_long_as(run)
            or any(self.is_beside(other) and other.counts_epochs for other in others)
        )

    def _is_as_long_as(self, run: Run) -> bool:
        """Whether there are as many numbers as the run has epochs, all of which are over, and none tells against it.

        A test set may have as many utterances; but their scores scatter, and come in no order.
        """
        if len(self.last) != len(_epochs(run)) or self.line < max((p for s in run.series for p in s.places), default=0):
            return False
        return self.role is None or not are_single(_as_series(self, self.role, *spread(len(self.last), len(self.last))))

    def _has_more_than_epochs(self, run: Run) -> bool:
        """Whether scores are more than the epochs that the log has told of: those of the utterances of a set."""
        epochs = _epochs(run)
        is_score = self.role is not None and self.role.kind == "metric"
        return is_score and len(epochs) >= _FEWEST and len(self.last) > max(epochs) + 1

    @property
    def may_be_course(self) -> bool:
        """Whether there is nothing that speaks against it."""
        known = self.role is not None and self.role.kind in ("metric", "loss", "learning_rate")
        return known and self.growing and len(self.last) >= _FEWEST

    @property
    def counts_epochs(self) -> bool:
        """Lists of epochs, and of losses, of which nobody keeps one per utterance."""
        return self.growing and (self.counter == EPOCH or (self.role is not None and self.role.kind == "loss"))

    def is_beside(self, other: _Listed) -> bool:
        """Whether another list is as long as this one and near it."""
        return self is not other and len(self.last) == len(other.last) and abs(self.line - other.line) <= _BESIDE


class PrintedLists:
    """Collects the lists of a text log while it is read, and tells at its end which of them are histories."""

    def __init__(self) -> None:
        self._runs: list[tuple[Run, dict[str, _Listed]]] = []
        self._open: _Listed | None = None
        self._numbers: list[float] = []

    @property
    def is_open(self) -> bool:
        """Whether the list of the line before goes on."""
        return self._open is not None

    def take(self, builder: RunBuilder, listed: SlotArray, row: Sequence[bytes], line: int) -> None:
        """Read one list of a line."""
        self.close()
        numbers = _numbers(listed, row)
        if not listed.is_python:
            batch = builder.printed(listed.name)
            batch.first_place = batch.first_place or line
            _count(batch, numbers)
            if listed.open:
                self._open = _Listed(listed.name, listed.role, "", line, seen=batch)
            return
        found = self._of(builder.run).get(listed.name)
        if found is None:
            found = _Listed(listed.name, listed.role, listed.counter, line)
            found.seen.first_place = line
            self._of(builder.run)[listed.name] = found
        self._open, self._numbers = found, numbers
        found.line = line
        if not listed.open:
            self.close()

    def go_on(self, rest: SlotArray, row: Sequence[bytes]) -> None:
        """A line of numbers that belongs to the open list."""
        if self._open is None:
            return
        if self._is_listed(self._open):
            self._numbers += _numbers(rest, row)
        else:
            _count(self._open.seen, _numbers(rest, row))
        if not rest.open:
            self.close()

    def close(self) -> None:
        """The open list ends here."""
        if self._open is not None and self._is_listed(self._open) and self._numbers:
            self._open.add(self._numbers, self._open.line)
            _count(self._open.seen, self._numbers)
        self._open, self._numbers = None, []

    def settle(self, source: str) -> Iterator[Note]:
        """Make histories series of their runs, count the others as printed batches; notes say of which nobody knows."""
        self.close()
        for run, lists in self._runs:
            known = [one for one in lists.values() if one.is_course(run, lists.values())]
            courses = [o for o in lists.values() if o in known or (o.may_be_course and any(map(o.is_beside, known)))]
            epochs = next((one.last for one in lists.values() if one.counter == EPOCH and one.growing), [])
            axis = common_axis((one.role, len(one.last)) for one in courses)
            for one in courses:
                _add(run, one, epochs, axis)
            for one in lists.values():
                if one.role is None or one in courses:
                    continue
                run.printed[one.name] = one.seen
                if one.role.kind == "metric" and len(one.last) >= _FEWEST and one.growing:
                    text = f"{one.name}: a list of {len(one.last)} numbers, of epochs or of utterances: left out"
                    yield Note(source, one.line, text)

    def _of(self, run: Run) -> dict[str, _Listed]:
        if not self._runs or self._runs[-1][0] is not run:
            self._runs.append((run, {}))
        return self._runs[-1][1]

    def _is_listed(self, one: _Listed) -> bool:
        return bool(self._runs) and self._runs[-1][1].get(one.name) is one


def _add(run: Run, one: _Listed, epochs: Sequence[float], axis: int) -> None:
    """The history as a series; where the log has said its values epoch by epoch, it is known already."""
    role = one.role
    if role is None:
        return
    alike = [
        s for s in run.series if (s.role.kind, s.role.measure, s.role.phase) == (role.kind, role.measure, role.phase)
    ]
    if any(len(series) >= _FEWEST for series in alike):
        return
    run.series = [series for series in run.series if series.name != one.name]
    run.series.append(_as_series(one, role, *spread(len(one.last), axis, epochs)))


def _as_series(one: _Listed, role: Role, kind: str, xs: Sequence[float]) -> Series:
    series = Series(one.name, role, kind)
    for x, y in zip(xs, one.last, strict=True):
        series.append(x, y, one.line)
    return series


def _numbers(listed: SlotArray, row: Sequence[bytes]) -> list[float]:
    return [value if slot is None else value * float(row[slot]) for slot, value in listed.slots]


def _epochs(run: Run) -> set[float]:
    return {x for series in run.series if series.x_kind == EPOCH for x in series.xs}


def _count(batch: PrintedBatch, numbers: Sequence[float]) -> None:
    batch.values += len(numbers)
    batch.sentinels += sum(1 for number in numbers if number == -1.0)


def _begins_with(numbers: Sequence[float], before: Sequence[float]) -> bool:
    return len(numbers) >= len(before) and all(
        a == b or (math.isnan(a) and math.isnan(b)) for a, b in zip(numbers, before, strict=False)
    )
