"""Schedules that the tree writes itself: functions for LambdaLR, and classes that set learning rates on their own."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence

from cmgan_audit.facts.classes import bound_arguments
from cmgan_audit.facts.optimisers import is_optimiser, is_scheduler
from cmgan_audit.facts.steps.actions import SCHEDULE, Action
from cmgan_audit.facts.values import fact_of, instances_of, same_object
from cmgan_audit.facts.view import View
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.values import ClassValue, Const, FunctionValue, Instance, ListValue, Value
from cmgan_audit.program.execution.probe import call_value
from cmgan_audit.program.execution.trace import CallEvent
from cmgan_audit.rules.record import Known
from cmgan_audit.source.syntax import walk

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
    return any(same_object(each, scheduler) for each in values)


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
    for name, value in {**_defaults(cls), **bound_arguments(cls, scheduler.arguments)}.items():
        fact = fact_of(value, None)
        if _EPOCH.search(name) and isinstance(fact, Known) and type(fact.value) is int and 0 < fact.value <= FEW:
            return name, fact
    return None


def _defaults(cls: ClassValue) -> dict[str, Value]:
    """The numbers that parameters of a constructor are where they are not given."""
    found: dict[str, Value] = {}
    for each in cls.node.body:
        if isinstance(each, ast.FunctionDef) and each.name == "__init__":
            given = each.args
            pairs = [*zip(reversed(given.args), reversed(given.defaults), strict=False)]
            pairs += [(one, value) for one, value in zip(given.kwonlyargs, given.kw_defaults, strict=True) if value]
            found.update(
                (one.arg, Const(value=value.value))
                for one, value in pairs
                if isinstance(value, ast.Constant) and isinstance(value.value, int)
            )
    return found
