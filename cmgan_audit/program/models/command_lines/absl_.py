"""absl: options that a program defines one by one and reads from one object, and the files of ml_collections."""

from __future__ import annotations

import dataclasses
import posixpath
from collections.abc import Iterator

from cmgan_audit.finding import Location, Step
from cmgan_audit.program.domain.reasons import required
from cmgan_audit.program.domain.values import (
    Arguments,
    Const,
    Constant,
    DictValue,
    External,
    FunctionValue,
    Instance,
    ListValue,
    Unknown,
    Value,
)
from cmgan_audit.program.models.command_lines.argparse_parsing import command_words, word_value
from cmgan_audit.program.models.command_lines.argparse_state import UNKNOWN_MARK
from cmgan_audit.program.models.command_lines.function_command_lines import Flag, flags_of
from cmgan_audit.program.models.files import each_path
from cmgan_audit.program.models.needed_files import NeededOption
from cmgan_audit.program.models.registry import Interpreter, ModelCall, derives, library_object, listing, model
from cmgan_audit.program.models.settings.interpolation import argument, with_entry

_FLAGS = "absl.flags.FLAGS"
_HOLDER = "absl.flags.FlagHolder"
_CONVERSIONS = {"integer": int, "float": float, "string": str, "enum": str}
_SWITCHES = frozenset({"bool", "boolean"})
_ON, _OFF = frozenset({"true", "t", "1", "yes", "y"}), frozenset({"false", "f", "0", "no", "n"})
_CONFIG_FILE = "ml_collections.config_flags.DEFINE_config_file"
derives("ml_collections.config_flags.config_flags.DEFINE_config_file", _CONFIG_FILE)


@library_object(_FLAGS)
def _flags(interpreter: Interpreter) -> Value:
    """The one object that holds the values of all options."""
    kept = interpreter.notes.get(_FLAGS)
    if not isinstance(kept, Instance):
        kept = Instance(cls=External(name=_FLAGS), arguments=Arguments(), location=Location(interpreter.entry, 1))
        interpreter.notes[_FLAGS] = kept
    return kept


@model(*(f"absl.flags.DEFINE_{kind}" for kind in ("integer", "float", "string", "enum", "bool", "boolean", "list")))
def _define(call: ModelCall) -> Value | None:
    kind = call.callee.rpartition("_")[2]
    name = call.text("name", 0)
    if name is None:
        return None
    value = _default(call, name)
    for text, step in _given(call, name, switch=kind in _SWITCHES):
        value = _converted(text, kind, step)
    return _held(call, name, value)


@model(*(f"absl.flags.DEFINE_multi_{kind}" for kind in ("integer", "float", "string", "enum")))
def _define_several(call: ModelCall) -> Value | None:
    """An option that may be given several times: a list; one default stands for a list of it."""
    kind = call.callee.rpartition("_")[2]
    name = call.text("name", 0)
    if name is None:
        return None
    texts = list(_given(call, name))
    if texts:
        return _held(call, name, listing([_converted(text, kind, step) for text, step in texts]))
    default = _default(call, name)
    several = default if isinstance(default, ListValue) or _is_none(default) else listing([default])
    return _held(call, name, several)


@model(_CONFIG_FILE)
def _define_config_file(call: ModelCall) -> Value | None:
    """A Python file whose `get_config()` makes the settings; other words change entries: `--config.lr=0.1`."""
    name = call.text("name", 0)
    if name is None:
        return None
    path = _default(call, name)
    for text, step in _given(call, name):
        path = argument(text, step) if UNKNOWN_MARK not in text else word_value(text)
    value = each_path(call, path, lambda found: _configuration(call, found))
    if isinstance(value, DictValue):
        for flag in _flags_given(call):
            if flag.name.startswith(f"{name}."):
                text = "true" if flag.text is None else flag.text
                known = word_value(text)
                entry = argument(text, flag.step) if isinstance(known, Const) else known
                value = with_entry(value, flag.name[len(name) + 1 :], entry)
    return _held(call, name, value)


