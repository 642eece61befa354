"""Texts, lists and dictionaries: their items and their methods, exact as far as the content is known."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from cmgan_audit.finding import Location
from cmgan_audit.program.attributes import held, not_known, present
from cmgan_audit.program.interpreter import Interpreter
from cmgan_audit.program.joins import MOST_OPTIONS, Branch, join
from cmgan_audit.program.numbers import constant, drawn
from cmgan_audit.program.values import (
    Absent,
    Arguments,
    Choice,
    Const,
    Constant,
    DictValue,
    Instance,
    ListValue,
    Unknown,
    Value,
    options_of,
)

MOST_ITEMS = 512
MOST_PLAIN = 2000
DEEPEST_PLAIN = 20
_NONE = Const(value=None)
_TEXT_METHODS = frozenset(
    [
        "lower",
        "upper",
        "strip",
        "lstrip",
        "rstrip",
        "title",
        "capitalize",
        "casefold",
        "swapcase",
        "replace",
        "removeprefix",
        "removesuffix",
        "split",
        "rsplit",
        "splitlines",
        "partition",
        "rpartition",
        "startswith",
        "endswith",
        "find",
        "rfind",
        "index",
        "rindex",
        "count",
        "isdigit",
        "isalpha",
        "isalnum",
        "isspace",
        "isnumeric",
        "isupper",
        "islower",
        "join",
        "format",
        "zfill",
        "ljust",
        "rjust",
        "center",
        "expandtabs",
        "encode",
        "decode",
        "hex",
        "is_integer",
        "bit_length",
        "conjugate",
    ]
)


def known_items(value: Value) -> tuple[list[Value], bool]:
    """The items that iterating over a value gives, and whether these are all."""
    match value:
        case ListValue():
            items = [item.tainted(value.draws) for item in value.items] if value.draws else list(value.items)
            return items, value.complete
        case DictValue():
            sure = not any(isinstance(o.value, Absent) for v in value.items.values() for o in options_of(v))
            return [Const(value=key) for key in value.items], value.complete and sure
        case Const(value=str() as text) if len(text) <= MOST_ITEMS:
            return [Const(value=character) for character in text], True
        case Instance() if isinstance(value.attrs.get("@items"), DictValue | ListValue):
            return known_items(value.attrs["@items"])
    return [], False


def one_of(value: ListValue | DictValue) -> Value:
    """An item that is not known which: any of the known ones, or another when there may be more."""
    items, complete = known_items(value)
    if not items or len(items) >= MOST_OPTIONS:
        return Unknown(reason="an item of a list", draws=drawn(value))
    sides = [(item, Branch("")) for item in items]
    if not complete:
        sides.append((Unknown(reason="an item of a list that is not wholly known"), Branch("")))
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


def container_method(
    it: Interpreter, receiver: Value, name: str, arguments: Arguments, location: Location
) -> Value | None:
    """The result of a method of a text, number, list or dictionary; None when it has no such method."""
    if isinstance(receiver, Const):
        return _text_method(receiver, name, arguments)
    if isinstance(receiver, DictValue):
        handler = _DICT_METHODS.get(name)
        return handler(it, receiver, arguments, location) if handler else None
    if isinstance(receiver, ListValue):
        handler_of_list = _LIST_METHODS.get(name)
        return handler_of_list(it, receiver, arguments) if handler_of_list else None
    return None


def _text_method(receiver: Const, name: str, arguments: Arguments) -> Value | None:
    if name not in _TEXT_METHODS or not hasattr(receiver.value, name):
        return None
    positional = [plain(value) for value in arguments.positional]
    keywords = {key: plain(value) for key, value in arguments.keywords.items()}
    sources = (receiver, *arguments.positional, *arguments.keywords.values())
    unknown = Unknown(reason=f"{name}() of what is not known", draws=drawn(*sources))
    if any(part is None for part in (*positional, *keywords.values())) or arguments.open_kwargs:
        return _unknown_parts(name, arguments) or unknown
    if not _affordable(receiver.value, name, [part[0] for part in positional if part]):
        return unknown
    method = getattr(receiver.value, name)
    try:
        result = method(
            *(part[0] for part in positional if part), **{key: part[0] for key, part in keywords.items() if part}
        )
    except (ArithmeticError, TypeError, ValueError, LookupError, AttributeError) as error:
        return Unknown(reason=f"{name}() fails: {error}", draws=drawn(*sources))
    return lifted(result, *sources)


def _affordable(value: Constant, name: str, arguments: list[Any]) -> bool:
    """Padding and formatting with huge widths is not computed."""
    if name in ("zfill", "ljust", "rjust", "center", "expandtabs"):
        return all(not isinstance(argument, int) or argument < 10_000 for argument in arguments)
    if name == "format":
        return isinstance(value, str) and not any(len(part) > 4 for part in _digits(value))
    if name in ("replace", "join"):
        size = sum(len(a) for a in arguments if isinstance(a, str | list | tuple))
        return isinstance(value, str | bytes) and (len(value) + 1) * (size + 1) < 1_000_000
    return True


def _digits(text: str) -> list[str]:
    return "".join(character if character.isdigit() else " " for character in text).split()


def _unknown_parts(name: str, arguments: Arguments) -> Value | None:
    """`split` of something keeps being a list of unknown length, so that loops over it are followed."""
    return None if name not in ("split", "splitlines") else ListValue(items=[], complete=False)


# Dictionaries


def fill_dictionary(it: Interpreter, target: DictValue, arguments: Arguments, location: Location) -> None:
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


def write_item(it: Interpreter, target: DictValue, key: Constant, value: Value) -> None:
    """Write an item; an option that says "not set" leaves what was there before."""
    if isinstance(value, Choice) and any(isinstance(option.value, Absent) for option in value.options):
        before = target.items.get(key, Absent())
        value = join(
            [(before if isinstance(o.value, Absent) else o.value, Branch(o.condition, o.facts)) for o in value.options]
        )
    it.journal.set_item(target, key, value)


def _fill_from_pairs(it: Interpreter, target: DictValue, source: Value) -> None:
    pairs, complete = known_items(source)
    for pair in pairs:
        parts, whole = known_items(pair)
        if whole and len(parts) == 2 and isinstance(parts[0], Const):
            it.journal.set_item(target, parts[0].value, parts[1])
        else:
            complete = False
    if not complete:
        it.journal.set_open(target)


def lookup(target: DictValue, key: Constant) -> Value | None:
    """The item of a key; None when it is not among the known ones."""
    try:
        return target.items.get(key)
    except TypeError:  # an unhashable key
        return None


def _get(it: Interpreter, target: DictValue, arguments: Arguments, location: Location) -> Value:
    key = arguments.get("key", 0)
    default = arguments.get("default", 1) or _NONE
    return _get_or(it, target, key, default)


def _get_or(it: Interpreter, target: DictValue, key: Value | None, default: Value) -> Value:
    if isinstance(key, Choice):
        return join([(_get_or(it, target, o.value, default), Branch(o.condition, o.facts)) for o in key.options])
    if not isinstance(key, Const):
        options = [*target.items.values(), default]
        return join([(value, Branch("")) for value in options]) if target.complete else not_known(target, "a key")
    found = lookup(target, key.value)
    if found is None:
        if target.complete:
            return default
        return join([(default, Branch("")), (not_known(target, key.value), Branch(""))])
    if not target.complete:
        found = held(target, key.value)
    found = it.read(found).tainted(target.draws)
    if isinstance(found, Choice) and any(isinstance(option.value, Absent) for option in found.options):
        return join(
            [(default if isinstance(o.value, Absent) else o.value, Branch(o.condition, o.facts)) for o in found.options]
        )
    return found


def _pop(it: Interpreter, target: DictValue, arguments: Arguments, location: Location) -> Value:
    key = arguments.get("key", 0)
    default = arguments.get("default", 1)
    if not isinstance(key, Const):
        it.journal.set_open(target)
        return not_known(target, "a key")
    result = _get_or(it, target, key, default or not_known(target, key.value))
    it.journal.delete_item(target, key.value)
    return result


def _setdefault(it: Interpreter, target: DictValue, arguments: Arguments, location: Location) -> Value:
    key = arguments.get("key", 0)
    default = arguments.get("default", 1) or _NONE
    result = _get_or(it, target, key, default)
    if isinstance(key, Const):
        it.journal.set_item(target, key.value, result)
    return result


def _update(it: Interpreter, target: DictValue, arguments: Arguments, location: Location) -> Value:
    fill_dictionary(it, target, arguments, location)
    return _NONE


def _items(it: Interpreter, target: DictValue, arguments: Arguments, location: Location) -> Value:
    pairs: list[Value] = [
        ListValue(items=[Const(value=key), it.read(present(value))], kind="tuple")
        for key, value in target.items.items()
    ]
    return ListValue(items=pairs, complete=known_items(target)[1], kind="view", draws=target.draws)


def _keys(it: Interpreter, target: DictValue, arguments: Arguments, location: Location) -> Value:
    items, complete = known_items(target)
    return ListValue(items=items, complete=complete, kind="view", draws=target.draws)


def _values(it: Interpreter, target: DictValue, arguments: Arguments, location: Location) -> Value:
    values = [it.read(present(value)) for value in target.items.values()]
    return ListValue(items=values, complete=known_items(target)[1], kind="view", draws=target.draws)


def _copy_dict(it: Interpreter, target: DictValue, arguments: Arguments, location: Location) -> Value:
    return dataclasses.replace(target, items=dict(target.items))


def _clear_dict(it: Interpreter, target: DictValue, arguments: Arguments, location: Location) -> Value:
    for key in list(target.items):
        it.journal.delete_item(target, key)
    return _NONE


_DictMethod = Callable[[Interpreter, DictValue, Arguments, Location], Value]
_DICT_METHODS: dict[str, _DictMethod] = {
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


# Lists


def _append(it: Interpreter, target: ListValue, arguments: Arguments) -> Value:
    for value in arguments.positional[-1:]:
        if target.kind == "set" and isinstance(value, Const) and any(_equal(value, item) for item in target.items):
            continue
        complete = target.complete and len(target.items) < MOST_ITEMS and _distinct(target, value)
        it.journal.set_content(target, [*target.items, value][:MOST_ITEMS], complete)
    return _NONE


def _distinct(target: ListValue, value: Value) -> bool:
    """Whether adding to a set certainly adds one item."""
    return target.kind != "set" or (isinstance(value, Const) and all(isinstance(i, Const) for i in target.items))


def _equal(left: Value, right: Value) -> bool:
    return isinstance(left, Const) and isinstance(right, Const) and left.value == right.value


def _extend(it: Interpreter, target: ListValue, arguments: Arguments) -> Value:
    if target.kind == "set":
        it.journal.set_content(target, list(target.items), complete=False)
        return _NONE
    for source in arguments.positional:
        items, complete = known_items(source)
        whole = complete and target.complete and len(target.items) + len(items) <= MOST_ITEMS
        it.journal.set_content(target, [*target.items, *items][:MOST_ITEMS], whole)
    return _NONE


def _insert(it: Interpreter, target: ListValue, arguments: Arguments) -> Value:
    position = arguments.get("index", 0)
    items = list(target.items)
    if len(arguments.positional) == 2 and isinstance(position, Const) and isinstance(position.value, int):
        items.insert(position.value, arguments.positional[1])
        it.journal.set_content(target, items, target.complete)
    else:
        _blur(it, target)
    return _NONE


def _blur(it: Interpreter, target: ListValue) -> None:
    """The order and number of items are no longer known."""
    it.journal.set_content(target, list(target.items), complete=False)


def _pop_item(it: Interpreter, target: ListValue, arguments: Arguments) -> Value:
    position = arguments.get("index", 0)
    where = -1 if position is None else position.value if isinstance(position, Const) else None
    items = list(target.items)
    if target.complete and isinstance(where, int) and -len(items) <= where < len(items) and target.kind == "list":
        popped = items.pop(where)
        it.journal.set_content(target, items, complete=True)
        return popped
    _blur(it, target)
    return Unknown(reason="an item of a list that is not wholly known", draws=drawn(target))


def _reorder(it: Interpreter, target: ListValue, arguments: Arguments) -> Value:
    """`sort` and `reverse`, where all items are constants."""
    _blur(it, target)
    return _NONE


def _sort(it: Interpreter, target: ListValue, arguments: Arguments) -> Value:
    content = plain(target)
    if content is not None and target.kind == "list" and not arguments.keywords:
        try:
            order = sorted(range(len(content[0])), key=lambda index: content[0][index])
        except TypeError:
            return _reorder(it, target, arguments)
        it.journal.set_content(target, [target.items[index] for index in order], complete=True)
        return _NONE
    return _reorder(it, target, arguments)


def _reverse(it: Interpreter, target: ListValue, arguments: Arguments) -> Value:
    it.journal.set_content(target, target.items[::-1], target.complete)
    return _NONE


def _copy_list(it: Interpreter, target: ListValue, arguments: Arguments) -> Value:
    return dataclasses.replace(target, items=list(target.items))


def _clear_list(it: Interpreter, target: ListValue, arguments: Arguments) -> Value:
    it.journal.set_content(target, [], complete=True)
    return _NONE


def _search(name: str) -> Callable[[Interpreter, ListValue, Arguments], Value]:
    def search(it: Interpreter, target: ListValue, arguments: Arguments) -> Value:
        content = plain(target)
        given = [plain(value) for value in arguments.positional]
        if content is None or None in given or target.kind not in ("list", "tuple"):
            return Unknown(reason=f"{name}() of a list that is not wholly known", draws=drawn(target))
        try:
            result = getattr(content[0], name)(*(part[0] for part in given if part))
        except (TypeError, ValueError) as error:
            return Unknown(reason=f"{name}() fails: {error}")
        return Const(value=result)

    return search


_LIST_METHODS: dict[str, Callable[[Interpreter, ListValue, Arguments], Value]] = {
    "append": _append,
    "add": _append,
    "extend": _extend,
    "update": _extend,
    "insert": _insert,
    "pop": _pop_item,
    "remove": _reorder,
    "discard": _reorder,
    "sort": _sort,
    "reverse": _reverse,
    "copy": _copy_list,
    "clear": _clear_list,
    "index": _search("index"),
    "count": _search("count"),
}
