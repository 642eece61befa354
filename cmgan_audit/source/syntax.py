"""Syntax trees from above: what lies below a node, what it names and is given, and the nodes of a file by place."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import TypeVar

from cmgan_audit.finding import Location
from cmgan_audit.source.python_file import ParsedFile, cut_short

NamedFunction = ast.FunctionDef | ast.AsyncFunctionDef
Function = NamedFunction | ast.Lambda
Scope = Function | ast.Module
_Node = TypeVar("_Node", bound=ast.AST)
# Nodes are of exactly these classes: to look one up is a third of the price of an `isinstance` that fails.
_SCOPES = frozenset({ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef})
_PLACED = ast.expr | ast.stmt
# Fields that never hold code: words, numbers, and the marks for operators and for reading or writing. More than a third
# of all nodes are such marks, shared by the whole tree, so that nothing about a place can be asked of them.
_NO_CODE = frozenset(
    "ctx op ops id attr arg asname kind type_comment level module is_async conversion simple type_ignores rest"
    " kwd_attrs".split()
)
# Lists that hold words, and those in which None stands where something is left out.
_LISTS_OF_WORDS = frozenset({(ast.Global, "names"), (ast.Nonlocal, "names")})
_LISTS_WITH_GAPS = frozenset({(ast.Dict, "keys"), (ast.arguments, "kw_defaults")})
# By class of nodes the fields that may hold code, each with whether it is such a list.
_FIELDS: dict[type[ast.AST], tuple[tuple[str, bool], ...]] = {}

# A file's outline is as large as its syntax tree, which it keeps alive. A script's runs ask for the same files, again
# and again; those of the scripts before it are not asked for any more. So many characters of source text are kept.
_OUTLINED_TEXT = 250_000


def children(node: ast.AST) -> list[ast.AST]:
    """The nodes directly below a node in the order of its fields, without operators and contexts (`ast.Load`)."""
    found: list[ast.AST] = []
    kind = type(node)
    fields = _FIELDS.get(kind)
    if fields is None:
        fields = _fields_of(kind)
    if fields:  # names and constants, which are most nodes, hold nothing
        _add_children(found, node, fields)
    return found


def walk(node: ast.AST | None) -> list[ast.AST]:
    """A node and all nodes below it, level by level as `ast.walk` gives them, without operators and contexts.

    Nothing for None, as where a module could not be parsed.
    """
    found = [] if node is None else [node]
    for each in found:  # as `children` does, whose call would take as long as the rest
        kind = type(each)
        fields = _FIELDS.get(kind)
        if fields is None:
            fields = _fields_of(kind)
        if fields:
            _add_children(found, each, fields)
    return found


def _add_children(found: list[ast.AST], node: ast.AST, fields: tuple[tuple[str, bool], ...]) -> None:
    held = node.__dict__
    for field, has_gaps in fields:
        value = held.get(field)
        if value is None:
            continue
        if type(value) is not list:
            if isinstance(value, ast.AST):
                found.append(value)
        elif has_gaps:
            found += [each for each in value if each is not None]
        else:
            found += value


def _fields_of(kind: type[ast.AST]) -> tuple[tuple[str, bool], ...]:
    fields = tuple((field, (kind, field) in _LISTS_WITH_GAPS) for field in kind._fields if not _is_word(kind, field))
    _FIELDS[kind] = fields
    return fields


def _is_word(kind: type[ast.AST], field: str) -> bool:
    return field in _NO_CODE or (field == "value" and kind is ast.Constant) or (kind, field) in _LISTS_OF_WORDS


def shown(node: ast.AST, longest: int = 60) -> str:
    """An expression as a message shows it: as it is written, and where it is cut one sees that."""
    return cut_short(ast.unparse(node), longest)


def called_name(call: ast.Call) -> str:
    """The last part of what a call calls: "load" of `torch.load(path)`; "" of the result of another call."""
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""


def last_name(node: ast.AST) -> str:
    """The word that a value is kept under: the last of `x`, `self.x` and `parts["x"]`; "" of anything else."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(slice=ast.Constant(value=str() as name)):
            return name
    return ""


