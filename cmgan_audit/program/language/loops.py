"""Loops: known items are gone through one by one; any other loop is executed for all its passes at once.

For the latter, cells that one pass changes are *widened* (a counter becomes unknown, other values a choice) and the
body is executed again from there, so that no test in it is decided by the first pass alone.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

from cmgan_audit.finding import Location
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.domain.joins import Branch, join, same
from cmgan_audit.program.domain.reasons import Cause, Reason
from cmgan_audit.program.domain.values import Choice, Const, Instance, ListValue, Symbol, Unknown, Value
from cmgan_audit.program.execution.branches import Flow, arrive, leave, rebase, truth
from cmgan_audit.program.execution.interpreter import Activation, Interpreter, ProgramRaisedError, Widening
from cmgan_audit.program.execution.iteration import announce, element, is_unrolled, iterate
from cmgan_audit.program.execution.state import MISSING, Change, Snapshot
from cmgan_audit.program.execution.trace import Loop

# Inside this many loops of the running program a body is executed once only.
MOST_REPEATED = 3
# A list is filled up item by item at most so often.
MOST_FILLED = 16

Body = Callable[[Value], Flow | None]


def execute_for(it: Interpreter, node: ast.For | ast.AsyncFor) -> Flow:
    """`for target in iterable: ... else: ...`."""
    from cmgan_audit.program.language.assignments import assign
    from cmgan_audit.program.language.expressions import evaluate
    from cmgan_audit.program.language.statements import execute_block
    from cmgan_audit.program.language.walks import walked

    iterable = it.read(evaluate(it, node.iter))

    def body(item: Value) -> Flow:
        assign(it, node.target, walked(node, iterable, item), quiet=True)
        return execute_block(it, node.body)

    def otherwise() -> Flow:
        return execute_block(it, node.orelse)

    return execute_loop(it, node, iterable, body, otherwise if node.orelse else None)


def execute_loop(
    it: Interpreter, node: ast.AST, iterable: Value, body: Body, otherwise: Callable[[], Flow] | None = None
) -> Flow:
    """Run a loop's body over what `iterable` gives; `otherwise` is its `else`, which a break leaves out."""
    location = it.location(getattr(node, "iter", node))
    known = _as_items(it, iterable)
    if isinstance(iterable, ListValue) and iterable.complete and is_unrolled(it, iterable, len(iterable.items)):
        if len(iterable.items) <= 4 or not _counts_only(node, iterable):
            known = list(iterable.items)
    loop = Loop(it.location(node), iterable, unrolled=known is not None)
    if known is not None:
        return _unrolled(it, loop, known, body, otherwise)

    def once() -> Flow:
        announce(it, iterable, loop, location)
        flows: list[Flow | None] = []
        if iterate(it, iterable, location, loop, lambda item: flows.append(body(item))):
            return flows[-1] or Flow.NEXT if len(flows) == 1 else Flow.NEXT
        return body(element(it, iterable, location)) or Flow.NEXT

    return _repeated(it, node, loop, once, otherwise, certain=_runs_at_least_once(iterable))


def _counts_only(node: ast.AST, iterable: ListValue) -> bool:
    """Whether a loop over `range` does the same in every pass: `for epoch in range(10)` is one pass for all."""
    return iterable.kind == "range" and isinstance(node, ast.For | ast.AsyncFor) and len(list(ast.walk(node))) > 60


def _as_items(it: Interpreter, iterable: Value) -> list[Value] | None:
    """The keys of a dictionary that are all known and not too many."""
    from cmgan_audit.program.domain.containers import known_items
    from cmgan_audit.program.domain.values import DictValue

    if isinstance(iterable, DictValue):
        items, complete = known_items(iterable)
        return items if complete and is_unrolled(it, iterable, len(items)) else None
    return None


def _runs_at_least_once(iterable: Value) -> bool:
    if isinstance(iterable, Instance) and iterable.external_name == "builtins.range":
        bounds = [value.value for value in iterable.arguments.positional if isinstance(value, Const)]
        return len(bounds) == len(iterable.arguments.positional)
    return isinstance(iterable, ListValue) and bool(iterable.items)


def execute_while(it: Interpreter, node: ast.While) -> Flow:
    """`while test: ... else: ...`."""
    from cmgan_audit.program.language.booleans import evaluate_test
    from cmgan_audit.program.language.statements import execute_block

    verdict = truth(it, it.read(evaluate_test(it, node.test)))
    filled = 0
    while verdict and filled < MOST_FILLED and _fills_up(node):
        execute_block(it, node.body)
        verdict = truth(it, it.read(evaluate_test(it, node.test)))
        filled += 1
    if verdict is False:
        return execute_block(it, node.orelse) if node.orelse else Flow.NEXT
    certain = isinstance(node.test, ast.Constant)
    loop = Loop(it.location(node), None)

    def once() -> Flow:
        evaluate_test(it, node.test)
        return execute_block(it, node.body)

    def otherwise() -> Flow:
        return execute_block(it, node.orelse)

    with nullcontext() if verdict else it.doubted():
        return _repeated(it, node, loop, once, otherwise if node.orelse else None, certain=certain)


