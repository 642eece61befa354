"""What happens in the last pass of a loop only: `if epoch == epochs - 1:`, or just before the loop is left."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from cmgan_audit.facts.bindings import given_to
from cmgan_audit.facts.code import Code
from cmgan_audit.facts.conditions import is_taken, test_behind
from cmgan_audit.finding import Location
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.domain.bounds import OPPOSITE, TURNED
from cmgan_audit.program.execution.trace import Context, Event, Loop
from cmgan_audit.source.statements import behind, gives_up
from cmgan_audit.source.syntax import Function, called_name, children, walk

_Loop = ast.For | ast.AsyncFor | ast.While
_RANGES = frozenset({"range", "trange"})
# Wrappers that show how far a loop has come.
_SHOWING = frozenset({"tqdm", "trange", "track", "progress_bar", "list"})
_MOST_NAMES = 4


@dataclass(frozen=True, slots=True)
class _Sum:
    """A number as written plus a whole one: `args.epochs - 1`."""

    written: str
    added: int


@dataclass(frozen=True, slots=True)
class _Last:
    """The name that counts the passes of a loop, and what it is in the last one."""

    counter: str
    value: _Sum


def only_in_last_pass(code: Code, event: Event, loop: Loop) -> bool:
    """Whether an event in a loop happens in no pass that another one follows.

    Args:
        code: the source behind the run.
        event: what happens.
        loop: a loop around it.
    """
    node = code.node_at(loop.location)
    if not isinstance(node, _Loop):
        return False
    return _is_left_behind(code, event.context, event.location, loop, node) or any(
        _says_last(code, loop.location.path, test, node, taken=taken)
        for test, taken in _tests(code, event.context, loop, node)
    )


def _tests(code: Code, context: Context, loop: Loop, node: _Loop) -> Iterator[tuple[ast.expr, bool]]:
    """The tests on the way to something that stand in the body of a loop itself, and whether each came out true."""
    path = loop.location.path
    for condition in context.conditions:
        test = test_behind(code, condition) if condition.location.path == path else None
        if test is not None and node in code.parents(path, test):
            yield test, is_taken(code, condition, test)


def _says_last(code: Code, path: str, test: ast.expr, loop: _Loop, *, taken: bool, names: int = _MOST_NAMES) -> bool:
    """Whether a test comes out like this in the last pass alone."""
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            return _says_last(code, path, inner, loop, taken=not taken, names=names)
        case ast.BoolOp(op=op, values=parts) if taken == isinstance(op, ast.And):
            return any(_says_last(code, path, part, loop, taken=taken, names=names) for part in parts)
        case ast.BoolOp(values=parts):
            return all(_says_last(code, path, part, loop, taken=taken, names=names) for part in parts)
        case ast.Name() if names:
            given = given_to(code, path, test)
            return given is not None and _says_last(code, path, given, loop, taken=taken, names=names - 1)
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            order = type(op) if taken else OPPOSITE.get(type(op))
            return order is not None and (
                _is_beyond(code, path, left, order, right, loop)
                or _is_beyond(code, path, right, TURNED.get(order, order), left, loop)
            )
    return False


def _is_beyond(code: Code, path: str, counter: ast.expr, order: type[ast.cmpop], number: ast.expr, loop: _Loop) -> bool:
    """Whether `counter order number` holds for no other value of the counter than its last one."""
    if isinstance(loop, ast.For) and ast.unparse(loop.target) == ast.unparse(counter):
        if order is ast.Eq and ast.unparse(number) == f"{ast.unparse(loop.iter)}[-1]":
            return True
    last = _last_of(code, path, loop, counter)
    if last is None:
        return False
    mine, other = _sum(code, path, counter, last.counter), _sum(code, path, number, last.counter)
    if mine.written != last.counter or other.written != last.value.written:
        return False
    asked = other.added - mine.added - last.value.added
    if order is ast.Eq:
        return asked >= 0
    return (order is ast.GtE and asked >= 0) or (order is ast.Gt and asked >= -1)


def _last_of(code: Code, path: str, loop: _Loop, near: ast.expr) -> _Last | None:
    """What counts the passes of a loop, and how far, as it is at a place in the body."""
    if not isinstance(loop, ast.While):
        stop = _stop(loop.iter)
        if stop is None or not isinstance(loop.target, ast.Name | ast.Attribute):
            return None
        name = ast.unparse(loop.target)
        end = _sum(code, path, stop, name)
        return _Last(name, _Sum(end.written, end.added - 1))
    match loop.test:
        case ast.Compare(
            left=ast.Name() | ast.Attribute() as counted,
            ops=[ast.Lt() | ast.LtE() | ast.NotEq() as op],
            comparators=[stop],
        ):
            name = ast.unparse(counted)
            grows = [each for each in loop.body if _grows_by_one(each, name)]
            if len(grows) != 1 or sum(_writes(each, name) for each in walk(loop)) != 1:
                return None
            end = _sum(code, path, stop, name)
            still = -1 if grows[0].lineno > near.lineno else 0
            return _Last(name, _Sum(end.written, end.added + still + isinstance(op, ast.LtE)))
    return None


def _grows_by_one(statement: ast.stmt, name: str) -> bool:
    match statement:
        case ast.AugAssign(target=target, op=ast.Add(), value=ast.Constant(value=1)):
            return ast.unparse(target) == name
    return False


def _writes(node: ast.AST, name: str) -> bool:
    written = isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store)
    return written and ast.unparse(node) == name


def range_behind(iterated: ast.expr) -> ast.Call | None:
    """The range that is gone through, also inside what shows how far it has come; None for anything else."""
    match iterated:
        case ast.Call() if called_name(iterated) in _RANGES:
            return iterated
        case ast.Call(args=[ast.Call() as inner, *_]) if called_name(iterated) in _SHOWING:
            return range_behind(inner)
    return None


def _stop(iterated: ast.expr) -> ast.expr | None:
    """Where a range ends that is gone through one by one; None for anything else."""
    match range_behind(iterated):
        case ast.Call(args=[stop] | [_, stop] | [_, stop, ast.Constant(value=1)]):
            return stop
    return None


def _sum(code: Code, path: str, number: ast.expr, counter: str, names: int = _MOST_NAMES) -> _Sum:
    """A number with its whole part apart; a name that stands for one other number is followed there."""
    match number:
        case ast.Constant(value=int() as value):
            return _Sum("", value)
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() as op, right=ast.Constant(value=int() as value)):
            found = _sum(code, path, left, counter, names)
            return _Sum(found.written, found.added + (value if isinstance(op, ast.Add) else -value))
        case ast.BinOp(left=ast.Constant(value=int() as value), op=ast.Add(), right=right):
            found = _sum(code, path, right, counter, names)
            return _Sum(found.written, found.added + value)
        case ast.Name(id=name) if name != counter and names:
            given = given_to(code, path, number)
            if given is not None:
                return _sum(code, path, given, counter, names - 1)
    return _Sum(ast.unparse(number), 0)


def _is_left_behind(code: Code, context: Context, place: Location, loop: Loop, node: _Loop) -> bool:
    """Whether the loop is left in every case behind something in its body: `evaluate(); break`."""
    path = loop.location.path
    places = [*(frame.call for frame in context.frames), place]
    while places and not (places[0].path == path and places[0].lies_in(loop.location)):
        del places[0]
    if not places:
        return False
    if _goes_on_to_leave(code, places[0], node):
        return True
    return any(_goes_on_to_leave(code, each, None) for each in places[1:])  # in what is called from there


def _goes_on_to_leave(code: Code, place: Location, loop: _Loop | None) -> bool:
    """Whether what stands behind a place leaves a loop; without it, whether it ends the program."""
    statement = code.node_at(place)
    if statement is None:
        return False
    around = list(code.parents(place.path, statement))
    nested = False
    for child, parent in zip((statement, *around), around, strict=False):
        for each in behind(child, parent):
            if gives_up(each) or (loop is not None and _leaves(each, nested=nested)):
                return True
            if loop is not None and not nested and _may_continue(each):
                return False
        if parent is loop or isinstance(parent, Function):
            return False
        nested = nested or isinstance(parent, _Loop)
    return False


def _leaves(statement: ast.stmt, *, nested: bool) -> bool:
    """Whether a statement leaves the loop; a `break` in a loop within leaves that one only."""
    return isinstance(statement, ast.Return) or (isinstance(statement, ast.Break) and not nested)


def _may_continue(node: ast.AST) -> bool:
    """Whether a statement may begin the next pass of the loop that it stands in."""
    if isinstance(node, ast.Continue):
        return True
    return not isinstance(node, _Loop) and any(map(_may_continue, children(node)))
