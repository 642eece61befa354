"""Transforms that hand what they are given through others: torchvision's `Compose` and the like, `nn.Sequential`."""

from __future__ import annotations

from cmgan_audit.program.domain.containers import known_items
from cmgan_audit.program.domain.values import Arguments, DictValue, Instance, ListValue, Value
from cmgan_audit.program.language.weightless import learns_nothing
from cmgan_audit.program.models.registry import ModelCall, derives, model

_COMPOSE = "torchvision.transforms.Compose"
_LAMBDA = "torchvision.transforms.Lambda"
_APPLY = "torchvision.transforms.RandomApply"
_ORDER = "torchvision.transforms.RandomOrder"
_CHOICE = "torchvision.transforms.RandomChoice"
for _module in ("torchvision.transforms.transforms", "torchvision.transforms.v2"):
    for _known in (_COMPOSE, _LAMBDA, _APPLY, _ORDER, _CHOICE):
        derives(f"{_module}.{_known.rpartition('.')[2]}", _known)


@model(f"{_COMPOSE}.__call__", f"{_APPLY}.__call__", f"{_ORDER}.__call__")
def _compose(call: ModelCall) -> Value | None:
    return _one_after_the_other(call, _held(call))


@model(f"{_CHOICE}.__call__")
def _choice(call: ModelCall) -> Value | None:
    """What one of the transforms makes; each of them may be taken."""
    held = _held(call)
    items, _ = known_items(held) if held is not None else ([], True)
    results = [call.interpreter.call(transform, call.arguments, call.location) for transform in items]
    return results[-1] if results else None


def _held(call: ModelCall) -> Value | None:
    """The transforms that a transform was made of."""
    return call.receiver.arguments.get("transforms", 0) if isinstance(call.receiver, Instance) else None


@model("torch.nn.Sequential.__call__")
def _sequential(call: ModelCall) -> Value | None:
    """Followed where an item is read, when nothing in it learns; in a training it is a network."""
    if not call.interpreter.probing or not isinstance(call.receiver, Instance):
        return None
    if not learns_nothing(call.receiver, call.interpreter.built):
        return None
    given = call.receiver.arguments.positional
    if len(given) == 1 and isinstance(given[0], DictValue):
        return _one_after_the_other(call, ListValue(items=list(given[0].items.values())))
    return _one_after_the_other(call, ListValue(items=list(given)))


def _one_after_the_other(call: ModelCall, held: Value | None) -> Value | None:
    """What comes out of the last transform; None where they or what they are given is not known."""
    items, _ = known_items(held) if held is not None else ([], True)
    if not items or len(call.arguments.positional) != 1:
        return None
    value = call.arguments.positional[0]
    for transform in items:
        value = call.interpreter.call(transform, Arguments(positional=(value,)), call.location)
    return value


@model(f"{_LAMBDA}.__call__")
def _lambda(call: ModelCall) -> Value | None:
    function = call.receiver.arguments.get("lambd", 0) if isinstance(call.receiver, Instance) else None
    return None if function is None else call.interpreter.call(function, call.arguments, call.location)