def _fills_up(node: ast.While) -> bool:
    """Whether a loop only makes a list longer until it is long enough: `while len(sizes) < 4: sizes.append(1)`."""
    match node.test:
        case ast.Compare(left=ast.Call(func=ast.Name(id="len"), args=[made]), ops=[ast.Lt() | ast.LtE() | ast.NotEq()]):
            target = ast.dump(made)
            return all(_adds_to(statement, target) for statement in node.body)
    return False


def _adds_to(statement: ast.stmt, target: str) -> bool:
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=owner, attr="append" | "extend" | "insert"))):
            return ast.dump(owner) == target
    return False


def _unrolled(
    it: Interpreter, loop: Loop, items: list[Value], body: Body, otherwise: Callable[[], Flow] | None
) -> Flow:
    """Every pass on its own, in order."""
    owner = it.activation
    owner.loops += 1
    level = owner.loops
    ended = Flow.NEXT
    try:
        with it.entered(loop=loop):
            for item in items:
                with it.entered():
                    ended = body(item) or Flow.NEXT
                    held = it.context, it.facts
                if ended in (Flow.NEXT, Flow.CONTINUE):
                    if not _others_go_on(it, owner, level):  # what has left takes part in no later pass
                        it.context, it.facts = held
                    arrive(it, Flow.CONTINUE, owner, level, alone=False)
                    ended = Flow.NEXT
                elif not _others_go_on(it, owner, level):
                    break
                else:
                    leave(it, ended)
                    arrive(it, Flow.CONTINUE, owner, level, alone=True)
                    ended = Flow.NEXT
        if ended is not Flow.NEXT:
            leave(it, ended)
        return _behind(it, owner, level, otherwise, alive=ended is Flow.NEXT, returned=ended is Flow.RETURN)
    finally:
        owner.loops = level - 1


def _behind(
    it: Interpreter,
    owner: Activation,
    level: int,
    otherwise: Callable[[], Flow] | None,
    *,
    alive: bool,
    returned: bool,
) -> Flow:
    """What follows the last pass: `else` where no break was taken, then the paths that broke join."""
    owner.loops = level - 1
    if alive and otherwise is not None:
        flow = otherwise()
        if flow is not Flow.NEXT:
            if not _others_broke(it, owner, level):
                return flow
            leave(it, flow)
            alive = False
    broke = _others_broke(it, owner, level)
    arrive(it, Flow.BREAK, owner, level, alone=not alive)
    if alive or broke:
        return Flow.NEXT
    return Flow.RETURN if returned else Flow.NEXT


def _others_broke(it: Interpreter, owner: Activation, level: int) -> bool:
    return any(e.kind == Flow.BREAK.value and e.owner is owner and e.loop == level for e in it.exits)


def _others_go_on(it: Interpreter, owner: Activation, level: int) -> bool:
    """Whether a path continued with the next item although the last one left."""
    return any(e.kind == Flow.CONTINUE.value and e.owner is owner and e.loop == level for e in it.exits)


@dataclass(slots=True)
class _Start:
    """What has to be forgotten when a body is executed again."""

    mark: int
    events: int
    exits: int
    built: int
    returns: list[tuple[Activation, int]]


def _start(it: Interpreter) -> _Start:
    returns = [(activation, len(activation.returns)) for activation in it.activations]
    return _Start(it.journal.mark(), len(it.run.events), len(it.exits), len(it.built), returns)


def _forget(it: Interpreter, start: _Start) -> None:
    it.journal.rollback(start.mark)
    del it.run.events[start.events :]
    del it.exits[start.exits :]
    while len(it.built) > start.built:  # a layer that was followed only in what is forgotten is followed again
        it.built.popitem()
    for activation, length in start.returns:
        del activation.returns[length:]


def _repeated(
    it: Interpreter,
    node: ast.AST,
    loop: Loop,
    once: Callable[[], Flow],
    otherwise: Callable[[], Flow] | None,
    *,
    certain: bool,
) -> Flow:
    """All passes at once."""
    owner = it.activation
    owner.loops += 1
    level = owner.loops
    try:
        with it.entered(loop=loop):
            _widen_known(it, node, loop.location)
            start = _start(it)
            alive, returned, fails = _one_pass(it, once, owner, level)
            changed = _surprises(it, start.mark)
            if changed and len(it.context.loops) <= MOST_REPEATED:
                _forget(it, start)
                _widen(it, node, changed, loop.location)
                start = _start(it)
                alive, returned, fails = _one_pass(it, once, owner, level)
        if fails:
            it.run.cut_short.append(loop)
        alive = _after(it, start, certain, alive)
        if not alive and not returned and not _others_broke(it, owner, level):
            raise ProgramRaisedError("", loop.location)
        return _behind(it, owner, level, otherwise, alive=alive, returned=returned)
    finally:
        owner.loops = level - 1


