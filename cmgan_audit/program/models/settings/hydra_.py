"""Hydra: `@hydra.main`, `initialize` and `compose`, the ConfigStore, `instantiate`."""

from __future__ import annotations

import posixpath
from dataclasses import replace

from cmgan_audit.finding import Step
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.domain.values import (
    NONE,
    Arguments,
    BoundMethod,
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
from cmgan_audit.program.models.command_lines.argparse_parsing import command_words
from cmgan_audit.program.models.needed_files import note_needed
from cmgan_audit.program.models.registry import ModelCall, model
from cmgan_audit.program.models.running import located
from cmgan_audit.program.models.settings.hydra_compose import Composition, is_legacy
from cmgan_audit.program.models.settings.omegaconf_ import finished, raw_file, raw_value

# The note of an execution that Hydra ends before it has begun, as a configuration that is chosen is not there.
CANNOT_START = "hydra cannot compose"
# The note of an execution about what Hydra composed first.
COMPOSED = "hydra composed"
_STORE = "hydra.core.config_store.ConfigStore"


@dataclass(frozen=True, slots=True)
class Composed:
    """What Hydra composes a configuration from.

    Attributes:
        folder: where its files lie.
        primary: the name of the primary file.
        listed: the groups that defaults lists name.
        chosen: those of which a file is chosen.
    """

    folder: str
    primary: str
    listed: frozenset[str]
    chosen: frozenset[str]


@model("hydra.main.__call__", "hydra.experimental.main.__call__", "dora.hydra_main.__call__")
def _decorate(call: ModelCall) -> Value | None:
    """`@hydra.main(...)` on a function: an object that composes the configuration when it is called.

    Dora composes it in the same way, and names the folder of a run after what differs from the default.
    """
    if not isinstance(call.receiver, Instance) or not call.arguments.positional:
        return None
    made = call.instance("hydra.main.wrapped", function=call.arguments.positional[0])
    return replace(made, arguments=call.receiver.arguments, location=call.receiver.location)


@model("hydra.main.wrapped.__call__")
def _start(call: ModelCall) -> Value | None:
    """The decorated function: with an argument it is called as it is, without one Hydra composes the argument."""
    function = call.state("function")
    if function is None or not isinstance(call.receiver, Instance):
        return None
    if call.arguments.positional or call.arguments.keywords:
        return call.interpreter.call(function, call.arguments, call.location)
    given = call.receiver.arguments
    words, steps = command_words(call, None)
    name, folder, rest = _options(call, words, steps)
    config = composed(
        call,
        folder or given.get("config_path", 0),
        name or given.get("config_name", 1),
        posixpath.dirname(call.receiver.location.path),
        rest,
    )
    return call.interpreter.call(function, Arguments(positional=(config,)), call.location)


def _options(
    call: ModelCall, words: list[str], steps: list[Step]
) -> tuple[Value | None, Value | None, list[tuple[str, Step | None]]]:
    """Hydra's own flags (`--config-name`, `--config-path`, `--multirun`) and the overrides."""
    found: dict[str, Value] = {}
    rest: list[tuple[str, Step | None]] = []
    flags = {"--config-name": "name", "-cn": "name", "--config-path": "path", "-cp": "path", "--config-dir": "path"}
    skip = False
    for number, word in enumerate(words):
        step = steps[number] if number < len(steps) else None
        flag, equals, value = word.partition("=")
        if skip:
            skip = False
        elif flag in flags:
            text = value if equals else (words[number + 1] if number + 1 < len(words) else "")
            skip = not equals
            found[flags[flag]] = Const(value=text, trail=(step,) if step else ())
        elif "=" in word or word.startswith("~"):
            rest.append((word, step))
    return found.get("name"), found.get("path"), rest


def composed(
    call: ModelCall, folder: Value | None, name: Value | None, base: str, overrides: list[tuple[str, Step | None]]
) -> Value:
    """The configuration that Hydra hands over; `base` is the folder that `folder` is relative to."""
    where = folder.value if isinstance(folder, Const) and isinstance(folder.value, str) else ""
    primary = name.value if isinstance(name, Const) and isinstance(name.value, str) else ""
    legacy = is_legacy(call.interpreter.tree)
    if where.endswith((".yaml", ".yml")):
        # Hydra before 1.0: `config_path` names the file itself.
        where, primary, legacy = posixpath.dirname(where), posixpath.basename(where), True
    elif name is not None and not primary:
        note_needed(call, name)
        return Unknown(reason="the name of the Hydra configuration is not known")
    if not primary:
        return DictValue(items={}, attribute_access=True, complete=True, origin="an empty Hydra configuration")
    root = _folder(call, base, where, primary)
    if root.startswith(".."):
        root = where.replace("../", "")
    composition = Composition(
        call.interpreter.tree,
        "" if root == "." else root,
        lambda path: raw_file(call, path),
        legacy,
        stored=_stored(call),
    )
    raw = composition.compose(primary, overrides)
    for problem in composition.problems:
        call.interpreter.limit(call.location, problem)
    made = Composed(
        composition.folder,
        primary.removesuffix(".yaml").removesuffix(".yml"),
        frozenset(composition.listed),
        frozenset(composition.used),
    )
    call.interpreter.notes.setdefault(COMPOSED, made)
    if composition.missing:
        call.interpreter.notes[CANNOT_START] = True
    return finished(call, raw)


def _folder(call: ModelCall, base: str, where: str, primary: str) -> str:
    """The folder of a configuration: relative to `base`, unless the program made a whole path of it.

    `Path(__file__).resolve().parent / "conf"` is a path that begins at the tree's root.
    """
    root = posixpath.normpath(posixpath.join(base, where)) if where else base
    file = primary if primary.endswith((".yaml", ".yml")) else f"{primary}.yaml"
    whole = bool(where) and call.interpreter.tree.resolve(file, [root]) is None
    return posixpath.normpath(where) if whole and call.interpreter.tree.resolve(file, [where]) is not None else root


def _stored(call: ModelCall) -> dict[str, Value]:
    held = call.interpreter.notes.get("hydra store")
    if not isinstance(held, dict):
        return {}
    return {name: raw_value(call, value) for name, value in held.items()}


@model(f"{_STORE}.store", f"{_STORE}.instance.store")
def _store(call: ModelCall) -> Value | None:
    name, node = call.text("name", 0), call.get("node", 1)
    if name is not None and node is not None:
        group = call.text("group", 2)
        held = call.interpreter.notes.setdefault("hydra store", {})
        assert isinstance(held, dict)
        held[f"{group}/{name}" if group else name] = node
    return NONE


@model(f"{_STORE}.instance")
def _store_instance(call: ModelCall) -> Value:
    return call.instance(_STORE)


@model("hydra.initialize", "hydra.initialize_config_dir", "hydra.initialize_config_module")
def _initialize(call: ModelCall) -> Value:
    given = call.get("config_path", 0) or call.get("config_dir", 0)
    # `config_path` is relative to the file that calls; `config_dir` a whole path, which here begins at the tree's root.
    base = "" if call.callee.endswith("config_dir") else posixpath.dirname(call.location.path)
    call.interpreter.notes["hydra folder"] = (given, base)
    return call.instance()


@model("hydra.compose")
def _compose(call: ModelCall) -> Value | None:
    noted = call.interpreter.notes.get("hydra folder")
    folder, base = noted if isinstance(noted, tuple) else (None, posixpath.dirname(call.location.path))
    overrides = call.get("overrides", 1)
    texts: list[tuple[str, Step | None]] = []
    for item in overrides.items if isinstance(overrides, ListValue) else ():
        if isinstance(item, Const) and isinstance(item.value, str):
            texts.append((item.value, item.trail[-1] if item.trail else None))
    return composed(call, folder, call.get("config_name", 0), base, texts)


# instantiate


@model("hydra.utils.instantiate", "hydra.utils.call")
def _instantiate(call: ModelCall) -> Value | None:
    config = call.get("config", 0)
    if isinstance(config, Const) and config.value is None:
        return config
    if not isinstance(config, DictValue | ListValue):
        return None
    rest = replace(call.arguments, positional=call.arguments.positional[1:])
    return instantiated(call, config, rest, 0)


def instantiated(call: ModelCall, config: Value, extra: Arguments, depth: int) -> Value:
    """The object that `_target_` names, its arguments instantiated first; a configuration without one is itself."""
    if depth > 20:
        return Unknown(reason="nested too deeply")
    if isinstance(config, ListValue):
        return replace(config, items=[instantiated(call, item, Arguments(), depth + 1) for item in config.items])
    if not isinstance(config, DictValue):
        return config
    target = extra.keywords.get("_target_") or config.items.get("_target_")
    merged = {**{str(key): value for key, value in config.items.items()}, **extra.keywords}
    recursive = merged.get("_recursive_")
    deep = not (isinstance(recursive, Const) and recursive.value is False)
    own = {
        key: value for key, value in merged.items() if key not in {"_target_", "_recursive_", "_convert_", "_partial_"}
    }
    if target is None and "_target_" not in merged:
        if not deep:
            return config
        return replace(
            config, items={key: instantiated(call, value, Arguments(), depth + 1) for key, value in own.items()}
        )
    function = _target(call, target)
    if function is None:
        return Unknown(reason="the _target_ is not known")
    keywords = {
        key: instantiated(call, value, Arguments(), depth + 1) if deep else value
        for key, value in own.items()
        if key != "_args_"
    }
    first = own.get("_args_")
    positional = tuple(first.items) if isinstance(first, ListValue) else ()
    if deep:
        positional = tuple(instantiated(call, value, Arguments(), depth + 1) for value in positional)
    arguments = Arguments(
        positional=(*positional, *extra.positional),
        keywords=keywords,
        open_kwargs=extra.open_kwargs or ("" if config.complete else f"{config.origin or 'the configuration'}"),
    )
    partial = merged.get("_partial_")
    if isinstance(partial, Const) and partial.value is True:
        made = call.instance("functools.partial", function=function, arguments=arguments)
        return replace(made, arguments=Arguments(positional=(function,), keywords=keywords))
    return call.interpreter.call(function, arguments, call.location)


def _target(call: ModelCall, target: Value | None) -> Value | None:
    if isinstance(target, Const) and isinstance(target.value, str):
        return located(call, target.value)
    return target if isinstance(target, FunctionValue | ClassValue | External | BoundMethod) else None
