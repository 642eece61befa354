"""Notebooks: the code cells of an .ipynb file as one module whose places point into the file itself."""

from __future__ import annotations

import ast
import json
import re

from cmgan_audit.source.discovery import Failure
from cmgan_audit.source.positions import Positions
from cmgan_audit.source.python_file import ParsedFile, parse_code

_CELL_MAGIC = re.compile(r"^\s*%%(\w+)")
_PYTHON_CELL_MAGICS = frozenset({"time", "timeit", "capture", "prun", "python", "python3"})
_LINE_MAGIC = re.compile(r"^(\s*)(?:[%!?]|[\w.]+\?{1,2}\s*$)")
_ASSIGNED_MAGIC = re.compile(r"^(\s*[\w.,\s]+=)\s*[%!]")
_SOURCE_KEY = re.compile(r'"source"\s*:\s*')
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_BETWEEN = re.compile(r"[\s,\[]*")


def parse_notebook(path: str, data: bytes) -> ParsedFile | Failure:
    """All code cells in order, as one module; magics and shell lines become `pass` so that lines keep their number."""
    try:
        text = data.decode("utf-8-sig")
        document = json.loads(text)
    except UnicodeDecodeError as error:
        return Failure(path, data.count(b"\n", 0, error.start) + 1, f"cannot be decoded: {error}")
    except json.JSONDecodeError as error:
        return Failure(path, error.lineno, f"not a notebook: {error.msg}")
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
    places: list[tuple[int, int]] = []  # line and column, from 1 and 0, at which each code line starts in the file
    cell_of: dict[int, int] = {}
    offset = 0
    for number, cell in enumerate(cells, 1):
        source = cell.get("source") if isinstance(cell, dict) else None
        lines = source if isinstance(source, list) else [source] if isinstance(source, str) else []
        if not all(isinstance(line, str) for line in lines):
            continue
        starts, offset = _find_source(text, lines, offset)
        if not isinstance(cell, dict) or cell.get("cell_type") != "code":
            continue
        for line, place in _code_lines(lines, starts, positions):
            code.append(line)
            places.append(place)
            cell_of[place[0]] = number
    blank = _without_magics(code)
    joined = "\n".join(blank)
    tree = parse_code(path, joined)
    if isinstance(tree, Failure):
        at = places[tree.line - 1][0] if 0 < tree.line <= len(places) else 0
        return Failure(path, at, f"cell {cell_of[at]}: {tree.reason}" if at in cell_of else tree.reason)
    _move(tree, places, blank)
    return ParsedFile(path, text, tree, text.splitlines(), joined, cell_of)


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


def _code_lines(lines: list[str], starts: list[int], positions: Positions) -> list[tuple[str, tuple[int, int]]]:
    """The cell's lines, each with its place; a cell in another language (`%%bash`) has empty ones."""
    result: list[tuple[str, tuple[int, int]]] = []
    magic = next((match for line in lines[:1] if (match := _CELL_MAGIC.match(line)) is not None), None)
    foreign = magic is not None and magic.group(1) not in _PYTHON_CELL_MAGICS
    for index, chunk in enumerate(lines):
        start = starts[index] if index < len(starts) else 0
        where = positions.location(start, start)
        column = where.column - 1
        for piece in chunk.splitlines() or [""]:
            shown = "" if foreign or (magic is not None and not result) else piece
            result.append((shown, (where.line, column)))
            column += len(json.dumps(piece, ensure_ascii=False))
    return result


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
