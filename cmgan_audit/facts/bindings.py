"""Where a function binds its names, and which of these bindings a use may see."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Sequence

from cmgan_audit.facts.code import Code, Reached
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.source.syntax import (
    Function,
    arguments_named,
    bound_in,
    called_name,
    is_line_of,
    positional_parameters,
    walk,
)

_GROWS = frozenset({"append", "extend", "update", "add", "insert"})
# What puts an entry in its place in a list in order, and into one that is kept as a heap.
INSERTS = frozenset({"insort", "insort_left", "insort_right"})
PUSHES = INSERTS | {"heappush"}
# What calls a function that it is given with items of what comes behind it.
_HANDS_ON = frozenset(
    "map imap imap_unordered starmap map_async starmap_async apply apply_async submit amap uimap p_map "
    "process_map".split()
)
_BLOCKS = (ast.For, ast.AsyncFor, ast.While)


@dataclass(frozen=True, slots=True, eq=False)
class Binding:
    """One statement that gives a name a value.

    Attributes:
        statement: the statement.
        value: the expression that it gets; None where there is none to read.
        item: which item of the value, where it is unpacked.
        adds: whether what the name held before stays part of it (`+=`, `append`).
        entry: the key of the entry that gets the value (`scores["valid"] = x`); None where it is not one, or not known.
    """

    statement: ast.AST
    value: ast.expr | None
    item: int | None = None
    adds: bool = False
    entry: str | None = None

    @property
    def is_flag(self) -> bool:
        """Whether a constant is given: what matters then is the branch that it stands in."""
        return isinstance(self.value, ast.Constant)


def bindings_in(function: Reached) -> dict[str, list[Binding]]:
    """The bindings of a function by name ("x", "self.x"), in the order of the source."""
    found: dict[str, list[Binding]] = defaultdict(list)
    for node in function.own_nodes():
        for name, binding in _bindings(node):
            found[name].append(binding)
    return found


def names_bound(function: ast.AST) -> frozenset[str]:
    """The names of a function's parameters and of all that is assigned in it."""
    stored = (part.id for part in bound_in(function))
    given = (part.arg for part in walk(function) if isinstance(part, ast.arg))
    return frozenset((*stored, *given))


def _bindings(node: ast.AST) -> Iterator[tuple[str, Binding]]:
    match node:
        case ast.Assign():
            for target in node.targets:
                yield from _targets(node, target, node.value)
        case ast.AnnAssign() if node.value is not None:
            yield from _targets(node, node.target, node.value)
        case ast.AugAssign():
            for name, bound in _targets(node, node.target, node.value):
                yield name, Binding(node, bound.value, bound.item, adds=True)
        case ast.NamedExpr():
            yield node.target.id, Binding(node, node.value)
        case ast.For() | ast.AsyncFor():
            for name, _ in _targets(node, node.target, node.iter):
                yield name, Binding(node, node.iter)
        case ast.With() | ast.AsyncWith():
            for item in node.items:
                if item.optional_vars is not None:
                    yield from _targets(node, item.optional_vars, item.context_expr)
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr=method, value=owner)) as call) if method in _GROWS:
            for taken in (*call.args[-1:], *(keyword.value for keyword in call.keywords)):
                for name, _ in _targets(node, owner, taken):
                    yield name, Binding(node, taken, adds=True)
        case ast.Expr(value=ast.Call(args=[owner, taken]) as call) if called_name(call) in PUSHES:
            for name, _ in _targets(node, owner, taken):
                yield name, Binding(node, taken, adds=True)


def _targets(statement: ast.AST, target: ast.expr, value: ast.expr) -> Iterator[tuple[str, Binding]]:
    match target:
        case ast.Name():
            yield target.id, Binding(statement, value)
        case ast.Attribute(value=ast.Name(id="self")):
            yield f"self.{target.attr}", Binding(statement, value)
        case ast.Attribute(value=ast.Attribute() as owner):
            # A part of what `self` holds, as in `self.table.total[name] += x`: the rest stays.
            for name, bound in _targets(statement, owner, value):
                yield name, Binding(statement, bound.value, bound.item, adds=True)
        case ast.Subscript():
            key = target.slice.value if isinstance(target.slice, ast.Constant) else None
            for name, bound in _targets(statement, target.value, value):
                entry = bound.entry if bound.adds else key
                yield name, Binding(statement, bound.value, bound.item, True, entry if isinstance(entry, str) else None)
        case ast.Starred():
            yield from _targets(statement, target.value, value)
        case ast.Tuple() | ast.List():
            side_by_side = isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(target.elts)
            for position, part in enumerate(target.elts):
                if side_by_side and isinstance(value, ast.Tuple | ast.List):
                    yield from _targets(statement, part, value.elts[position])
                else:
                    for name, bound in _targets(statement, part, value):
                        yield name, Binding(statement, bound.value, position)


