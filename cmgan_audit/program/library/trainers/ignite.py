"""Ignite: an engine draws from its data, and calls the function that it was made with and what is attached to it.

The engine itself does not switch modes or gradients: its step does, or nobody. Those of `create_supervised_trainer` and
`create_supervised_evaluator` do. Read in version 0.6 (`Engine._internal_run`, `supervised_training_step`).
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace

from cmgan_audit.finding import Location
from cmgan_audit.program.domain.values import Arguments, Const, Instance, Unknown, Value
from cmgan_audit.program.execution import iteration
from cmgan_audit.program.execution.interpreter import Interpreter
from cmgan_audit.program.execution.trace import IterateEvent, Loop
from cmgan_audit.program.library.trainers.hooks import NO_GRADIENT
from cmgan_audit.program.models.frameworks.ignite_ import handlers_of

# Whether an engine runs: what is attached to it may be its own `run`.
_RUNNING, _YES, _NO = "@running", Const(value=True), Const(value=False)


def run(it: Interpreter, engine: Instance | None, arguments: Arguments, location: Location) -> Value:
    """`Engine.run`: an epoch, which is a pass over its data, with what is attached around the epoch and each batch."""
    loader = arguments.get("data", 0)
    state = Unknown(reason="the state of an engine")
    if loader is None or engine is None or engine.attrs.get(_RUNNING) == _YES:
        return state
    it.journal.set(engine.attrs, _RUNNING, _YES)
    _call_attached(it, engine, "STARTED", location)
    # The loop over epochs stands nowhere in the program; at the place of the call is the one over batches.
    epochs = replace(location, end_line=location.line, end_column=location.column)
    with it.entered(loop=Loop(epochs, None)) if "@handlers" in engine.attrs else nullcontext():
        _call_attached(it, engine, "EPOCH_STARTED", location)
        loop = Loop(location, loader)
        with it.entered(loop=loop), it.forks.in_a_pass():
            it.emit(IterateEvent(location=location, context=it.context, iterated=loader, loop=loop))
            _call_attached(it, engine, "ITERATION_STARTED", location)
            _step(it, engine, iteration.element(it, loader, location), location)
            _call_attached(it, engine, "ITERATION_COMPLETED", location)
        _call_attached(it, engine, "EPOCH_COMPLETED", location)
    _call_attached(it, engine, "COMPLETED", location)
    it.journal.set(engine.attrs, _RUNNING, _NO)
    return state


def _call_attached(it: Interpreter, engine: Instance, event: str, location: Location) -> None:
    for handler, given in list(handlers_of(engine, event)):
        it.call(handler, given, location)


def _step(it: Interpreter, engine: Instance, batch: Value, location: Location) -> None:
    supervised = engine.attrs.get("@supervised")
    if isinstance(supervised, Const):
        learns = supervised.value == "train"
        (_learn if learns else _score)(it, engine.arguments, batch, location)
        return
    step = engine.arguments.get("process_function", 0)
    if step is not None:
        it.call(step, Arguments(positional=(engine, batch)), location)


def _learn(it: Interpreter, made: Arguments, batch: Value, location: Location) -> None:
    """The step of a supervised trainer, in its order; one that sums gradients up steps in its own time."""
    model, optimizer, loss_of = made.get("model", 0), made.get("optimizer", 1), made.get("loss_fn", 2)
    if model is None or optimizer is None or loss_of is None:
        return
    sums = made.get("gradient_accumulation_steps", 11)
    at_once = sums is None or (isinstance(sums, Const) and sums.value == 1)
    if at_once:
        _method(it, optimizer, "zero_grad", location)
    _method(it, model, "train", location)
    given, wanted = _prepared(it, made.get("prepare_batch", 5), batch, location)
    output = _output(it, made.get("model_fn", 12), model, given, location)
    loss = it.call(loss_of, Arguments(positional=(output, wanted)), location)
    _method(it, loss, "backward", location)
    if at_once:
        _method(it, optimizer, "step", location)


def _score(it: Interpreter, made: Arguments, batch: Value, location: Location) -> None:
    """The step of a supervised evaluator."""
    model = made.get("model", 0)
    if model is not None:
        _method(it, model, "eval", location)
        with it.entered(managers=NO_GRADIENT):
            given, _ = _prepared(it, made.get("prepare_batch", 4), batch, location)
            _output(it, made.get("model_fn", 8), model, given, location)


def _prepared(it: Interpreter, prepare: Value | None, batch: Value, location: Location) -> tuple[Value, Value]:
    """What the network gets of a batch, and what its output is compared with."""
    if prepare is not None:
        batch = it.call(prepare, Arguments(positional=(batch,)), location)
    return it.item(batch, Const(value=0), location), it.item(batch, Const(value=1), location)


def _output(it: Interpreter, run: Value | None, model: Value, given: Value, location: Location) -> Value:
    function, arguments = (model, (given,)) if run is None else (run, (model, given))
    return it.call(function, Arguments(positional=arguments), location)


def _method(it: Interpreter, owner: Value, name: str, location: Location) -> Value:
    return it.call(it.attribute(owner, name, location), Arguments(), location)