def first_of(nodes: Iterable[ast.AST], kind: type[_Node]) -> _Node | None:
    """The first of some nodes that is of a kind, of those that hold another one the nearest; None where none is."""
    return next((each for each in nodes if isinstance(each, kind)), None)


def words_in(*nodes: ast.AST) -> list[str]:
    """The names, attributes and texts that stand in some nodes, in order."""
    found = []
    for part in (part for node in nodes for part in walk(node)):
        match part:
            case ast.Name(id=word) | ast.Attribute(attr=word) | ast.Constant(value=str() as word):
                found.append(word)
    return found


def names_in(*nodes: ast.AST | None) -> set[str]:
    """The names that occur in some nodes, whether they are read or bound; none where a node is left out (None)."""
    return {each.id for node in nodes for each in walk(node) if isinstance(each, ast.Name)}


def is_shared(tree: ast.AST | None, name: str) -> bool:
    """Whether a function says that a name which it gives a value is that of the code around it."""
    return any(isinstance(each, ast.Global | ast.Nonlocal) and name in each.names for each in walk(tree))


def bound_in(*nodes: ast.AST) -> list[ast.Name]:
    """The names that some nodes give a value, where they stand, in order."""
    return [
        each for node in nodes for each in walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
    ]


def positional_parameters(spec: ast.arguments) -> list[ast.arg]:
    """The parameters that a call may fill by place, `self` included."""
    return [*spec.posonlyargs, *spec.args]


def single_parameters(spec: ast.arguments) -> list[ast.arg]:
    """The parameters that hold one value each: all but `*args` and `**kwargs`."""
    return [*spec.posonlyargs, *spec.args, *spec.kwonlyargs]


def defaults_of(spec: ast.arguments) -> list[tuple[ast.arg, ast.expr]]:
    """The parameters that have a default, each with that."""
    pairs = [*zip(reversed(positional_parameters(spec)), reversed(spec.defaults), strict=False)][::-1]
    return pairs + [(one, value) for one, value in zip(spec.kwonlyargs, spec.kw_defaults, strict=True) if value]


def methods_of(cls: ast.ClassDef) -> dict[str, ast.FunctionDef]:
    """The methods that stand in a class, by name; of several of one name the last one."""
    return {each.name: each for each in cls.body if isinstance(each, ast.FunctionDef)}


def arguments_of(call: ast.Call) -> list[ast.expr]:
    """What a call is given, by place and then by name."""
    return [*call.args, *(keyword.value for keyword in call.keywords)]


def arguments_named(call: ast.Call, *names: str) -> list[ast.expr]:
    """What a call is given under one of some names."""
    return [keyword.value for keyword in call.keywords if keyword.arg in names]


def is_line_of(line: int, *nodes: ast.AST) -> bool:
    """Whether a line is one of a node's, or one from the first to the last of statements that follow each other."""
    if not nodes:
        return False
    first: int = getattr(nodes[0], "lineno", 0)
    last: int | None = getattr(nodes[-1], "end_lineno", None)
    return first <= line <= (last or first)


