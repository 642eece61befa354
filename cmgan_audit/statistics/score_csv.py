"""Tables of scores as other programs and spreadsheets write them: cells by the names of their columns. Pure Python."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

from cmgan_audit.errors import InputError
from cmgan_audit.lazy_dataclasses import dataclass

# Columns that name the utterance, the plainest first.
UTTERANCE_COLUMNS = (
    *("utterance", "key", "utt", "utt_id", "utterance_id", "file", "filename", "file_name", "filepath", "file_path"),
    *("wav", "wav_name", "audio", "path", "name", "clip", "sample", "id"),
)
SYSTEM_COLUMNS = ("checkpoint", "system", "sys", "model")
VALUE_COLUMNS = ("value", "score")
# What stands where a metric has no value.
NO_VALUES = frozenset(("", "nan", "n/a", "na", "none", "null", "-", "--", "fail", "failed", "error"))
DELIMITERS = ",;\t"


@dataclass(frozen=True, slots=True)
class ScoreLine:
    """A row: where it ends in its file, and its cells without blanks around them, "" for one that is not there."""

    line: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ScoreCsv:
    """The names of the columns in small letters, and the rows that hold anything."""

    columns: tuple[str, ...]
    lines: tuple[ScoreLine, ...]


def parse_scores(text: str, what: str) -> ScoreCsv:
    """Read a table with commas, semicolons or tabs between its cells; with the latter two a comma is a decimal one.

    Raises:
        InputError: no such table, two columns of one name, or a row with more cells than there are columns; the
            message begins with `what`.
    """
    header = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(DELIMITERS, key=header.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        columns = [name.strip().lower() for name in next(filter(None, reader), [])]
        twice = next((name for name in columns if name and columns.count(name) > 1), None)
        if twice:
            raise InputError(f"{what}: two columns have the name {twice}")
        lines = []
        for row in reader:
            cells = _cells(row, len(columns), delimiter, f"{what}:{reader.line_num}")
            if any(cells):
                named = {name: cell for name, cell in zip(columns, cells, strict=False) if name}
                lines.append(ScoreLine(reader.line_num, named))
    except csv.Error as error:
        raise InputError(f"{what}: not a CSV file: {error}") from error
    return ScoreCsv(tuple(name for name in columns if name), tuple(lines))


def _cells(row: Sequence[str], columns: int, delimiter: str, place: str) -> list[str]:
    cells = [cell.strip() for cell in row]
    if any(cells[columns:]):
        # `2,5` with commas between the cells: the number would be cut, and what follows be another column's.
        hint = "; with decimal commas, cells are parted by semicolons or tabs" if delimiter == "," else ""
        raise InputError(f"{place}: {len(cells)} cells, and {columns} columns{hint}")
    if delimiter != ",":
        cells = [_with_point(cell) for cell in cells]
    return cells + [""] * (columns - len(cells))


def _with_point(cell: str) -> str:
    """A number with a decimal comma as one with a point."""
    whole, comma, rest = cell.partition(",")
    is_number = comma and rest.isdigit() and whole.lstrip("+-").isdigit()
    return f"{whole}.{rest}" if is_number else cell
