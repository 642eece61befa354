"""Ignite: an engine draws from its data, and calls the function that it was made with."""

from __future__ import annotations

from cmgan_audit.finding import Location
from cmgan_audit.program.domain.values import (
    Arguments,
    Instance,
    Unknown,
    Value,
)
from cmgan_audit.program.execution import iteration
from cmgan_audit.program.execution.interpreter import Interpreter
from cmgan_audit.program.execution.trace import IterateEvent, Loop
from cmgan_audit.program.library.trainers.hooks import NONE


def run(it: Interpreter, engine: Instance | None, arguments: Arguments, location: Location) -> Value:
    """`Engine.run`: one pass over its data, in whichever mode the step sets."""
    loader = arguments.get("data", 0)
    step = engine.arguments.get("process_function", 0) if engine is not None else None
    if loader is None or step is None:
        return Unknown(reason="the state of an engine")

    def once(batch: Value) -> None:
        it.call(step, Arguments(positional=(engine or NONE, batch)), location)

    # Ignite does not switch modes or gradients: the step does, or nobody.
    loop = Loop(location, loader)
    with it.entered(loop=loop), it.forks.in_a_pass():
        it.emit(IterateEvent(location=location, context=it.context, iterated=loader, loop=loop))
        once(iteration.element(it, loader, location))
    return Unknown(reason="the state of an engine")
