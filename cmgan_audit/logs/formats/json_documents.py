"""JSON and JSONL: columns of lists, lists of records, nested histories, summaries; YAML summaries too."""

from __future__ import annotations

import itertools
import json
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import yaml

from cmgan_audit.errors import InputError
from cmgan_audit.finding import JsonValue
from cmgan_audit.lazy_regex import regex
from cmgan_audit.logs.formats.long_histories import Record, long_history
from cmgan_audit.logs.formats.records import DEEPEST, Records, number_in
from cmgan_audit.logs.lines.text import read_printed
from cmgan_audit.logs.opening import read_all, read_blocks
from cmgan_audit.logs.roles import RoleBook, counter_kind, table
from cmgan_audit.logs.series import EPOCH, STEP, Note, Reading

_LIMIT = 512 << 20
# Keys under which the records of a list say which utterance or file they are of, and the fewest of such a list.
_IDENTITIES = {"id", "utt", "utt_id", "utterance", "utterance_id", "file", "filename", "file_name", "path", "key"}
_FEW = 3
_HISTORIES = ("log_history", "history", "epochs", "logs", "records", "metrics_history")
# Under which a formatter of logging, a service or a container keeps what the program has printed.
_MESSAGES = ("message", "msg", "log", "text", "event")
_KEYED = regex(r"^(?:(epoch|ep|step|iter)[_ \-]?)?(\d+)$", re.IGNORECASE)

_COUNTERS = (EPOCH, STEP)


def read_json(path: Path, source: str, book: RoleBook) -> Reading:
    """Read one JSON document.

    Raises:
        InputError: it cannot be read, or is no JSON (with line and column).
    """
    by_steps, history = long_history(path, source, _survey) or (None, None)
    if by_steps is not None and history is not None:
        records = Records(source, book)
        records.by_steps = by_steps
        for place, record in enumerate(history(), start=1):
            records.add(record, place)
        return records.reading("json", [])
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


def _survey(history: Iterator[Record]) -> bool | None:
    """Whether only the steps of a long history go on; None where its records are rather of single utterances."""
    first = next(history, None)
    if first is None or not any(counter_kind(key) for key in first):
        return None
    return _only_steps_go_on(itertools.chain([first], history))


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
    reading = records.reading("jsonl", notes, line)
    return reading if _measures(reading) else _of_messages(path, source, book) or reading


def _of_messages(path: Path, source: str, book: RoleBook) -> Reading | None:
    """The log that stands in the messages of records, as JSON formatters and Docker wrap one; None where none does."""

    def messages() -> Iterator[bytes]:
        for block in read_blocks(path, source):
            lines = block.decode("utf-8", errors="replace").removesuffix("\n").split("\n")
            yield "".join(f"{_message(text)}\n" for text in lines).encode("utf-8", errors="replace")

    found = read_printed(messages, source, book)
    return replace(found, format="jsonl") if _measures(found) else None


def _message(text: str) -> str:
    """What a record says in words, in one line; nothing where it says nothing."""
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        return text
    said = (record.get(key) for key in _MESSAGES) if isinstance(record, dict) else ()
    return next((" ".join(words.rstrip("\n").split("\n")) for words in said if isinstance(words, str)), "")


def _measures(reading: Reading) -> bool:
    return any(series.role.kind in ("metric", "loss") for run in reading.runs for series in run.series)


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


def _mapping(document: dict[str, JsonValue], records: Records) -> None:
    lists = {key: value for key, value in document.items() if isinstance(value, list) and value}
    if history := next((key for key in _HISTORIES if key in lists and isinstance(lists[key][0], dict)), ""):
        _list(lists[history], history, records)
        return
    if of_phases := _of_phases(lists):
        _list(of_phases, "", records)
        return
    keyed = _keyed_records(document)
    if keyed:
        for place, (at, record) in enumerate(keyed, start=1):
            records.add(record, place, at)
        return
    columns = dict(_columns(document))
    counted = [key for key, value in lists.items() if _counter(value[0])]
    if len(counted) == 1 and not _hold_scores(columns, records.book):
        _list(lists[counted[0]], counted[0], records)
    elif columns:
        records.columns(columns, {name: words for name, value in document.items() if (words := _words(value))})
    else:
        records.add(document, 1)


