"""OmegaConf: loading, creating, merging and selecting configurations."""

from __future__ import annotations

from dataclasses import replace

from cmgan_audit.finding import Step
from cmgan_audit.program.domain.reasons import Cause, Reason, naming
from cmgan_audit.program.domain.values import (
    NONE,
    Arguments,
    ClassValue,
    Const,
    DictValue,
    Instance,
    ListValue,
    Symbol,
    Unknown,
    Value,
)
from cmgan_audit.program.models.command_lines.started_with import environment_variable
from cmgan_audit.program.models.files import SettingsText, each_path, path_of
from cmgan_audit.program.models.lifting import as_dict, copied, lift
from cmgan_audit.program.models.registry import ModelCall, derives, model
from cmgan_audit.program.models.running import plain_fields
from cmgan_audit.program.models.settings.config_files import load_source
from cmgan_audit.program.models.settings.interpolation import (
    Memory,
    Resolver,
    argument,
    interpolations,
    merged,
    raw_of,
    resolved,
    with_entry,
)
from cmgan_audit.source.data_files.nodes import DataError

_OC = "omegaconf.OmegaConf"
derives("omegaconf.DictConfig", f"{_OC}.create")
derives("omegaconf.ListConfig", f"{_OC}.create")


def memory_of(call: ModelCall) -> Memory:
    """What this run remembers of interpolations."""
    memory = call.interpreter.notes.setdefault("omegaconf", Memory())
    assert isinstance(memory, Memory)
    return memory


def resolver_of(call: ModelCall) -> Resolver:
    """OmegaConf's own resolvers and those that the program has registered so far."""

    def resolve(name: str, arguments: list[Value], step: Step) -> Value | None:
        registered = call.interpreter.notes.get("omegaconf resolvers")
        if isinstance(registered, dict) and name in registered:
            return call.interpreter.call(registered[name], Arguments(positional=tuple(arguments)), step.location)
        first = arguments[0] if arguments else None
        if name in {"oc.env", "env"} and isinstance(first, Const):
            given = environment_variable(call, str(first.value))
            if given is not None:
                return _decoded(given) if name == "env" and isinstance(given, Const) else given
            if len(arguments) > 1:
                default = arguments[1]
                told = f"environment variable {first.value!s}"
                return replace(default, overridable=told) if isinstance(default, Const) else default
            if first.value == "WORLD_SIZE":
                return Symbol(formula="world_size", at_one=1)
            reason = Reason(f"the environment variable {first.value!s} is read", Cause.ENVIRONMENT)
            return Unknown(reason=reason, trail=(step,))
        if name == "oc.decode" and isinstance(first, Const):
            return _decoded(first.via(step.location, step.note))
        return None

    return resolve


def _decoded(text: Const) -> Value:
    """What OmegaConf makes of a text: "4" is a number."""
    value = argument(str(text.value), text.trail[-1])
    return replace(value, trail=text.trail) if isinstance(value, Const) else value


def finished(call: ModelCall, raw: Value) -> Value:
    """A raw configuration as the program sees it."""
    return resolved(memory_of(call), raw, resolver_of(call))


@model(f"{_OC}.load")
def _load(call: ModelCall) -> Value | None:
    source = call.get("file_", 0)
    return (
        None if source is None else each_path(call, path_of(source), lambda path: finished(call, raw_file(call, path)))
    )


def raw_file(call: ModelCall, path: str) -> Value:
    """A configuration file with its interpolations unresolved."""
    try:
        node = call.interpreter.tree.read_data(path, "omegaconf")
    except DataError as error:
        call.interpreter.limit(call.location, f"{path}:{error.line}: {error.reason}")
        return Unknown(reason=f"{path}: {error.reason}")
    return lift(node, path, attribute_access=True, special=interpolations)


@model(f"{_OC}.create", f"{_OC}.structured")
def _create(call: ModelCall) -> Value | None:
    given = call.get("obj", 0) or call.get("content")
    if given is None:
        return DictValue(items={}, attribute_access=True)
    return finished(call, raw_value(call, given))


def raw_value(call: ModelCall, value: Value) -> Value:
    """Anything that OmegaConf takes as a configuration, raw: dictionaries, dataclasses, dot lists, YAML texts."""
    if isinstance(value, SettingsText):
        value = copied(value.settings)
    if isinstance(value, ClassValue):
        value = call.interpreter.call(value, Arguments(), call.location)
    if isinstance(value, Instance) and isinstance(value.cls, ClassValue) and as_dict(value) is None:
        value = plain_fields(value)
    held = as_dict(value)
    if held is not None:
        return raw_of(memory_of(call), held)
    if isinstance(value, ListValue) and value.items and all(_is_assignment(item) for item in value.items):
        return _dot_list(value)
    if isinstance(value, Const) and isinstance(value.value, str):
        return raw_of(memory_of(call), load_source(call, value, "omegaconf"))
    return value


