"""JSON and JSONL: columns of lists, lists of records, nested histories, summaries; YAML summaries too."""

from __future__ import annotations

import itertools
import json
import math
import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from cmgan_audit.errors import InputError
from cmgan_audit.finding import JsonValue
from cmgan_audit.lazy_regex import regex
from cmgan_audit.logs.named_values import leave_out_single
from cmgan_audit.logs.opening import read_all, read_blocks
from cmgan_audit.logs.roles import RoleBook, counter_kind, table
from cmgan_audit.logs.rows import numbers_name_rows, what_rows_are
from cmgan_audit.logs.runs import RunBuilder, common_axis, filled_counters, natural_x, spread
from cmgan_audit.logs.series import EPOCH, INDEX, STEP, Note, Reading
from cmgan_audit.logs.single_scores import SAID, of_single_utterances
from cmgan_audit.logs.whole_trainings import said_of_trainings, settings_of_runs

_LIMIT = 512 << 20
_DEEPEST = 40
_IGNORED = {"_timestamp", "_runtime", "_wandb", "timestamp", "time", "wall_time", "date", "runtime", "elapsed"}
# Keys under which the records of a list say which utterance or file they are of, and the fewest of such a list.
_IDENTITIES = {"id", "utt", "utt_id", "utterance", "utterance_id", "file", "filename", "file_name", "path", "key"}
_FEW = 3
# The names of so many records tell what they are of.
_NAMED = 1000
_KEYED = regex(r"^(?:(epoch|ep|step|iter)[_ \-]?)?(\d+)$", re.IGNORECASE)

_COUNTERS = (EPOCH, STEP)

Scalars = dict[str, float]


def read_json(path: Path, source: str, book: RoleBook) -> Reading:
    """Read one JSON document.

    Raises:
        InputError: it cannot be read, or is no JSON (with line and column).
    """
    text = read_all(path, source, _LIMIT)
    try:
        document: JsonValue = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"{source}:{error.lineno}: no JSON: {error.msg} (column {error.colno})") from error
    except ValueError as error:  # a number of thousands of digits
        raise InputError(f"{source}: no JSON that is read here: {error}") from error
    except RecursionError as error:
        raise InputError(f"{source}: nested too deep for a log") from error
    return _document(document, source, path, book, "json")


def read_yaml(path: Path, source: str, book: RoleBook) -> Reading:
    """Read a summary in YAML.

    Raises:
        InputError: it cannot be read, or is no YAML.
    """
    text = read_all(path, source, 16 << 20)
    try:
        document: JsonValue = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f":{mark.line + 1}" if mark is not None else ""
        raise InputError(f"{source}{place}: no YAML: {getattr(error, 'problem', None) or error}") from error
    return _document(document, source, path, book, "yaml")


def read_jsonl(path: Path, source: str, book: RoleBook) -> Reading:
    """Read one JSON record per line; lines that are none are counted and said.

    Raises:
        InputError: it cannot be opened.
    """
    records = Records(source, book, "line")
    line = 0
    bad = first_bad = 0
    for block in read_blocks(path, source):
        for text in block.decode("utf-8", errors="replace").removesuffix("\n").split("\n"):
            line += 1
            if not text.strip():
                continue
            try:
                record = json.loads(text)
            except (ValueError, RecursionError):
                bad, first_bad = bad + 1, first_bad or line
                continue
            if isinstance(record, dict):
                records.add(record, line)
    notes = (
        [Note(source, first_bad, f"{bad} line{'s are' if bad > 1 else ' is'} no JSON; the first is here")]
        if bad
        else []
    )
    return records.reading("jsonl", notes, line)


def _document(document: JsonValue, source: str, path: Path, book: RoleBook, kind: str) -> Reading:
    records = Records(source, book)
    if not isinstance(document, dict | list):
        raise InputError(f"{source}: a single value, no log")
    try:
        if isinstance(document, list):
            _list(document, path.stem, records)
        else:
            _mapping(document, records)
    except RecursionError as error:
        raise InputError(f"{source}: nested too deep for a log") from error
    return records.reading(kind, [])


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

    def reading(self, kind: str, notes: list[Note], last_place: int = 0) -> Reading:
        """The runs; none where the records name systems or conditions and count no training."""
        runs = self.builder.finish(last_place)
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
        return next((f for k, v in self.numbers.items() if (f := numbers_name_rows(k, set(v), self.rows))), "")

    def add(self, record: dict[str, JsonValue], place: int, at: tuple[str, float] | None = None) -> None:
        """One record: its counter, or the one it is filed under, and its numbers."""
        scalars = dict(_flat(record))
        self.records += 1
        if any(isinstance(v, str) and re.search(r"\.(?:wav|flac)$", v) for v in record.values()):
            self.per_item += 1
            return
        if at is None and len(self.settings) < _NAMED:
            self.settings.append(dict(scalars))
        epoch = step = None
        for name in list(scalars):
            counter = counter_kind(name) or ("step" if name == "_step" else None)
            if counter == "epoch" and epoch is None:
                epoch = scalars.pop(name)
            elif counter == "step":
                step = scalars.pop(name) if step is None else scalars.pop(name) and step
        if self.by_steps and step is not None:
            epoch = None
        if at is not None and epoch is None and step is None:
            epoch, step = (at[1], None) if at[0] == EPOCH else (None, at[1])
        if epoch is not None and math.isfinite(epoch):
            self.builder.epoch(epoch, place)
        elif epoch is not None:
            epoch = self.builder.current_epoch
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
        counter = counter or next((n for n, kind in kinds.items() if kind == "step"), None)
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