def reaching(bound: Sequence[Binding], use: ast.AST, parents: Sequence[ast.AST]) -> list[Binding]:
    """The bindings that a use may see: those before it since the last certain one, else those of the loop around it.

    Args:
        bound: the bindings of the name in this function, in the order of the source.
        use: where the name is read.
        parents: the nodes around the use, innermost first, the use itself included.
    """
    line = (getattr(use, "lineno", 0), getattr(use, "col_offset", 0))
    around = {id(node) for node in parents}
    before = [each for each in bound if _start(each) < line and (id(each.statement) not in around or _holds(each))]
    certain = _last_certain(before, parents) if len(before) > 1 else 0
    near = before[certain:]
    loops = [node for node in parents if isinstance(node, _BLOCKS)]
    first = _start(near[0]) if near else (0, 0)
    for loop in loops:
        inside = (loop.lineno, loop.col_offset) <= first
        if not inside:
            later = [each for each in bound if each not in near and is_line_of(_start(each)[0], loop)]
            near = [*near, *later]
    return near


def _holds(bound: Binding) -> bool:
    """A loop or a `with` binds its target for its own body."""
    return isinstance(bound.statement, ast.For | ast.AsyncFor | ast.With | ast.AsyncWith)


def _last_certain(before: Sequence[Binding], parents: Sequence[ast.AST]) -> int:
    """The place of the last binding that replaces what was there on every path to the use; 0 where there is none.

    Such a binding stands in a block around the use, or the use stands in it; what the other branch gives is not it.
    """
    blocks = (getattr(parent, name, None) for parent in parents for name in ("body", "orelse", "finalbody"))
    held = set(map(id, parents))
    around = set(held)
    for block in blocks:
        if isinstance(block, list) and not held.isdisjoint(map(id, block)):
            around.update(map(id, block))
    places = range(len(before) - 1, 0, -1)
    return next((place for place in places if not before[place].adds and id(before[place].statement) in around), 0)


def _start(bound: Binding) -> tuple[int, int]:
    return (getattr(bound.statement, "lineno", 0), getattr(bound.statement, "col_offset", 0))


def given_to(code: Code, path: str, name: ast.Name) -> ast.expr | None:
    """The one expression that a name of a function stands for where it is read."""
    around = code.around(path, name)
    if around is None:
        return None
    bound = bindings_in(around).get(name.id, [])
    seen = reaching(bound, name, [name, *code.parents(path, name)])
    if len(seen) != 1 or seen[0].item is not None or seen[0].adds or not isinstance(seen[0].statement, ast.Assign):
        return None
    return seen[0].value


def is_parameter(function: Function | ast.Module, name: str) -> bool:
    """Whether a name is a parameter, which hides what the top level calls the same."""
    if isinstance(function, ast.Module):
        return False
    given = function.args
    named = (*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg)
    return any(each is not None and each.arg == name for each in named)


def bound_argument(function: Function, call: ast.Call, name: str) -> ast.expr | None:
    """The argument of a call that a parameter is bound to; its default where it is not given."""
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    names = [parameter.arg for parameter in positional_parameters(function.args)]
    if name not in names:
        return None
    position = names.index(name) - (1 if names[:1] in (["self"], ["cls"]) else 0)
    if 0 <= position < len(call.args) and not any(isinstance(each, ast.Starred) for each in call.args[: position + 1]):
        return call.args[position]
    defaults = function.args.defaults
    from_end = len(names) - names.index(name)
    return defaults[-from_end] if from_end <= len(defaults) else None


def handed_on(function: Function, call: ast.Call, name: str) -> list[ast.expr] | None:
    """What a parameter may be given of by a call that hands the function on; None where the call is one of it.

    `pool.map(score, pairs)`, `pool.starmap(score, zip(clean, noisy))`, `pool.submit(score, clean, noisy)`.

    Args:
        function: the function.
        call: the call that leads to it.
        name: the parameter.
    """
    if not call.args or called_name(call) not in _HANDS_ON or not _names(call.args[0], function):
        return None
    given = [*call.args[1:], *arguments_named(call, "args", "iterable", "kwds")]
    names = [each.arg for each in positional_parameters(function.args)]
    if len(given) == len(names) and name in names and len(names) > 1:
        return [given[names.index(name)]]
    return given


def _names(node: ast.expr, function: Function) -> bool:
    """Whether an expression is a function, or one that has some of its arguments: `partial(score, rate=16000)`."""
    if isinstance(function, ast.Lambda):
        return node is function
    called = function.name
    return any(getattr(part, "id", getattr(part, "attr", "")) == called for part in walk(node))
