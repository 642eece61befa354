"""Lightning: what a fit, a validation or a test runs of a module and its data, in which order."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from functools import partial

from cmgan_audit.finding import Location
from cmgan_audit.program.domain.joins import branch_of
from cmgan_audit.program.domain.values import (
    NONE,
    Absent,
    Arguments,
    Choice,
    ClassValue,
    Const,
    FunctionValue,
    Instance,
    Unknown,
    Value,
)
from cmgan_audit.program.execution.branches import Side, choose
from cmgan_audit.program.execution.interpreter import Interpreter
from cmgan_audit.program.execution.trace import MODES_RESTORED
from cmgan_audit.program.language.classes import class_attribute, library_bases
from cmgan_audit.program.library.trainers.hooks import COUNTER, NO_GRADIENT, Trainer, call_hook, over
from cmgan_audit.program.library.trainers.lightning_callbacks import Audience, audience

# Where a module keeps what its `configure_optimizers` has returned.
_CONFIGURED = "@configured"

_WHICH = Unknown(reason="which loader")
_EVALUATING = (*NO_GRADIENT, MODES_RESTORED)

# Asteroid's LightningModule, which is made with its loaders: System(model, optimizer, loss_func, train_loader, ...).
_ASTEROID = ("asteroid.engine.system.System", "asteroid.engine.System", "asteroid.System")


def fit(it: Interpreter, receiver: Instance | None, arguments: Arguments, location: Location) -> Value:
    """`Trainer.fit`: what it sets up, a pass of training, and one of validation."""
    model = arguments.get("model", 0)
    data = _data_module(arguments)
    train = _loaders(arguments, ("train_dataloaders", "train_dataloader"), 1 if data is None else None)
    val = _loaders(arguments, ("val_dataloaders", "val_dataloader"), 2)
    told = _set_up(it, receiver, (data, model), "fit", location)
    _configure(it, model, location)
    train = train or _made(it, (data, model), "train_dataloader", location)
    val = val or _made(it, (data, model), "val_dataloader", location)
    _hold(it, receiver, train_dataloader=train, val_dataloaders=val)
    name = "lightning.Trainer.fit"
    for hook in ("on_fit_start", "on_train_start", "on_train_epoch_start"):
        told.hear(hook)
    if train is not None and not _is_limited(receiver, "train") and not _does_nothing(model, "training_step"):
        over(it, train, location, name, "train", lambda batch: _train_on(told, batch))
    if val is not None and not _is_limited(receiver, "val"):
        _validate(told, val, name)
    for hook in ("on_train_epoch_end", "on_train_end", "on_fit_end"):
        told.hear(hook)
    return NONE


def _set_up(
    it: Interpreter, trainer: Instance | None, owners: tuple[Value | None, Value | None], stage: str, location: Location
) -> Audience:
    """What happens to the data and the module before any loader is made; whom the trainer tells from here on."""
    data, model = owners
    _hold(it, trainer, datamodule=data, lightning_module=model, model=model)
    for owner in owners:
        _attach(it, owner, trainer)
        call_hook(it, owner, "prepare_data", (), location)
    call_hook(it, data, "setup", (Const(value=stage),), location)
    told = audience(it, trainer, model, location)
    told.hear("setup", Const(value=stage))
    return told


def _configure(it: Interpreter, model: Value | None, location: Location) -> None:
    """What a module adds to a fit, and what its `self.optimizers()` gives from here on; each of several has its own."""
    if isinstance(model, Choice):
        choose(it, [Side(branch_of(o), location, _configuring(it, o.value, location)) for o in model.options])
        return
    configured = call_hook(it, model, "configure_optimizers", (), location)
    if isinstance(model, Instance) and configured is not None:
        it.journal.set(model.attrs, _CONFIGURED, configured)


def _configuring(it: Interpreter, model: Value, location: Location) -> Callable[[], Value]:
    def run() -> Value:
        _configure(it, model, location)
        return NONE

    return run


def _attach(it: Interpreter, owner: Value | None, trainer: Instance | None) -> None:
    """`self.trainer` of a module, from before its `setup` on."""
    if isinstance(owner, Choice):
        for option in owner.options:
            _attach(it, option.value, trainer)
    elif isinstance(owner, Instance) and isinstance(owner.cls, ClassValue) and trainer is not None:
        it.journal.set(owner.attrs, "trainer", trainer)


def _hold(it: Interpreter, trainer: Instance | None, **given: Value | None) -> None:
    """What hooks ask a trainer for: `trainer.datamodule`, `trainer.val_dataloaders`."""
    for name, value in given.items():
        if trainer is not None and value is not None:
            it.journal.set(trainer.attrs, name, value)


def _is_limited(trainer: Instance | None, stage: str) -> bool:
    """Whether a trainer draws no batch at all: `limit_train_batches=0`."""
    given = None if trainer is None else trainer.arguments.get(f"limit_{stage}_batches")
    return isinstance(given, Const) and isinstance(given.value, int | float) and given.value == 0


def _does_nothing(model: Value | None, name: str) -> bool:
    """Whether a step is only there because the trainer asks for one: nothing comes of what it is given."""
    if not isinstance(model, Instance) or not isinstance(model.cls, ClassValue):
        return False
    found = class_attribute(model.cls, name)
    body = found[0].node.body if found is not None and isinstance(found[0], FunctionValue) else None
    return isinstance(body, list) and all(_is_empty(statement) for statement in body)


def _is_empty(statement: ast.stmt) -> bool:
    match statement:
        case ast.Pass() | ast.Expr(value=ast.Constant()) | ast.Return(value=None | ast.Constant(value=None)):
            return True
    return False


def _train_on(told: Audience, batch: Value) -> None:
    """One batch of a training, with the hooks around it: schedulers step and averages follow in the second one."""
    told.hear("on_train_batch_start", batch, COUNTER, _WHICH)
    outputs = Unknown(reason="the output of the training step")
    told.step("training_step", batch, COUNTER, _WHICH)
    told.hear("on_train_batch_end", outputs, batch, COUNTER, _WHICH)


def _evaluate_on(told: Audience, stage: str, step: str, batch: Value) -> None:
    """One batch of an evaluation, with the hooks around it: what a step gives may be scored in the second one."""
    told.hear(f"on_{stage}_batch_start", batch, COUNTER, _WHICH)
    outputs = told.step(step, batch, COUNTER, _WHICH) or Unknown(reason="what the step gives")
    told.hear(f"on_{stage}_batch_end", outputs, batch, COUNTER, _WHICH)


def _validate(told: Audience, loader: Value, name: str) -> None:
    with told.it.entered(managers=_EVALUATING):
        told.switch_to_eval()
        for hook in ("on_validation_start", "on_validation_epoch_start"):
            told.hear(hook)
        once = partial(_evaluate_on, told, "validation", "validation_step")
        over(told.it, loader, told.location, name, "eval", once)
        told.step("validation_epoch_end", Unknown(reason="the outputs of the validation steps"))
        for hook in ("on_validation_epoch_end", "on_validation_end"):
            told.hear(hook)


def _data_module(arguments: Arguments) -> Value | None:
    given = arguments.get("datamodule", 3)
    if given is None:
        second = arguments.get("train_dataloaders", 1)
        given = second if _has_loaders(second) else None
    return None if given is None or isinstance(given, Const) else given


def _has_loaders(value: Value | None) -> bool:
    if not isinstance(value, Instance) or not isinstance(value.cls, ClassValue):
        return False
    named = any(base.endswith("DataModule") for base in library_bases(value.cls))
    return named or class_attribute(value.cls, "train_dataloader") is not None


def _loaders(arguments: Arguments, names: Sequence[str], position: int | None) -> Value | None:
    for name in names:
        value = arguments.get(name)
        if value is not None:
            return None if isinstance(value, Const | Absent) or _has_loaders(value) else value
    value = arguments.get("", position) if position is not None else None
    return None if value is None or isinstance(value, Const) or _has_loaders(value) else value


def _made(it: Interpreter, owners: Sequence[Value | None], name: str, location: Location) -> Value | None:
    for owner in owners:
        result = call_hook(it, owner, name, (), location)
        if result is not None:
            return result
    return next((given for owner in owners if (given := _held(owner, name)) is not None), None)


def _held(owner: Value | None, name: str) -> Value | None:
    """The loader that Asteroid's module was given, also as the base of a class of the tree; it hands that out."""
    position = {"train_dataloader": 3, "val_dataloader": 4}.get(name)
    if not isinstance(owner, Instance) or position is None:
        return None
    bases = (
        [owner.arguments] if owner.external_name in _ASTEROID else [owner.attrs.get(f"@base:{n}") for n in _ASTEROID]
    )
    given = next((each for each in bases if isinstance(each, Arguments)), None)
    return None if given is None else given.get(name.replace("data", ""), position)


def evaluation(stage: str, loader_hook: str, step: str, ends: Sequence[str]) -> Trainer:
    """`Trainer.validate`, `test` or `predict`: a pass with its step, and the hooks around it."""

    def run(it: Interpreter, receiver: Instance | None, arguments: Arguments, location: Location) -> Value:
        model = arguments.get("model", 0)
        data = _data_module(arguments)
        loader = _loaders(arguments, ("dataloaders", "test_dataloaders", "val_dataloaders"), 1)
        told = _set_up(it, receiver, (data, model), stage, location)
        loader = loader or _made(it, (data, model), loader_hook, location)
        _hold(it, receiver, **{f"{loader_hook}s": loader})
        name, around = f"lightning.Trainer.{stage}", step.removesuffix("_step")
        with it.entered(managers=_EVALUATING):
            told.switch_to_eval()
            for hook in (f"on_{around}_start", f"on_{around}_epoch_start"):
                told.hear(hook)
            if loader is not None:
                over(it, loader, location, name, "eval", partial(_evaluate_on, told, around, step))
            for hook in (*ends, f"on_{around}_end"):
                told.hear(hook)
        return Unknown(reason=f"the result of Trainer.{stage}")

    return run
