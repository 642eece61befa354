"""Trying a method of an object on a scratch state: what a dataset *object* does when one of its items is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from cmgan_audit.program.domain.reasons import Cause, Reason
from cmgan_audit.program.domain.values import (
    Arguments,
    ClassValue,
    DictValue,
    FunctionValue,
    GeneratorValue,
    Instance,
    ListValue,
    Unknown,
    Value,
)
from cmgan_audit.program.execution.interpreter import BudgetExceededError, Interpreter, ProgramRaisedError
from cmgan_audit.program.execution.iteration import run_generator
from cmgan_audit.program.execution.sessions import interpreter_of, module_activation
from cmgan_audit.program.execution.trace import Context, Event, Run
from cmgan_audit.program.language.attributes import attribute

INDEX = Unknown(reason=Reason("the index of an item", Cause.ITEM_INDEX))
PROBE_STEPS = 60_000
# All that is tried of one run together, and what each may take beyond that. Most runs try far less: the largest of six
# trees a hundred thousand steps. But a program that runs a large network in a hundred ways would take minutes.
MOST_PROBED_STEPS = 300_000
FEW_PROBE_STEPS = 2_000
_DEEPEST = 4


def call_method(
    run: Run, instance: Instance, name: str, arguments: Sequence[Value] = (INDEX,)
) -> tuple[list[Event], Value]:
    """The events of one call of a method and its result; afterwards the run is as it was.

    An object without that method of the tree gives no events and an unknown result.
    """
    return call_value(run, attribute_of(run, instance, name), arguments, instance)


def attribute_of(run: Run, instance: Instance, name: str) -> Value:
    """An attribute of an object as it is at the end of the run."""
    it = interpreter_of(run)
    with module_activation(it, instance):
        return attribute(it, instance, name, instance.location)


def call_value(
    run: Run, function: Value, arguments: Sequence[Value], near: Instance, keywords: Mapping[str, Value] | None = None
) -> tuple[list[Event], Value]:
    """The events of one call of a function of the tree (a `collate_fn`, a transform) and its result."""
    it = interpreter_of(run)
    if not isinstance(function, FunctionValue | Instance | ClassValue):
        return [], Unknown(reason="no code of the tree")
    mark, first_event, limits = it.journal.mark(), len(run.events), len(run.limits)
    steps, it.steps = it.steps, 0
    joined, it.journal.joined = it.journal.joined, 0
    exits, it.exits = it.exits, []
    context, it.context = it.context, Context()
    it.probing, it.reseeded = True, {}
    try:
        with module_activation(it, near):
            given = Arguments(positional=tuple(arguments), keywords=dict(keywords or {}))
            result = _copied(_called(it, function, given, near))
        return run.events[first_event:], result
    finally:
        it.journal.rollback(mark)
        del run.events[first_event:]
        del run.limits[limits:]
        it.probed_steps += it.steps
        if it.probed_steps > MOST_PROBED_STEPS >= it.probed_steps - it.steps:
            it.limit(near.location, f"more than {MOST_PROBED_STEPS} steps in what is tried: the rest is tried in brief")
        it.steps, it.exits, it.context = steps, exits, context
        it.journal.joined = joined
        it.probing, it.reseeded = False, {}


def _copied(value: Value, depth: int = _DEEPEST) -> Value:
    """A result that keeps the content of its lists and dictionaries when the state is put back."""
    if depth == 0:
        return value
    if isinstance(value, ListValue):
        return replace(value, items=[_copied(item, depth - 1) for item in value.items])
    if isinstance(value, DictValue):
        return replace(value, items={key: _copied(item, depth - 1) for key, item in value.items.items()})
    return value


def _called(it: Interpreter, function: Value, arguments: Arguments, near: Instance) -> Value:
    whole = it.budget
    it.allow(min(PROBE_STEPS, max(FEW_PROBE_STEPS, MOST_PROBED_STEPS - it.probed_steps)))
    try:
        result = it.call(function, arguments, near.location)
        if isinstance(result, GeneratorValue):  # an iterable dataset: its items are made while they are drawn
            run_generator(it, result, lambda item: None)
        return result
    except ProgramRaisedError:
        return Unknown(reason="the call raises")
    except BudgetExceededError:
        return Unknown(reason="the call takes too many steps to be followed")
    finally:
        it.allow(whole)
