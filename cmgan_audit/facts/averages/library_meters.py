"""torchmetrics' MeanMetric, told the mean of each batch and not how many items it has: `metric.update(loss)`."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from cmgan_audit.facts.averages.records import BatchMean
from cmgan_audit.facts.averages.summed import sums_items
from cmgan_audit.facts.averages.taking_in import is_weighted, mean_of_calls
from cmgan_audit.facts.code import stack_of
from cmgan_audit.facts.records import Loader
from cmgan_audit.facts.scene import Pass
from cmgan_audit.facts.values import constant, instances_of
from cmgan_audit.facts.view import View
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.values import Instance, Value
from cmgan_audit.program.execution.trace import CallEvent

_MEAN = regex(r"torchmetrics\.(?:\w+\.)*MeanMetric")
_UPDATES = frozenset({"update", "__call__", "forward"})
# Losses of torch as modules and as functions.
_LOSSES = regex(r"torch\.nn\.(?:modules\.loss\.)?\w+Loss\.(?:__call__|forward)|torch\.nn\.functional\.\w+_loss")


def library_updates(view: View) -> list[CallEvent]:
    """The calls of a run that give a mean of torchmetrics a value."""
    return view.scene.named(_gives_value)


def library_means(view: View, single: Pass, loader: Loader, updates: Sequence[CallEvent]) -> Iterator[BatchMean]:
    """The means that torchmetrics keeps over one pass of numbers that stand for a batch each, as one record.

    Args:
        view: the run.
        single: the pass over a loader.
        loader: the loader.
        updates: those of the run.
    """
    taken = [event for event in updates if single.holds(event.context) and _takes_batch(view, event, single)]
    if not taken:
        return
    calls = (view.code.call_at(event.location) for event in taken)
    names = dict.fromkeys(_name(call) for call in calls if call is not None)
    yield mean_of_calls(taken[0], names, single, loader)


def _gives_value(name: str) -> bool:
    owner, _, method = name.rpartition(".")
    return method in _UPDATES and _MEAN.fullmatch(owner) is not None


def _name(call: ast.Call) -> str:
    owner = call.func.value if isinstance(call.func, ast.Attribute) and call.func.attr in _UPDATES else call.func
    return ast.unparse(owner)


def _takes_batch(view: View, event: CallEvent, single: Pass) -> bool:
    """Whether a call gives a mean the one number of a batch, and no weight."""
    if event.context.loops[-1] is not single.event.loop:
        return False
    given = event.arguments
    call = view.code.call_at(event.location)
    if call is None or len(given.positional) != 1 or given.keywords or given.open_kwargs or len(call.args) != 1:
        return False
    if is_weighted(call.args[0]) or not is_one_number(view, call.args[0], given.positional[0], event):
        return False
    return not sums_items(view, call.args[0], event.location.path, stack_of(event.context))


def is_one_number(view: View, node: ast.expr, value: Value, event: CallEvent) -> bool:
    """Whether a value has no dimension left: a number of Python, a loss of torch that takes the mean of all.

    Args:
        view: the run.
        node: the value as it is written.
        value: the value.
        event: the call that is given it.
    """
    match node:
        case ast.Call(func=ast.Attribute(attr="item") | ast.Name(id="float")):
            return True
    results = instances_of(value)
    return bool(results) and all(_is_mean_loss(view, each, event) for each in results)


def _is_mean_loss(view: View, result: Instance, event: CallEvent) -> bool:
    name = result.external_name.removesuffix(".detach").removesuffix(".cpu")
    if name.endswith(".mean"):
        return not result.arguments.positional and not result.arguments.keywords
    if not _LOSSES.fullmatch(name):
        return False
    made = view.code.calls.get((result.location, stack_of(event.context)))
    losses = instances_of(made.receiver) if made is not None else []
    told = [each.arguments.keywords for each in (result, *losses)]
    return not any(constant(keywords.get("reduction")) == "none" for keywords in told)
