"""What stands in a file, part by part: statements, entries of dictionaries, lines of settings, each in its scope."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from cmgan_audit.finding import Location
from cmgan_audit.gate.renamed_variables import UNITS, Words, words_of
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex
from cmgan_audit.source.discovery import DATA_SUFFIXES, Failure, kind_of
from cmgan_audit.source.python_file import parse_python
from cmgan_audit.source.syntax import NamedFunction

_WORDS = regex(r"\w+|[^\w\s]")

# What the parts inside are named after.
_HOLDERS = NamedFunction | ast.ClassDef | ast.Assign | ast.AnnAssign | ast.keyword

# The names of the classes, functions, sections and keys around a part.
Scope = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """A statement of a program without those inside of it, an entry of a dictionary, or a line of another file.

    Attributes:
        words: what it says.
        first: its first line.
        last: its last line.
        scope: what it stands in.
        name: what it sets, defines or calls with; empty where that is not plain.
    """

    words: Words
    first: int
    last: int
    scope: Scope = ()
    name: str = ""

    def holds(self, place: Location) -> bool:
        """Whether a place begins there."""
        return self.first <= place.line <= self.last


def parts_of(root: Path, path: str) -> list[Part]:
    """The parts of a file in order; none of one that is not there, or that is no text of a program or its settings."""
    if not kind_of(PurePosixPath(path).name):
        return []
    try:
        data = (root / path).read_bytes()
    except OSError:
        return []
    suffix = PurePosixPath(path).suffix
    if suffix in (".py", ".pyw"):
        parsed = parse_python(path, data)
        if not isinstance(parsed, Failure):
            return [*_statements(parsed.tree)]
    return [*_settings(data.decode("utf-8", "replace").splitlines(), named=suffix in DATA_SUFFIXES)]


def _settings(lines: Iterable[str], *, named: bool) -> Iterator[Part]:
    """The lines of a file that is no program, each in the keys that stand above it further to the left."""
    above: list[tuple[int, str]] = []
    for number, line in enumerate(lines, start=1):
        words = tuple(_WORDS.findall(line))
        if not words:
            continue
        depth = -1 if words[0] == "[" else len(line) - len(line.lstrip())  # a section has no line beside it
        while above and above[-1][0] >= depth:
            above.pop()
        name = ("".join(words) if words[0] == "-" else next(filter(str.isidentifier, words), "")) if named else ""
        yield Part(words, number, number, tuple(key for _, key in above), name)
        above.append((depth, name))


def _statements(tree: ast.Module) -> Iterator[Part]:
    waiting: list[tuple[ast.AST, Scope]] = [(node, ()) for node in reversed(tree.body)]
    line = 0  # of the last part: of those that begin on one line the first one is told
    while waiting:
        node, scope = waiting.pop()
        inner = [*_inner(node)]
        first, last = _lines(node)
        if inner:
            last = max(first, _lines(inner[0])[0] - 1)
        name = _name(node)
        if first > line or isinstance(node, UNITS):
            yield Part(tuple(words_of(node)), first, last, scope, name)
            line = first
        within = (*scope, name) if isinstance(node, _HOLDERS) else scope
        waiting += [(each, within) for each in reversed(inner)]


def _inner(node: ast.AST) -> Iterator[ast.AST]:
    """What counts for itself in a node: statements, and the entries of a dictionary that it sets."""
    yield from (each for each in ast.iter_child_nodes(node) if isinstance(each, UNITS))
    value = node.value if isinstance(node, ast.Assign | ast.AnnAssign | ast.Return | ast.keyword) else None
    if isinstance(value, ast.Dict):
        for key, held in zip(value.keys, value.values, strict=True):
            if isinstance(key, ast.Constant):
                yield ast.copy_location(ast.keyword(str(key.value), held), key)
    elif isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "dict":
        yield from value.keywords


def _name(node: ast.AST) -> str:
    """What a statement sets, defines, or calls with a first constant: `parser.add_argument("--lr", type=float)`."""
    match node:
        case ast.Assign(targets=[target]) | ast.AnnAssign(target=target):
            return ast.unparse(target)
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return name
        case ast.keyword(arg=str(name)):
            return name
        case ast.Expr(value=ast.Call(func=called, args=[ast.Constant(value=first), *_])):
            return f"{ast.unparse(called)}({first!r})"
    return ""


def _lines(node: ast.AST) -> tuple[int, int]:
    first = getattr(node.pattern if isinstance(node, ast.match_case) else node, "lineno", 1)
    last = getattr(node.value if isinstance(node, ast.keyword) else node, "end_lineno", None)
    return first, last or first
