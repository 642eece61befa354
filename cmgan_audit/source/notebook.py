"""Notebooks: the code cells of an .ipynb file as one module whose places point into the file itself."""

from __future__ import annotations

import ast
import itertools
import json
import re
from bisect import bisect_right
from collections.abc import Iterator

from cmgan_audit.finding import Location
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex
from cmgan_audit.source.discovery import Failure
from cmgan_audit.source.positions import Positions
from cmgan_audit.source.python_file import ParsedFile, parse_code

_CELL_MAGIC = regex(r"^\s*%%(\w+)")
_PYTHON_CELL_MAGICS = frozenset({"time", "timeit", "capture", "prun", "python", "python3"})
_LINE_MAGIC = regex(r"^(\s*)(?:[%!?]|[\w.]+\?{1,2}\s*$)")
_ASSIGNED_MAGIC = regex(r"^(\s*[\w.,\s]+=)\s*[%!]")
_SOURCE_KEY = regex(r'"source"\s*:\s*')
_STRING = regex(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_BETWEEN = regex(r"[\s,\[]*")


@dataclass(frozen=True, slots=True)
class CellLine:
    """A line of a code cell: the cell's number among all cells, the line's number in it, from 1; its text; and the
    offset in the file at which it begins."""

    cell: int
    number: int
    text: str
    offset: int


class CellLines:
    """The lines of a notebook's code cells, found again from places in the file: to show what stands there.

    A notebook may be one single line, so that a line number says nothing.
    """

    def __init__(self, text: str) -> None:
        """Read a notebook's text; one that is none has no lines."""
        self._text = text
        self._positions = Positions("", text)
        try:
            document = json.loads(text)
        except (ValueError, RecursionError):
            document = None
        cells = document.get("cells") if isinstance(document, dict) else None
        self._lines = list(_lines_of_cells(text, cells)) if isinstance(cells, list) else []

    def at(self, place: Location) -> tuple[CellLine, Location] | None:
        """The cell's line at a place in the file, and the place in it: line and columns count in the cell."""
        if not 0 < place.line <= self._positions.lines:
            return None
        begin = self._positions.offset(place.line, place.column)
        index = bisect_right(self._lines, begin, key=lambda line: line.offset) - 1
        if index < 0:
            return None
        line = self._lines[index]
        column, last, end_column = self._column(line, begin), None, None
        if place.end_line is not None and place.end_column is not None and place.end_line <= self._positions.lines:
            end = self._positions.offset(place.end_line, place.end_column)
            over = index + 1 < len(self._lines) and end > self._lines[index + 1].offset
            last, end_column = (line.number + 1, 1) if over else (line.number, self._column(line, end))
        return line, Location(place.path, line.number, column, last, end_column)

    def by_cell(self) -> Iterator[list[CellLine]]:
        """The lines of every code cell, cell by cell."""
        return (list(lines) for _, lines in itertools.groupby(self._lines, key=lambda line: line.cell))

    def stands(self, line: CellLine, column: int) -> Location:
        """Where a column of a line, from 1, stands in the file: escapes in the JSON string are longer there."""
        behind = line.offset + len(json.dumps(line.text[: column - 1], ensure_ascii=False)) - 2
        return self._positions.location(behind, behind)

    def around(self, line: CellLine, reach: int) -> list[CellLine]:
        """The lines of the same cell at most `reach` lines away, itself included."""
        return [each for each in self._lines if each.cell == line.cell and abs(each.number - line.number) <= reach]

    def _column(self, line: CellLine, offset: int) -> int:
        """The column, from 1, of an offset in the file: escapes in the JSON string are longer than what they say."""
        raw = self._text[line.offset : offset]
        try:
            column = len(json.loads(f'"{raw}"', strict=False))
        except json.JSONDecodeError:
            column = len(raw)
        return min(column, len(line.text)) + 1


def parse_notebook(path: str, data: bytes) -> ParsedFile | Failure:
    """All code cells in order, as one module; magics and shell lines become `pass` so that lines keep their number."""
    try:
        text = data.decode("utf-8-sig")
        document = json.loads(text)
    except UnicodeDecodeError as error:
        return Failure(path, data.count(b"\n", 0, error.start) + 1, f"cannot be decoded: {error}")
    except json.JSONDecodeError as error:
        return Failure(path, error.lineno, f"not a notebook: {error.msg}")
    except ValueError as error:  # a number of thousands of digits
        return Failure(path, 0, f"not a notebook that is read here: {error}")
    except RecursionError:
        return Failure(path, 0, "not a notebook: nested too deeply")
    cells = document.get("cells") if isinstance(document, dict) else None
    if not isinstance(cells, list):
        return Failure(path, 0, "not a notebook of format 4: it has no list of cells")
    language = _language(document)
    if language and not language.lower().startswith(("python", "ipython")):
        return Failure(path, 0, f"a notebook in {language}, not in Python")
    return _module_of_cells(path, text, cells)


def _language(document: dict[str, object]) -> str:
    metadata = document.get("metadata")
    info = metadata.get("language_info") if isinstance(metadata, dict) else None
    name = info.get("name") if isinstance(info, dict) else None
    return name if isinstance(name, str) else ""


def _module_of_cells(path: str, text: str, cells: list[object]) -> ParsedFile | Failure:
    positions = Positions(path, text)
    code: list[str] = []
    numbers: list[int] = []  # the cell of each code line
    places: list[tuple[int, int]] = []  # line and column, from 1 and 0, at which each code line starts in the file
    cell_of: dict[int, int] = {}
    for line in _lines_of_cells(text, cells):
        where = positions.location(line.offset, line.offset)
        code.append(line.text)
        numbers.append(line.cell)
        places.append((where.line, where.column - 1))
        cell_of[where.line] = line.cell
    blank = _without_magics(code)
    tree = parse_code(path, "\n".join(blank))
    left_out: tuple[Failure, ...] = ()
    if isinstance(tree, Failure):
        left_out = tuple(_without_broken_cells(path, blank, numbers, places))
        tree = parse_code(path, "\n".join(blank)) if left_out and any(blank) else tree
    if isinstance(tree, Failure):
        at = places[tree.line - 1][0] if 0 < tree.line <= len(places) else 0
        return Failure(path, at, f"cell {cell_of[at]}: {tree.reason}" if at in cell_of else tree.reason)
    _move(tree, places, blank)
    return ParsedFile(path, text, tree, text.splitlines(), "\n".join(blank), cell_of, left_out)


def _without_broken_cells(
    path: str, code: list[str], numbers: list[int], places: list[tuple[int, int]]
) -> Iterator[Failure]:
    """Empty the cells that are no Python by themselves: nobody can run these, and the others do without them."""
    for cell, group in itertools.groupby(enumerate(numbers), key=lambda each: each[1]):
        indices = [index for index, _ in group]
        tree = parse_code(path, "\n".join(code[index] for index in indices))
        if isinstance(tree, Failure):
            at = places[indices[min(max(tree.line, 1), len(indices)) - 1]][0]
            yield Failure(path, at, f"cell {cell}, which is left out: {tree.reason}")
            for index in indices:
                code[index] = ""


def _lines_of_cells(text: str, cells: list[object]) -> Iterator[CellLine]:
    """The lines of all code cells, in order."""
    offset = 0
    for number, cell in enumerate(cells, 1):
        source = cell.get("source") if isinstance(cell, dict) else None
        lines = source if isinstance(source, list) else [source] if isinstance(source, str) else []
        if not all(isinstance(line, str) for line in lines):
            continue
        starts, offset = _find_source(text, lines, offset)
        if isinstance(cell, dict) and cell.get("cell_type") == "code":
            yield from _code_lines(number, lines, starts)


def _find_source(text: str, lines: list[str], offset: int) -> tuple[list[int], int]:
    """Offsets of the first character of each source string after `offset`, and where the search may go on.

    A key "source" may also stand inside outputs; the right one is followed by exactly these strings.
    """
    place = offset
    while (match := _SOURCE_KEY.search(text, place)) is not None:
        place = match.end()
        starts: list[int] = []
        cursor = place
        for line in lines:
            between = _BETWEEN.match(text, cursor)
            string = _STRING.match(text, between.end() if between else cursor)
            if string is None or json.loads(string.group(), strict=False) != line:
                break
            starts.append(string.start() + 1)
            cursor = string.end()
        else:
            return starts, cursor
    return [], offset


def _code_lines(cell: int, lines: list[str], starts: list[int]) -> Iterator[CellLine]:
    """The lines of one cell; a cell in another language (`%%bash`) has empty ones."""
    magic = next((match for line in lines[:1] if (match := _CELL_MAGIC.match(line)) is not None), None)
    foreign = magic is not None and magic.group(1) not in _PYTHON_CELL_MAGICS
    number = 0
    for index, chunk in enumerate(lines):
        offset = starts[index] if index < len(starts) else 0
        for piece in chunk.splitlines() or [""]:
            number += 1
            hidden = foreign or (magic is not None and number == 1)
            yield CellLine(cell, number, "" if hidden else piece, offset)
            offset += len(json.dumps(piece, ensure_ascii=False))


def _without_magics(lines: list[str]) -> list[str]:
    """Shell lines, magics and help requests become `pass`; the lines of a cell in another language too."""
    result: list[str] = []
    for line in lines:
        assigned = _ASSIGNED_MAGIC.match(line)
        magic = _LINE_MAGIC.match(line)
        if assigned is not None:
            result.append(f"{assigned.group(1)} None")
        elif magic is not None:
            result.append(f"{magic.group(1)}pass")
        else:
            result.append(line)
    return result


def _move(tree: ast.Module, places: list[tuple[int, int]], lines: list[str]) -> None:
    """Rewrite the places of all nodes from lines of the joined code to the file. Escapes inside a line shift what
    stands behind them: there a column is the one in the cell plus the start of the line."""
    for node in ast.walk(tree):
        for line_field, column_field in (("lineno", "col_offset"), ("end_lineno", "end_col_offset")):
            line = getattr(node, line_field, None)
            if isinstance(line, int) and 0 < line <= len(places):
                first, start = places[line - 1]
                column = getattr(node, column_field)
                before = lines[line - 1].encode()[:column].decode(errors="ignore")
                setattr(node, line_field, first)
                setattr(node, column_field, start + len(json.dumps(before, ensure_ascii=False)) - 2)
