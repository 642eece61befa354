"""Branches that a setting keeps off, tried on a scratch state: what resuming would do if somebody asked for it.

A training with `resume = False` never executes its resume code, and yet that code is shipped to be used. It runs here
with the objects as they are at that point; then everything is as before, and no other fact sees it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import TypeVar

from cmgan_audit.program.domain.joins import opposite
from cmgan_audit.program.domain.values import ClassValue, FunctionValue, Instance, Value
from cmgan_audit.program.execution.interpreter import BudgetExceededError, Interpreter, ProgramRaisedError
from cmgan_audit.program.execution.trace import Condition, Supposed
from cmgan_audit.source.syntax import walk

MOST_SUPPOSED_STEPS = 8_000
# Of all such branches of a run. Training code needs a few thousand, a launcher of many modes hundreds of thousands.
MOST_SUPPOSED_IN_ALL = 100_000
# A branch in a loop, or in a function that is called often, says the same each time; where much is tried, once will do.
MOST_TIMES = 4
_MUCH = MOST_SUPPOSED_IN_ALL // 4
_LOADS = ("load", "resume", "restore")
_Part = TypeVar("_Part", ast.stmt, ast.expr)


def suppose(
    it: Interpreter,
    test: ast.expr,
    taken: bool,
    statements: Sequence[_Part],
    execute: Callable[[Interpreter, Sequence[_Part]], object],
) -> None:
    """Try the statements that a decided test leaves out, if they mention that something is loaded.

    Args:
        it: the interpreter.
        test: the test that is decided.
        taken: how it came out.
        statements: what is left out: a block, or the other side of `load(path) if path else 0`.
        execute: executes it.
    """
    if it.probing or not statements or _asks_who_runs(test) or not _loads(it, statements):
        return
    times = it.supposed.count(statements[0])
    if times >= MOST_TIMES or (times and it.supposed_steps > _MUCH):
        return
    if it.supposed_steps > MOST_SUPPOSED_IN_ALL:
        it.limit(it.location(test), f"more than {MOST_SUPPOSED_IN_ALL} steps in branches that settings keep off")
        return
    it.supposed.append(statements[0])
    text = it.text(test)
    condition = Condition(opposite(text) if taken else text, it.location(test))
    position, limits = len(it.run.events), len(it.run.limits)
    mark, first_exit = it.journal.mark(), len(it.exits)
    context, facts, steps, budget = it.context, it.facts, it.steps, it.budget
    joined = it.journal.joined
    returns = [(activation, len(activation.returns)) for activation in it.activations]
    executed, built, environments = dict(it.executed), dict(it.built), dict(it.environments)
    reseeded, tracking, notes = it.reseeded, it.journal.tracking, dict(it.notes)
    it.journal.tracking = 0  # a try around the branch must not take these writes for its own
    it.probing = True
    it.allow(min(budget, steps + MOST_SUPPOSED_STEPS))
    try:
        with it.entered(condition=condition):
            execute(it, statements)
    except (ProgramRaisedError, BudgetExceededError):
        pass  # what was seen until then is what the branch does
    finally:
        events = tuple(it.run.events[position:])
        del it.run.events[position:], it.run.limits[limits:], it.exits[first_exit:]
        it.journal.rollback(mark)
        for activation, length in returns:
            del activation.returns[length:]
        it.supposed_steps += it.steps - steps
        it.context, it.facts, it.steps = context, facts, steps
        it.allow(budget)
        it.executed, it.built, it.environments, it.notes = executed, built, environments, notes
        it.reseeded, it.journal.tracking, it.probing = reseeded, tracking, False
        it.journal.joined = joined
    it.run.supposed.append(Supposed(condition, position, events))


def _asks_who_runs(test: ast.expr) -> bool:
    """`if __name__ == "__main__":` is no setting: what a script does is not what its importer could be asked to do."""
    return isinstance(test, ast.Compare) and isinstance(test.left, ast.Name) and test.left.id == "__name__"


def _loads(it: Interpreter, statements: Sequence[ast.AST]) -> bool:
    """Whether a call in the statements has a name that speaks of loading, or is of a function that loads a state."""
    first = statements[0]
    if first not in it.loading:
        calls = [node.func for each in statements for node in walk(each) if isinstance(node, ast.Call)]
        names = (getattr(call, "attr", getattr(call, "id", "")).lower() for call in calls)
        it.loading[first] = any(word in name for name in names for word in _LOADS) or any(
            _loads_a_state(it, function) for call in calls for function in [_function(it, call)] if function is not None
        )
    return it.loading[first]


def _loads_a_state(it: Interpreter, function: FunctionValue) -> bool:
    """Whether the body of a function gives something a state: `def bring_back(path, net): net.load_state_dict(...)`."""
    node = function.node
    if node not in it.loading:
        it.loading[node] = any(
            isinstance(each, ast.Attribute) and each.attr == "load_state_dict" for each in walk(node)
        )
    return it.loading[node]


def _function(it: Interpreter, called: ast.expr) -> FunctionValue | None:
    """The function of the tree that a name stands for, or a method of what a name stands for; nothing is executed."""
    match called:
        case ast.Name(id=name):
            held = _held(it, name)
            return held if isinstance(held, FunctionValue) else None
        case ast.Attribute(value=ast.Name(id=name), attr=method):
            owner = _held(it, name)
            if isinstance(owner, Instance) and isinstance(owner.cls, ClassValue):
                return _method(owner.cls, method)
    return None


def _held(it: Interpreter, name: str) -> Value | None:
    scope = it.activation.environment.scope_of(name)
    return scope.names[name] if scope is not None else None


def _method(cls: ClassValue, name: str) -> FunctionValue | None:
    """A method of a class of the tree, or of one that it is derived from."""
    held = cls.namespace.get(name)
    if isinstance(held, FunctionValue):
        return held
    bases = (base for base in cls.bases if isinstance(base, ClassValue))
    return next((found for base in bases for found in [_method(base, name)] if found is not None), None)
