"""Schedules that the tree writes itself: functions for LambdaLR, and classes that set learning rates on their own."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence

from cmgan_audit.facts.classes import bound_arguments
from cmgan_audit.facts.optimisers import is_optimiser, is_scheduler
from cmgan_audit.facts.steps.actions import SCHEDULE, Action
from cmgan_audit.facts.values import fact_of, instances_of, is_among
from cmgan_audit.facts.view import View
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.values import ClassValue, Const, FunctionValue, Instance, ListValue, Value
from cmgan_audit.program.execution.probe import call_value
from cmgan_audit.program.execution.trace import CallEvent
from cmgan_audit.rules.record import Known
from cmgan_audit.source.syntax import called_name, defaults_of, methods_of, walk

# A schedule that is over after so few steps is counted in epochs, if it speaks of them; it is asked at some of them.
FEW = 500
_ASKED = (0, 1, 2, 5, *range(10, FEW + 1, 10))
_NOTHING = 0.01
_EPOCH = regex(r"(?<![a-z])(?<!last_)epochs?(?![a-z])|^(?:e|ep)$", re.IGNORECASE)
_STEPS = regex(
    r"per_?ep|(?:^|_)(?:iters?|iterations?|batch|batches|updates?|steps)(?:$|_)|(?:global|current|cur|num|n)_?step"
    r"|step_?(?:num|count|idx)|^(?:step|it|len|loader)$",
    re.IGNORECASE,
)


def ends_early(view: View, scheduler: Instance) -> tuple[int, float] | None:
    """When the factor of a LambdaLR has come down to nothing, where it speaks of epochs: the number of steps, and what
    is left of its largest; None where it goes on, is counted in steps, or cannot be computed.

    Args:
        view: the run.
        scheduler: the object.
    """
    given = scheduler.arguments.get("lr_lambda", 1)
    functions = given.items[:1] if isinstance(given, ListValue) else [given]
    function = functions[0] if functions else None
    if not isinstance(function, FunctionValue) or not _speaks_of_epochs(function):
        return None
    largest = 0.0
    for step in _ASKED:
        factor = call_value(view.scene.run, function, [Const(value=step)], scheduler)[1]
        if not isinstance(factor, Const) or not isinstance(factor.value, int | float):
            return None
        if largest > 0 and factor.value <= _NOTHING * largest:  # a warm-up begins at nothing
            return step, factor.value / largest
        largest = max(largest, factor.value)
    return None


def _speaks_of_epochs(function: FunctionValue) -> bool:
    """Whether a function of a number of steps counts them as epochs, by its parameter or by what it asks."""
    words = set(_words(function.node))
    return any(map(_EPOCH.search, words)) and not any(map(_STEPS.search, words))


def _words(node: ast.AST) -> Iterator[str]:
    """The names in code, without those of methods that are called."""
    called = {part.func for part in walk(node) if isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute)}
    for part in walk(node):
        match part:
            case ast.arg(arg=word) | ast.Name(id=word):
                yield word
            case ast.Attribute(attr=word) if part not in called:
                yield word
            case ast.Subscript(slice=ast.Constant(value=str() as word)):
                yield word


def own_schedulers(view: View) -> Iterator[tuple[Instance, CallEvent, list[Action]]]:
    """The schedulers of classes of the tree, each with the call that makes it and its steps.

    One derives from a scheduler of torch, or keeps an optimiser and sets the rates of its groups.
    """
    stepped: dict[int, tuple[Instance, list[Action]]] = {}
    for position, event in enumerate(view.scene.run.events):
        if isinstance(event, CallEvent) and event.callee.endswith(".step"):
            for each in instances_of(event.receiver):
                if isinstance(each.cls, ClassValue) and _is_own_schedule(each):
                    stepped.setdefault(id(each.attrs), (each, []))[1].append(Action(SCHEDULE, event, position, (each,)))
    for scheduler, steps in stepped.values():
        made = next((event for event in view.scene.at(scheduler.location) if _makes(event, scheduler)), None)
        if made is not None:
            yield scheduler, made, steps


def _makes(event: CallEvent, scheduler: Instance) -> bool:
    values = (*instances_of(event.result), *instances_of(event.receiver))
    return is_among(scheduler, values)


def _is_own_schedule(value: Instance) -> bool:
    if is_scheduler(value):
        return True
    assert isinstance(value.cls, ClassValue)
    return not is_optimiser(value) and any(map(_sets_rate, walk(value.cls.node)))


def _sets_rate(node: ast.AST) -> bool:
    """Whether a statement sets the rate of a group of parameters: `group["lr"] = rate`."""
    match node:
        case ast.Assign(targets=[ast.Subscript(slice=ast.Constant(value="lr"))]):
            return True
        case ast.AugAssign(target=ast.Subscript(slice=ast.Constant(value="lr"))):
            return True
    return False


def optimisers_of(scheduler: Instance) -> list[Instance]:
    """The optimisers that a scheduler of the tree was given."""
    values: Iterable[Value] = scheduler.arguments.every
    return [each for value in values for each in instances_of(value) if is_optimiser(each)]


def told_in_epochs(scheduler: Instance, steps: Sequence[Action]) -> tuple[str, Known] | None:
    """The argument that a class of the tree counts in epochs, one for each step; None where it may count otherwise.

    What converts them has to be told how many batches an epoch has, or where the training stands.
    """
    cls = scheduler.cls
    if not isinstance(cls, ClassValue) or scheduler.arguments.open_kwargs or scheduler.arguments.spread is not None:
        return None
    if any(each.event.arguments.every for each in steps) or any(map(_STEPS.search, _words(cls.node))):
        return None
    if not is_scheduler(scheduler) and not _counts_its_steps(cls.node):
        return None
    for name, value in {**_defaults(cls), **bound_arguments(cls, scheduler.arguments)}.items():
        fact = fact_of(value, None)
        if _EPOCH.search(name) and isinstance(fact, Known) and type(fact.value) is int and 0 < fact.value <= FEW:
            return None if _converts(cls.node, name) else (name, fact)
    return None


def _counts_its_steps(cls: ast.ClassDef) -> bool:
    """Whether step() of a class counts its calls; where something else does, that knows when an epoch is over."""
    return any(map(_counter, walk(methods_of(cls).get("step"))))


def _counter(node: ast.AST) -> str:
    """What a statement counts on by one; "" for others."""
    match node:
        case ast.AugAssign(target=ast.Attribute() as counted, op=ast.Add(), value=ast.Constant(value=1)):
            return ast.unparse(counted)
        case ast.Assign(
            targets=[ast.Attribute() as counted],
            value=ast.BinOp(left=ast.Attribute() as before, op=ast.Add(), right=ast.Constant(value=1)),
        ) if ast.unparse(counted) == ast.unparse(before):
            return ast.unparse(counted)
    return ""


def _converts(cls: ast.ClassDef, parameter: str) -> bool:
    """Whether a class makes steps of its epochs, or epochs of its steps: `warmup_epochs * n`, `self.done / self.n`."""
    epochs = {parameter, f"self.{parameter}"}
    assigned = (each for node in walk(cls) if isinstance(node, ast.Assign) for each in _assigned(node))
    for target, value in assigned:
        if _reads_only(value, epochs):
            epochs.add(ast.unparse(target))
    counters = {"self.last_epoch", "self._step_count", *filter(None, map(_counter, walk(cls)))}
    for node in walk(cls):
        match node:
            case ast.BinOp(left=left, op=ast.Mult(), right=right):
                told = [ast.unparse(each) in epochs for each in (left, right)]
                if any(told) and not any(isinstance(each, ast.Constant) for each in (left, right)):
                    return True
            case ast.BinOp(left=left, op=ast.Div() | ast.FloorDiv() | ast.Mod(), right=right):
                if ast.unparse(left) in counters and not _reads_only(right, epochs):
                    return True
    return False


def _assigned(statement: ast.Assign) -> Iterator[tuple[ast.expr, ast.expr]]:
    """What an assignment gives which value, also of several at once: `self.opt, self.end = opt, epochs`."""
    for target in statement.targets:
        match target, statement.value:
            case ast.Tuple(elts=targets), ast.Tuple(elts=values) if len(targets) == len(values):
                yield from zip(targets, values, strict=True)
            case _:
                yield target, statement.value


def _reads_only(value: ast.expr, names: set[str]) -> bool:
    """Whether an expression is one of some names, or is computed from them and numbers alone."""
    match value:
        case ast.Constant():
            return False
        case ast.BinOp(left=left, right=right):
            sides = [each for each in (left, right) if not isinstance(each, ast.Constant)]
            return bool(sides) and all(_reads_only(each, names) for each in sides)
        case ast.Call(args=[*given]) if called_name(value) in ("max", "float", "int"):
            return all(isinstance(each, ast.Constant) or _reads_only(each, names) for each in given)
    return ast.unparse(value) in names


def _defaults(cls: ClassValue) -> dict[str, Value]:
    """The numbers that parameters of a constructor are where they are not given."""
    made = methods_of(cls.node).get("__init__")
    return {
        one.arg: Const(value=value.value)
        for one, value in (defaults_of(made.args) if made is not None else ())
        if isinstance(value, ast.Constant) and isinstance(value.value, int)
    }
