"""Python's own functions that read and write attributes by name."""

from __future__ import annotations

from cmgan_audit.finding import Location
from cmgan_audit.program.domain.joins import Branch, branch_of, join, join_each
from cmgan_audit.program.domain.numbers import drawn
from cmgan_audit.program.domain.values import (
    NONE,
    Arguments,
    Choice,
    ClassValue,
    Const,
    DictValue,
    External,
    Instance,
    ModuleValue,
    Unknown,
    Value,
    options_of,
)
from cmgan_audit.program.execution.interpreter import Interpreter
from cmgan_audit.program.language.attributes import attribute, has_attribute, store


def get_attribute(it: Interpreter, arguments: Arguments, location: Location) -> Value:
    """`getattr(object, name[, default])`; a default counts where the attribute may be missing."""
    owner, name = arguments.get("object", 0), arguments.get("name", 1)
    default = arguments.get("default", 2)
    if owner is None or name is None:
        return Unknown(reason="getattr() without a name")
    owner = it.read(owner)
    if isinstance(name, Choice):
        rest = () if default is None else (default,)
        return join_each(name, lambda one: get_attribute(it, Arguments(positional=(owner, one, *rest)), location))
    if not isinstance(name, Const) or not isinstance(name.value, str):
        return Unknown(reason="getattr() with a name that is not known", draws=drawn(owner, name))
    if default is None:
        return attribute(it, owner, name.value, location)
    there = has_attribute(it, owner, name.value)
    if there is False:
        return default
    found = attribute(it, owner, name.value, location)
    if there or isinstance(owner, External):
        return found
    told = it.asked_for.truth_of(_verdict(owner, name, there))
    has, lacks = (frozenset({(told[0], outcome)}) if told else frozenset() for outcome in (True, False))
    return join([(found, Branch("", has)), (default, Branch("", lacks))])


def set_attribute(it: Interpreter, arguments: Arguments, location: Location) -> Value:
    """`setattr(object, name, value)`; a dictionary of which the name is not known is open afterwards."""
    owner, name, value = (arguments.get("", position) for position in range(3))
    if owner is not None and value is not None and isinstance(name, Const) and isinstance(name.value, str):
        store(it, owner, name.value, value, location)
    elif isinstance(owner, DictValue):
        it.journal.set_open(owner)
    elif owner is not None:
        it.asked_for.changed(owner)
    return NONE


def set_past_the_class(it: Interpreter, arguments: Arguments, location: Location) -> Value | None:
    """`object.__setattr__(self, name, value)`: what the class says about writing is passed over."""
    owner, name, value = (arguments.get("", position) for position in range(3))
    if not isinstance(owner, Instance) or not isinstance(name, Const) or value is None:
        return None
    it.journal.set_attribute(owner, str(name.value), value)
    return NONE


def whether_attribute(it: Interpreter, arguments: Arguments, location: Location) -> Value:
    """`hasattr(object, name)`, where that can be said."""
    owner, name = arguments.get("obj", 0), arguments.get("name", 1)
    if owner is None or not isinstance(name, Const) or not isinstance(name.value, str):
        return Unknown(reason="whether an object has an attribute")
    has = ((option, has_attribute(it, option.value, name.value)) for option in options_of(it.read(owner)))
    return join([(_verdict(option.value, name, verdict), branch_of(option)) for option, verdict in has])


def _verdict(owner: Value, name: Value, there: bool | None) -> Value:
    if there is not None:
        return Const(value=there)
    return Unknown(reason="whether an object has an attribute").made_from("hasattr", (owner, name))


def attributes_of(it: Interpreter, arguments: Arguments, location: Location) -> Value:
    """`vars([object])`: the dictionary behind an object, a class, a module or the present names."""
    owner = it.read(arguments.positional[0]) if arguments.positional else None
    if isinstance(owner, DictValue):
        return DictValue(items=owner.items, complete=owner.complete, origin=owner.origin)
    if isinstance(owner, Instance) and isinstance(owner.cls, ClassValue):
        return DictValue(items=owner.attrs)  # type: ignore[arg-type]
    if isinstance(owner, ClassValue):
        return DictValue(items=owner.namespace)  # type: ignore[arg-type]
    if isinstance(owner, ModuleValue):
        return attribute(it, owner, "__dict__", location)
    if owner is None:
        return it.activation.environment.as_dictionary
    return Unknown(reason="vars() of something that is not known")