def _hold_scores(columns: Iterable[str], book: RoleBook) -> bool:
    """Whether they are the history; a list of records beside them tells of checkpoints, or of a schedule."""
    return any(role.kind in ("metric", "loss") for role in map(book.of, columns) if role is not None)


def _of_phases(document: dict[str, list[JsonValue]]) -> list[JsonValue]:
    """`{"train": [{"epoch": 1, "loss": ...}, ...], "val": [...]}` as records of both, in the order of their epochs."""
    lists = {key: value for key, value in document.items() if key.lower() in table().phases}
    counters = {_counter(value[0]) for value in lists.values()}
    counter = counters.pop() if len(counters) == 1 else ""
    records = [(phase, record) for phase, value in lists.items() for record in value if isinstance(record, dict)]
    placed = [(number_in(record.get(counter)), phase, record) for phase, record in records]
    ordered = sorted(((at, p, r) for at, p, r in placed if at is not None), key=lambda one: one[0])
    return [{k if k == counter else f"{p}/{k}": v for k, v in r.items()} for _, p, r in ordered] if counter else []


def _counter(record: JsonValue) -> str:
    """The key of a record that counts epochs or steps; "" where none does."""
    return next(filter(counter_kind, record), "") if isinstance(record, dict) else ""


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
            triple = [number_in(cell) for cell in item] if isinstance(item, list) else []
            if role is not None and triple[1:] and triple[1] is not None and triple[2] is not None:
                records.builder.add(stem, role, STEP, triple[1], triple[2], place)
        return
    numbers = [number_in(item) for item in document]
    if numbers and all(number is not None for number in numbers):
        records.columns({stem: [number for number in numbers if number is not None]}, {})


def _only_steps_go_on(records: Iterable[Record]) -> bool:
    """Whether epochs begin anew while the steps count on: one training, whose reader of data was made anew.

    So does the trainer of Transformers where a training is resumed with data that stream in.
    """
    last: tuple[float, float] | None = None
    count = counted = 0
    anew, rising = False, True
    of_keys: dict[tuple[str, ...], list[str | None]] = {}
    for record in records:
        count += 1
        keys = tuple(record)
        if keys not in of_keys:
            of_keys[keys] = [next((k for k in keys if counter_kind(k) == kind), None) for kind in _COUNTERS]
        epoch, step = (None if key is None else number_in(record[key]) for key in of_keys[keys])
        if epoch is None or step is None:
            continue
        counted += 1
        if last is not None:
            anew = anew or epoch < last[0]
            rising = rising and last[1] <= step
        last = epoch, step
    return 2 * counted > count and rising and anew


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
    if depth > DEEPEST:
        return
    for key, value in document.items():
        name = f"{prefix}{key}"
        if isinstance(value, list) and value:
            numbers = [number_in(item) for item in value]
            if all(number is not None for number in numbers):
                yield name, [number for number in numbers if number is not None]
            elif sum(number is not None for number in numbers) * 2 >= len(numbers):
                yield name, [math.nan if number is None else number for number in numbers]
        elif isinstance(value, dict):
            keyed = {k: v for k, v in value.items() if _KEYED.match(k) and number_in(v) is not None}
            if len(keyed) >= 2 and len(keyed) == len(value):
                ordered = sorted(keyed.items(), key=lambda kv: float(re.sub(r"\D", "", kv[0])))
                yield name, [n for _, v in ordered if (n := number_in(v)) is not None]
            else:
                yield from _columns(value, f"{name}/", depth + 1)


def _words(value: JsonValue) -> list[str]:
    """A list of words beside lists of numbers, as `"models": ["noisy", "cmgan"]`; empty for anything else."""
    words = [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
    return words if isinstance(value, list) and len(words) == len(value) else []