def _mapping(document: dict[str, JsonValue], records: Records) -> None:
    for history in ("log_history", "history", "epochs", "logs", "records", "metrics_history"):
        inner = document.get(history)
        if isinstance(inner, list) and inner and isinstance(inner[0], dict):
            _list(inner, history, records)
            return
    keyed = _keyed_records(document)
    if keyed:
        for place, (at, record) in enumerate(keyed, start=1):
            records.add(record, place, at)
        return
    columns = dict(_columns(document))
    if columns:
        records.columns(columns, {name: words for name, value in document.items() if (words := _words(value))})
        return
    records.add(document, 1)


def _list(document: list[JsonValue], stem: str, records: Records) -> None:
    if document and all(isinstance(item, dict) for item in document):
        members = [item for item in document if isinstance(item, dict)]
        if _is_per_item(members):
            records.per_item += len(document)
            return
        records.by_steps = _only_steps_go_on(members)
        for place, item in enumerate(document, start=1):
            if isinstance(item, dict):
                records.add(item, place)
        return
    if document and all(isinstance(item, list) and len(item) == 3 for item in document):
        # A scalar as TensorBoard's web page saves it: [[wall time, step, value], ...], the file named after the tag.
        role = records.book.of(stem)
        for place, item in enumerate(document, start=1):
            triple = [_number(cell) for cell in item] if isinstance(item, list) else []
            if role is not None and triple[1:] and triple[1] is not None and triple[2] is not None:
                records.builder.add(stem, role, STEP, triple[1], triple[2], place)
        return
    numbers = [_number(item) for item in document]
    if numbers and all(number is not None for number in numbers):
        records.columns({stem: [number for number in numbers if number is not None]}, {})


def _only_steps_go_on(records: list[dict[str, JsonValue]]) -> bool:
    """Whether epochs begin anew while the steps count on: one training, whose reader of data was made anew.

    So does the trainer of Transformers where a training is resumed with data that stream in.
    """
    counted: list[tuple[float, float]] = []
    for record in records:
        epoch, step = (
            next((_number(v) for k, v in record.items() if counter_kind(k) == kind), None) for kind in _COUNTERS
        )
        if epoch is not None and step is not None:
            counted.append((epoch, step))
    if 2 * len(counted) <= len(records):
        return False
    pairs = list(itertools.pairwise(counted))
    return all(a[1] <= b[1] for a, b in pairs) and any(b[0] < a[0] for a, b in pairs)


def _is_per_item(records: list[dict[str, JsonValue]]) -> bool:
    """Scores per utterance, perhaps of several systems: records say of which they are, and not at which epoch."""
    if len(records) < _FEW or any(counter_kind(key) for key in records[0]):
        return False
    for key in (key for key in records[0] if key.lower() in _IDENTITIES):
        named = {value for record in records if isinstance(value := record.get(key), str)}
        if len(named) >= _FEW:
            return True
    return False


def _keyed_records(document: dict[str, JsonValue]) -> list[tuple[tuple[str, float], dict[str, JsonValue]]]:
    """`{"epoch_1": {...}, "epoch_2": {...}}` or `{"1": {...}}`: records filed under their epoch, in its order."""
    found: list[tuple[tuple[str, float], dict[str, JsonValue]]] = []
    for key, value in document.items():
        match = _KEYED.match(key)
        if match is None or not isinstance(value, dict):
            continue
        kind = STEP if (match.group(1) or "").lower() in ("step", "iter") else EPOCH
        found.append(((kind, float(match.group(2))), value))
    return sorted(found, key=lambda entry: entry[0][1]) if len(found) * 2 > len(document) else []


def _columns(document: dict[str, JsonValue], prefix: str = "", depth: int = 0) -> Iterator[tuple[str, list[float]]]:
    if depth > _DEEPEST:
        return
    for key, value in document.items():
        name = f"{prefix}{key}"
        if isinstance(value, list) and value:
            numbers = [_number(item) for item in value]
            if all(number is not None for number in numbers):
                yield name, [number for number in numbers if number is not None]
            elif sum(number is not None for number in numbers) * 2 >= len(numbers):
                yield name, [math.nan if number is None else number for number in numbers]
        elif isinstance(value, dict):
            keyed = {k: v for k, v in value.items() if _KEYED.match(k) and _number(v) is not None}
            if len(keyed) >= 2 and len(keyed) == len(value):
                ordered = sorted(keyed.items(), key=lambda kv: float(re.sub(r"\D", "", kv[0])))
                yield name, [n for _, v in ordered if (n := _number(v)) is not None]
            else:
                yield from _columns(value, f"{name}/", depth + 1)


def _flat(record: dict[str, JsonValue], prefix: str = "", depth: int = 0) -> Iterator[tuple[str, float]]:
    if depth > _DEEPEST:
        return
    for key, value in record.items():
        if key in _IGNORED:
            continue
        name = f"{prefix}{key}"
        number = _number(value)
        if number is not None:
            yield name, number
        elif isinstance(value, dict):
            yield from _flat(value, f"{name}/", depth + 1)
        elif isinstance(value, list) and len(value) == 1:
            only = _number(value[0])
            if only is not None:
                yield name, only


def _words(value: JsonValue) -> list[str]:
    """A list of words beside lists of numbers, as `"models": ["noisy", "cmgan"]`; empty for anything else."""
    words = [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
    return words if isinstance(value, list) and len(words) == len(value) else []


def _number(value: JsonValue) -> float | None:
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
