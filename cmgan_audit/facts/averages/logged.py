"""Lightning's mean of what a step logs, told one number of items for all batches: `self.log(..., batch_size=16)`.

Without that number Lightning takes the size of each batch and weighs by it. One that comes from a setting is the size
of a full batch for the last one too.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from cmgan_audit.facts.averages.epoch_ends import is_cut_short
from cmgan_audit.facts.averages.records import BatchMean
from cmgan_audit.facts.averages.summed import sums_items
from cmgan_audit.facts.averages.taking_in import is_measure, is_weighted, mean_of_calls
from cmgan_audit.facts.code import stack_of
from cmgan_audit.facts.records import Loader
from cmgan_audit.facts.scene import Pass
from cmgan_audit.facts.values import constant, instances_of
from cmgan_audit.facts.view import View
from cmgan_audit.program.execution.trace import CallEvent
from cmgan_audit.source.syntax import arguments_named

_LOG = "lightning.pytorch.LightningModule.log"


def logged_means(view: View, single: Pass, loader: Loader) -> Iterator[BatchMean]:
    """The means over one pass of a framework of what its steps log with the same weight for each batch, as one record.

    Args:
        view: the run.
        single: the pass over a loader.
        loader: the loader.
    """
    if is_cut_short(view, single):
        return
    named: dict[str, CallEvent] = {}
    for event in view.scene.named(_LOG.__eq__):
        name = constant(event.arguments.get("name", 0))
        if single.holds(event.context) and isinstance(name, str) and _weighs_equally(view, single, event, name):
            named.setdefault(name, event)
    if named:
        yield mean_of_calls(next(iter(named.values())), named, single, loader)


def _weighs_equally(view: View, single: Pass, event: CallEvent, name: str) -> bool:
    """Whether a call logs one number of a batch for the mean over the epoch, with a weight that no batch decides."""
    given = event.arguments
    call = view.code.call_at(event.location)
    size = constant(given.get("batch_size"))
    if call is None or not isinstance(size, int) or size <= 1:
        return False  # who tells 1 may log single items
    reduced = given.get("reduce_fx")
    if constant(given.get("on_epoch")) is False or (reduced is not None and constant(reduced) != "mean"):
        return False
    value = _argument(call, 1, "value")
    if value is None or not is_measure(f"{name} {ast.unparse(value)}") or is_weighted(value):
        return False
    if any(each.external_name.startswith("torchmetrics.") for each in instances_of(given.get("value", 1))):
        return False  # it keeps its own mean
    if event.context.loops[-1] is not single.event.loop and isinstance(_argument(call, 0, "name"), ast.Constant):
        return False  # what a loop of the step logs under one name are items, each of which weighs the same
    return not sums_items(view, value, event.location.path, stack_of(event.context))


def _argument(call: ast.Call, position: int, name: str) -> ast.expr | None:
    """An argument as it is written."""
    if len(call.args) > position:
        return call.args[position]
    return next(iter(arguments_named(call, name)), None)
