"""CSV and TSV: exports of W&B and TensorBoard, Lightning's metrics.csv, tables that training scripts write."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from cmgan_audit.errors import InputError
from cmgan_audit.logs.formats.cells import BARS, RULES, parse_number
from cmgan_audit.logs.formats.measure_rows import counted_columns, read_on_its_side
from cmgan_audit.logs.formats.plain_rows import add_columns, columns_of, is_plain
from cmgan_audit.logs.formats.table_head import (
    Column,
    Table,
    column_kind,
    commented_head,
    look_at,
    one_step_column,
    split_cells,
)
from cmgan_audit.logs.lines.left_out import counted
from cmgan_audit.logs.opening import read_blocks
from cmgan_audit.logs.roles import RoleBook, counter_kind
from cmgan_audit.logs.rows import are_evaluations, are_of_training, number_of, numbers_name_rows, what_rows_are
from cmgan_audit.logs.runs import RunBuilder, from_first_to_last
from cmgan_audit.logs.series import EPOCH, INDEX, STEP, Note, Reading, Run
from cmgan_audit.logs.single_scores import SAID, of_single_utterances
from cmgan_audit.logs.whole_trainings import said_of_trainings, settings_of_runs

_MISSING = {"", "-", "--", "na", "n/a", "none", "null"}
_SAMPLE = 50
# So many different cells of a column tell whether it names the rows.
_MOST_SEEN = 1000
# So many rows are read at once where they are plain.
_BLOCK = 2000
_RULES = "".join(RULES)

_Cell = TypeVar("_Cell", str, float)
# Run, epoch, step, tag and part, the numbers of the columns, and the line of a row.
_Row = tuple[str, float | None, float | None, tuple[str, str], list[tuple[Column, float]], int]


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
        self.checkpoints: list[_Row] = []
        self.names_checkpoints = False
        self.settings: list[dict[str, float]] = []
        self.wandb_names: dict[int, tuple[str, str]] = {}

    def read(self, lines: Iterator[tuple[int, str]]) -> Reading:
        head = [pair for _, pair in zip(range(_SAMPLE), lines, strict=False)]
        if not head:
            raise InputError(f"{self.source}: empty, no table")
        table = look_at(head, self.stem)
        if table is None:
            raise InputError(f"{self.source}:{head[0][0]}: no table of numbers: {head[0][1][:60]!r}")
        if (columns := counted_columns(table, head)) is not None:
            return read_on_its_side(itertools.chain(head[1:], lines), table, columns, self.source, self.book)
        self._columns(table)
        plain = is_plain(table) and not self.wandb_names
        part = head if table.header is None else head[1:]
        while part:
            if not (plain and self._block(table, part)):
                self._rows(table, part)
            part = list(itertools.islice(lines, _BLOCK))
        return self._finish(table)

    def _rows(self, table: Table, lines: list[tuple[int, str]]) -> None:
        for place, text in lines:
            cells = split_cells(text, table.delimiter)
            if table.delimiter == "|" and all(set(cell.strip()) <= set("-:= ") for cell in cells):
                continue
            if table.header is not None and _is_header(cells, table.header):
                for builder in self.builders.values():
                    builder.process_start(place)
                continue
            self._row(table, cells, place)

    def _block(self, table: Table, lines: list[tuple[int, str]]) -> bool:
        """Read many rows at once; False, and nothing is read, where they are not plain."""
        if self.rows < _MOST_SEEN or self.names_checkpoints:
            return False
        columns = columns_of([text for _, text in lines], table)
        builder = self._builder("")
        if columns is None or not add_columns(builder, table, self.book, columns, [place for place, _ in lines]):
            return False
        self.rows += len(lines)
        for position, values in columns.items():
            seen = self.numbers.setdefault(position, set())
            if len(seen) < _MOST_SEEN:
                for value in values:
                    if value is not None:
                        _remember(seen, value)
        return True

    def _columns(self, table: Table) -> None:
        if table.header is None:
            self.notes.append(Note(self.source, 1, "no header line: columns are named by their number or the file"))
            return
        table.columns = [Column(i, name, column_kind(name)) for i, name in enumerate(table.header)]
        one_step_column(table.columns)
        kinds = {column.kind for column in table.columns}
        for column in table.columns:
            if column.kind == "name" and "value" not in kinds:
                # Kaldi's and ESPnet's word for what an utterance is called.
                column.kind = "number" if column.name.lower() == "key" else "ignored"
            elif column.kind == "value" and "name" not in kinds:
                # A TensorBoard export holds one tag (Wall time, Step, Value); its file is named after it.
                column.kind, column.name = "number", self.stem
        if any(name.endswith("__MIN") for name in table.header):
            for column in table.columns:
                run, found, name = column.name.rpartition(" - ")
                if found and column.kind == "number":
                    self.wandb_names[column.position] = (run, name)

    def _row(self, table: Table, cells: list[str], place: int) -> None:
        self.rows += 1
        if table.header is not None and len(cells) != len(table.header):
            self.ragged += 1
        run = next(
            (cells[c.position].strip() for c in table.columns if c.kind == "run" and c.position < len(cells)), ""
        )
        numbers: list[tuple[Column, float]] = []
        epoch = step = None
        tag = part = ""
        named: dict[str, float] = {}
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
            named[column.name] = number
            if column.kind == "epoch":
                epoch = number
            elif column.kind == "step":
                step = number
            else:
                numbers.append((column, number))
        if tag or part:
            _remember(self.tags, part + tag)
        if not run and len(self.settings) < _MOST_SEEN:
            self.settings.append(named)
        row = (run, epoch, step, (tag, part), numbers, place)
        if self.names_checkpoints:
            self.checkpoints.append(row)
        else:
            self._add(*row)

    def _add_checkpoints(self) -> None:
        """The rows that are named after checkpoints; a folder lists `epoch_10` before `epoch_2`."""
        names = {(run, epoch, step, named) for run, epoch, step, named, _, _ in self.checkpoints}
        if len(names) == len(self.checkpoints):
            self.checkpoints.sort(key=lambda row: tuple(math.inf if at is None else at for at in row[1:3]))
        for row in self.checkpoints:
            self._add(*row)

    def _add(
        self,
        run: str,
        epoch: float | None,
        step: float | None,
        named: tuple[str, str],
        numbers: list[tuple[Column, float]],
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

    def _number(self, cell: str, column: Column, table: Table, place: int) -> float | None:
        if cell.lower() in _MISSING:
            return None
        value = parse_number(cell, table.decimal_comma)
        if value is not None:
            _remember(self.numbers.setdefault(column.position, set()), value)
            return value
        _remember(self.texts.setdefault(column.position, set()), cell)
        self.worded[column.position] += 1
        counted_in_name = number_of(cell) if column.kind in ("epoch", "step") else None
        if counted_in_name is not None:
            self.names_checkpoints = True
            return counted_in_name
        self.bad[column.name] += 1
        self.first_bad.setdefault(column.name, (place, cell))
        return None

    def _finish(self, table: Table) -> Reading:
        self._add_checkpoints()
        runs: list[Run] = []
        for name, builder in self.builders.items():
            found = from_first_to_last(builder.finish())
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
        elif settings := settings_of_runs(runs, self.settings):
            said = said_of_trainings(len(self.settings), settings)
            self.notes.append(Note(self.source, 0, said, of_a_list=True))
            runs = []
        elif not any(counter_kind(column.name) for column in table.columns) and (values := of_single_utterances(runs)):
            self.notes.append(Note(self.source, 0, SAID.format(values), of_a_list=True))
            runs = []
        return Reading(self.source, "csv", runs, self.notes)

    def _what_rows_are(self, table: Table) -> str:
        """What another row is another one of (rows.py); "" for evaluations, which a counter or their order tells."""
        for column in table.columns:
            texts = self.texts.get(column.position, set())
            counts = column.kind in ("epoch", "step") and not self.bad[column.name]
            if counts and (not texts or are_evaluations(texts)):
                return ""
        rows = self.rows / max(1, len(self.tags))
        trained = are_of_training(column.name for column in table.columns)
        for column in table.columns:
            if column.kind in ("ignored", "part", "name", "run", "value"):
                continue
            texts = self.texts.get(column.position, set())
            filled = self.worded[column.position] / self.rows
            # A word below numbers (`avg`) stands for them all; in a training `sample_idx` counts what it has seen.
            numbers = set() if trained else self.numbers.get(column.position, set())
            found = what_rows_are(column.name, texts, filled, rows) or numbers_name_rows(column.name, numbers)
            if found:
                return found
        return ""


def _remember(seen: set[_Cell], value: _Cell) -> None:
    """Keep what a column holds, up to what is needed to tell what its rows are."""
    if len(seen) < _MOST_SEEN:
        seen.add(value)


def _lines(path: Path, source: str) -> Iterator[tuple[int, str]]:
    """Lines with their numbers; comments and empty ones left out, but for a comment that names the columns."""
    number, comment, begun = 0, "", False
    for block in read_blocks(path, source):
        whole = block.decode("utf-8", errors="replace").replace("\0", " ")
        whole = whole.replace("\r\n", "\n").replace("\r", "\n")
        whole = whole if whole.isascii() else whole.translate(BARS)
        for text in whole.splitlines():
            number += 1
            if not text.strip(_RULES) or not text.strip():
                continue
            if text.lstrip().startswith(("#", "//")):
                comment = text
                continue
            head = None if begun or not comment else commented_head(comment, text)
            if head is not None:
                yield number - 1, head
            begun = True
            yield number, text


def _is_header(cells: list[str], header: list[str]) -> bool:
    """Whether a row repeats the header: a program was started once more and goes on with the file."""
    return len(cells) == len(header) and all(
        cell.strip().strip("\"'") == name for cell, name in zip(cells, header, strict=True)
    )
