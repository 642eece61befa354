"""Configuration files that the program loads: json, yaml, ruamel.yaml, toml and their relatives."""

from __future__ import annotations

from dataclasses import replace

from cmgan_audit.program.domain.reasons import naming
from cmgan_audit.program.domain.values import (
    Arguments,
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
from cmgan_audit.program.execution.interpreter import UnconfiguredError
from cmgan_audit.program.models.files import FILE, FileContent, SettingsText, each_path, path_of, read_here
from cmgan_audit.program.models.lifting import copied, lift
from cmgan_audit.program.models.registry import ModelCall, derives, model
from cmgan_audit.source.data_files.formats import Dialect, read_text
from cmgan_audit.source.data_files.nodes import DataError

_PARSERS: dict[str, Dialect] = {
    "json.load": "json",
    "json.loads": "json",
    "json5.load": "json5",
    "json5.loads": "json5",
    "yaml.load": "yaml",
    "yaml.safe_load": "yaml",
    "yaml.full_load": "yaml",
    "yaml.unsafe_load": "yaml",
    "yaml.round_trip_load": "yaml",
    "ruamel.yaml.YAML.load": "yaml12",
    "ruamel.yaml.load": "yaml12",
    "ruamel.yaml.safe_load": "yaml12",
    "ruamel.yaml.round_trip_load": "yaml12",
    "toml.load": "toml",
    "toml.loads": "toml",
}
for _library in ("ujson", "simplejson", "orjson", "rapidjson"):
    derives(f"{_library}.load", "json.load")
    derives(f"{_library}.loads", "json.loads")
for _library in ("pyjson5", "commentjson", "jstyleson"):  # what they share: JSON with comments
    derives(f"{_library}.load", "json5.load")
    derives(f"{_library}.loads", "json5.loads")
derives("pyjson5.decode", "json5.loads")
for _library in ("tomllib", "tomli", "rtoml", "tomlkit", "pytoml"):
    derives(f"{_library}.load", "toml.load")
    derives(f"{_library}.loads", "toml.loads")
derives("tomlkit.parse", "toml.loads")
derives("toml.decoder.load", "toml.load")


@model(*_PARSERS)
def _load(call: ModelCall) -> Value | None:
    dialect = next((_PARSERS[name] for name in _names(call.callee) if name in _PARSERS), None)
    source = call.first
    source = source or call.get("fp") or call.get("stream") or call.get("s") or call.get("f")
    if dialect is None or source is None:
        return None
    if dialect == "yaml" and (call.interpreter.notes.get("yaml floats") or _own_loader(call)):
        dialect = "omegaconf"
    result = load_source(call, source, dialect, from_path=call.callee.endswith("toml.load"))
    return _hooked(call, result)


@model("yaml.load_all", "yaml.safe_load_all", "yaml.full_load_all", "yaml.unsafe_load_all")
def _load_all(call: ModelCall) -> Value | None:
    source = call.get("stream", 0)
    if source is None:
        return None
    own = call.interpreter.notes.get("yaml floats") or _own_loader(call)
    return load_source(call, source, "omegaconf documents" if own else "yaml documents")


def _names(name: str) -> list[str]:
    from cmgan_audit.program.models.registry import bases_of

    return list(bases_of(name))


def load_source(
    call: ModelCall, source: Value, dialect: Dialect, *, from_path: bool = False, attribute_access: bool = False
) -> Value:
    """What a parser makes of an open file, the text of a file, a text in the program, or (`from_path`) a path."""
    if isinstance(source, SettingsText):
        return copied(source.settings, attribute_access=attribute_access)
    if isinstance(source, Const) and isinstance(source.value, str | bytes) and not from_path:
        return _of_text(call, source, dialect)
    known = isinstance(source, FileContent | Const) or (isinstance(source, Instance) and "@path" in source.attrs)
    stripped = read_here(call) if dialect == "json" and not known and not from_path else None
    if stripped is not None and isinstance(source, Unknown | Instance):
        return load_source(call, stripped, "json5", from_path=True, attribute_access=attribute_access)
    if not known and not from_path and isinstance(source, Unknown):
        reason = naming(f"what is loaded is not known: {source.reason}", source.reason)
        return Unknown(reason=reason, trail=source.trail)
    if isinstance(source, Instance) and not known and not from_path:
        return Unknown(reason=f"what {source.external_name or 'the program'} gives to the parser is not known")

    def read(path: str) -> Value:
        return load_file(call, path, dialect, attribute_access=attribute_access)

    return each_path(call, path_of(source), read)


def load_file(call: ModelCall, path: str, dialect: Dialect, *, attribute_access: bool = False) -> Value:
    """A file of the tree as a value; unknown, with the reason, where its library would reject it."""
    try:
        node = call.interpreter.tree.read_data(path, dialect)
    except DataError as error:
        it = call.interpreter
        it.limit(call.location, f"{path}:{error.line}: {error.reason}")
        if it.must_be_configured and it.launch.location is not None and it.launch.location.path == path:
            raise UnconfiguredError from None  # it was tried in the place of a configuration, which it is not
        return Unknown(reason=f"{path}: {error.reason}")
    return lift(node, path, attribute_access=attribute_access)


def _of_text(call: ModelCall, source: Const, dialect: Dialect) -> Value:
    text = source.value.decode(errors="replace") if isinstance(source.value, bytes) else str(source.value)
    try:
        node = read_text(call.location.path, text, dialect)
    except DataError as error:
        return Unknown(reason=error.reason, trail=source.trail)
    return _with_trail(lift(node, call.location.path), source)


def _with_trail(value: Value, source: Const) -> Value:
    """Values of a text that stands in the program have the text's own way."""
    if isinstance(value, DictValue):
        return replace(value, items={key: _with_trail(item, source) for key, item in value.items.items()})
    if isinstance(value, ListValue):
        return replace(value, items=[_with_trail(item, source) for item in value.items])
    return replace(value, trail=source.trail)


def _own_loader(call: ModelCall) -> bool:
    """Whether a YAML loader of the program's own stands in: people make one to read 1e-3 as a number."""
    loader = call.get("Loader", 1)
    if loader is None:
        return False
    return isinstance(loader, ClassValue) or not (isinstance(loader, External) and loader.name.startswith("yaml."))


@model(
    *(
        f"yaml.{name}.add_implicit_resolver"
        for name in ("SafeLoader", "FullLoader", "Loader", "UnsafeLoader", "CSafeLoader", "CLoader")
    ),
    "yaml.add_implicit_resolver",
)
def _add_resolver(call: ModelCall) -> Value:
    tag = call.text("tag", 0)
    if tag is not None and tag.endswith(":float"):
        call.interpreter.notes["yaml floats"] = True
    return Const(value=None)


def _hooked(call: ModelCall, result: Value) -> Value:
    """`object_hook` is called for every dictionary, the innermost first; OrderedDict and its like change nothing."""
    hook = call.get("object_hook")
    if not isinstance(hook, FunctionValue | ClassValue | External):
        return result
    return _hook(call, hook, result, set())


def _hook(call: ModelCall, hook: Value, value: Value, above: set[int]) -> Value:
    if id(value) in above or len(above) > 60:
        return value
    inside = above | {id(value)}
    if isinstance(value, ListValue):
        return replace(value, items=[_hook(call, hook, item, inside) for item in value.items])
    if isinstance(value, DictValue):
        below = replace(value, items={key: _hook(call, hook, item, inside) for key, item in value.items.items()})
        made = call.interpreter.call(hook, Arguments(positional=(below,)), call.location)
        return replace(made, origin=made.origin or value.origin) if isinstance(made, DictValue) else made
    return value


@model("ruamel.yaml.YAML")
def _ruamel(call: ModelCall) -> Value:
    return call.instance()


@model("json.dumps", "json5.dumps", "yaml.dump", "yaml.safe_dump", "toml.dumps", "omegaconf.OmegaConf.to_yaml")
def _dump(call: ModelCall) -> Value | None:
    """Settings as a text; what is written into a file is no value of the program."""
    given = call.arguments.positional[0] if call.arguments.positional else call.get("obj") or call.get("data")
    into_file = len(call.arguments.positional) > 1 or call.get("stream") is not None
    reason = f"a text made by {call.callee}"
    if not isinstance(given, DictValue | ListValue) or into_file:
        return Unknown(reason=reason)
    return SettingsText(reason=reason, settings=given)


__all__ = ["FILE", "load_file", "load_source"]
