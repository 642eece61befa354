"""What all frameworks share: the methods that they call by name, and their passes over loaders."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cmgan_audit.finding import Location
from cmgan_audit.program.domain.joins import branch_of
from cmgan_audit.program.domain.values import (
    NONE,
    Arguments,
    Choice,
    ClassValue,
    Const,
    DictValue,
    Instance,
    ListValue,
    Unknown,
    Value,
)
from cmgan_audit.program.execution import iteration
from cmgan_audit.program.execution.branches import Side, choose
from cmgan_audit.program.execution.interpreter import Interpreter
from cmgan_audit.program.execution.trace import IterateEvent, Loop
from cmgan_audit.program.language.attributes import attribute
from cmgan_audit.program.language.classes import class_attribute

COUNTER = Unknown(reason="the batch's number")
NO_GRADIENT = ("torch.no_grad",)

Trainer = Callable[[Interpreter, Instance | None, Arguments, Location], Value]


def call_hook(
    it: Interpreter, owner: Value | None, name: str, arguments: Sequence[Value], location: Location
) -> Value | None:
    """Call a method that the tree defines; None when it does not."""
    if isinstance(owner, Choice):
        hooks = ((option, _hook_of(it, option.value, name, arguments, location)) for option in owner.options)
        return choose(it, [Side(branch_of(option), location, hook) for option, hook in hooks])
    if not isinstance(owner, Instance) or not isinstance(owner.cls, ClassValue):
        return None
    found = class_attribute(owner.cls, name)
    if found is None:
        return None
    method = attribute(it, owner, name, location)
    return it.call(method, Arguments(positional=tuple(arguments)), location)


def _hook_of(
    it: Interpreter, owner: Value, name: str, arguments: Sequence[Value], location: Location
) -> Callable[[], Value]:
    return lambda: call_hook(it, owner, name, arguments, location) or NONE


def over(
    it: Interpreter, loader: Value, location: Location, framework: str, role: str, step: Callable[[Value], None]
) -> None:
    """One pass of a framework over a loader, or over each of several."""
    if isinstance(loader, ListValue):
        for inner in loader.items:
            over(it, inner, location, framework, role, step)
        return
    if isinstance(loader, DictValue):
        for inner in loader.items.values():
            over(it, inner, location, framework, role, step)
        return
    if isinstance(loader, Const):
        return
    loop = Loop(location, loader)
    managers = () if role == "train" else NO_GRADIENT
    with it.entered(loop=loop, managers=managers), it.forks.in_a_pass():
        for source in iteration.unwrapped(loader):
            event = IterateEvent(
                location=location,
                context=it.context,
                iterated=source,
                loop=loop,
                framework=framework,
                role=role,
            )
            it.emit(event)
        step(iteration.element(it, loader, location))