@model("absl.app.run")
def _run(call: ModelCall) -> Value | None:
    main = call.get("main", 0)
    if main is None:
        return None
    words = listing([Const(value=call.interpreter.entry)], complete=False)
    call.interpreter.call(main, Arguments(positional=(words,)), call.location)
    return Const(value=None)


def _configuration(call: ModelCall, path: str) -> Value:
    module = call.interpreter.import_module(posixpath.splitext(path)[0].replace("/", "."))
    made = call.interpreter.attribute(module, "get_config", call.location)
    if not isinstance(made, FunctionValue):
        return Unknown(reason=f"{path} has no get_config()")
    return call.interpreter.call(made, Arguments(), call.location)


def _held(call: ModelCall, name: str, value: Value) -> Value:
    """The option's value, to be read as `FLAGS.name` and from what defines it."""
    flags = _flags(call.interpreter)
    if isinstance(flags, Instance):
        call.interpreter.journal.set(flags.attrs, name, value)
    holder = call.instance(_HOLDER)
    holder.attrs["value"] = value
    return holder


def _default(call: ModelCall, name: str) -> Value:
    default = call.get("default", 1) or Const(value=None)
    if not isinstance(default, Const):
        return default
    if default.value is None and _is_true(call.get("required")):
        return _needed(name, call.location)
    told = default.via(call.location, f"--{name} defaults to {default.value!r}")
    return dataclasses.replace(told, overridable=f"--{name}")


def _needed(name: str, place: Location) -> Value:
    """The value of an option without a default that every launch has to give."""
    reason = required(f"required argument --{name} has no default")
    step = Step(place, f"--{name} must be given on the command line")
    return NeededOption(flag=f"--{name}", reason=reason, trail=(step,))


@model("absl.flags.mark_flag_as_required", "absl.flags.mark_flags_as_required")
def _mark_as_required(call: ModelCall) -> Value | None:
    names = call.get("flag_name", 0) or call.get("flag_names", 0)
    flags = _flags(call.interpreter)
    for each in names.items if isinstance(names, ListValue) else (names,):
        name = each.value if isinstance(each, Const) else None
        if isinstance(flags, Instance) and isinstance(name, str) and _is_none(flags.attrs.get(name)):
            call.interpreter.journal.set(flags.attrs, name, _needed(name, call.location))
    return Const(value=None)


def _given(call: ModelCall, name: str, *, switch: bool = False) -> Iterator[tuple[str, Step | None]]:
    """The texts that a launch gives to an option; a switch takes no word of its own, and `--noname` says false."""
    negated = f"no{name}"
    for flag in _flags_given(call, frozenset({name, negated}) if switch else frozenset()):
        if flag.name == name:
            yield "true" if flag.text is None else flag.text, flag.step
        elif switch and flag.name == negated:
            yield "false", flag.step


def _flags_given(call: ModelCall, switches: frozenset[str] = frozenset()) -> list[Flag]:
    words, steps = command_words(call, None)
    return flags_of(words, steps, switches)[0]


def _converted(text: str, kind: str, step: Step | None) -> Value:
    trail = (step,) if step is not None else ()
    if UNKNOWN_MARK in text:
        return dataclasses.replace(word_value(text), trail=trail)
    if kind in _SWITCHES:
        known = text.lower() in _ON | _OFF
        return Const(value=text.lower() in _ON, trail=trail) if known else Unknown(reason=f"{text!r} is no bool")
    if kind == "list":
        return listing([Const(value=part.strip(), trail=trail) for part in text.split(",")])
    try:
        value: Constant = _CONVERSIONS[kind](text)
    except ValueError:
        return Unknown(reason=f"{text!r} is no {kind}", trail=trail)
    return Const(value=value, trail=trail)


def _is_none(value: Value | None) -> bool:
    return isinstance(value, Const) and value.value is None


def _is_true(value: Value | None) -> bool:
    return isinstance(value, Const) and value.value is True