class Outline:
    """The nodes of one file: by place, who holds each, and those that a function has of its own."""

    def __init__(self, parsed: ParsedFile) -> None:
        self._parsed = parsed
        self._own: dict[ast.AST, tuple[ast.AST, ...]] = {}

    @cached_property
    def _parents(self) -> dict[ast.AST, ast.AST]:
        found: dict[ast.AST, ast.AST] = {}
        waiting: list[ast.AST] = [self._parsed.tree]
        while waiting:
            node = waiting.pop()
            below = children(node)
            for child in below:
                found[child] = node
            waiting += below
        return found

    @cached_property
    def _by_place(self) -> dict[tuple[int, int, int | None, int | None], ast.AST]:
        found: dict[tuple[int, int, int | None, int | None], ast.AST] = {}
        for node in self._parents:  # holders come before what they hold
            if isinstance(node, _PLACED):  # every node of a file: no call of `_span`
                found.setdefault((node.lineno, node.col_offset, node.end_lineno, node.end_col_offset), node)
        return found

    def at(self, place: Location) -> ast.AST | None:
        """The outermost expression or statement at exactly a place."""
        return self._by_place.get(self._parsed.span(place))

    def parents(self, node: ast.AST) -> Iterator[ast.AST]:
        """The nodes that hold a node, innermost first."""
        parents = self._parents
        while node in parents:
            node = parents[node]
            yield node

    def own(self, scope: Scope) -> tuple[ast.AST, ...]:
        """The nodes of a function or of the top level in the order of the source.

        Those of functions and classes inside it are left out.
        """
        if scope not in self._own:
            self._own[scope] = tuple(own_nodes(scope))
        return self._own[scope]


def holders_at(parsed: ParsedFile, place: Location) -> tuple[ast.AST, ...]:
    """The outermost expression or statement at exactly a place and the nodes that hold it, innermost first.

    The same as an outline's `at` and `parents`; for a single question, which is not worth an outline.
    """
    span = parsed.span(place)

    def below(node: ast.AST) -> tuple[ast.AST, ...]:
        for child in children(node):
            if _lines_apart(child, span[0]):
                continue
            if isinstance(child, _PLACED) and _span(child) == span:
                return child, node
            found = below(child)
            if found:
                return (*found, node)
        return ()

    return below(parsed.tree)


def _span(node: ast.expr | ast.stmt) -> tuple[int, int, int | None, int | None]:
    return node.lineno, node.col_offset, node.end_lineno, node.end_col_offset


def _lines_apart(node: ast.AST, line: int) -> bool:
    """Whether a line is surely not one of a node's; a decorator stands above the function that holds it."""
    if isinstance(node, NamedFunction | ast.ClassDef):
        first = min((each.lineno for each in node.decorator_list), default=node.lineno)
    elif isinstance(node, _PLACED | ast.excepthandler | ast.keyword):
        first = node.lineno
    else:  # parameters, the parts of a `with` or of a comprehension have no place
        return False
    return not first <= line <= (node.end_lineno or line)


def own_nodes(scope: ast.AST) -> list[ast.AST]:
    """The nodes of a function's body in the order of the source, without those of functions and classes inside it."""
    found: list[ast.AST] = []
    body = getattr(scope, "body", [])
    waiting: list[ast.AST] = list(reversed(body)) if isinstance(body, list) else [body]
    while waiting:
        node = waiting.pop()
        found.append(node)
        if type(node) not in _SCOPES:
            waiting += reversed(children(node))
    return found


def excused(tree: ast.AST) -> set[ast.AST]:
    """The nodes that may fail without ending the program, or that are for type checkers alone."""
    return {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.Try)
        or (isinstance(node, ast.With) and any("suppress" in ast.unparse(item.context_expr) for item in node.items))
        or (isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"))
        for statement in node.body
        for inner in ast.walk(statement)
    }


class _Outlines:
    """The outlines of the files that were asked for lately.

    They are counted by the length of the files: a package of many small ones would else be outlined over and over.
    """

    def __init__(self) -> None:
        self._kept: dict[ParsedFile, Outline] = {}  # in the order in which they were asked for last
        self._length = 0

    def of(self, parsed: ParsedFile) -> Outline:
        """The outline of a file, which may have been made before."""
        outline = self._kept.pop(parsed, None)
        if outline is None:
            outline = Outline(parsed)
            self._length += len(parsed.text)
            while self._length > _OUTLINED_TEXT and self._kept:
                oldest = next(iter(self._kept))
                del self._kept[oldest]
                self._length -= len(oldest.text)
        self._kept[parsed] = outline
        return outline


outline_of = _Outlines().of
