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
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.domain.values import DictValue, Value
from cmgan_audit.program.execution.trace import CallEvent
from cmgan_audit.source.syntax import arguments_named

_LOG = "lightning.pytorch.LightningModule.log"
_LOG_DICT = f"{_LOG}_dict"


@dataclass(frozen=True, slots=True, eq=False)
class _Logged:
    """One number that a step logs: its name, as it is written, and what is held for it."""

    event: CallEvent
    name: str
    written: ast.expr
    value: Value | None
    named_here: bool


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
    for event in view.scene.named({_LOG, _LOG_DICT}.__contains__):
        for logged in _logged_by(view, event) if single.holds(event.context) else ():
            if _weighs_equally(view, single, logged):
                named.setdefault(logged.name, event)
    if named:
        yield mean_of_calls(next(iter(named.values())), named, single, loader)


def _logged_by(view: View, event: CallEvent) -> Iterator[_Logged]:
    """What a call logs under names that are known: `self.log(name, value)`, `self.log_dict({name: value})`."""
    call, given = view.code.call_at(event.location), event.arguments
    if call is None:
        return
    if not event.callee.endswith("_dict"):
        name, written = constant(given.get("name", 0)), _argument(call, 1, "value")
        if isinstance(name, str) and written is not None:
            named_here = isinstance(_argument(call, 0, "name"), ast.Constant)
            yield _Logged(event, name, written, given.get("value", 1), named_here)
        return
    display, held = _argument(call, 0, "dictionary"), given.get("dictionary", 0)
    for key, written in zip(display.keys, display.values, strict=True) if isinstance(display, ast.Dict) else ():
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            value = held.items.get(key.value) if isinstance(held, DictValue) else None
            yield _Logged(event, key.value, written, value, named_here=True)


def _weighs_equally(view: View, single: Pass, logged: _Logged) -> bool:
    """Whether a call logs one number of a batch for the mean over the epoch, with a weight that no batch decides."""
    event, given = logged.event, logged.event.arguments
    size = constant(given.get("batch_size"))
    if not isinstance(size, int) or size <= 1:
        return False  # who tells 1 may log single items
    reduced = given.get("reduce_fx")
    if constant(given.get("on_epoch")) is False or (reduced is not None and constant(reduced) != "mean"):
        return False
    if not is_measure(f"{logged.name} {ast.unparse(logged.written)}") or is_weighted(logged.written):
        return False
    if any(each.external_name.startswith("torchmetrics.") for each in instances_of(logged.value)):
        return False  # it keeps its own mean
    if event.context.loops[-1] is not single.event.loop and logged.named_here:
        return False  # what a loop of the step logs under one name are items, each of which weighs the same
    return not sums_items(view, logged.written, event.location.path, stack_of(event.context))


def _argument(call: ast.Call, position: int, name: str) -> ast.expr | None:
    """An argument as it is written."""
    if len(call.args) > position:
        return call.args[position]
    return next(iter(arguments_named(call, name)), None)
