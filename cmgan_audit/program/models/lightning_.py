"""Lightning: what `Trainer.fit` and `LightningCLI` call of the program's modules, and the passes that they make."""

from __future__ import annotations

from dataclasses import replace

from cmgan_audit.finding import Step
from cmgan_audit.program.models.argparse_parsing import command_words, word_value
from cmgan_audit.program.models.config_files import load_file
from cmgan_audit.program.models.files import each_path
from cmgan_audit.program.models.interpolation import argument, merged, with_entry
from cmgan_audit.program.models.passes import NUMBER, draw, epochs, hook, loaders_in
from cmgan_audit.program.models.registry import ModelCall, derives, model
from cmgan_audit.program.models.running import located
from cmgan_audit.program.values import (
    Arguments,
    ClassValue,
    Const,
    DictValue,
    External,
    Instance,
    Unknown,
    Value,
)

_TRAINER = "lightning.pytorch.Trainer"
_CLI = "lightning.pytorch.cli.LightningCLI"
_NONE = Const(value=None)
derives("lightning.pytorch.cli.ArgsType", _CLI)
derives("lightning.pytorch.utilities.cli.LightningCLI", _CLI)


@model(f"{_TRAINER}.fit")
def _fit(call: ModelCall) -> Value:
    network = call.get("model", 0)
    given = call.get("train_dataloaders", 1) or call.get("train_dataloader")
    module = call.get("datamodule", 3)
    if _is_data_module(given):
        module, given = given, None
    run_fit(call, network, module, given, call.get("val_dataloaders", 2))
    return _NONE


def run_fit(
    call: ModelCall, network: Value | None, module: Value | None, train: Value | None, validation: Value | None
) -> None:
    """Set-up hooks, loaders, then an epoch: a training pass and a validation pass."""
    _set_up(call, network, module, "fit")
    hook(call, network, "configure_optimizers")
    hook(call, network, "on_fit_start")
    train = train or _loaders(call, network, module, "train_dataloader")
    validation = validation or _loaders(call, network, module, "val_dataloader")
    with call.interpreter.entered(loop=epochs(call, call.location)):
        hook(call, network, "on_train_start")
        hook(call, network, "on_train_epoch_start")
        for loader in loaders_in(train):
            draw(call, loader, f"{_TRAINER}.fit", "train", lambda batch: _training_step(call, network, batch))
        for loader in loaders_in(validation):
            _evaluate(call, network, loader, f"{_TRAINER}.fit", "validation")
        for name in ("training_epoch_end", "on_train_epoch_end"):
            hook(call, network, name)


def _training_step(call: ModelCall, network: Value | None, batch: Value) -> None:
    hook(call, network, "on_train_batch_start", batch, NUMBER)
    hook(call, network, "training_step", batch, NUMBER)
    hook(call, network, "on_train_batch_end", NUMBER, batch, NUMBER)


def _evaluate(call: ModelCall, network: Value | None, loader: Value, framework: str, stage: str) -> None:
    hook(call, network, f"on_{stage}_epoch_start")
    draw(call, loader, framework, "eval", lambda batch: hook(call, network, f"{stage}_step", batch, NUMBER))
    for name in (f"{stage}_epoch_end", f"on_{stage}_epoch_end"):
        hook(call, network, name)


@model(f"{_TRAINER}.validate", f"{_TRAINER}.test")
def _evaluation(call: ModelCall) -> Value:
    network, given, module = call.get("model", 0), call.get("dataloaders", 1), call.get("datamodule")
    stage, name = ("test", "test") if call.callee.endswith(".test") else ("validation", "val")
    if _is_data_module(given):
        module, given = given, None
    _set_up(call, network, module, "test" if name == "test" else "validate")
    for loader in loaders_in(given or _loaders(call, network, module, f"{name}_dataloader")):
        _evaluate(call, network, loader, call.callee, stage)
    return _NONE


def _is_data_module(value: Value | None) -> bool:
    """Whether a second positional argument is a data module, as Lightning itself tells it from loaders."""
    from cmgan_audit.program.classes import library_bases

    if not isinstance(value, Instance) or not isinstance(value.cls, ClassValue):
        return False
    return any(base.endswith(".LightningDataModule") for base in library_bases(value.cls))


def _set_up(call: ModelCall, network: Value | None, module: Value | None, stage: str) -> None:
    for target in (module, network):
        hook(call, target, "prepare_data")
    for target in (module, network):
        hook(call, target, "setup", Const(value=stage))


def _loaders(call: ModelCall, network: Value | None, module: Value | None, name: str) -> Value | None:
    return hook(call, module, name) or hook(call, network, name)


# LightningCLI


@model(_CLI)
def _cli(call: ModelCall) -> Value:
    """`LightningCLI(Model, Data)`: classes made from configuration files and `--data.x=1`, then the sub-command."""
    words, steps = command_words(call, call.get("args"))
    config: Value = DictValue(items={}, origin="the command line")
    for key, text, step in _flags(words, steps):
        if key in {"config", "c"}:
            config = merged(config, each_path(call, Const(value=text), lambda path: load_file(call, path, "yaml")))
        elif isinstance(config, DictValue):
            known = word_value(text)
            config = with_entry(config, key, argument(text, step) if isinstance(known, Const) else known)
    held = config if isinstance(config, DictValue) else DictValue(items={}, complete=False)
    network = _component(call, call.get("model_class", 0), held.items.get("model"))
    module = _component(call, call.get("datamodule_class", 1), held.items.get("data"))
    trainer = held.items.get("trainer")
    keywords = {str(key): value for key, value in trainer.items.items()} if isinstance(trainer, DictValue) else {}
    made_trainer = call.interpreter.call(External(name=_TRAINER), Arguments(keywords=keywords), call.location)
    run = call.get("run")
    if not (isinstance(run, Const) and run.value is False):
        run_fit(call, network, module, None, None)
    made = call.instance(_CLI)
    for name, value in (("model", network), ("datamodule", module), ("trainer", made_trainer), ("config", held)):
        if value is not None:
            made.attrs[name] = value
    return made


def _flags(words: list[str], steps: list[Step]) -> list[tuple[str, str, Step | None]]:
    found: list[tuple[str, str, Step | None]] = []
    for number, word in enumerate(words):
        if not word.startswith("-"):
            continue
        step = steps[number] if number < len(steps) else None
        key, equals, text = word.lstrip("-").partition("=")
        if not equals and number + 1 < len(words) and not words[number + 1].startswith("--"):
            text = words[number + 1]
        found.append((key, text, step))
    return found


def _component(call: ModelCall, given: Value | None, config: Value | None) -> Value | None:
    """A module made from its part of the configuration: `class_path` and `init_args`, or arguments alone."""
    held = config if isinstance(config, DictValue) else DictValue(items={})
    named = held.items.get("class_path")
    arguments = held.items.get("init_args")
    if isinstance(named, Const) and isinstance(named.value, str):
        given = located(call, named.value)
        held = arguments if isinstance(arguments, DictValue) else DictValue(items={})
    if not isinstance(given, ClassValue | External):
        return None
    keywords = {str(key): _nested(call, value) for key, value in held.items.items()}
    return call.interpreter.call(given, Arguments(keywords=keywords), call.location)


def _nested(call: ModelCall, value: Value) -> Value:
    if isinstance(value, DictValue) and "class_path" in value.items:
        return _component(call, None, value) or Unknown(reason="a class that the configuration names")
    if isinstance(value, DictValue):
        return replace(value, items={key: _nested(call, item) for key, item in value.items.items()})
    return value
