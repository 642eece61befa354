"""Ignite: engines with what is attached to them, and its helpers for several processes.

`program/library/trainers/ignite.py` runs the engines.
"""

from __future__ import annotations

import ast
from collections.abc import Container, Iterator
from dataclasses import replace

from cmgan_audit.program.domain.joins import join_each
from cmgan_audit.program.domain.numbers import binary
from cmgan_audit.program.domain.values import (
    Arguments,
    Choice,
    Const,
    DictValue,
    External,
    FunctionValue,
    Instance,
    Key,
    ListValue,
    Symbol,
    Value,
)
from cmgan_audit.program.models.registry import ModelCall, derives, model

ENGINE = "ignite.engine.Engine"
_LOADER = "torch.utils.data.DataLoader"
_PARALLEL = "ignite.distributed.Parallel"
_RANK = Symbol(formula="local_rank", at_one=0)
derives("ignite.distributed.launcher.Parallel", _PARALLEL)
derives("ignite.engine.engine.Engine", ENGINE)
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


# Engines


@model("ignite.engine.create_supervised_trainer", "ignite.engine.create_supervised_evaluator")
def _supervised(call: ModelCall) -> Value:
    """An engine whose step is the library's own: it learns, or it scores."""
    return call.instance(ENGINE, supervised=Const(value="train" if call.callee.endswith("trainer") else "eval"))


@model(f"{ENGINE}.on")
def _on(call: ModelCall) -> Value | None:
    """`@engine.on(Events.EPOCH_COMPLETED, loader)`."""
    return None if call.receiver is None else call.instance(f"{ENGINE}.on", engine=call.receiver)


@model(f"{ENGINE}.on.__call__")
def _attached(call: ModelCall) -> Value | None:
    engine = call.state("engine")
    if isinstance(call.receiver, Instance) and isinstance(engine, Instance) and call.first is not None:
        asked = call.receiver.arguments
        event = asked.get("event_name", 0)
        if event is not None:
            _attach(call, engine, event, call.first, replace(asked, positional=asked.positional[1:]))
    return call.first


@model(f"{ENGINE}.add_event_handler")
def _add_handler(call: ModelCall) -> Value | None:
    event, handler = call.get("event_name", 0), call.get("handler", 1)
    if isinstance(call.receiver, Instance) and event is not None and handler is not None:
        given = replace(call.arguments, positional=call.arguments.positional[2:])
        _attach(call, call.receiver, event, handler, given)
    return None


def _attach(call: ModelCall, engine: Instance, event: Value, handler: Value, given: Arguments) -> None:
    held = engine.attrs.get("@handlers")
    before = held.items if isinstance(held, ListValue) else []
    named: dict[Key, Value] = {
        name: each for name, each in given.keywords.items() if name not in ("event_name", "handler")
    }
    attached = ListValue(items=[event, handler, DictValue(items=named), *given.positional], kind="tuple")
    call.interpreter.journal.set(engine.attrs, "@handlers", ListValue(items=[*before, attached]))


def handlers_of(engine: Instance, event: str) -> Iterator[tuple[Value, Arguments]]:
    """What was attached to an event of an engine, in order, with what it is called with.

    Args:
        engine: the engine.
        event: the member of `Events`, which may be filtered: `Events.EPOCH_COMPLETED(every=5)`.
    """
    held = engine.attrs.get("@handlers")
    for attached in held.items if isinstance(held, ListValue) else ():
        match attached:
            case ListValue(items=[asked, handler, DictValue() as held_named, *given]):
                name = asked.name if isinstance(asked, External) else getattr(asked, "external_name", "")
                if name.rpartition(".")[2] == event:
                    named = {str(key): each for key, each in held_named.items.items()}
                    first = (engine,) if _takes_engine(handler, len(given), named) else ()
                    yield handler, Arguments(positional=(*first, *given), keywords=named)


def _takes_engine(handler: Value, given: int, named: Container[str]) -> bool:
    """Whether a handler has a parameter for the engine beside those for what it is given."""
    if not isinstance(handler, FunctionValue):
        return True
    taken = handler.node.args
    free = [each for each in (*taken.posonlyargs, *taken.args) if each.arg not in named]
    return taken.vararg is not None or len(free) - (handler.bound_to is not None) > given
