"""LightningCLI: modules, data and a trainer made from configuration files and the words of a command line."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain

from cmgan_audit.finding import Step
from cmgan_audit.program.domain.values import (
    Arguments,
    ClassValue,
    Const,
    DictValue,
    External,
    FunctionValue,
    Instance,
    Key,
    ListValue,
    Unknown,
    Value,
)
from cmgan_audit.program.language.annotations import annotated_class
from cmgan_audit.program.models.command_lines.argparse_parsing import command_words, word_value
from cmgan_audit.program.models.command_lines.function_command_lines import flags_of
from cmgan_audit.program.models.files import each_path
from cmgan_audit.program.models.needed_files import NeededOption, note_needed
from cmgan_audit.program.models.registry import ModelCall, derives, model
from cmgan_audit.program.models.running import located
from cmgan_audit.program.models.settings.config_files import load_file
from cmgan_audit.program.models.settings.interpolation import argument, merged, with_entry
from cmgan_audit.source.syntax import positional_parameters

_CLI = "lightning.pytorch.cli.LightningCLI"
_TRAINER = "lightning.pytorch.Trainer"
_PARSER = "lightning.pytorch.cli.LightningArgumentParser"
derives("lightning.pytorch.cli.ArgsType", _CLI)
derives("lightning.pytorch.utilities.cli.LightningCLI", _CLI)
# What a value of its own is given for; each may come from a file: `--model net.yaml`.
_PARTS = frozenset({"model", "data", "trainer"})


@model(f"{_PARSER}.set_defaults")
def _set_defaults(call: ModelCall) -> Value:
    """Settings of a program's own: `parser.set_defaults({"data.batch_size": 4})` or by keyword."""
    given = call.first
    kept = call.state("defaults")
    items: dict[Key, Value] = dict(kept.items) if isinstance(kept, DictValue) else {}
    items.update(given.items if isinstance(given, DictValue) else {})
    items.update(call.arguments.keywords)
    call.set_state("defaults", DictValue(items=items))
    return Const(value=None)


@model("jsonargparse.lazy_instance")
def _lazy_instance(call: ModelCall) -> Value | None:
    """A default that is made when it is needed: `lazy_instance(Corpus, split="train")`."""
    made = call.get("class_type", 0)
    if not isinstance(made, ClassValue):
        return None
    keywords = {name: value for name, value in call.arguments.keywords.items() if name != "class_type"}
    return call.interpreter.call(made, Arguments(keywords=keywords), call.location)


@model(_CLI, f"{_CLI}.__init__")
def _cli(call: ModelCall) -> Value:
    """`LightningCLI(Model, Data)`: classes made from configuration files and `--data.x=1`, then the sub-command."""
    words, steps = command_words(call, call.get("args"))
    config = _settings(call, words, steps)
    held = config if isinstance(config, DictValue) else DictValue(items={}, complete=False)
    network = _component(call, call.get("model_class", 0), held.items.get("model"))
    module = _component(call, call.get("datamodule_class", 1), held.items.get("data"))
    if _wants_settings(call, held):
        # Whatever the launch names, it is not (or not all of) what makes the modules.
        note_needed(call, NeededOption(reason="the modules are named in a configuration", flag="--config"))
    keywords = _trainer_arguments(call, held.items.get("trainer"))
    made_trainer = call.interpreter.call(External(name=_TRAINER), Arguments(keywords=keywords), call.location)
    run = call.get("run")
    if not (isinstance(run, Const) and run.value is False):
        given = {"model": network or Const(value=None), "datamodule": module or Const(value=None)}
        fit = call.interpreter.attribute(made_trainer, _sub_command(words), call.location)
        call.interpreter.call(fit, Arguments(keywords=given), call.location)
    made = call.receiver if isinstance(call.receiver, Instance) else call.instance(_CLI)
    for name, value in (("model", network), ("datamodule", module), ("trainer", made_trainer), ("config", held)):
        if value is not None:
            call.interpreter.journal.set(made.attrs, name, value)
    return made


