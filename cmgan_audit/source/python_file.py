"""Python files and notebooks as syntax trees with exact places; what cannot be parsed says why."""

from __future__ import annotations

import ast
import re
import sys
import tokenize
import warnings
from dataclasses import field
from io import BytesIO

from cmgan_audit.finding import Location
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex
from cmgan_audit.source.discovery import Failure

_PYTHON_2 = regex(
    r"^\s*(print\s+[^\s(=.,\[]|print\s*$|exec\s+[\"'\w]|raise\s+\w+\s*,|except\s+[\w.()]+\s*,\s*\w+\s*:)|\b0[0-7]+[lL]?\b|\bur[\"']|<>"
)

# Type parameters and aliases; quotes and backslashes within an f-string of the same quotes.
_PYTHON_3_12 = regex(r"\s*(type\s+\w+\s*(\[.*\]\s*)?=|(async\s+)?def\s+\w+\s*\[|class\s+\w+\s*\[)")
_QUOTED_WITHIN = regex(r"f-string(: unmatched|: expecting '}'| expression part cannot include)")


@dataclass(slots=True, eq=False)
class ParsedFile:
    """One Python file: its text, lines and syntax tree. For a notebook the tree's places point into the .ipynb file.

    `path` is relative to the scanned root. `cells` maps lines of a notebook's file to the cell they belong to;
    `left_out` are those of its cells that are no Python.
    """

    path: str
    text: str
    tree: ast.Module
    lines: list[str] = field(default_factory=list)
    code: str = ""
    cells: dict[int, int] = field(default_factory=dict)
    left_out: tuple[Failure, ...] = ()
    _places: dict[ast.AST, Location] = field(default_factory=dict, repr=False)
    _segments: dict[ast.AST, str] = field(default_factory=dict, repr=False)

    def location(self, node: ast.AST) -> Location:
        """The place of a node; columns count characters from 1, the end is exclusive."""
        place = self._places.get(node)
        if place is None:
            place = self._places[node] = self._place(node)
        return place

    def _place(self, node: ast.AST) -> Location:
        line: int = getattr(node, "lineno", 1)
        end: int | None = getattr(node, "end_lineno", None)
        column: int = getattr(node, "col_offset", 0)
        end_column: int | None = getattr(node, "end_col_offset", None)
        return Location(
            self.path,
            line,
            self._characters(line, column) + 1,
            end,
            None if end is None or end_column is None else self._characters(end, end_column) + 1,
        )

    def span(self, place: Location) -> tuple[int, int, int | None, int | None]:
        """Where a place of this file is in the syntax tree's own count: lines, and columns in bytes from 0."""
        end = place.end_line
        end_column = None if end is None or place.end_column is None else self._bytes(end, place.end_column - 1)
        return place.line, self._bytes(place.line, place.column - 1), end, end_column

    def segment(self, node: ast.AST, limit: int = 120) -> str:
        """The source text of an expression on one line, cut after `limit` characters."""
        text = self._segments.get(node)
        if text is None:
            try:
                text = " ".join(ast.unparse(node).split())
            except (RecursionError, ValueError, AttributeError):
                text = "..."
            self._segments[node] = text
        return cut_short(text, limit)

    def _characters(self, line: int, byte_offset: int) -> int:
        """The syntax tree counts columns in UTF-8 bytes; people and editors count characters."""
        if self.cells or line > len(self.lines):
            return byte_offset
        text = self.lines[line - 1]
        if text.isascii():
            return byte_offset
        return len(text.encode("utf-8", "surrogatepass")[:byte_offset].decode("utf-8", "ignore"))

    def _bytes(self, line: int, characters: int) -> int:
        if self.cells or line > len(self.lines) or self.lines[line - 1].isascii():
            return characters
        return len(self.lines[line - 1][:characters].encode("utf-8", "surrogatepass"))


def cut_short(text: str, longest: int) -> str:
    """A text as a message shows it: where it is cut one sees that."""
    return text if len(text) <= longest else f"{text[: longest - 3]}..."


def split_lines(text: str) -> list[str]:
    """Lines as Python counts them: ended by LF, CR LF or CR, not by form feeds and their like."""
    return re.split(r"\r\n|\r|\n", text)


def parse_python(path: str, data: bytes) -> ParsedFile | Failure:
    """Parse one file as the Python that runs this tool would; never raises for any content."""
    try:
        encoding, _ = tokenize.detect_encoding(BytesIO(data).readline)
        text = data.decode(encoding)
    except (SyntaxError, UnicodeDecodeError, LookupError) as error:
        return Failure(path, _undecodable_line(data, error), f"cannot be decoded: {error}")
    tree = parse_code(path, text)
    if isinstance(tree, Failure):
        return tree
    return ParsedFile(path, text, tree, split_lines(text), text)


def parse_code(path: str, text: str) -> ast.Module | Failure:
    """The syntax tree of decoded source text, or what is wrong with it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except SyntaxError as error:
        line = error.lineno or 0
        return Failure(path, line, _explain(text, error))
    except ValueError as error:
        return Failure(path, 0, f"not Python source: {error}")
    except (RecursionError, MemoryError):
        return Failure(path, 0, "expressions nested too deeply for Python's own parser")


def _explain(text: str, error: SyntaxError) -> str:
    """The parser's own message, with what kind of Python it looks like."""
    lines = split_lines(text)
    line = lines[error.lineno - 1] if error.lineno and error.lineno <= len(lines) else ""
    if _PYTHON_2.search(line):
        return f"Python 2 syntax: {error.msg}"
    if sys.version_info < (3, 12) and (_PYTHON_3_12.match(line) or _QUOTED_WITHIN.match(error.msg)):
        mine = ".".join(map(str, sys.version_info[:2]))
        return f"syntax of Python 3.12 or newer: {error.msg}; cmgan-audit runs on {mine} here and reads no newer code"
    return f"syntax error: {error.msg}"


def _undecodable_line(data: bytes, error: Exception) -> int:
    if isinstance(error, UnicodeDecodeError):
        return data.count(b"\n", 0, error.start) + 1
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as place:
        return data.count(b"\n", 0, place.start) + 1
    return 1
