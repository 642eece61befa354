"""Catalyst: a runner goes through its loaders by name, those whose name begins with "train" to learn from them.

It switches modes and gradients for each loader, tells samplers the epoch, and seeds all generators before each pass.
"""

from __future__ import annotations

from cmgan_audit.finding import Location
from cmgan_audit.program.domain.values import NONE, Arguments, DictValue, Instance, Unknown, Value
from cmgan_audit.program.execution.interpreter import Interpreter
from cmgan_audit.program.library.trainers.hooks import call_hook, over

# What is done with a batch, by the name that a version gives it.
_OWN_STEPS = ("handle_batch", "_handle_batch")


def train(it: Interpreter, runner: Instance | None, arguments: Arguments, location: Location) -> Value:
    """`Runner.train`: a pass over each of its loaders."""
    loaders = it.read(arguments.get("loaders") or NONE)
    model = arguments.get("model") or (runner.arguments.get("model", 0) if runner is not None else None)

    def step(batch: Value) -> None:
        own = (call_hook(it, runner, name, (batch,), location) for name in _OWN_STEPS)
        if all(result is None for result in own) and model is not None:
            it.call(model, Arguments(positional=(Unknown(reason="what the batch holds"),)), location)

    for name, loader in loaders.items.items() if isinstance(loaders, DictValue) else ():
        role = "train" if isinstance(name, str) and name.startswith("train") else "eval"
        over(it, loader, location, "catalyst.Runner.train", role, step)
    return NONE
