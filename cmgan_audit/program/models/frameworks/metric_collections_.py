"""torchmetrics' MetricCollection: several metrics that are told the same, in one call."""

from __future__ import annotations

from collections.abc import Iterator

from cmgan_audit.program.domain.containers import known_items
from cmgan_audit.program.domain.values import DictValue, External, Instance, Value
from cmgan_audit.program.models.registry import ModelCall, derives, model

_COLLECTION = "torchmetrics.MetricCollection"
derives("torchmetrics.collections.MetricCollection", _COLLECTION)


@model(f"{_COLLECTION}.__call__", f"{_COLLECTION}.forward")
def _called(call: ModelCall) -> Value | None:
    """Each metric is called; what comes of it, a number for each name, is left open."""
    for metric in _held(call):
        call.interpreter.call(metric, call.arguments, call.location)
    return None


@model(f"{_COLLECTION}.update", f"{_COLLECTION}.compute")
def _each(call: ModelCall) -> Value | None:
    """The method of this name of each metric."""
    name = call.callee.rpartition(".")[2]
    for metric in _held(call):
        call.interpreter.call(call.interpreter.attribute(metric, name, call.location), call.arguments, call.location)
    return None


@model(f"{_COLLECTION}.clone")
def _clone(call: ModelCall) -> Value | None:
    """The same metrics once more, for another set: `train_metrics.clone(prefix="val_")`."""
    held = call.receiver
    if not isinstance(held, Instance):
        return None
    return call.interpreter.call(External(name=_COLLECTION), held.arguments, call.location)


def _held(call: ModelCall) -> Iterator[Instance]:
    """The metrics that a collection was made of: a list, a dictionary, or one by one."""
    given = call.receiver.arguments if isinstance(call.receiver, Instance) else None
    if given is None:
        return
    named = given.keywords.get("metrics")
    for value in (*given.positional, *(() if named is None else (named,))):
        items = list(value.items.values()) if isinstance(value, DictValue) else known_items(value)[0] or [value]
        yield from (item for item in items if isinstance(item, Instance))
