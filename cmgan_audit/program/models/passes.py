"""Frameworks that draw from loaders and call the program's own functions: the pass as events, the hooks as calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from cmgan_audit.finding import Location
from cmgan_audit.program.models.registry import ModelCall
from cmgan_audit.program.trace import IterateEvent, Loop
from cmgan_audit.program.values import (
    Arguments,
    ClassValue,
    FunctionValue,
    Instance,
    ListValue,
    Unknown,
    Value,
    options_of,
)

BATCH = Unknown(reason="a batch")
NUMBER = Unknown(reason="a loop variable")
_NO_GRADIENTS = ("torch.no_grad",)


def hook(call: ModelCall, target: Value | None, name: str, *arguments: Value, **keywords: Value) -> Value | None:
    """Call a method that the program itself wrote for a framework; None where it wrote none."""
    method = own_method(call, target, name)
    if method is None:
        return None
    return call.interpreter.call(method, Arguments(positional=arguments, keywords=dict(keywords)), call.location)


def own_method(call: ModelCall, target: Value | None, name: str) -> Value | None:
    """The method of the tree under this name; None for what the framework brings itself."""
    if not isinstance(target, Instance) or not isinstance(target.cls, ClassValue):
        return None
    found = call.interpreter.attribute(target, name, call.location)
    return found if any(isinstance(option.value, FunctionValue) for option in options_of(found)) else None


def loaders_in(value: Value | None) -> Iterable[Value]:
    """The loaders that a hook or an argument gives: one, or several in a list or dictionary."""
    if value is None:
        return
    for option in options_of(value):
        if isinstance(option.value, ListValue):
            yield from option.value.items
        elif isinstance(option.value, Instance):
            yield option.value


def draw(call: ModelCall, loader: Value, framework: str, role: str, steps: Callable[[Value], object]) -> None:
    """One pass of a framework over a loader: the event, then what it does with a batch, inside the loop."""
    place = call.location
    loop = Loop(place, loader)
    call.interpreter.emit(
        IterateEvent(
            location=place, context=call.interpreter.context, iterated=loader, loop=loop, framework=framework, role=role
        )
    )
    managers = _NO_GRADIENTS if role == "eval" else ()
    with call.interpreter.entered(loop=loop, managers=managers):
        steps(BATCH)


def epochs(call: ModelCall, place: Location) -> Loop:
    """The loop over epochs that a framework runs itself."""
    return Loop(place, Unknown(reason="the epochs of the framework"))