def _settings(call: ModelCall, words: list[str], steps: list[Step]) -> Value:
    """What files that are always read, files that the launch names, and its other words say, the later the stronger."""
    config: Value = _own_defaults(call)
    for path in _always_read(call, _sub_command(words)):
        config = merged(config, each_path(call, path, lambda path: load_file(call, path, "yaml")))
    for flag in flags_of(words, steps)[0]:
        key, text, step = flag.name, flag.text or "", flag.step
        path = Const(value=text)
        if key in {"config", "c"}:
            config = _with_file(config, each_path(call, path, lambda path: load_file(call, path, "yaml")))
        elif not isinstance(config, DictValue):
            continue
        elif key in _PARTS and text.endswith((".yaml", ".yml")):
            part = each_path(call, path, lambda path: load_file(call, path, "yaml"))
            config = _with_file(config, DictValue(items={key: part}))
        else:
            known = word_value(text)
            value = argument(text, step) if isinstance(known, Const) else known
            named = _with_class(config.items.get(key), value) if key in _PARTS else value
            config = with_entry(config, key, named)
    return config


def _own_defaults(call: ModelCall) -> DictValue:
    """What a class derived from LightningCLI sets in `add_arguments_to_parser`."""
    config = DictValue(items={}, origin="the command line")
    if not isinstance(call.receiver, Instance):
        return config
    hook = call.interpreter.attribute(call.receiver, "add_arguments_to_parser", call.location)
    if not isinstance(hook, FunctionValue):
        return config
    parser = call.instance(_PARSER)
    call.interpreter.call(hook, Arguments(positional=(parser,)), call.location)
    told = parser.attrs.get("@defaults")
    for key, value in told.items.items() if isinstance(told, DictValue) else ():
        config = with_entry(config, str(key), value)
    return config


def _with_file(config: Value, file: Value) -> Value:
    """Settings with those of a file, which may leave out the class of a part that is named already."""
    if isinstance(config, DictValue) and isinstance(file, DictValue):
        parts: dict[Key, Value] = {
            key: _of_class(config.items.get(key), file.items[key]) for key in _PARTS if key in file.items
        }
        file = replace(file, items={**file.items, **parts})
    return merged(config, file)


def _with_class(before: Value | None, named: Value) -> Value:
    """A class that a word names for a part that has settings already: it takes them."""
    if not isinstance(before, DictValue) or not isinstance(named, Const) or "." not in str(named.value):
        return named
    held = before.items.get("init_args", before if "class_path" not in before.items else None)
    items: dict[Key, Value] = {"class_path": named}
    return DictValue(items=items if held is None else {**items, "init_args": held})


def _of_class(before: Value | None, part: Value) -> Value:
    """Settings from a file of a part whose class is named already: `--model pkg.Net --model net.yaml`."""
    if not isinstance(part, DictValue) or "class_path" in part.items:
        return part
    if isinstance(before, Const) and isinstance(before.value, str):
        return DictValue(items={"class_path": before, "init_args": part})
    if isinstance(before, DictValue) and "class_path" in before.items and "init_args" not in part.items:
        return DictValue(items={"init_args": part})
    return part


def _always_read(call: ModelCall, command: str) -> list[Value]:
    """The files of `parser_kwargs={"default_config_files": [...]}`, which may be given for each sub-command."""
    given = call.get("parser_kwargs")
    own = given.items.get(command) if isinstance(given, DictValue) else None
    found: list[Value] = []
    for options in (given, own):
        files = options.items.get("default_config_files") if isinstance(options, DictValue) else None
        found += files.items if isinstance(files, ListValue) else []
    return found


