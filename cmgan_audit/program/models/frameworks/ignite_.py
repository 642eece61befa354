"""Ignite's helpers for several processes: a loader, a network and an optimiser made for them, and how they start."""

from __future__ import annotations

import ast
from dataclasses import replace

from cmgan_audit.program.domain.joins import join_each
from cmgan_audit.program.domain.numbers import binary
from cmgan_audit.program.domain.values import Arguments, Choice, Const, External, ListValue, Symbol, Value
from cmgan_audit.program.models.registry import ModelCall, derives, model

_LOADER = "torch.utils.data.DataLoader"
_PARALLEL = "ignite.distributed.Parallel"
_RANK = Symbol(formula="local_rank", at_one=0)
derives("ignite.distributed.launcher.Parallel", _PARALLEL)
for _name in ("auto_dataloader", "auto_model", "auto_optim"):
    derives(f"ignite.distributed.auto.{_name}", f"ignite.distributed.{_name}")


@model("ignite.distributed.auto_dataloader")
def _loader(call: ModelCall) -> Value:
    """A loader whose batch is that of all processes together."""
    keywords = dict(call.arguments.keywords)
    total = keywords.get("batch_size")
    if total is not None:
        keywords["batch_size"] = join_each(total, _share) if isinstance(total, Choice) else _share(total)
    arguments = replace(call.arguments, keywords=keywords)
    return call.interpreter.call(External(name=_LOADER), arguments, call.location)


def _share(total: Value) -> Value:
    if isinstance(total, Const) and total.value is None:
        return total
    return binary(ast.FloorDiv, total, Symbol(formula="world_size", at_one=1))


@model("ignite.distributed.auto_model", "ignite.distributed.auto_optim")
def _as_it_is(call: ModelCall) -> Value | None:
    return call.first


@model(f"{_PARALLEL}.__enter__")
def _entered(call: ModelCall) -> Value | None:
    return call.receiver


@model(f"{_PARALLEL}.run")
def _run(call: ModelCall) -> Value | None:
    """`parallel.run(train, config)` calls `train(local_rank, config)` in every process."""
    function, *given = call.arguments.positional or (None,)
    function = function or call.get("func")
    if function is None:
        return None
    keywords = {name: value for name, value in call.arguments.keywords.items() if name != "func"}
    arguments = Arguments(positional=(_RANK, *given), keywords=keywords)
    return call.interpreter.call(function, arguments, call.location)


@model("ignite.distributed.spawn")
def _spawn(call: ModelCall) -> Value | None:
    """`idist.spawn("nccl", train, args=(config,))` does the same."""
    function, given = call.get("fn", 1), call.get("args", 2)
    if function is None:
        return None
    positional = tuple(given.items) if isinstance(given, ListValue) else ()
    return call.interpreter.call(function, Arguments(positional=(_RANK, *positional)), call.location)