def _one_pass(it: Interpreter, once: Callable[[], Flow], owner: Activation, level: int) -> tuple[bool, bool, bool]:
    """Whether a path reaches the end of the body, whether one returns from it, and whether an error ends all others."""
    mark = it.journal.mark()
    first_exit = len(it.exits)
    fails = False
    try:
        with it.entered(), it.forks.in_a_pass():
            flow = once()
    except ProgramRaisedError:
        rebase(it, first_exit, mark)
        it.journal.rollback(mark)
        flow, fails = None, True
    if flow in (Flow.BREAK, Flow.RETURN):
        leave(it, flow)
    alive = flow in (Flow.NEXT, Flow.CONTINUE)
    if not alive:
        alive = any(e.kind == Flow.CONTINUE.value and e.owner is owner and e.loop == level for e in it.exits)
        arrive(it, Flow.CONTINUE, owner, level, alone=True)
    else:
        arrive(it, Flow.CONTINUE, owner, level, alone=False)
    return alive, any(e.kind == Flow.RETURN.value and e.owner is owner for e in it.exits[first_exit:]), fails


def _after(it: Interpreter, start: _Start, certain: bool, alive: bool) -> bool:
    """Join the state before the loop, where it may not run at all, with the one after the last pass."""
    snapshot = it.journal.written_since(start.mark)
    rebase(it, start.exits, start.mark)
    it.journal.rollback(start.mark)
    sides: list[tuple[Snapshot, Branch]] = []
    if not certain:
        sides.append(({}, Branch("")))
    if alive:
        sides.append((snapshot, Branch("")))
    if len(sides) == 1:
        it.journal.apply(sides[0][0])
    elif sides:
        it.journal.merge(sides)
    return bool(sides)


# Widening


def _surprises(it: Interpreter, mark: int) -> list[tuple[Change, Any]]:
    """Cells that held something definite before the loop and something else after one pass."""
    now = it.journal.written_since(mark)
    changed = []
    for cell, before in it.journal.held_before(mark).items():
        if before.state is MISSING:
            continue
        after = now[cell].state
        if after is not MISSING and _differs(before.state, after):
            changed.append((before, after))
    return changed


def _differs(before: Any, after: Any) -> bool:
    if isinstance(before, Value):
        if not isinstance(before, Const | Symbol | Choice | ListValue):
            return False
        return not (isinstance(after, Value) and same(before, after))
    if isinstance(before, tuple):  # the items of a list, whether they are all, its draws
        if before[1] != after[1] or len(before[0]) != len(after[0]):
            return bool(before[1])  # an open list stays open
        return any(not same(x, y) for x, y in zip(before[0], after[0], strict=True))
    return bool(before != after)


def _widen(it: Interpreter, node: ast.AST, changed: list[tuple[Change, Any]], location: Location) -> None:
    names = it.activation.environment.names
    known = it.widened.setdefault(node, [])
    for before, after in changed:
        known.append(Widening(before.container, before.key, after, before.container is names))
        it.journal.put(before.container, before.key, _widened(before.state, after, location))


def _widen_known(it: Interpreter, node: ast.AST, location: Location) -> None:
    """What this loop was seen to change when it was executed before.

    A name of another call held what was made from other arguments: only that it changes is known of it.
    """
    names = it.activation.environment.names
    for seen in it.widened.get(node, ()):
        where = names if seen.local else seen.container
        before = it.journal.get(where, seen.key)
        if before is MISSING or not _differs(before, seen.after):
            continue
        after = seen.after
        if where is not seen.container and isinstance(before, Value) and not isinstance(after, Const | ListValue):
            after = Unknown(reason=_changing(location)).made_from("or", (before,))
        it.journal.put(where, seen.key, _widened(before, after, location))


def _widened(before: Any, after: Any, location: Location) -> Any:
    if isinstance(before, tuple):
        items = list(before[0])
        items += list(after[0][len(items) :])
        return tuple(items), False, before[2] | after[2]
    if not isinstance(before, Value):
        return False
    if _is_counter(before) or _is_counter(after):
        changed = Unknown(reason=_changing(location), draws=before.draws | after.draws)
        return changed.made_from("or", (before, after))
    return join([(before, Branch("")), (after, Branch(""))])


def _changing(loop: Location) -> Reason:
    return Reason(f"changes in the loop at line {loop.line}", Cause.LOOP_PASS)


def _is_counter(value: Value) -> bool:
    if isinstance(value, Const):
        return isinstance(value.value, int | float | complex | str | bytes) and not isinstance(value.value, bool)
    return isinstance(value, Unknown | Symbol)