def _is_assignment(value: Value) -> bool:
    return isinstance(value, Const) and isinstance(value.value, str) and "=" in value.value


def _dot_list(value: ListValue) -> DictValue:
    root = DictValue(items={}, attribute_access=True)
    for item in value.items:
        if isinstance(item, Const):
            key, _, text = str(item.value).partition("=")
            root = with_entry(root, key, argument(text, item.trail[-1] if item.trail else None))
    return root


@model(f"{_OC}.from_dotlist")
def _from_dotlist(call: ModelCall) -> Value | None:
    given = call.get("dotlist", 0)
    return finished(call, _dot_list(given)) if isinstance(given, ListValue) else None


@model(f"{_OC}.from_cli")
def _from_cli(call: ModelCall) -> Value | None:
    given = call.get("args_list", 0)
    if isinstance(given, ListValue):
        return finished(call, _dot_list(given))
    from cmgan_audit.program.models.command_lines.argparse_parsing import command_words, word_value

    words, steps = command_words(call, None)
    root = DictValue(items={}, attribute_access=True, origin="the command line")
    for number, word in enumerate(words):
        key, equals, text = word.partition("=")
        if not equals or key.startswith("-"):
            continue
        step = steps[number] if number < len(steps) else None
        known = word_value(text)
        root = with_entry(root, key, argument(text, step) if isinstance(known, Const) else known)
    return finished(call, root)


@model(f"{_OC}.merge", f"{_OC}.unsafe_merge")
def _merge(call: ModelCall) -> Value | None:
    result: Value | None = None
    for value in call.arguments.positional:
        raw = raw_value(call, value)
        if not isinstance(raw, DictValue | ListValue):
            origin = "a part that is not known"
            if isinstance(raw, Unknown):
                origin = naming(f"{origin}: {raw.reason}", raw.reason)
            raw = DictValue(items={}, complete=False, attribute_access=True, origin=origin)
        result = raw if result is None else merged(result, raw)
    return None if result is None else finished(call, result)


@model("builtins.dict.merge_with")
def _merge_with(call: ModelCall) -> Value | None:
    if not isinstance(call.receiver, DictValue):
        return None
    result: Value = raw_of(memory_of(call), call.receiver)
    for value in call.arguments.positional:
        result = merged(result, raw_value(call, value))
    done = finished(call, result)
    if isinstance(done, DictValue):
        for key, item in done.items.items():
            call.interpreter.journal.set_item(call.receiver, key, item)
    return NONE


@model(f"{_OC}.to_container", f"{_OC}.to_object")
def _to_container(call: ModelCall) -> Value | None:
    given = call.get("cfg", 0)
    return None if given is None else copied(given, attribute_access=False)


@model(f"{_OC}.select")
def _select(call: ModelCall) -> Value | None:
    value: Value | None = call.get("cfg", 0)
    key = call.text("key", 1)
    if key is None:
        return None
    for part in key.split("."):
        value = value.items.get(part) if isinstance(value, DictValue) else None
        if value is None:
            return call.get("default") or NONE
    return value


@model(f"{_OC}.update")
def _update(call: ModelCall) -> Value | None:
    target, key, value = call.get("cfg", 0), call.text("key", 1), call.get("value", 2)
    if not isinstance(target, DictValue) or key is None or value is None:
        return None
    new = with_entry(target, key, value)
    for name, item in new.items.items():
        call.interpreter.journal.set_item(target, name, item)
    return NONE


@model(f"{_OC}.register_new_resolver", f"{_OC}.register_resolver")
def _register(call: ModelCall) -> Value | None:
    name, function = call.text("name", 0), call.get("resolver", 1)
    if name is not None and function is not None:
        known = call.interpreter.notes.setdefault("omegaconf resolvers", {})
        assert isinstance(known, dict)
        known[name] = function
    return NONE


@model(
    f"{_OC}.set_struct",
    f"{_OC}.set_readonly",
    f"{_OC}.resolve",
    f"{_OC}.save",
    f"{_OC}.clear_resolver",
    f"{_OC}.masked_copy",
)
def _nothing(call: ModelCall) -> Value:
    return NONE


@model(f"{_OC}.is_config", f"{_OC}.is_dict")
def _is_config(call: ModelCall) -> Value | None:
    given = call.get("obj", 0)
    return Const(value=given.attribute_access) if isinstance(given, DictValue) else None
