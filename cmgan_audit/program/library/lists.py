"""Methods of lists and sets; what makes order or number of the items unknown leaves an open list."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from cmgan_audit.program.domain.containers import MOST_ITEMS, NOT_WHOLLY_KNOWN, known_items, plain
from cmgan_audit.program.domain.listings import settled, settled_value
from cmgan_audit.program.domain.numbers import drawn
from cmgan_audit.program.domain.values import (
    NONE,
    Arguments,
    Const,
    ListValue,
    Unknown,
    Value,
)
from cmgan_audit.program.execution.interpreter import Interpreter


def _append(it: Interpreter, target: ListValue, arguments: Arguments) -> Value:
    for value in arguments.positional[-1:]:
        if target.kind == "set" and isinstance(value, Const) and any(_equal(value, item) for item in target.items):
            continue
        complete = target.complete and len(target.items) < MOST_ITEMS and _distinct(target, value)
        it.journal.set_content(target, [*target.items, value][:MOST_ITEMS], complete)
    return NONE


def _distinct(target: ListValue, value: Value) -> bool:
    """Whether adding to a set certainly adds one item."""
    return target.kind != "set" or (isinstance(value, Const) and all(isinstance(i, Const) for i in target.items))


def _equal(left: Value, right: Value) -> bool:
    return isinstance(left, Const) and isinstance(right, Const) and left.value == right.value


def _extend(it: Interpreter, target: ListValue, arguments: Arguments) -> Value:
    if target.kind == "set":
        it.journal.set_content(target, list(target.items), complete=False)
        return NONE
    for source in arguments.positional:
        items, complete = known_items(source)
        whole = complete and target.complete and len(target.items) + len(items) <= MOST_ITEMS
        draws = target.draws | source.draws
        it.journal.set_content(target, [*target.items, *items][:MOST_ITEMS], whole, draws)
    return NONE


def _insert(it: Interpreter, target: ListValue, arguments: Arguments) -> Value:
    position = arguments.get("index", 0)
    items = list(target.items)
    if len(arguments.positional) == 2 and isinstance(position, Const) and isinstance(position.value, int):
        items.insert(position.value, arguments.positional[1])
        it.journal.set_content(target, items, target.complete)
    else:
        _blur(it, target)
    return NONE


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
    return Unknown(reason=NOT_WHOLLY_KNOWN, draws=drawn(target))


def _reorder(it: Interpreter, target: ListValue, arguments: Arguments) -> Value:
    """What changes the list in a way that is not known."""
    _blur(it, target)
    return NONE


def _sort(it: Interpreter, target: ListValue, arguments: Arguments) -> Value:
    content = plain(target)
    if content is not None and target.kind == "list" and not arguments.keywords:
        try:
            order = sorted(range(len(content[0])), key=lambda index: content[0][index])
        except TypeError:
            return _reorder(it, target, arguments)
        it.journal.set_content(target, [target.items[index] for index in order], complete=True)
        return NONE
    items = [settled_value(item) for item in target.items]
    it.journal.set_content(target, items, complete=False, draws=settled(target.draws))
    return NONE


def _reverse(it: Interpreter, target: ListValue, arguments: Arguments) -> Value:
    it.journal.set_content(target, target.items[::-1], target.complete)
    return NONE


def _copy_list(it: Interpreter, target: ListValue, arguments: Arguments) -> Value:
    return dataclasses.replace(target, items=list(target.items))


def _clear_list(it: Interpreter, target: ListValue, arguments: Arguments) -> Value:
    it.journal.set_content(target, [], complete=True)
    return NONE


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


LIST_METHODS: dict[str, Callable[[Interpreter, ListValue, Arguments], Value]] = {
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