def _wants_settings(call: ModelCall, held: DictValue) -> bool:
    """Whether a module is neither given nor named, or is given without an argument that it must have."""
    if not held.complete:
        return False
    for name, key, position in (("model_class", "model", 0), ("datamodule_class", "data", 1)):
        given, part = call.get(name, position), held.items.get(key)
        if isinstance(given, ClassValue):
            said = part.items if isinstance(part, DictValue) else {}
            if not isinstance(part, DictValue | None) or "class_path" in said:
                continue
            if any(required not in said for required in _required(given)):
                return True
        elif key == "model" and given is None and part is None:
            return True
    return False


def _required(made: ClassValue) -> list[str]:
    """The parameters of a constructor that have no default."""
    from cmgan_audit.program.language.classes import constructor_of

    constructor = constructor_of(made)
    if constructor is None:
        return []
    spec = constructor.node.args
    named = positional_parameters(spec)[1:] + spec.kwonlyargs
    return [each.arg for each in named if each.arg not in constructor.defaults]


def _sub_command(words: list[str]) -> str:
    """What the first word asks for; `fit` when nothing is said."""
    return words[0] if words and words[0] in {"fit", "validate", "test", "predict"} else "fit"


def _component(call: ModelCall, given: Value | None, config: Value | None) -> Value | None:
    """A module made from its part of the configuration: `class_path` and `init_args`, or arguments alone."""
    held = config if isinstance(config, DictValue) else DictValue(items={})
    named = held.items.get("class_path")
    arguments = held.items.get("init_args")
    if isinstance(config, Const) and isinstance(config.value, str) and "." in config.value:
        given = located(call, config.value)
    if isinstance(named, Const) and isinstance(named.value, str):
        given = located(call, named.value)
        said = {key: value for key, value in held.items.items() if key not in {"class_path", "init_args"}}
        held = arguments if isinstance(arguments, DictValue) else DictValue(items={})
        held = replace(held, items={**held.items, **said})  # `--data.batch_size 4` beside the class
    if not isinstance(given, ClassValue | External):
        return None
    keywords = {str(key): _typed(call, given, str(key), _nested(call, value)) for key, value in held.items.items()}
    return call.interpreter.call(given, Arguments(keywords=keywords), call.location)


def _trainer_arguments(call: ModelCall, config: Value | None) -> dict[str, Value]:
    """What the trainer is made with: its part of the configuration, else `trainer_defaults`; callbacks of both."""
    defaults = call.get("trainer_defaults")
    keywords = {str(key): value for key, value in defaults.items.items()} if isinstance(defaults, DictValue) else {}
    own = keywords.get("callbacks")
    for key, value in config.items.items() if isinstance(config, DictValue) else ():
        keywords[str(key)] = _nested(call, value)
    if own is not None and keywords["callbacks"] is not own:
        several = [each.items if isinstance(each, ListValue) else [each] for each in (keywords["callbacks"], own)]
        keywords["callbacks"] = ListValue(items=[*chain.from_iterable(several)])
    return keywords


def _typed(call: ModelCall, made: ClassValue | External, name: str, value: Value) -> Value:
    """What a parameter gets: settings become an object of the class that its annotation names (`data: DataConfig`)."""
    if not isinstance(made, ClassValue) or not isinstance(value, DictValue):
        return value
    wanted = annotated_class(made, name)
    if wanted is None:
        return value
    keywords = {key: _typed(call, wanted, key, item) for key, item in value.items.items() if isinstance(key, str)}
    return call.interpreter.call(wanted, Arguments(keywords=keywords), call.location)


def _nested(call: ModelCall, value: Value) -> Value:
    if isinstance(value, DictValue) and "class_path" in value.items:
        return _component(call, None, value) or Unknown(reason="a class that the configuration names")
    if isinstance(value, DictValue):
        return replace(value, items={key: _nested(call, item) for key, item in value.items.items()})
    if isinstance(value, ListValue):
        return replace(value, items=[_nested(call, item) for item in value.items])
    return value
