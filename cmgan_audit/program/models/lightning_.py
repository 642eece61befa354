"""Lightning: what a module keeps of its arguments, and the ways from a command line to a trainer: LightningCLI, and
`Trainer.from_argparse_args` of version 1.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from cmgan_audit.finding import Step
from cmgan_audit.program.models.argparse_parsing import command_words, word_value
from cmgan_audit.program.models.config_files import load_file
from cmgan_audit.program.models.files import each_path
from cmgan_audit.program.models.interpolation import argument, merged, with_entry
from cmgan_audit.program.models.lifting import as_dict
from cmgan_audit.program.models.registry import AttributeRead, ModelCall, attribute, derives, model
from cmgan_audit.program.models.running import located
from cmgan_audit.program.state import Environment
from cmgan_audit.program.values import (
    Arguments,
    ClassValue,
    Const,
    Constant,
    DictValue,
    External,
    FunctionValue,
    ListValue,
    Unknown,
    Value,
)

_MODULES = ("lightning.pytorch.LightningModule", "lightning.pytorch.LightningDataModule")
_TRAINER = "lightning.pytorch.Trainer"
_CLI = "lightning.pytorch.cli.LightningCLI"
derives("lightning.pytorch.cli.ArgsType", _CLI)
derives("lightning.pytorch.utilities.cli.LightningCLI", _CLI)
# Annotations that name several things of which a value is one.
_CHOICES = frozenset({"Optional", "Union", "Annotated"})
# The options of a trainer that the audit asks for; a program may declare them itself.
_OPTIONS = (
    "accumulate_grad_batches",
    "devices",
    "gpus",
    "limit_train_batches",
    "limit_val_batches",
    "max_epochs",
    "num_nodes",
    "precision",
    "strategy",
)


@model(f"{_TRAINER}.from_argparse_args")
def _from_options(call: ModelCall) -> Value | None:
    """A trainer made from the options of a command line, and from arguments that count before them."""
    given = call.get("args", 0)
    options = given.items if isinstance(given, DictValue) else {}
    keywords = {name: options[name] for name in _OPTIONS if name in options}
    keywords |= {name: value for name, value in call.arguments.keywords.items() if name != "args"}
    return call.interpreter.call(External(name=_TRAINER), Arguments(keywords=keywords), call.location)


@model(*(f"{name}.save_hyperparameters" for name in _MODULES))
def _save_hyperparameters(call: ModelCall) -> Value:
    """`self.hparams` holds the arguments of the constructor, some of them, or one collection of settings.

    What is saved later is added: a base class may have saved its own.
    """
    given = call.arguments.positional
    names = [value.value for value in given if isinstance(value, Const) and isinstance(value.value, str)]
    collections = [value for value in given if not isinstance(value, Const)]
    held = as_dict(collections[0]) if len(collections) == 1 else None
    kept: Value
    if held is not None:
        kept = DictValue(items=held.items, complete=held.complete, attribute_access=True, origin=held.origin)
    elif collections:
        kept = collections[0]  # an object with settings as its attributes
    else:
        own = call.interpreter.parameters
        left_out = _texts(call.get("ignore"))
        wanted = (name for name in own if name not in left_out and (not names or name in names))
        items: dict[Constant, Value] = {name: own[name] for name in wanted}
        # A class that derives from this one adds the arguments of its own constructor, unless they are named.
        kept = DictValue(items=items, complete=bool(names), attribute_access=True)
    before = call.state("hparams")
    if isinstance(before, DictValue) and isinstance(kept, DictValue):
        items = {**before.items, **kept.items}
        kept = DictValue(items=items, complete=before.complete and kept.complete, attribute_access=True)
    call.set_state("hparams", kept)
    return Const(value=None)


def _texts(value: Value | None) -> set[object]:
    """The texts that an argument names: one, or several in a list."""
    parts = value.items if isinstance(value, ListValue) else [value]
    return {part.value for part in parts if isinstance(part, Const)}


@attribute(*(f"{name}.hparams" for name in _MODULES))
def _hyperparameters(read: AttributeRead) -> Value | None:
    return read.state("hparams")


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
    keywords = {str(key): _typed(call, given, str(key), _nested(call, value)) for key, value in held.items.items()}
    return call.interpreter.call(given, Arguments(keywords=keywords), call.location)


def _typed(call: ModelCall, made: ClassValue | External, name: str, value: Value) -> Value:
    """What a parameter gets: settings become an object of the class that its annotation names (`data: DataConfig`)."""
    if not isinstance(made, ClassValue) or not isinstance(value, DictValue):
        return value
    wanted = _annotated(made, name)
    if wanted is None:
        return value
    keywords = {key: _typed(call, wanted, key, item) for key, item in value.items.items() if isinstance(key, str)}
    return call.interpreter.call(wanted, Arguments(keywords=keywords), call.location)


def _annotated(made: ClassValue, name: str) -> ClassValue | None:
    """The class of the tree that the annotation of a constructor's parameter, or of a field, names."""
    from cmgan_audit.program.classes import class_attribute

    constructor = class_attribute(made, "__init__")
    if constructor is not None and isinstance(constructor[0], FunctionValue):
        scope = constructor[0].closure
        given = constructor[0].node.args
        parameters = (*given.posonlyargs, *given.args, *given.kwonlyargs)
        annotations = {each.arg: each.annotation for each in parameters if each.annotation is not None}
    else:
        scope = made.closure
        fields = [node for node in made.node.body if isinstance(node, ast.AnnAssign)]
        annotations = {each.target.id: each.annotation for each in fields if isinstance(each.target, ast.Name)}
    if name not in annotations or not isinstance(scope, Environment):
        return None
    for word in _alternatives(annotations[name]):
        found = scope.scope_of(word)
        held = found.names[word] if found is not None else None
        if isinstance(held, ClassValue):
            return held
    return None


def _alternatives(annotation: ast.expr) -> Iterator[str]:
    """The names that a value itself may be of: not those of what it holds, as in `dict[str, Config]`."""
    match annotation:
        case ast.Name(id=name):
            yield name
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            yield from _alternatives(left)
            yield from _alternatives(right)
        case ast.Subscript(value=ast.Name(id=owner) | ast.Attribute(attr=owner), slice=inner) if owner in _CHOICES:
            for each in inner.elts if isinstance(inner, ast.Tuple) else [inner]:
                yield from _alternatives(each)


def _nested(call: ModelCall, value: Value) -> Value:
    if isinstance(value, DictValue) and "class_path" in value.items:
        return _component(call, None, value) or Unknown(reason="a class that the configuration names")
    if isinstance(value, DictValue):
        return replace(value, items={key: _nested(call, item) for key, item in value.items.items()})
    return value
