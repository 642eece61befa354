"""Texts, lists and dictionaries: their items and their methods, exact as far as the content is known."""

from __future__ import annotations

import ast
from typing import Any

from cmgan_audit.program.domain.joins import MOST_OPTIONS, Branch, join
from cmgan_audit.program.domain.numbers import constant, drawn
from cmgan_audit.program.domain.reasons import Cause, Reason
from cmgan_audit.program.domain.values import (
    Absent,
    Const,
    DictValue,
    Instance,
    Key,
    ListValue,
    Unknown,
    Value,
    options_of,
)

MOST_ITEMS = 512
MOST_PARTS = 8
# Longer texts are not read as literals.
MOST_TEXT = 10_000
MOST_PLAIN = 2000
DEEPEST_PLAIN = 20
NOT_WHOLLY_KNOWN = Reason("an item of a list that is not wholly known", Cause.REST_OF_LIST)


def known_items(value: Value) -> tuple[list[Value], bool]:
    """The items that iterating over a value gives, and whether these are all."""
    match value:
        case ListValue():
            items = [item.tainted(value.draws) for item in value.items] if value.draws else list(value.items)
            return items, value.complete
        case DictValue():
            sure = not any(isinstance(o.value, Absent) for v in value.items.values() for o in options_of(v))
            return [value_of(key) for key in value.items], value.complete and sure
        case Const(value=str() as text) if len(text) <= MOST_ITEMS:
            return [Const(value=character) for character in text], True
        case Instance() if isinstance(value.attrs.get("@items"), DictValue | ListValue):
            return known_items(value.attrs["@items"])
    return [], False


def key_of(value: Value) -> tuple[Key] | None:
    """The key of a dictionary that a value is, in a 1-tuple: a constant or a tuple of them. None for anything else."""
    match value:
        case Const():
            return (value.value,)
        case ListValue(kind="tuple", complete=True) if len(value.items) <= MOST_PARTS:
            parts = [key_of(item) for item in value.items]
            return (tuple(part[0] for part in parts if part is not None),) if None not in parts else None
    return None


def value_of(key: Key) -> Value:
    """The value that a key stands for when a program asks a dictionary for its keys."""
    if isinstance(key, tuple):
        return ListValue(items=[value_of(part) for part in key], kind="tuple")
    return Const(value=key)


def one_of(value: ListValue | DictValue) -> Value:
    """An item that is not known which: any of the known ones, or another when there may be more."""
    items, complete = known_items(value)
    if not items or len(items) >= MOST_OPTIONS:
        return Unknown(reason="an item of a list", draws=drawn(value))
    sides = [(item, Branch("")) for item in items]
    if not complete:
        sides.append((Unknown(reason=NOT_WHOLLY_KNOWN), Branch("")))
    return join(sides).tainted(drawn(value))


def plain(value: Value) -> tuple[Any] | None:
    """The Python object behind constants and complete lists, tuples and dictionaries of constants, in a 1-tuple.

    None when something in it is not known, and for what is too deep or too large (a list may contain itself, or the
    same list many times over).
    """
    return _plain(value, [MOST_PLAIN], 0)


def _plain(value: Value, left: list[int], depth: int) -> tuple[Any] | None:
    left[0] -= 1
    if left[0] < 0 or depth > DEEPEST_PLAIN:
        return None
    match value:
        case Const():
            return (value.value,)
        case ListValue(complete=True, kind="list" | "tuple" | "set"):
            content = []
            for item in value.items:
                inner = _plain(item, left, depth + 1)
                if inner is None:
                    return None
                content.append(inner[0])
            return _as_kind(value.kind, content)
        case DictValue(complete=True):
            pairs = {}
            for key, item in value.items.items():
                inner = _plain(item, left, depth + 1)
                if inner is None:
                    return None
                pairs[key] = inner[0]
            return (pairs,)
    return None


def _as_kind(kind: str, content: list[Any]) -> tuple[Any] | None:
    if kind == "set":
        return (set(content),) if all(not isinstance(item, list | dict | set) for item in content) else None
    return (tuple(content) if kind == "tuple" else content,)


def lifted(result: Any, *sources: Value) -> Value:
    """The abstract value of a computed Python object: constants, and lists and tuples of them."""
    if isinstance(result, list | tuple):
        if len(result) > MOST_ITEMS:
            return Unknown(reason="a long list", draws=drawn(*sources))
        kind = "list" if isinstance(result, list) else "tuple"
        return ListValue(items=[lifted(item, *sources) for item in result], kind=kind, draws=drawn(*sources))
    return constant(lambda: result, "the call", *sources)


def literal_in(written: Const) -> Value | None:
    """The value of a text that is a Python literal, as `ast.literal_eval` reads it; None where it is none."""
    if not isinstance(written.value, str) or len(written.value) > MOST_TEXT:
        return None
    try:
        value = ast.literal_eval(written.value)
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return None
    if isinstance(value, dict):
        return DictValue(items={key: lifted(item, written) for key, item in value.items()})
    return lifted(value, written)


def unique(items: list[Value], complete: bool) -> tuple[list[Value], bool]:
    """The items of a set: equal ones once; whether these are certainly all."""
    seen: dict[Any, Value] = {}
    for item in items:
        if not isinstance(item, Const):
            return items, False
        seen.setdefault(item.value, item)
    return list(seen.values()), complete
