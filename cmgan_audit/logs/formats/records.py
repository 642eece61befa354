"""Records of JSON, of JSONL and of W&B: a counter and named numbers each."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import cast

from cmgan_audit.finding import JsonValue
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.logs.after_training import part_behind
from cmgan_audit.logs.axes import common_axis, filled_counters, spread
from cmgan_audit.logs.named_values import leave_out_single
from cmgan_audit.logs.roles import RoleBook, counter_kind, doubt_of_step, table
from cmgan_audit.logs.rows import are_of_training, numbers_name_rows, what_rows_are
from cmgan_audit.logs.runs import RunBuilder, natural_x
from cmgan_audit.logs.series import EPOCH, INDEX, STEP, Note, Reading, Role
from cmgan_audit.logs.single_scores import SAID, of_single_utterances
from cmgan_audit.logs.whole_trainings import said_of_trainings, settings_of_runs

DEEPEST = 40
_IGNORED = {"_timestamp", "_runtime", "_wandb", "timestamp", "time", "wall_time", "date", "runtime", "elapsed"}
# The names of so many records tell what they are of.
_NAMED = 1000
_PLAIN = frozenset((int, float))

Scalars = dict[str, float]


@dataclass(frozen=True, slots=True)
class _Shape:
    """What the keys of a record are where all its values are numbers: the counters, and names with their roles."""

    epoch: str | None
    step: str | None
    values: tuple[tuple[str, Role], ...]


class Records:
    """Adds records and columns to one builder."""

    def __init__(self, source: str, book: RoleBook, places: str = "record") -> None:
        self.builder = RunBuilder(source, places=places)
        self.source, self.book = source, book
        self.per_item = 0
        self.counted = False
        self.by_steps = False
        self.names: dict[str, list[str]] = {}
        self.numbers: dict[str, list[float]] = {}
        self.rows = 0
        self.records = -1
        self.settings: list[Scalars] = []
        self._uncounted: list[int] = []
        self._shapes: dict[tuple[str, ...], _Shape | None] = {}

    def reading(self, kind: str, notes: list[Note], last_place: int = 0) -> Reading:
        """The runs; none where the records name systems or conditions and count no training."""
        runs = self.builder.finish(last_place)
        if runs and len(self._uncounted) == 1:
            part_behind(runs[-1], self._uncounted[0] - 1)
        rows = "" if self.counted else self._what_records_are()
        if rows:
            text = f"one record per {rows}, not per evaluation: no trend in it"
            notes.append(Note(self.source, 0, text, of_a_list=True))
            runs = []
        elif settings := settings_of_runs(runs, self.settings):
            notes.append(Note(self.source, 0, said_of_trainings(len(self.settings), settings), of_a_list=True))
            runs = []
        elif not self.counted and (values := of_single_utterances(runs)):
            notes.append(Note(self.source, 0, SAID.format(values), of_a_list=True))
            runs = []
        if self.per_item:
            notes.append(
                Note(
                    self.source,
                    0,
                    f"{self.per_item} record{'s' * (self.per_item != 1)} of single utterances or files, left out",
                )
            )
        reading = Reading(self.source, kind, runs, notes)
        leave_out_single(reading)
        return reading

    def _remember(self, record: dict[str, JsonValue], scalars: Scalars) -> None:
        """Keep what the first records without a counter are called."""
        self.rows += 1
        for key, value in record.items():
            if isinstance(value, str):
                self.names.setdefault(key, []).append(value)
            elif key in scalars:
                self.numbers.setdefault(key, []).append(scalars[key])

    def _what_records_are(self) -> str:
        for key, texts in self.names.items():
            if key.lower() not in table().parts and key.lower() not in _IGNORED:
                found = what_rows_are(key, set(texts), len(texts) / max(1, self.rows), self.rows)
                if found:
                    return found
        if are_of_training(self.numbers):  # `sample_idx` counts what it has seen
            return ""
        return next((f for k, v in self.numbers.items() if (f := numbers_name_rows(k, set(v)))), "")

    def add(self, record: dict[str, JsonValue], place: int, at: tuple[str, float] | None = None) -> None:
        """One record: its counter, or the one it is filed under, and its numbers."""
        if at is None and not self.by_steps and self._add_numbers(record, place):
            return
        scalars = dict(_flat(record))
        self.records += 1
        if any(isinstance(v, str) and re.search(r"\.(?:wav|flac)$", v) for v in record.values()):
            self.per_item += 1
            return
        if at is None and len(self.settings) < _NAMED:
            self.settings.append(dict(scalars))
        epoch = step = None
        counters = [(name, counter) for name in scalars if (counter := _counter_of(name))]
        for name, counter in sorted(counters, key=lambda named: doubt_of_step(named[0])):
            if counter == "epoch" and epoch is None:
                epoch = scalars.pop(name)
            elif counter == "step":
                number = scalars.pop(name)
                step = number if step is None else step
        if self.by_steps and step is not None:
            epoch = None
        if at is not None and epoch is None and step is None:
            epoch, step = (at[1], None) if at[0] == EPOCH else (None, at[1])
        if epoch is not None and math.isfinite(epoch):
            self.builder.epoch(epoch, place)
        elif epoch is not None:
            epoch = self.builder.current_epoch
        if self.counted:
            self._note(place, epoch is not None or step is not None)
        self.counted = self.counted or epoch is not None or step is not None
        if not self.counted and self.rows < _NAMED:
            self._remember(record, scalars)
        part = next((f"{v}/" for k, v in record.items() if k.lower() in table().parts and isinstance(v, str)), "")
        for key, value in scalars.items():
            name = part + key
            role = self.book.of(name)
            if role is None:
                continue
            kind, x = natural_x(self.builder, epoch, step, 0)
            if kind == INDEX:
                series = self.builder.series(name, role, kind)
                series.append(float(self.records), value, place)
            else:
                self.builder.add(name, role, kind, x, value, place)

    def _note(self, place: int, counts: bool) -> None:
        """Remember where the first record without a counter stands, and the first behind it that has one."""
        if counts is bool(self._uncounted) and len(self._uncounted) < 2:
            self._uncounted.append(place)

    def _add_numbers(self, record: dict[str, JsonValue], place: int) -> bool:
        """Add a record that holds nothing but numbers under names that are known; False, and nothing is added, else."""
        keys = tuple(record)
        shape = self._shapes.get(keys)
        if shape is None or len(self.settings) < _NAMED or not _PLAIN.issuperset(map(type, record.values())):
            if len(self.settings) >= _NAMED and keys not in self._shapes and len(self._shapes) < _NAMED:
                self._shapes[keys] = _shape(keys, self.book)
            return False
        builder, numbers = self.builder, cast("dict[str, float]", record)
        try:
            epoch = None if shape.epoch is None else float(numbers[shape.epoch])
            step = None if shape.step is None else float(numbers[shape.step])
            values = [float(numbers[key]) for key, _ in shape.values]
        except OverflowError:
            return False
        if (epoch is None and step is None) or not math.isfinite(epoch or 0.0):
            return False
        self.records += 1
        self.counted = True
        self._note(place, True)
        if epoch is not None:
            builder.epoch(epoch, place)
        kind, x = natural_x(builder, epoch, step, 0)
        for (key, role), value in zip(shape.values, values, strict=True):
            if kind == STEP:
                builder.add(key, role, kind, x, value, place)
            else:
                builder.series(key, role, kind).append(x, value, place)
        return True

    def columns(self, columns: dict[str, list[float]], words: dict[str, list[str]]) -> None:
        """Columns of lists: one may be the counter; else the order counts from 1 as epochs.

        Lists of words name the rows if they are as long as the columns; others belong to something else.
        """
        self.numbers = columns
        self.settings = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=False)]
        self.rows = max(len(values) for values in columns.values())
        self.names = {name: texts for name, texts in words.items() if len(texts) == self.rows}
        kinds = {name: counter_kind(name) for name in columns}
        counter = next((n for n, kind in kinds.items() if kind == "epoch"), None)
        counter = counter or min((n for n, kind in kinds.items() if kind == "step"), key=doubt_of_step, default=None)
        at = filled_counters(columns[counter]) if counter else None
        kind = EPOCH if counter is None else (kinds[counter] or INDEX)
        self.counted = counter is not None
        roles = {name: self.book.of(name) for name in columns if name != counter}
        axis = len(at) if at else common_axis((role, len(columns[name])) for name, role in roles.items())
        for name, role in roles.items():
            values = columns[name]
            if role is None:
                continue
            x_kind, xs = spread(len(values), axis, at or ())
            x_kind = kind if x_kind == EPOCH and (at or role.kind != "other") else INDEX
            series = self.builder.series(name, role, x_kind)
            for place, (x, y) in enumerate(zip(xs, values, strict=True), start=1):
                series.append(x, y, place)


def _shape(keys: tuple[str, ...], book: RoleBook) -> _Shape | None:
    """None where two keys count the same."""
    counters: dict[str, str] = {}
    values: list[tuple[str, Role]] = []
    for key in keys:
        if key in _IGNORED:
            continue
        counter = _counter_of(key)
        if counter in counters:
            return None
        if counter is not None:
            counters[counter] = key
        elif (role := book.of(key)) is not None:
            values.append((key, role))
    return _Shape(counters.get("epoch"), counters.get("step"), tuple(values))


def _counter_of(name: str) -> str | None:
    """What a key counts; `_step` is W&B's own."""
    return counter_kind(name) or (STEP if name == "_step" else None)


def _flat(record: dict[str, JsonValue], prefix: str = "", depth: int = 0) -> Iterator[tuple[str, float]]:
    if depth > DEEPEST:
        return
    for key, value in record.items():
        if key in _IGNORED:
            continue
        name = f"{prefix}{key}"
        number = number_in(value)
        if number is not None:
            yield name, number
        elif isinstance(value, dict):
            yield from _flat(value, f"{name}/", depth + 1)
        elif isinstance(value, list) and len(value) == 1:
            only = number_in(value[0])
            if only is not None:
                yield name, only


def number_in(value: JsonValue) -> float | None:
    """A JSON number, or the words that loggers write for one; None for everything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        try:
            return float(value)
        except OverflowError:
            return math.inf if value > 0 else -math.inf
    if isinstance(value, str):
        word = value.strip().lower()
        if word in ("nan", "inf", "infinity", "-inf", "-infinity"):
            return float(word)
        if re.fullmatch(r"[-+]?\d+(?:\.\d*)?(?:e[-+]?\d+)?", word):
            return float(word)
    return None
