"""Evaluation loops that are left before the loader is through: `if index >= 10: break`, a bare `break` at the end.

A `return` leaves them, too.

With a loader that shuffles, each pass then scores other items. A loop that keeps no number only shows examples.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from cmgan_audit.facts.bindings import given_to
from cmgan_audit.facts.code import Code, stack_of
from cmgan_audit.facts.named_numbers import number_at
from cmgan_audit.facts.scene import Made, Pass
from cmgan_audit.finding import Location, Step
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.domain.bounds import TURNED
from cmgan_audit.program.domain.values import Const
from cmgan_audit.program.execution.trace import Condition, Context, Loop
from cmgan_audit.rules.record import Fact, Known
from cmgan_audit.source.operands import sure_operands
from cmgan_audit.source.syntax import called_name, names_in, shown, walk

_Test = tuple[ast.expr, bool]
_Loop = ast.For | ast.AsyncFor
# No test set of speech has so many batches: who writes such a limit means none.
_NO_LIMIT = 1_000_000
_NO_NUMBERS = (ast.Constant, ast.List, ast.ListComp, ast.Tuple, ast.JoinedStr)
# How a test compares a counter with its limit where it has come to it: on its true side, and on its other side.
_REACHED = {True: (ast.GtE, ast.Gt, ast.Eq), False: (ast.Lt, ast.LtE, ast.NotEq)}


@dataclass(frozen=True, slots=True, eq=False)
class _Break:
    """A `break` or `return` in a loop, and the tests on the way to it, each with how it comes out there."""

    node: ast.Break | ast.Return
    tests: tuple[_Test, ...]


def left_early(code: Code, made: Made) -> Fact:
    """Where a loop over a loader that scores a network is left before the loader is through, as text; "" where none is.

    Args:
        code: the source of the run.
        made: the loader.
    """
    for single in code.scene.passes_over(made.loader):
        node = None if single.event.framework else code.node_at(single.event.loop.location)
        if isinstance(node, _Loop) and _scores(code, single) and _keeps_numbers(node):
            for place, told in _ways_out(code, single, node):
                return Known(f"{told} ({place})", (Step(place, f"the loop over the loader is left {told}"),))
    return Known("")


def is_left_early(code: Code, single: Pass, loop: _Loop) -> bool:
    """Whether a loop over the batches of a pass is known to be over before its loader is through."""
    return any(_ways_out(code, single, loop))


def may_end_with_a_group(code: Code, loop: Loop, context: Context) -> bool:
    """Whether a loop over batches takes a number of them that may be a whole number of groups: it is left where what
    counts them says so, `if step == len(loader) // 4 * 4: break`, and is not merely gone through.

    Args:
        code: the source of the run.
        loop: the loop.
        context: that of a step in it, in which settings decide tests: `if args.debug and step > 10: break`.
    """
    node, path = code.node_at(loop.location), loop.location.path
    if not isinstance(node, _Loop):
        return False
    counters = frozenset(_counters(node))
    for each in _breaks(node.body, ()):
        counting = [test for test, _ in each.tests if counters & names_in(test) and not _asks_for_end(code, path, test)]
        if counting and not any(_holds(code, context, path, test, taken=not taken) for test, taken in each.tests):
            return True
    return any(isinstance(part, ast.Call) and called_name(part) == "islice" for part in walk(node.iter))


def _asks_for_end(code: Code, path: str, test: ast.expr) -> bool:
    """Whether a test asks for the end of the batches: `step >= len(loader)`, `step == total - 1`."""
    for side in [test.left, *test.comparators] if isinstance(test, ast.Compare) else []:
        match side:
            case ast.BinOp(left=asked, op=ast.Add() | ast.Sub(), right=ast.Constant()) | asked:
                pass
        number = given_to(code, path, asked) if isinstance(asked, ast.Name) else asked
        if isinstance(number, ast.Call) and called_name(number) == "len":
            return True
    return False


def _ways_out(code: Code, single: Pass, loop: _Loop) -> Iterator[tuple[Location, str]]:
    """Where a loop is left before its loader is through, and when that comes, as text."""
    path = single.event.loop.location.path
    for each in _breaks(loop.body, ()):
        told = _told(code, single, path, loop, each)
        if told:
            yield code.place_of(path, each.node), told


def _scores(code: Code, single: Pass) -> bool:
    kinds = {use.kind for use in code.scene.uses_in(single)}
    return "run" in kinds and kinds.isdisjoint({"backward", "step"})


def _keeps_numbers(loop: _Loop) -> bool:
    """Whether a loop sums numbers up or keeps them: `total += loss.item()`, `scores.append(float(score))`, and
    `losses.update("l1", loss.item())`.

    How many it has seen is no score, and what is added to a list is none: `pictures += [output]`. Means that something
    is brought up to date with may be those of what a network computes, `statistics.update(output.mean(0))`.
    """
    counters = frozenset(_counters(loop))
    for node in walk(loop):
        match node:
            case ast.AugAssign(target=target, op=ast.Add(), value=value):
                if _base(target) not in counters and not isinstance(value, _NO_NUMBERS) and not _is_list(value):
                    return True
            case ast.Call(func=ast.Attribute(attr="append"), args=[item]) if _is_number(item) or _is_mean(item):
                return True
            case ast.Call(func=ast.Attribute(attr="update"), args=items) if any(map(_is_number, items)):
                return True
    return False


def _is_list(node: ast.expr) -> bool:
    match node:
        case ast.Call(func=ast.Name(id="list" | "tuple" | "str") | ast.Attribute(attr="tolist" | "unbind" | "split")):
            return True
    return False


def _is_number(item: ast.expr) -> bool:
    match item:
        case ast.Call(func=ast.Attribute(attr="item") | ast.Name(id="float")):
            return True
    return False


def _is_mean(item: ast.expr) -> bool:
    match item:
        case ast.Call(func=ast.Attribute(attr="mean")):
            return True
    return False


def _breaks(body: Iterable[ast.stmt], tests: tuple[_Test, ...]) -> Iterator[_Break]:
    """What leaves a loop itself, not loops inside it; what an error handler does is no plan."""
    for statement in body:
        match statement:
            case ast.Break() | ast.Return():
                yield _Break(statement, tests)
            case ast.If(test=test, body=then, orelse=otherwise):
                yield from _breaks(then, (*tests, *sure_operands(test, taken=True)))
                yield from _breaks(otherwise, (*tests, *sure_operands(test, taken=False)))
            case ast.With(body=inner) | ast.AsyncWith(body=inner) | ast.Try(body=inner):
                yield from _breaks(inner, tests)


def _told(code: Code, single: Pass, path: str, loop: _Loop, each: _Break) -> str:
    """When a break comes, as text; "" where that depends on more than how far the loop is."""
    counters = frozenset(_counters(loop))
    counted = [test for test, taken in each.tests if _counts(code, single, path, test, counters, taken=taken)]
    others = [
        (test, taken)
        for test, taken in each.tests
        if test not in counted and not (taken and _asks_for_limit(test, counted))
    ]
    if not all(_holds(code, single.event.context, path, test, taken=taken) for test, taken in others):
        return ""
    return f"where {_way_of(each, counted[0])}" if counted else "after its first batch"


def _way_of(each: _Break, counted: ast.expr) -> str:
    """A test as text, as it comes out where the loop is left."""
    taken = next(taken for test, taken in each.tests if test is counted)
    return shown(counted) if taken else f"not {shown(counted)}"


def _asks_for_limit(test: ast.expr, counted: Iterable[ast.expr]) -> bool:
    """Whether a test asks whether there is a limit, which is known to be one: `if most and index >= most`."""
    match test:
        case ast.Compare(left=asked, ops=[ast.Gt() | ast.IsNot()], comparators=[ast.Constant(value=0 | None)]):
            pass
        case ast.Compare(left=ast.Constant(value=0), ops=[ast.Lt()], comparators=[asked]):
            pass
        case _:
            asked = test
    limits = {ast.dump(part) for each in counted for part in (each, *walk(each)) if isinstance(part, ast.expr)}
    return isinstance(asked, ast.Name | ast.Attribute) and ast.dump(asked) in limits


def _counters(loop: _Loop) -> Iterator[str]:
    """What tells how far a loop is: the index that is drawn along, a number of batches or items that it sums up."""
    match loop:
        case ast.For(target=ast.Tuple(elts=[ast.Name(id=name), *_]), iter=drawn):
            if any(isinstance(node, ast.Name) and node.id == "enumerate" for node in walk(drawn)):
                yield name
    for statement in loop.body:
        match statement:
            case ast.AugAssign(target=ast.Name(id=name), op=ast.Add(), value=value) if _is_count(value):
                yield name


def _is_count(node: ast.expr) -> bool:
    """Whether an expression is one, or the number of items of a batch."""
    match node:
        case ast.Constant(value=1) | ast.Call(func=ast.Name(id="len") | ast.Attribute(attr="size")):
            return True
        case ast.Subscript(value=ast.Attribute(attr="shape"), slice=ast.Constant(value=0)):
            return True
    return False


def _counts(code: Code, single: Pass, path: str, test: ast.expr, counters: frozenset[str], *, taken: bool) -> bool:
    """Whether a test comes out like this as soon as a counter has come to a number that is known."""
    match test:
        case ast.Compare(left=left, ops=[operator], comparators=[right]):
            turned = TURNED.get(type(operator), type(operator))
            sides = ((left, type(operator), right), (right, turned, left))
            return any(
                issubclass(compares, _REACHED[taken])
                and _base(counter) in counters
                and _is_known_number(code, single, path, limit)
                for counter, compares, limit in sides
            )
    return False


def _base(node: ast.expr) -> str:
    """The name in `index` and `index + 1`."""
    match node:
        case ast.Name(id=name) | ast.BinOp(left=ast.Name(id=name), op=ast.Add(), right=ast.Constant()):
            return name
    return ""


def _is_known_number(code: Code, single: Pass, path: str, node: ast.expr) -> bool:
    if isinstance(node, ast.BinOp) and isinstance(node.right, ast.Constant):
        node = node.left
    module = code.module(path)
    place = Location(path, 1) if module is None else module.location(node)
    asked = Condition(text=ast.unparse(node), location=place)
    found = number_at(code, single.event.context, asked, node)
    if not isinstance(found, Known) or not isinstance(found.value, int):
        return False
    # A setting of 0 or -1 is none: `if index == most` never holds then, or is asked only where it is one.
    return (isinstance(node, ast.Constant) or found.value > 0) and found.value < _NO_LIMIT


def _holds(code: Code, context: Context, path: str, test: ast.expr, *, taken: bool) -> bool:
    """Whether a test is known to come out like this, because a setting decides it."""
    module = code.module(path)
    if isinstance(test, ast.Constant):
        return bool(test.value) is taken
    if module is None:
        return False
    asked = code.decisions.get((module.location(test), stack_of(context)))
    return isinstance(asked, Const) and bool(asked.value) is taken
