"""CSV and TSV: exports of W&B and TensorBoard, Lightning's metrics.csv, tables that training scripts write."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import field
from pathlib import Path
from typing import TypeVar

from cmgan_audit.errors import InputError
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.logs.formats.cells import BARS, RULES, parse_number
from cmgan_audit.logs.lines.left_out import counted
from cmgan_audit.logs.opening import read_blocks
from cmgan_audit.logs.roles import RoleBook, counter_kind, words_of
from cmgan_audit.logs.roles import table as table_of_roles
from cmgan_audit.logs.rows import TRAILING_NUMBER, are_evaluations, numbers_name_rows, what_rows_are
from cmgan_audit.logs.runs import RunBuilder
from cmgan_audit.logs.series import EPOCH, INDEX, STEP, Note, Reading, Run
from cmgan_audit.logs.single_scores import SAID, of_single_utterances

_DELIMITERS = ("\t", ";", ",", "|")
_RUN_COLUMNS = {
    "seed",
    "fold",
    "run",
    "run id",
    "run name",
    "experiment",
    "exp",
    "exp name",
    "experiment name",
    "trial",
}
_NAME_COLUMNS = {"metric", "tag", "key", "measure", "series", "metric name"}
_VALUE_COLUMNS = {"value", "val", "score", "scalar"}
_IGNORED = {"wall time", "walltime", "timestamp", "time", "relative time", "date", "runtime", "elapsed", "elapsed time"}
_MISSING = {"", "-", "--", "na", "n/a", "none", "null"}
_SAMPLE = 50
# So many different cells of a column tell whether it names the rows.
_MOST_SEEN = 1000

_Cell = TypeVar("_Cell", str, float)


@dataclass(slots=True)
class _Column:
    position: int
    name: str
    kind: str  # "epoch", "step", "value", "run", "name", "part", "number", "ignored"


@dataclass(slots=True)
class _Table:
    """What the head of the file says about the rest of it."""

    delimiter: str
    decimal_comma: bool
    header: list[str] | None
    columns: list[_Column] = field(default_factory=list)


def read_delimited(path: Path, source: str, book: RoleBook) -> Reading:
    """Read a CSV or TSV file.

    Raises:
        InputError: the file cannot be opened, or holds no table of numbers.
    """
    return read_table(_lines(path, source), source, path.stem.partition(".")[0], book)


def read_table(lines: Iterator[tuple[int, str]], source: str, stem: str, book: RoleBook) -> Reading:
    """Read the lines of one table, each with its number in the file; `stem` names an only column without a name.

    Raises:
        InputError: they hold no table of numbers.
    """
    return _Reader(source, stem, book).read(lines)


class _Reader:
    def __init__(self, source: str, stem: str, book: RoleBook) -> None:
        self.source, self.stem, self.book = source, stem, book
        self.builders: dict[str, RunBuilder] = {}
        self.notes: list[Note] = []
        self.bad: Counter[str] = Counter()
        self.first_bad: dict[str, tuple[int, str]] = {}
        self.ragged = 0
        self.texts: dict[int, set[str]] = {}
        self.worded: Counter[int] = Counter()
        self.numbers: dict[int, set[float]] = {}
        self.tags: set[str] = set()
        self.rows = 0
        self.wandb_names: dict[int, tuple[str, str]] = {}

    def read(self, lines: Iterator[tuple[int, str]]) -> Reading:
        head = [pair for _, pair in zip(range(_SAMPLE), lines, strict=False)]
        if not head:
            raise InputError(f"{self.source}: empty, no table")
        table = _look(head, self.stem)
        if table is None:
            raise InputError(f"{self.source}:{head[0][0]}: no table of numbers: {head[0][1][:60]!r}")
        self._columns(table)
        for place, cells in _rows(head, lines, table):
            if table.header is not None and cells == table.header:
                for builder in self.builders.values():
                    builder.process_start(place)
                continue
            self._row(table, cells, place)
        return self._finish(table)

    def _columns(self, table: _Table) -> None:
        if table.header is None:
            self.notes.append(Note(self.source, 1, "no header line: columns are named by their number or the file"))
            return
        table.columns = [_Column(i, name, _column_kind(name)) for i, name in enumerate(table.header)]
        kinds = {column.kind for column in table.columns}
        for column in table.columns:
            if column.kind == "name" and "value" not in kinds:
                column.kind = "ignored"
            elif column.kind == "value" and "name" not in kinds:
                # A TensorBoard export holds one tag (Wall time, Step, Value); its file is named after it.
                column.kind, column.name = "number", self.stem
        if any(name.endswith("__MIN") for name in table.header):
            for column in table.columns:
                run, found, name = column.name.rpartition(" - ")
                if found and column.kind == "number":
                    self.wandb_names[column.position] = (run, name)

    def _row(self, table: _Table, cells: list[str], place: int) -> None:
        self.rows += 1
        if table.header is not None and len(cells) != len(table.header):
            self.ragged += 1
        run = next(
            (cells[c.position].strip() for c in table.columns if c.kind == "run" and c.position < len(cells)), ""
        )
        numbers: list[tuple[_Column, float]] = []
        epoch = step = None
        tag = part = ""
        for column in table.columns:
            if column.position >= len(cells) or column.kind in ("ignored", "run"):
                continue
            cell = cells[column.position].strip().strip("\"'")
            if column.kind == "name":
                tag = cell
                continue
            if column.kind == "part":
                part = f"{cell}/" if cell else ""
                continue
            number = self._number(cell, column, table, place)
            if number is None:
                continue
            if column.kind == "epoch":
                epoch = number
            elif column.kind == "step":
                step = number
            else:
                numbers.append((column, number))
        if tag or part:
            _remember(self.tags, part + tag)
        self._add(run, epoch, step, (tag, part), numbers, place)

    def _add(
        self,
        run: str,
        epoch: float | None,
        step: float | None,
        named: tuple[str, str],
        numbers: list[tuple[_Column, float]],
        place: int,
    ) -> None:
        tag, part = named
        for column, number in numbers:
            wandb_run, name = self.wandb_names.get(column.position, ("", column.name))
            name = part + (tag if column.kind == "value" and tag else name)
            builder = self._builder(wandb_run or run)
            if epoch is not None and builder.current_epoch != epoch:
                builder.epoch(epoch, place)
            role = self.book.of(name)
            if role is None:
                continue
            if epoch is not None:
                builder.add(name, role, EPOCH, epoch, number, place)
            elif step is not None:
                builder.add(name, role, STEP, step, number, place)
            else:
                series = builder.series(name, role, INDEX)
                series.append(float(series.seen), number, place)

    def _builder(self, run: str) -> RunBuilder:
        builder = self.builders.get(run)
        if builder is None:
            builder = self.builders[run] = RunBuilder(self.source)
        return builder

    def _number(self, cell: str, column: _Column, table: _Table, place: int) -> float | None:
        if cell.lower() in _MISSING:
            return None
        value = parse_number(cell, table.decimal_comma)
        if value is not None:
            _remember(self.numbers.setdefault(column.position, set()), value)
            return value
        _remember(self.texts.setdefault(column.position, set()), cell)
        self.worded[column.position] += 1
        match = TRAILING_NUMBER.search(cell) if column.kind in ("epoch", "step") else None
        if match is not None:
            return float(match.group(1))
        self.bad[column.name] += 1
        self.first_bad.setdefault(column.name, (place, cell))
        return None

    def _finish(self, table: _Table) -> Reading:
        runs: list[Run] = []
        for name, builder in self.builders.items():
            found = builder.finish()
            for run in found:
                run.label = " ".join(part for part in (name, run.label) if part)
            runs.extend(found)
        if self.ragged:
            self.notes.append(
                Note(self.source, 0, f"{counted(self.ragged, 'row', 'hold')} more or fewer cells than the header")
            )
        numeric = {series.name for run in runs for series in run.series}
        for name, count in self.bad.items():
            place, cell = self.first_bad[name]
            if name in numeric:
                self.notes.append(
                    Note(self.source, place, f"{name}: {cell!r} is no number ({count} such cell{'s' * (count > 1)})")
                )
        rows = self._what_rows_are(table)
        if rows:
            text = f"one row per {rows}, not per evaluation: no trend in it"
            self.notes.append(Note(self.source, 0, text, of_a_list=True))
            runs = []
        elif not any(counter_kind(column.name) for column in table.columns) and (values := of_single_utterances(runs)):
            self.notes.append(Note(self.source, 0, SAID.format(values), of_a_list=True))
            runs = []
        return Reading(self.source, "csv", runs, self.notes)

    def _what_rows_are(self, table: _Table) -> str:
        """What another row is another one of (rows.py); "" for evaluations, which a counter or their order tells."""
        for column in table.columns:
            texts = self.texts.get(column.position, set())
            counts = column.kind in ("epoch", "step") and not self.bad[column.name]
            if counts and (not texts or are_evaluations(texts)):
                return ""
        rows = self.rows / max(1, len(self.tags))
        for column in table.columns:
            if column.kind in ("ignored", "part", "name", "run", "value"):
                continue
            texts = self.texts.get(column.position, set())
            if texts:
                found = what_rows_are(column.name, texts, self.worded[column.position] / self.rows, rows)
            else:
                found = numbers_name_rows(column.name, self.numbers.get(column.position, set()), rows)
            if found:
                return found
        return ""


def _remember(seen: set[_Cell], value: _Cell) -> None:
    """Keep what a column holds, up to what is needed to tell what its rows are."""
    if len(seen) < _MOST_SEEN:
        seen.add(value)


def _lines(path: Path, source: str) -> Iterator[tuple[int, str]]:
    """Lines with their numbers; comment lines and empty ones left out."""
    number = 0
    for block in read_blocks(path, source):
        for line in block.decode("utf-8", errors="replace").replace("\r\n", "\n").replace("\r", "\n").splitlines():
            number += 1
            text = line.replace("\0", " ")
            text = text.translate(BARS)
            if text.strip() and not text.lstrip().startswith(("#", "//")) and set(text) - RULES:
                yield number, text


def _look(head: list[tuple[int, str]], stem: str) -> _Table | None:
    """Delimiter, decimal comma and header, from the first lines."""
    texts = [text for _, text in head]
    best: tuple[int, str] | None = None
    for delimiter in (*_DELIMITERS, " "):
        widths = Counter(len(_split(text, delimiter)) for text in texts)
        width, count = widths.most_common(1)[0]
        # `1;2,64`: the semicolon separates, the comma is decimal; so the rarer sign that fits every line wins.
        if width > 1 and count >= 0.6 * len(texts):
            best = (width, delimiter)
            break
    if best is None:
        if not all(parse_number(text.strip(), False) is not None for text in texts[1:]) or len(texts) < 2:
            return None
        best = (1, ",")
    width, delimiter = best
    first = [cell.strip().strip("\"'") for cell in _split(texts[0], delimiter)]
    comma = delimiter != "," and any(
        re.fullmatch(r"-?\d+,\d+", cell.strip()) for text in texts[1:] for cell in _split(text, delimiter)
    )
    named = all(parse_number(cell, comma) is None for cell in first if cell) and any(first)
    rows = [cell.strip().strip("\"'") for text in texts[1:] for cell in _split(text, delimiter)]
    if named and not any(parse_number(cell, comma) is not None for cell in rows):
        return None
    if named:
        return _Table(delimiter, comma, _unique(first))
    return _unnamed(texts, delimiter, comma, stem)


def _unnamed(texts: list[str], delimiter: str, comma: bool, stem: str) -> _Table | None:
    """Without a header: rising whole numbers in the first column are epochs; the file names an only other column."""
    rows = [[parse_number(c.strip(), comma) for c in _split(t, delimiter)] for t in texts]
    if not any(value is not None for row in rows for value in row):
        return None
    width = max(len(row) for row in rows)
    firsts = [row[0] for row in rows if row and row[0] is not None]
    counts = width > 1 and len(firsts) == len(rows) and all(v == int(v) for v in firsts if abs(v) < 1e15)
    rises = counts and all(a <= b for a, b in itertools.pairwise(firsts)) and len(set(firsts)) > 1
    names = [f"column {i + 1}" for i in range(width)]
    if rises:
        names[0] = "epoch"
    if width - bool(rises) == 1:
        names[-1] = stem
    table = _Table(delimiter, comma, None)
    table.columns = [_Column(i, n, "epoch" if rises and i == 0 else "number") for i, n in enumerate(names)]
    return table


def _unique(names: list[str]) -> list[str]:
    seen: Counter[str] = Counter()
    out = []
    for position, name in enumerate(names, start=1):
        name = name or f"column {position}"
        seen[name] += 1
        out.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return out


def _split(text: str, delimiter: str) -> list[str]:
    if delimiter == " ":
        return text.split()
    if delimiter == "|":
        return text.strip().strip("|").split("|")
    if '"' not in text:
        return text.split(delimiter)
    try:
        return next(csv.reader(io.StringIO(text), delimiter=delimiter), [])
    except csv.Error:
        return text.split(delimiter)


def _rows(
    head: list[tuple[int, str]], rest: Iterator[tuple[int, str]], table: _Table
) -> Iterator[tuple[int, list[str]]]:
    skip = table.header is not None
    for lines in (head, rest):
        for place, text in lines:
            if skip:
                skip = False
                continue
            cells = _split(text, table.delimiter)
            if table.delimiter == "|" and all(set(cell.strip()) <= set("-:= ") for cell in cells):
                continue
            if table.header is not None and [c.strip().strip("\"'") for c in cells] == table.header:
                yield place, table.header
                continue
            yield place, cells


def _column_kind(name: str) -> str:
    counter = counter_kind(name)
    if counter:
        return counter
    words = " ".join(words_of(name))
    if words in _RUN_COLUMNS:
        return "run"
    if words in _NAME_COLUMNS:
        return "name"
    if words in _VALUE_COLUMNS:
        return "value"
    if words in table_of_roles().parts:
        return "part"
    if words in _IGNORED or re.search(r"__(?:MIN|MAX)$", name):
        return "ignored"
    if words in ("checkpoint", "ckpt", "model", "checkpoint name", "unnamed 0", "index"):
        return "epoch"
    return "number"
