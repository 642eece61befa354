"""Lightning's ways from a command line to a trainer: LightningCLI, and `Trainer.from_argparse_args` of version 1."""

from __future__ import annotations

from dataclasses import replace

from cmgan_audit.finding import Step
from cmgan_audit.program.models.argparse_parsing import command_words, word_value
from cmgan_audit.program.models.config_files import load_file
from cmgan_audit.program.models.files import each_path
from cmgan_audit.program.models.interpolation import argument, merged, with_entry
from cmgan_audit.program.models.registry import ModelCall, derives, model
from cmgan_audit.program.models.running import located
from cmgan_audit.program.values import (
    Arguments,
    ClassValue,
    Const,
    DictValue,
    External,
    Unknown,
    Value,
)

_TRAINER = "lightning.pytorch.Trainer"
_CLI = "lightning.pytorch.cli.LightningCLI"
derives("lightning.pytorch.cli.ArgsType", _CLI)
derives("lightning.pytorch.utilities.cli.LightningCLI", _CLI)
# The options of a trainer that the audit asks for; a program may declare them itself.
_OPTIONS = ("accumulate_grad_batches", "devices", "gpus", "num_nodes", "precision", "strategy", "max_epochs")


@model(f"{_TRAINER}.from_argparse_args")
def _from_options(call: ModelCall) -> Value | None:
    """A trainer made from the options of a command line, and from arguments that count before them."""
    given = call.get("args", 0)
    options = given.items if isinstance(given, DictValue) else {}
    keywords = {name: options[name] for name in _OPTIONS if name in options}
    keywords |= {name: value for name, value in call.arguments.keywords.items() if name != "args"}
    return call.interpreter.call(External(name=_TRAINER), Arguments(keywords=keywords), call.location)


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
        given = {"model": network or Const(value=None), "datamodule": module or Const(value=None)}
        fit = call.interpreter.attribute(made_trainer, _sub_command(words), call.location)
        call.interpreter.call(fit, Arguments(keywords=given), call.location)
    made = call.instance(_CLI)
    for name, value in (("model", network), ("datamodule", module), ("trainer", made_trainer), ("config", held)):
        if value is not None:
            made.attrs[name] = value
    return made


def _sub_command(words: list[str]) -> str:
    """What the first word asks for; `fit` when nothing is said."""
    return words[0] if words and words[0] in {"fit", "validate", "test", "predict"} else "fit"


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
