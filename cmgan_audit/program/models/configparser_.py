"""configparser: sections as dictionaries of texts, with the typed getters."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from cmgan_audit.program.domain.containers import value_of
from cmgan_audit.program.domain.joins import Branch, join
from cmgan_audit.program.domain.values import (
    Choice,
    ClassValue,
    Const,
    Constant,
    DictValue,
    External,
    Instance,
    ListValue,
    Unknown,
    Value,
)
from cmgan_audit.program.models.files import note_needed, path_of, resolve
from cmgan_audit.program.models.lifting import as_dict, lift
from cmgan_audit.program.models.registry import ModelCall, derives, listing, model
from cmgan_audit.source.data import DataError

_PARSER = "configparser.ConfigParser"
derives("configparser.RawConfigParser", _PARSER)
derives("configparser.SafeConfigParser", _PARSER)
_BOOLEANS = {"1": True, "yes": True, "true": True, "on": True, "0": False, "no": False, "false": False, "off": False}


def _boolean(text: str) -> bool:
    if text.lower() not in _BOOLEANS:
        raise ValueError(text)
    return _BOOLEANS[text.lower()]


_GETTERS: dict[str, Callable[[str], Constant]] = {"getint": int, "getfloat": float, "getboolean": _boolean, "get": str}


@model(_PARSER)
def _make(call: ModelCall) -> Value:
    return call.instance(items=DictValue(items={}, origin="the INI files"))


def _held(call: ModelCall) -> DictValue | None:
    """The sections that a parser holds; a class of the tree that derives from ConfigParser gets them on first use."""
    receiver = call.receiver
    held = as_dict(receiver) if receiver is not None else None
    if held is None and isinstance(receiver, Instance) and isinstance(receiver.cls, ClassValue):
        held = DictValue(items={}, origin="the INI files")
        call.interpreter.journal.set(receiver.attrs, "@items", held)
    return held


def _interpolation(parser: Value | None) -> str:
    if not isinstance(parser, Instance):
        return "basic"
    if parser.external_name == "configparser.RawConfigParser":
        return "none"
    given = parser.arguments.get("interpolation")
    if isinstance(given, Instance | External):
        name = given.external_name if isinstance(given, Instance) else given.name
        return "extended" if name.endswith("ExtendedInterpolation") else "basic"
    return "none" if isinstance(given, Const) and given.value is None else "basic"


@model(f"{_PARSER}.read", f"{_PARSER}.read_file", f"{_PARSER}.readfp")
def _read(call: ModelCall) -> Value | None:
    given = call.get("filenames", 0) or call.get("f")
    held = _held(call)
    if held is None or given is None:
        return None
    read: list[Value] = []
    for source in given.items if isinstance(given, ListValue) else [given]:
        path = path_of(source)
        found = resolve(call, path.value) if isinstance(path, Const) and isinstance(path.value, str) else None
        if found is None:
            note_needed(call, path)
            call.interpreter.journal.set_open(held)
            continue
        read.append(path)
        _fill(call, held, found)
    return listing(read)


def _fill(call: ModelCall, held: DictValue, path: str) -> None:
    text = call.interpreter.tree.text(path)
    try:
        from cmgan_audit.source.ini_file import read_ini

        node = read_ini(path, text or "", interpolation=_interpolation(call.receiver))
    except DataError as error:
        call.interpreter.limit(call.location, f"{path}:{error.line}: {error.reason}")
        call.interpreter.journal.set_open(held)
        return
    lifted = lift(node, path)
    for name, section in (lifted.items if isinstance(lifted, DictValue) else {}).items():
        before = held.items.get(name)
        if isinstance(before, DictValue) and isinstance(section, DictValue):
            for key, value in section.items.items():
                call.interpreter.journal.set_item(before, key, value)
        else:
            options = dataclasses.replace(section, folds_case=True) if isinstance(section, DictValue) else section
            call.interpreter.journal.set_item(held, name, options)


@model(*(f"{_PARSER}.{name}" for name in _GETTERS))
def _get(call: ModelCall) -> Value | None:
    """`config.getint("train", "batch_size", fallback=4)`."""
    section, option = call.text("section", 0), call.text("option", 1)
    held = _held(call)
    if held is None or section is None or option is None:
        return None
    found = held.items.get(section)
    value = found.items.get(option.lower()) if isinstance(found, DictValue) else None
    return _converted(call, value, call.get("fallback"), f"{section}.{option}", known=held.complete)


@model(*(f"builtins.dict.{name}" for name in _GETTERS if name != "get"))
def _get_in_section(call: ModelCall) -> Value | None:
    """`config["train"].getint("batch_size", 4)`."""
    option = call.text("option", 0)
    if not isinstance(call.receiver, DictValue) or option is None:
        return None
    value = call.receiver.items.get(option.lower())
    return _converted(call, value, call.get("fallback", 1), option, known=call.receiver.complete)


def _converted(call: ModelCall, value: Value | None, fallback: Value | None, name: str, *, known: bool) -> Value:
    if value is None:
        missing = Unknown(reason=f"{name} is not in the INI file")
        if fallback is None:
            return missing
        return fallback if known else join([(fallback, Branch("it is not set")), (missing, Branch("it is set"))])
    if isinstance(value, Choice):
        sides = [
            (_converted(call, o.value, fallback, name, known=known), Branch(o.condition, o.facts))
            for o in value.options
        ]
        return join(sides)
    getter = _GETTERS[call.callee.rpartition(".")[2]]
    if not isinstance(value, Const) or not isinstance(value.value, str):
        return value
    try:
        return dataclasses.replace(value, value=getter(value.value))
    except ValueError:
        return Unknown(reason=f"{name}: {value.value!r} cannot be converted", trail=value.trail)


@model(f"{_PARSER}.sections")
def _sections(call: ModelCall) -> Value | None:
    held = _held(call)
    if held is None:
        return None
    names: list[Value] = [value_of(name) for name in held.items if name != "DEFAULT"]
    return listing(names, complete=held.complete)


@model(f"{_PARSER}.items", f"{_PARSER}.options")
def _items(call: ModelCall) -> Value | None:
    section = call.text("section", 0)
    held = _held(call)
    found = held.items.get(section) if held is not None and section is not None else None
    if not isinstance(found, DictValue):
        return None
    if call.callee.endswith(".options"):
        return listing([value_of(key) for key in found.items])
    return listing([listing([value_of(key), value], "tuple") for key, value in found.items.items()])


@model(f"{_PARSER}.has_section", f"{_PARSER}.has_option")
def _has(call: ModelCall) -> Value | None:
    section, option = call.text("section", 0), call.text("option", 1)
    held = _held(call)
    if held is None or section is None:
        return None
    found = held.items.get(section)
    if call.callee.endswith(".has_option"):
        if option is None or (isinstance(found, DictValue) and not found.complete):
            return None
        found = found.items.get(option.lower()) if isinstance(found, DictValue) else None
    return Const(value=found is not None) if found is not None or held.complete else None


@model(f"{_PARSER}.set")
def _set(call: ModelCall) -> Value | None:
    """`config.set("train", "batch_size", "4")`."""
    section, option, value = call.text("section", 0), call.text("option", 1), call.get("value", 2)
    held = _held(call)
    if held is None:
        return None
    found = held.items.get(section) if section is not None else None
    if isinstance(found, DictValue) and option is not None and value is not None:
        call.interpreter.journal.set_item(found, option.lower(), value)
    else:
        for each in held.items.values():
            if isinstance(each, DictValue):
                call.interpreter.journal.set_open(each)
    return Const(value=None)
