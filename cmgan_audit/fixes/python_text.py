"""Python files as fixers see them: nodes with their exact text, and edits that leave the text around them alone."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from functools import cached_property

from cmgan_audit.finding import Edit, Location
from cmgan_audit.fixes.document import Document, UnrecognisedShapeError
from cmgan_audit.source.discovery import Failure
from cmgan_audit.source.python_file import ParsedFile, parse_python
from cmgan_audit.source.syntax import Function, NamedFunction, holders_at, outline_of, single_parameters, walk

_LAYOUT = frozenset((tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT))


class PythonText(Document):
    """One Python file."""

    def __init__(self, path: str, data: bytes, parsed: ParsedFile | None = None) -> None:
        """`parsed` is the same file where somebody has parsed it already.

        Raises:
            UnrecognisedShapeError: it is a notebook, or cannot be parsed.
        """
        if path.endswith(".ipynb"):
            raise UnrecognisedShapeError(f"{path} is a notebook, which is not edited")
        super().__init__(path, data)
        known = parse_python(path, data) if parsed is None else parsed
        if isinstance(known, Failure):
            raise UnrecognisedShapeError(f"{path} cannot be parsed: {known.reason}")
        self._parsed = known
        self._outline = outline_of(known)
        self._holders: dict[ast.AST, tuple[ast.AST, ...]] = {}
        self.tree = known.tree

    # Finding nodes

    def place(self, node: ast.AST) -> tuple[int, int]:
        """The offsets of a node's text."""
        return self.span(self._parsed.location(node))

    def source(self, node: ast.AST) -> str:
        """The text of a node."""
        start, end = self.place(node)
        return self.text[start:end]

    def expression(self, place: Location) -> ast.expr:
        """The outermost expression at exactly this place.

        Raises:
            UnrecognisedShapeError: there is none.
        """
        node, *holders = holders_at(self._parsed, place) or (None,)
        if isinstance(node, ast.Expr):  # a statement that is nothing but an expression stands where that one does
            node, holders = node.value, [node, *holders]
        if node is not None:
            self._holders.update((each, tuple(holders[index:])) for index, each in enumerate((node, *holders)))
        # The places of what stands in an f-string are not exact.
        if isinstance(node, ast.expr) and not any(isinstance(each, ast.JoinedStr) for each in self.parents(node)):
            return node
        raise UnrecognisedShapeError(f"no expression stands at {place}")

    def call(self, place: Location) -> ast.Call:
        """The call at a place.

        Raises:
            UnrecognisedShapeError: there is none.
        """
        node = self.expression(place)
        if not isinstance(node, ast.Call):
            raise UnrecognisedShapeError(f"{place} is no call in the text")
        return node

    def parent(self, node: ast.AST) -> ast.AST | None:
        """The node that holds a node."""
        return next(self.parents(node), None)

    def parents(self, node: ast.AST) -> Iterator[ast.AST]:
        """The nodes that hold a node, innermost first."""
        known = self._holders.get(node)
        return self._outline.parents(node) if known is None else iter(known)

    def function_around(self, node: ast.AST) -> Function | None:
        """The innermost function that a node stands in."""
        found = (each for each in self.parents(node) if isinstance(each, Function))
        return next(found, None)

    def class_around(self, node: ast.AST) -> ast.ClassDef | None:
        """The class whose body holds a function directly."""
        parent = self.parent(node)
        return parent if isinstance(parent, ast.ClassDef) else None

    def statement_around(self, node: ast.AST) -> ast.stmt:
        """The innermost statement that a node belongs to."""
        if isinstance(node, ast.stmt):
            return node
        return next(each for each in self.parents(node) if isinstance(each, ast.stmt))

    # Style of the file

    @cached_property
    def quote(self) -> str:
        """The quotation mark that the file uses most."""
        # From the syntax tree, which is there: to take a whole file apart into tokens takes ten times as long.
        texts = (node for node in walk(self.tree) if isinstance(node, ast.Constant | ast.JoinedStr))
        starts = {self.place(node)[0] for node in texts}  # the parts of an f-string may stand where it stands
        heads = [self.text[start : start + 3].lstrip("rbfuRBFU")[:1] for start in starts]
        return "'" if heads.count("'") > heads.count('"') else '"'

    def literal(self, value: str | bool) -> str:
        """A text or truth value as this file would write it."""
        return f"{self.quote}{value}{self.quote}" if isinstance(value, str) else str(value)

    @cached_property
    def tokens(self) -> list[tuple[int, int, str]]:
        """Start offset, kind and text of every token."""
        readline = io.StringIO(self.text, newline="").readline
        return [
            (self.offset(token.start[0], token.start[1] + 1), token.type, token.string)
            for token in tokenize.generate_tokens(readline)
            if token.string
        ]

    # Edits

    def replace(self, node: ast.expr, text: str) -> Edit:
        """The edit that replaces an expression."""
        return self.edit(*self.place(node), text)

    def add_keyword(self, call: ast.Call, name: str, value: str) -> Edit:
        """The edit that passes one more keyword argument, on a line of its own where the others have one."""
        _, end = self.place(call)
        assert call.func.end_lineno is not None
        opening = self._first("(", self.place(call.func)[1])
        inside = [token for token in self._between(opening + 1, end - 1) if token[1] not in _LAYOUT]
        if not inside:
            return self.insert(opening + 1, f"{name}={value}")
        comma = inside[-1][2] == "," and len(inside) > 1
        last = inside[-2] if comma else inside[-1]
        separator = self._separator(call)
        line_end = self.line_end(inside[-1][0])
        alone = self.text[inside[-1][0] + 1 : line_end].lstrip()[:1] in ("", "#")
        if comma and alone and separator.startswith(",\n"):  # behind a comment on the last argument
            return self.insert(line_end, f"{separator[1:]}{name}={value},")
        return self.insert(last[0] + len(last[2]), f"{separator}{name}={value}")

    def _separator(self, call: ast.Call) -> str:
        arguments: list[ast.expr | ast.keyword] = [*call.args, *call.keywords]
        last = max(arguments, key=lambda node: (node.lineno, node.col_offset))
        start = self.place(last)[0]
        before = self.text[self.line_start(start) : start]
        return f",\n{before}" if not before.strip() and last.lineno > call.lineno else ", "

    def add_parameter(self, function: NamedFunction, name: str, kind: str, default: str) -> Edit:
        """The edit that gives a function one more parameter with a default, behind those that it has."""
        arguments = function.args
        every = single_parameters(arguments)
        annotated = any(each.annotation is not None for each in every)
        parameter = f"{name}: {kind} = {default}" if annotated else f"{name}={default}"
        opening = self._first("(", self._first(function.name, self._def(function)))
        closing = self._closing(opening)
        inside = [token for token in self._between(opening + 1, closing) if token[1] not in _LAYOUT]
        if arguments.kwarg is not None:
            name_start = self.place(arguments.kwarg)[0]
            stars = max(token[0] for token in inside if token[0] < name_start and token[2] == "**")
            return self.insert(stars, f"{parameter}, ")
        if not inside:
            return self.insert(opening + 1, parameter)
        last = inside[-2] if inside[-1][2] == "," and len(inside) > 1 else inside[-1]
        return self.insert(last[0] + len(last[2]), f", {parameter}")

    def _def(self, function: NamedFunction) -> int:
        """The offset behind the word `def` (decorators stand before it)."""
        return self._first("def", self.place(function)[0]) + len("def")

    def insert_before(self, statement: ast.stmt, line: str) -> Edit:
        """The edit that puts a statement in front of another one, on a line of its own where that has one."""
        start = self.place(statement)[0]
        indent = self.indent(statement)
        if indent is None:
            return self.insert(start, f"{line}; ")
        return self.insert(start, f"{line}\n{indent}")

    def insert_after(self, statement: ast.stmt, line: str) -> Edit:
        """The edit that puts a statement behind another one, on a line of its own where that has one."""
        end = self.place(statement)[1]
        indent = self.indent(statement)
        if indent is None:
            return self.insert(end, f"; {line}")
        return self.insert(self.line_end(end), f"\n{indent}{line}")

    def indent(self, statement: ast.stmt) -> str | None:
        """The indentation of a statement that begins its line; None for one behind a colon or a semicolon."""
        start = self.place(statement)[0]
        before = self.text[self.line_start(start) : start]
        return None if before.strip() else before

    def stands_alone(self, statement: ast.stmt) -> bool:
        """Whether nothing but a comment shares the lines of a statement: it may become the body of another one."""
        end = self.place(statement)[1]
        behind = self.text[end : self.line_end(end)].strip()
        return self.indent(statement) is not None and (not behind or behind.startswith("#"))

    # Tokens

    def _first(self, text: str, offset: int) -> int:
        return next(start for start, _, string in self.tokens if start >= offset and string == text)

    def _between(self, start: int, end: int) -> list[tuple[int, int, str]]:
        return [token for token in self.tokens if start <= token[0] < end]

    def _closing(self, opening: int) -> int:
        depth = 0
        for start, kind, text in self.tokens:
            if start < opening or kind != tokenize.OP:
                continue
            depth += (text in "([{") - (text in ")]}")
            if depth == 0:
                return start
        raise AssertionError("a parsed file has a closing bracket for every opening one")


def atom(text: str, node: ast.expr) -> str:
    """The text of an expression as an operand: in parentheses unless it binds tighter than any operator."""
    tight = ast.Name | ast.Attribute | ast.Call | ast.Subscript | ast.Constant
    return text if isinstance(node, tight) else f"({text})"
