"""Sacred: configurations are what functions leave in local variables, and parameters are filled from them by name.

`@ex.config` functions run in order, each may use what those before it have set, and what the command line or a named
configuration sets stays what it is whatever they assign. `@ex.capture`, `@ex.main`, `@ex.command` and `@ex.automain`
fill in parameters that a call leaves out.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import replace

from cmgan_audit.program.domain.values import (
    NONE,
    Arguments,
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
from cmgan_audit.program.models.command_lines.argparse_parsing import command_words
from cmgan_audit.program.models.command_lines.function_command_lines import Flag, literal
from cmgan_audit.program.models.command_lines.sacred_scopes import leaving_names, parameter_of
from cmgan_audit.program.models.files import each_path
from cmgan_audit.program.models.lifting import copied
from cmgan_audit.program.models.registry import ModelCall, derives, listing, model
from cmgan_audit.program.models.settings.config_files import load_file
from cmgan_audit.source.data_files.formats import dialect_of
from cmgan_audit.source.syntax import single_parameters

_INGREDIENT = "sacred.Ingredient"
_OPENED = "sacred.captured.opened"  # `@ex.capture(...)`, before it is given its function
_FILES = (".yaml", ".yml", ".json", ".toml")
# The generators that it seeds before every run.
_SEEDED = ("random.seed", "numpy.random.seed", "torch.manual_seed")
derives("sacred.Experiment", _INGREDIENT)
derives("sacred.experiment.Experiment", _INGREDIENT)
derives("sacred.ingredient.Ingredient", _INGREDIENT)


@model(_INGREDIENT)
def _made(call: ModelCall) -> Value:
    below = call.get("ingredients", 1)
    return call.instance(
        path=call.get("path", 0) or call.get("name") or NONE,
        below=below if isinstance(below, ListValue) else listing([]),
        configs=listing([]),
        captured=listing([]),
        named=DictValue(items={}),
        commands=DictValue(items={}),
    )


# What decorators and `add_config` collect


@model(f"{_INGREDIENT}.config")
def _config(call: ModelCall) -> Value | None:
    return _collected(call, call.get("function", 0))


@model(f"{_INGREDIENT}.add_config")
def _add_config(call: ModelCall) -> Value | None:
    given = call.get("cfg_or_file", 0)
    added = given if given is not None else _of_keywords(call)
    _collected(call, _read(call, added))
    return NONE


def _of_keywords(call: ModelCall) -> DictValue:
    items: dict[Key, Value] = {}
    items.update(call.arguments.keywords)
    return DictValue(items=items)


def _collected(call: ModelCall, added: Value | None) -> Value | None:
    known = call.state("configs")
    if isinstance(known, ListValue) and added is not None:
        call.interpreter.journal.set_content(known, [*known.items, added], known.complete)
    return added


def _read(call: ModelCall, given: Value) -> Value:
    """A configuration that is given by the path of its file, as what the file holds."""
    if not isinstance(given, Const) or not isinstance(given.value, str):
        return given
    dialect = dialect_of(given.value) or "yaml"
    return each_path(call, given, lambda path: load_file(call, path, dialect))


@model(f"{_INGREDIENT}.named_config")
def _named_config(call: ModelCall) -> Value | None:
    function = call.get("func", 0)
    return _kept(call, "named", _name_of(function), function)


@model(f"{_INGREDIENT}.add_named_config")
def _add_named_config(call: ModelCall) -> Value | None:
    given = call.get("cfg_or_file", 1)
    added = given if given is not None else _of_keywords(call)
    _kept(call, "named", call.text("name", 0), _read(call, added))
    return NONE


def _kept(call: ModelCall, table: str, name: str | None, value: Value | None) -> Value | None:
    known = call.state(table)
    if isinstance(known, DictValue) and name is not None and value is not None:
        call.set_state(table, replace(known, items={**known.items, name: value}))
    return value


def _name_of(function: Value | None) -> str | None:
    return function.qualname.rpartition(".")[2] if isinstance(function, FunctionValue) else None


@model(
    f"{_INGREDIENT}.pre_run_hook", f"{_INGREDIENT}.post_run_hook", f"{_INGREDIENT}.config_hook",
    f"{_INGREDIENT}.option_hook", f"{_INGREDIENT}.post_process_name",
)  # fmt: skip
def _hook(call: ModelCall) -> Value | None:
    return call.first


# Functions whose parameters are filled in


@model(f"{_INGREDIENT}.capture", f"{_INGREDIENT}.command")
def _capture(call: ModelCall) -> Value | None:
    """`@ex.capture` or `@ex.capture(prefix="train")`."""
    command = Const(value=call.callee.endswith("command"))
    function = call.get("function", 0)
    if isinstance(function, FunctionValue):
        return _captured(call, function, NONE, command)
    return call.instance(_OPENED, owner=call.receiver or NONE, prefix=call.get("prefix", 1) or NONE, command=command)


@model(f"{_OPENED}.__call__")
def _capture_with(call: ModelCall) -> Value | None:
    function = call.first
    if not isinstance(function, FunctionValue):
        return function
    owned = replace(call, receiver=call.state("owner"))
    return _captured(owned, function, call.state("prefix") or NONE, call.state("command") or NONE)


def _captured(call: ModelCall, function: FunctionValue, prefix: Value, command: Value) -> FunctionValue:
    """A function, or a method of a class, that has defaults of its own which the start of a run fills in."""
    captured = replace(function, defaults=dict(function.defaults))
    known = call.state("captured")
    if isinstance(known, ListValue):
        entry = listing([captured, prefix], "tuple")
        call.interpreter.journal.set_content(known, [*known.items, entry], known.complete)
    if command == Const(value=True):
        _kept(call, "commands", _name_of(captured), captured)
    return captured


def _fill_in(call: ModelCall, owner: Instance, config: DictValue) -> None:
    """Give the functions that an experiment or ingredient has captured the entries of that name as defaults."""
    known = owner.attrs.get("@captured")
    for entry in known.items if isinstance(known, ListValue) else ():
        function, prefix = entry.items if isinstance(entry, ListValue) else (None, None)
        if not isinstance(function, FunctionValue):
            continue
        held: Value | None = config
        for part in str(prefix.value).split(".") if isinstance(prefix, Const) and prefix.value else ():
            held = held.items.get(part) if isinstance(held, DictValue) else None
        offered: dict[Key, Value] = dict(held.items) if isinstance(held, DictValue) else {}
        offered |= {"_config": held or config, "_seed": _seed(config), "_log": External(name="logging.root")}
        spec = function.node.args
        for each in single_parameters(spec):
            if each.arg in offered:
                call.interpreter.journal.set(function.defaults, each.arg, offered[each.arg])


def _seed(config: DictValue) -> Value:
    return config.items.get("seed") or Unknown(reason="Sacred draws a seed for each run, and keeps it with the run")


# Starting


@model(f"{_INGREDIENT}.main")
def _main(call: ModelCall) -> Value | None:
    """The function that starts where no command is named; its own name is one too."""
    function = call.get("function", 0)
    if not isinstance(function, FunctionValue):
        return None
    return _kept(call, "commands", "", _captured(call, function, NONE, Const(value=True)))


@model(f"{_INGREDIENT}.automain")
def _automain(call: ModelCall) -> Value | None:
    """The main function, which runs at once where its file is the script."""
    captured = _main(call)
    if call.interpreter.module.path == call.interpreter.entry:
        _started(call, *_command_line(call))
    return captured


@model(f"{_INGREDIENT}.run_commandline")
def _run_command_line(call: ModelCall) -> Value | None:
    return _started(call, *_command_line(call))


@model(f"{_INGREDIENT}.run")
def _run(call: ModelCall) -> Value | None:
    """`ex.run("command", config_updates={...}, named_configs=[...])`: the command line plays no part."""
    given, named = call.get("config_updates", 1), call.get("named_configs", 2)
    updates = _by_path(given.items) if isinstance(given, DictValue) else {}
    names = [str(each.value) for each in named.items if isinstance(each, Const)] if isinstance(named, ListValue) else []
    return _started(call, call.text("command_name", 0) or "", updates, names)


def _command_line(call: ModelCall) -> tuple[str, dict[str, Value], list[str]]:
    """`python train.py [command] with batch_size=4 model.width=8 small settings.yaml`: its command, updates, names."""
    words, steps = command_words(call, None)
    known = call.state("commands")
    offered = known.items if isinstance(known, DictValue) else {}
    command, updates, names = "", dict[str, Value](), list[str]()
    start = words.index("with") if "with" in words else len(words)
    for number, word in enumerate(words):
        key, equals, text = word.partition("=")
        if number < start:
            command = word if word in offered else command
        elif equals:
            updates[key] = literal(Flag(key, text, steps[number] if number < len(steps) else None))
        elif number > start:
            names.append(word)
    return command, updates, names


def _started(call: ModelCall, command: str, updates: Mapping[str, Value], names: Sequence[str]) -> Value | None:
    """Compute the configuration, seed the generators, and call the command with what it asks for."""
    known = call.state("commands")
    function = known.items.get(command) if isinstance(known, DictValue) else None
    if not isinstance(call.receiver, Instance) or function is None:
        return None
    config = _configured(call, call.receiver, updates, names)
    config.items.setdefault("seed", _seed(config))
    _fill_in(call, call.receiver, config)
    it = call.interpreter
    for name in _SEEDED:
        it.call(External(name=name), Arguments(positional=(_seed(config),)), call.location)
    return it.call(function, Arguments(), call.location)


def _configured(call: ModelCall, owner: Instance, updates: Mapping[str, Value], names: Sequence[str]) -> DictValue:
    """The configuration of an experiment or ingredient; that of an ingredient below is a section of it."""
    below = owner.attrs.get("@below")
    sections: dict[Key, Value] = {}
    for each in below.items if isinstance(below, ListValue) else ():
        path = each.attrs.get("@path") if isinstance(each, Instance) else None
        if isinstance(each, Instance) and isinstance(path, Const) and isinstance(path.value, str):
            start = f"{path.value}."
            own = {key.removeprefix(start): value for key, value in updates.items() if key.startswith(start)}
            called = [name.removeprefix(start) for name in names if name.startswith(start)]
            section = _configured(call, each, own, called)
            _fill_in(call, each, section)
            sections[path.value] = section
    named, configs = owner.attrs.get("@named"), owner.attrs.get("@configs")
    known = named.items if isinstance(named, DictValue) else {}
    fixed: dict[str, Value] = {}
    for name in names:
        source = known.get(name)
        if source is None and name.endswith(_FILES):
            source = _read(call, Const(value=name))
        if source is not None:
            named_entries = _entries(call, source, sections, updates)
            fixed |= _by_path({key: value for key, value in named_entries.items() if key not in sections})
    fixed |= updates
    made = DictValue(items={}, origin="the configuration of the experiment")
    for source in (DictValue(items=sections), *(configs.items if isinstance(configs, ListValue) else ())):
        made.items.update(_entries(call, source, made.items, fixed))
        for place, value in fixed.items():
            _put(made, place.split("."), value)
    return made


def _by_path(settings: Mapping[Key, Value]) -> dict[str, Value]:
    """Settings under their paths, each in its section: `model.width`, as an update sets it and leaves the others."""
    found: dict[str, Value] = {}
    for key, value in settings.items():
        inner = value.items if isinstance(value, DictValue) and value.complete else {}
        name = str(key)
        if inner and all(isinstance(each, str) and "." not in each for each in inner):
            found |= {f"{name}.{path}": each for path, each in _by_path(inner).items()}
        else:
            found[name] = value
    return found


def _put(config: DictValue, path: Sequence[str], value: Value) -> None:
    """Set an entry of a configuration that was just made, `model.width` in its section."""
    for part in path[:-1]:
        inner = config.items.get(part)
        section = copied(inner) if isinstance(inner, DictValue) else DictValue(items={})
        config.items[part] = section
        assert isinstance(section, DictValue)
        config = section
    config.items[path[-1]] = value


def _entries(
    call: ModelCall, source: Value, before: Mapping[Key, Value], fixed: Mapping[str, Value]
) -> dict[Key, Value]:
    """What a configuration sets: the entries of a dictionary, or the local variables that a function leaves."""
    if isinstance(source, DictValue):
        return dict(source.items)
    if not isinstance(source, FunctionValue) or not isinstance(source.node, ast.FunctionDef):
        return {}
    spec = source.node.args
    asked = {each.arg for each in single_parameters(spec)}
    settled = {path: value for path, value in fixed.items() if all(map(str.isidentifier, path.split(".")))}
    scope = replace(source, node=leaving_names(source.node, tuple(sorted(settled))))
    given = {name: before.get(name, NONE) for name in asked if name in before}
    given |= {parameter_of(path): value for path, value in settled.items()}
    left = call.interpreter.call(scope, Arguments(keywords=given), call.location)
    held = left.items if isinstance(left, DictValue) else {}
    return {key: value for key, value in held.items() if not str(key).startswith("_")}
