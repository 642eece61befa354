"""configparser: sections as dictionaries of texts, with the typed getters."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from cmgan_audit.program.domain.containers import value_of
from cmgan_audit.program.domain.joins import Branch, join, join_each
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
from cmgan_audit.program.models.files import path_of, resolve
from cmgan_audit.program.models.lifting import as_dict, lift
from cmgan_audit.program.models.needed_files import note_needed
from cmgan_audit.program.models.registry import ModelCall, derives, listing, model
from cmgan_audit.source.data_files.nodes import DataError

_PARSER = "configparser.ConfigParser"
_DEFAULT = "DEFAULT"
_SPELLING = "optionxform"
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
    held = DictValue(items={}, origin="the INI files")
    defaults = call.get("defaults", 0)
    if isinstance(defaults, DictValue):
        held.items[_DEFAULT] = _section(call, defaults)
    elif defaults is not None and not (isinstance(defaults, Const) and defaults.value is None):
        held = dataclasses.replace(held, complete=False)
    return call.instance(items=held)


def _held(call: ModelCall) -> DictValue | None:
    """The sections that a parser holds; a class of the tree that derives from ConfigParser gets them on first use."""
    receiver = call.receiver
    held = as_dict(receiver) if receiver is not None else None
    if held is None and isinstance(receiver, Instance) and isinstance(receiver.cls, ClassValue):
        held = DictValue(items={}, origin="the INI files")
        call.interpreter.journal.set(receiver.attrs, "@items", held)
    return held


def _keeps_case(parser: Value | None) -> bool:
    """Whether a parser was told to take options as they are written: `config.optionxform = str`."""
    from cmgan_audit.program.language.classes import class_attribute

    if not isinstance(parser, Instance):
        return False
    own = isinstance(parser.cls, ClassValue) and class_attribute(parser.cls, _SPELLING) is not None
    return own or _SPELLING in parser.attrs


def _section(call: ModelCall, given: DictValue) -> DictValue:
    """A section that holds what a dictionary does."""
    keeps = _keeps_case(call.receiver)
    items = {key if keeps or not isinstance(key, str) else key.lower(): value for key, value in given.items.items()}
    return dataclasses.replace(given, items=items, folds_case=not keeps)


def _options(held: DictValue, section: str) -> DictValue | None:
    """The options of a section, with those that all sections have; None where there is no such section."""
    found, shared = held.items.get(section), held.items.get(_DEFAULT)
    if not isinstance(found, DictValue) or found is shared or not isinstance(shared, DictValue):
        return found if isinstance(found, DictValue) else None
    both = {**shared.items, **found.items}
    return dataclasses.replace(found, items=both, complete=found.complete and shared.complete)


def _option(found: DictValue | None, option: str) -> Value | None:
    """What an option of a section is; a section that the program gives as a dictionary may spell it in any way."""
    if found is None:
        return None
    alike = (value for key, value in found.items.items() if isinstance(key, str) and key.lower() == option.lower())
    return found.items.get(found.as_kept(option)) or next(alike, None)


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
        from cmgan_audit.source.data_files.ini_file import read_ini

        keeps = _keeps_case(call.receiver)
        node = read_ini(path, text or "", interpolation=_interpolation(call.receiver), keeps_case=keeps)
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
            options = _section(call, section) if isinstance(section, DictValue) else section
            call.interpreter.journal.set_item(held, name, options)


@model(f"{_PARSER}.read_dict", f"{_PARSER}.read_string")
def _read_given(call: ModelCall) -> Value | None:
    """`config.read_dict({"train": {"batch_size": "4"}})`; the options in a text that the program holds stay open."""
    given, held = call.get("dictionary", 0), _held(call)
    if held is None:
        return None
    sections = given.items if isinstance(given, DictValue) else {}
    for name, section in sections.items():
        before = held.items.get(name)
        if isinstance(section, DictValue) and isinstance(before, DictValue):
            for key, value in section.items.items():
                call.interpreter.journal.set_item(before, before.as_kept(key), value)
        elif isinstance(section, DictValue):
            call.interpreter.journal.set_item(held, name, _section(call, section))
    if not isinstance(given, DictValue) or not given.complete:
        _open_all(call, held)
    return Const(value=None)


def _open_all(call: ModelCall, held: DictValue) -> None:
    """Any section may hold other options from now on."""
    call.interpreter.journal.set_open(held)
    for each in held.items.values():
        if isinstance(each, DictValue):
            call.interpreter.journal.set_open(each)


@model(*(f"{_PARSER}.{name}" for name in _GETTERS))
def _get(call: ModelCall) -> Value | None:
    """`config.getint("train", "batch_size", fallback=4)`."""
    section, option = call.text("section", 0), call.text("option", 1)
    held = _held(call)
    if held is None or section is None or option is None:
        return None
    found = _options(held, section)
    known = held.complete and (found is None or found.complete)
    return _converted(call, _option(found, option), call.get("fallback"), f"{section}.{option}", known=known)


@model(*(f"builtins.dict.{name}" for name in _GETTERS if name != "get"))
def _get_in_section(call: ModelCall) -> Value | None:
    """`config["train"].getint("batch_size", 4)`."""
    option = call.text("option", 0)
    if not isinstance(call.receiver, DictValue) or option is None:
        return None
    value = _option(call.receiver, option)
    return _converted(call, value, call.get("fallback", 1), option, known=call.receiver.complete)


def _converted(call: ModelCall, value: Value | None, fallback: Value | None, name: str, *, known: bool) -> Value:
    if value is None:
        missing = Unknown(reason=f"{name} is not in the INI file")
        if fallback is None:
            return missing
        return fallback if known else join([(fallback, Branch("it is not set")), (missing, Branch("it is set"))])
    if isinstance(value, Choice):
        return join_each(value, lambda one: _converted(call, one, fallback, name, known=known))
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
    names: list[Value] = [value_of(name) for name in held.items if name != _DEFAULT]
    return listing(names, complete=held.complete)


@model(f"{_PARSER}.items", f"{_PARSER}.options")
def _items(call: ModelCall) -> Value | None:
    section = call.text("section", 0)
    held = _held(call)
    found = _options(held, section) if held is not None and section is not None else None
    if found is None:
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
    found: Value | None = held.items.get(section)
    if call.callee.endswith(".has_option"):
        options = _options(held, section)
        if option is None or (options is not None and not options.complete):
            return None
        found = _option(options, option)
    return Const(value=found is not None) if found is not None or held.complete else None


@model(f"{_PARSER}.add_section")
def _add(call: ModelCall) -> Value | None:
    section, held = call.text("section", 0), _held(call)
    if held is None:
        return None
    if section is None:
        call.interpreter.journal.set_open(held)
    else:
        call.interpreter.journal.set_item(held, section, _section(call, DictValue(items={})))
    return Const(value=None)


@model(f"{_PARSER}.set")
def _set(call: ModelCall) -> Value | None:
    """`config.set("train", "batch_size", "4")`."""
    section, option, value = call.text("section", 0), call.text("option", 1), call.get("value", 2)
    held = _held(call)
    if held is None:
        return None
    found = held.items.get(section) if section is not None else None
    if isinstance(found, DictValue) and option is not None and value is not None:
        call.interpreter.journal.set_item(found, found.as_kept(option), value)
    else:
        _open_all(call, held)
    return Const(value=None)


@model(f"{_PARSER}.remove_option", f"{_PARSER}.remove_section")
def _remove(call: ModelCall) -> Value | None:
    section, option, held = call.text("section", 0), call.text("option", 1), _held(call)
    if held is None:
        return None
    found = held.items.get(section) if section is not None else None
    if section is None:
        _open_all(call, held)
    elif call.callee.endswith(".remove_section"):
        call.interpreter.journal.delete_item(held, section)
    elif isinstance(found, DictValue) and option is not None:
        call.interpreter.journal.delete_item(found, found.as_kept(option))
    elif isinstance(found, DictValue):
        call.interpreter.journal.set_open(found)
    return None
