"""Dictionaries: filling, reading and their methods. A key that only some paths set is an item that may be absent."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from cmgan_audit.finding import Location
from cmgan_audit.program.domain.containers import key_of, known_items, value_of
from cmgan_audit.program.domain.joins import Branch, filled, join, join_each, same
from cmgan_audit.program.domain.values import (
    NONE,
    Absent,
    Arguments,
    BoundMethod,
    Choice,
    DictValue,
    Instance,
    Key,
    ListValue,
    Unknown,
    Value,
    may_be_absent,
)
from cmgan_audit.program.execution.interpreter import Interpreter
from cmgan_audit.program.language.attributes import held, not_known, present

# What holds the tensors of a network by name, and the view of its items.
_STATES = (".state_dict", ".state_dict.items")
# From an item of a state back to it: its value, the pair, the part of it.
_MOST_STEPS = 4


def fill_dictionary(it: Interpreter, target: DictValue, arguments: Arguments) -> None:
    """What `dict(...)` and `update(...)` write, from mappings, pairs and keywords."""
    for source in arguments.positional:
        if isinstance(source, Instance) and isinstance(source.attrs.get("@items"), DictValue):
            source = source.attrs["@items"]
        if isinstance(source, DictValue):
            for key, value in source.items.items():
                write_item(it, target, key, value.tainted(source.draws))
            if not source.complete:
                it.journal.set_open(target)
        else:
            _fill_from_pairs(it, target, source)
    for name, value in arguments.keywords.items():
        write_item(it, target, name, value)
    if arguments.open_kwargs:
        it.journal.set_open(target)


def is_state(value: Value) -> bool:
    """Whether a value holds the tensors of a network by their names, or is the view of these items."""
    return isinstance(value, Instance) and value.external_name.endswith(_STATES)


def of_same_tensors(it: Interpreter, state: Value, location: Location) -> Value:
    """A new dictionary of the tensors of a network's state, as `dict(state)` makes it.

    Which names a state has is not known, so that a plain dictionary would forget what it holds.
    """
    from cmgan_audit.program.library.answers import call_library

    return call_library(it, "builtins.dict", None, Arguments(positional=(state,)), location)


def state_of_item(value: Value) -> Value | None:
    """The state of a network that a tensor is an item of, or the view of its items; None for what was copied."""
    for _ in range(_MOST_STEPS):
        if isinstance(value, BoundMethod) and value.name == "data":
            value = value.receiver
        elif isinstance(value, Unknown) and value.computed is not None and value.computed.operation == "[]":
            value = value.computed.operands[0]
        else:
            break
    return value if is_state(value) else None


def write_item(it: Interpreter, target: DictValue, key: Key, value: Value) -> None:
    """Write an item; an option that says "not set" leaves what was there before."""
    if isinstance(value, Choice) and may_be_absent(value):
        value = filled(value, target.items.get(target.as_kept(key), Absent()))
    it.journal.set_item(target, target.as_kept(key), value)


def _fill_from_pairs(it: Interpreter, target: DictValue, source: Value) -> None:
    pairs, complete = known_items(source)
    for pair in pairs:
        parts, whole = known_items(pair)
        key = key_of(it.read(parts[0])) if whole and len(parts) == 2 else None
        if key is not None:
            it.journal.set_item(target, key[0], parts[1])
        else:
            complete = False
    if not complete:
        it.journal.set_open(target)


def lookup(target: DictValue, key: Key) -> Value | None:
    """The item of a key; None when it is not among the known ones."""
    try:
        return target.items.get(target.as_kept(key))
    except TypeError:  # an unhashable key
        return None


def _get(it: Interpreter, target: DictValue, arguments: Arguments, location: Location) -> Value:
    key = arguments.get("key", 0)
    default = arguments.get("default", 1) or NONE
    return _get_or(it, target, key, default)


def _get_or(it: Interpreter, target: DictValue, key: Value | None, default: Value) -> Value:
    if isinstance(key, Choice):
        return join_each(key, lambda one: _get_or(it, target, one, default))
    known = key_of(key) if key is not None else None
    if known is None:
        if not target.complete:
            return not_known(target, "a key")
        asked = key or Unknown(reason="no key")
        # `table.get(name, table["step"])`: the default is what another key gives
        others = {at: value for at, value in target.items.items() if not same(value, default)}
        sides = [(value, Branch("", it.asked_for.where(asked, [at]))) for at, value in others.items()]
        return join([*sides, (default, Branch("", it.asked_for.where(asked, list(others), holds=False)))])
    found = lookup(target, known[0])
    if found is None:
        if target.complete:
            return default
        return join([(default, Branch("")), (not_known(target, known[0]), Branch(""))])
    if not target.complete:
        found = held(target, target.as_kept(known[0]))
    found = it.read(found).tainted(target.draws)
    return filled(found, default) if isinstance(found, Choice) and may_be_absent(found) else found


def _pop(it: Interpreter, target: DictValue, arguments: Arguments, location: Location) -> Value:
    key = arguments.get("key", 0)
    default = arguments.get("default", 1)
    known = key_of(key) if key is not None else None
    if known is None:
        it.journal.set_open(target)
        return not_known(target, "a key")
    result = _get_or(it, target, key, default or not_known(target, known[0]))
    it.journal.delete_item(target, target.as_kept(known[0]))
    return result


def _setdefault(it: Interpreter, target: DictValue, arguments: Arguments, location: Location) -> Value:
    key = arguments.get("key", 0)
    default = arguments.get("default", 1) or NONE
    result = _get_or(it, target, key, default)
    known = key_of(key) if key is not None else None
    if known is not None:
        it.journal.set_item(target, target.as_kept(known[0]), result)
    return result


def _update(it: Interpreter, target: DictValue, arguments: Arguments, location: Location) -> Value:
    fill_dictionary(it, target, arguments)
    return NONE


def _items(it: Interpreter, target: DictValue, arguments: Arguments, location: Location) -> Value:
    pairs: list[Value] = [
        ListValue(items=[value_of(key), it.read(present(value))], kind="tuple") for key, value in target.items.items()
    ]
    return ListValue(items=pairs, complete=known_items(target)[1], kind="entries", draws=target.draws)


def _keys(it: Interpreter, target: DictValue, arguments: Arguments, location: Location) -> Value:
    items, complete = known_items(target)
    return ListValue(items=items, complete=complete, kind="entries", draws=target.draws)


def _values(it: Interpreter, target: DictValue, arguments: Arguments, location: Location) -> Value:
    values = [it.read(present(value)) for value in target.items.values()]
    return ListValue(items=values, complete=known_items(target)[1], kind="entries", draws=target.draws)


def _copy_dict(it: Interpreter, target: DictValue, arguments: Arguments, location: Location) -> Value:
    return dataclasses.replace(target, items=dict(target.items))


def _clear_dict(it: Interpreter, target: DictValue, arguments: Arguments, location: Location) -> Value:
    for key in list(target.items):
        it.journal.delete_item(target, key)
    return NONE


_DictMethod = Callable[[Interpreter, DictValue, Arguments, Location], Value]
DICT_METHODS: dict[str, _DictMethod] = {
    "get": _get,
    "pop": _pop,
    "setdefault": _setdefault,
    "update": _update,
    "items": _items,
    "keys": _keys,
    "values": _values,
    "copy": _copy_dict,
    "clear": _clear_dict,
}
