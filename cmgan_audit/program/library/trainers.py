"""Training frameworks that call the tree's code: which hooks they run, in which order, over which loaders.

Each pass that a framework makes over a loader is an event that names the framework; the steps run inside it, in the
mode that the framework sets.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from functools import partial

from cmgan_audit.finding import Location
from cmgan_audit.program.domain.joins import Branch
from cmgan_audit.program.domain.values import (
    Absent,
    Arguments,
    Choice,
    ClassValue,
    Const,
    DictValue,
    External,
    FunctionValue,
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
from cmgan_audit.program.language.classes import class_attribute, library_bases

_NONE = Const(value=None)
_COUNTER = Unknown(reason="the batch's number")
_NO_GRADIENT = ("torch.no_grad",)
# Where a module keeps what its `configure_optimizers` has returned.
CONFIGURED = "@configured"

# Asteroid's LightningModule, which is made with its loaders: System(model, optimizer, loss_func, train_loader, ...).
_ASTEROID = ("asteroid.engine.system.System", "asteroid.engine.System", "asteroid.System")

Trainer = Callable[[Interpreter, Instance | None, Arguments, Location], Value]


def run_trainer(
    it: Interpreter, name: str, receiver: Value | None, arguments: Arguments, location: Location
) -> Value | None:
    """Execute what a framework does in this call; None when it is no call of a framework."""
    trainer = _TRAINERS.get(name)
    if trainer is None:
        return None
    return trainer(it, receiver if isinstance(receiver, Instance) else None, arguments, location)


# Shared pieces


def _hook(
    it: Interpreter, owner: Value | None, name: str, arguments: Sequence[Value], location: Location
) -> Value | None:
    """Call a method that the tree defines; None when it does not."""
    if isinstance(owner, Choice):
        sides = [
            Side(Branch(o.condition, o.facts), location, _hook_of(it, o.value, name, arguments, location))
            for o in owner.options
        ]
        return choose(it, sides)
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
    return lambda: _hook(it, owner, name, arguments, location) or _NONE


def _over(
    it: Interpreter, loader: Value, location: Location, framework: str, role: str, step: Callable[[Value], None]
) -> None:
    """One pass of a framework over a loader, or over each of several."""
    if isinstance(loader, ListValue):
        for inner in loader.items:
            _over(it, inner, location, framework, role, step)
        return
    if isinstance(loader, DictValue):
        for inner in loader.items.values():
            _over(it, inner, location, framework, role, step)
        return
    if isinstance(loader, Const):
        return
    loop = Loop(location, loader)
    managers = () if role == "train" else _NO_GRADIENT
    with it.entered(loop=loop, managers=managers):
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


# Lightning


def _lightning_fit(it: Interpreter, receiver: Instance | None, arguments: Arguments, location: Location) -> Value:
    model = arguments.get("model", 0)
    data = _data_module(arguments)
    train = _loaders(arguments, ("train_dataloaders", "train_dataloader"), 1 if data is None else None)
    val = _loaders(arguments, ("val_dataloaders", "val_dataloader"), 2)
    for owner in (data, model):
        _attach(it, owner, receiver)
        _hook(it, owner, "prepare_data", (), location)
        _hook(it, owner, "setup", (Const(value="fit"),), location)
    _configure(it, model, location)
    train = train or _made(it, (data, model), "train_dataloader", location)
    val = val or _made(it, (data, model), "val_dataloader", location)
    name = "lightning.Trainer.fit"
    for hook in ("on_fit_start", "on_train_start", "on_train_epoch_start"):
        _hook(it, model, hook, (), location)
    if train is not None and not _is_limited(receiver, "train") and not _does_nothing(model, "training_step"):
        _over(it, train, location, name, "train", lambda batch: _train_on(it, model, batch, location))
    if val is not None and not _is_limited(receiver, "val"):
        _validate(it, model, val, location, name)
    for hook in ("on_train_epoch_end", "on_train_end"):
        _hook(it, model, hook, (), location)
    return _NONE


def _configure(it: Interpreter, model: Value | None, location: Location) -> None:
    """What a module adds to a fit, and what its `self.optimizers()` gives from here on; each of several has its own."""
    if isinstance(model, Choice):
        sides = [
            Side(Branch(o.condition, o.facts), location, _configuring(it, o.value, location)) for o in model.options
        ]
        choose(it, sides)
        return
    _hook(it, model, "configure_callbacks", (), location)
    configured = _hook(it, model, "configure_optimizers", (), location)
    if isinstance(model, Instance) and configured is not None:
        it.journal.set(model.attrs, CONFIGURED, configured)


def _configuring(it: Interpreter, model: Value, location: Location) -> Callable[[], Value]:
    def run() -> Value:
        _configure(it, model, location)
        return _NONE

    return run


def _attach(it: Interpreter, owner: Value | None, trainer: Instance | None) -> None:
    """`self.trainer` of a module, from before its `setup` on."""
    if isinstance(owner, Choice):
        for option in owner.options:
            _attach(it, option.value, trainer)
    elif isinstance(owner, Instance) and isinstance(owner.cls, ClassValue) and trainer is not None:
        it.journal.set(owner.attrs, "trainer", trainer)


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


def _train_on(it: Interpreter, model: Value | None, batch: Value, location: Location) -> None:
    """One batch of a training, with the hooks around it: schedulers step and averages follow in the second one."""
    _hook(it, model, "on_train_batch_start", (batch, _COUNTER), location)
    _step(it, model, "training_step", batch, location)
    outputs = Unknown(reason="the output of the training step")
    _hook(it, model, "on_train_batch_end", (outputs, batch, _COUNTER), location)


def _evaluate_on(it: Interpreter, model: Value | None, stage: str, step: str, batch: Value, location: Location) -> None:
    """One batch of an evaluation, with the hooks around it: what a step gives may be scored in the second one."""
    which = Unknown(reason="which loader")
    before, after = f"on_{stage}_batch_start", f"on_{stage}_batch_end"
    _hook(it, model, before, (batch, _COUNTER, which)[: max(_parameters(model, before) - 1, 2)], location)
    outputs = _step(it, model, step, batch, location) or Unknown(reason="what the step gives")
    given = (outputs, batch, _COUNTER, which)
    _hook(it, model, after, given[: max(_parameters(model, after) - 1, 3)], location)


def _step(it: Interpreter, model: Value | None, name: str, batch: Value, location: Location) -> Value | None:
    parameters = _parameters(model, name)
    given = (batch, _COUNTER, Unknown(reason="which loader"))[: max(parameters - 1, 1)]
    return _hook(it, model, name, given, location)


def _parameters(model: Value | None, name: str) -> int:
    if isinstance(model, Instance) and isinstance(model.cls, ClassValue):
        found = class_attribute(model.cls, name)
        if found is not None and isinstance(found[0], FunctionValue):
            return len(found[0].node.args.args)
    return 3


def _validate(it: Interpreter, model: Value | None, loader: Value, location: Location, name: str) -> None:
    with it.entered(managers=_NO_GRADIENT):
        for hook in ("on_validation_start", "on_validation_epoch_start"):
            _hook(it, model, hook, (), location)
        once = partial(_evaluate_on, it, model, "validation", "validation_step", location=location)
        _over(it, loader, location, name, "eval", once)
        _hook(it, model, "validation_epoch_end", (Unknown(reason="the outputs of the validation steps"),), location)
        _hook(it, model, "on_validation_epoch_end", (), location)


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
        result = _hook(it, owner, name, (), location)
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


def _lightning_pass(stage: str, loader_hook: str, step: str, ends: Sequence[str]) -> Trainer:
    def run(it: Interpreter, receiver: Instance | None, arguments: Arguments, location: Location) -> Value:
        model = arguments.get("model", 0)
        data = _data_module(arguments)
        loader = _loaders(arguments, ("dataloaders", "test_dataloaders", "val_dataloaders"), 1)
        for owner in (data, model):
            _attach(it, owner, receiver)
            _hook(it, owner, "prepare_data", (), location)
            _hook(it, owner, "setup", (Const(value=stage),), location)
        loader = loader or _made(it, (data, model), loader_hook, location)
        name, around = f"lightning.Trainer.{stage}", step.removesuffix("_step")
        with it.entered(managers=_NO_GRADIENT):
            for hook in (f"on_{around}_start", f"on_{around}_epoch_start"):
                _hook(it, model, hook, (), location)
            if loader is not None:
                once = partial(_evaluate_on, it, model, around, step, location=location)
                _over(it, loader, location, name, "eval", once)
            for hook in ends:
                _hook(it, model, hook, (), location)
        return Unknown(reason=f"the result of Trainer.{stage}")

    return run


# SpeechBrain, where it is a library and not part of the tree


def _brain_fit(it: Interpreter, brain: Instance | None, arguments: Arguments, location: Location) -> Value:
    name = "speechbrain.Brain.fit"
    sets = (
        ("train", arguments.get("train_set", 1), arguments.get("train_loader_kwargs", 4)),
        ("valid", arguments.get("valid_set", 2), arguments.get("valid_loader_kwargs", 5)),
    )
    loaders = [
        (stage, _brain_loader(it, brain, data, stage, options, location))
        for stage, data, options in sets
        if data is not None and not isinstance(data, Const)
    ]
    _hook(it, brain, "on_fit_start", (), location)
    for stage, loader in loaders:
        _brain_stage(it, brain, loader, stage, name, location)
    return _NONE


def _brain_evaluate(it: Interpreter, brain: Instance | None, arguments: Arguments, location: Location) -> Value:
    data = arguments.get("test_set", 0)
    if data is not None:
        loader = _brain_loader(it, brain, data, "test", arguments.get("test_loader_kwargs", 4), location)
        _brain_stage(it, brain, loader, "test", "speechbrain.Brain.evaluate", location)
    return Unknown(reason="the loss of the test set")


def _brain_loader(
    it: Interpreter, brain: Instance | None, data: Value, stage: str, options: Value | None, location: Location
) -> Value:
    """A data set becomes a loader with the given options; the training set is shuffled unless they say otherwise.

    A Brain of the tree may have a method of its own for that, which brings a sampler or another data set.
    """
    from cmgan_audit.program.language.calls import spread_keywords
    from cmgan_audit.program.library.answers import call_library

    if isinstance(data, Instance) and data.external_name.endswith("DataLoader"):
        return data
    keywords: dict[str, Value] = {}
    unknown = spread_keywords(it, it.read(options), keywords, f"{stage}_loader_kwargs") if options is not None else ""
    if brain is not None and isinstance(brain.cls, ClassValue) and class_attribute(brain.cls, "make_dataloader"):
        given = Arguments(positional=(data, _stage(stage)), keywords=keywords, open_kwargs=unknown)
        return it.call(attribute(it, brain, "make_dataloader", location), given, location)
    arguments = Arguments(positional=(data,), keywords=keywords, open_kwargs=unknown)
    return call_library(it, "torch.utils.data.DataLoader", None, arguments, location)


def _stage(name: str) -> Value:
    return External(name=f"speechbrain.Stage.{name.upper()}")


def _brain_stage(
    it: Interpreter, brain: Instance | None, loader: Value, stage: str, name: str, location: Location
) -> None:
    role = "train" if stage == "train" else "eval"
    which = _stage(stage)
    _hook(it, brain, "on_stage_start", (which, _COUNTER), location)

    def step(batch: Value) -> None:
        own = "fit_batch" if role == "train" else "evaluate_batch"
        given = (batch,) if role == "train" else (batch, which)
        if _hook(it, brain, own, given, location) is None:
            predictions = _hook(it, brain, "compute_forward", (batch, which), location)
            _hook(it, brain, "compute_objectives", (predictions or _NONE, batch, which), location)

    _over(it, loader, location, name, role, step)
    with it.entered(managers=() if role == "train" else _NO_GRADIENT):
        _hook(it, brain, "on_stage_end", (which, Unknown(reason="the loss of the stage"), _COUNTER), location)


# Ignite


def _ignite_run(it: Interpreter, engine: Instance | None, arguments: Arguments, location: Location) -> Value:
    loader = arguments.get("data", 0)
    step = engine.arguments.get("process_function", 0) if engine is not None else None
    if loader is None or step is None:
        return Unknown(reason="the state of an engine")

    def once(batch: Value) -> None:
        it.call(step, Arguments(positional=(engine or _NONE, batch)), location)

    # Ignite does not switch modes or gradients: the step does, or nobody.
    loop = Loop(location, loader)
    with it.entered(loop=loop):
        it.emit(IterateEvent(location=location, context=it.context, iterated=loader, loop=loop))
        once(iteration.element(it, loader, location))
    return Unknown(reason="the state of an engine")


_TRAINERS: dict[str, Trainer] = {
    "lightning.pytorch.Trainer.fit": _lightning_fit,
    "lightning.pytorch.Trainer.validate": _lightning_pass(
        "validate", "val_dataloader", "validation_step", ("on_validation_epoch_end",)
    ),
    "lightning.pytorch.Trainer.test": _lightning_pass("test", "test_dataloader", "test_step", ("on_test_epoch_end",)),
    "lightning.pytorch.Trainer.predict": _lightning_pass("predict", "predict_dataloader", "predict_step", ()),
    "speechbrain.Brain.fit": _brain_fit,
    "speechbrain.core.Brain.fit": _brain_fit,
    "speechbrain.Brain.evaluate": _brain_evaluate,
    "speechbrain.core.Brain.evaluate": _brain_evaluate,
    "ignite.engine.Engine.run": _ignite_run,
    "ignite.engine.engine.Engine.run": _ignite_run,
}
