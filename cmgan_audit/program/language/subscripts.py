"""Subscripts: reading, writing and deleting items; a read whose index depends on a random draw is an event."""

from __future__ import annotations

import ast

from cmgan_audit.finding import Location
from cmgan_audit.program.domain.containers import key_of, one_of
from cmgan_audit.program.domain.joins import MOST_OPTIONS, Branch, branch_of, join, join_each
from cmgan_audit.program.domain.listings import in_random_order, listings_of
from cmgan_audit.program.domain.numbers import drawn
from cmgan_audit.program.domain.reasons import Cause, Reason
from cmgan_audit.program.domain.turns import turns_of
from cmgan_audit.program.domain.values import (
    NONE,
    Absent,
    Arguments,
    Choice,
    ClassValue,
    Const,
    DictValue,
    External,
    Instance,
    ListValue,
    Option,
    Unknown,
    Value,
    changed,
)
from cmgan_audit.program.execution.interpreter import Interpreter
from cmgan_audit.program.execution.trace import SliceEvent, StoreEvent
from cmgan_audit.program.language.attributes import attribute, held, not_known, present
from cmgan_audit.program.language.classes import class_attribute
from cmgan_audit.program.library.dictionaries import lookup, write_item
from cmgan_audit.program.naming.names import canonical


def evaluate_slice(it: Interpreter, node: ast.expr) -> Value:
    """The index of a subscript; a slice is a list of kind "slice" with its three parts."""
    if not isinstance(node, ast.Slice):
        value = expressions.evaluate(it, node)
        return value.tainted(drawn(value))
    parts = [
        expressions.evaluate(it, part) if part is not None else NONE for part in (node.lower, node.upper, node.step)
    ]
    return ListValue(items=parts, kind="slice", draws=drawn(*parts))


def subscript(it: Interpreter, owner: Value, index: Value, location: Location) -> Value:
    """`owner[index]`."""
    index = it.read(index)
    owner = it.read(owner)
    order = listings_of(owner)
    mixed = isinstance(index, ListValue) and index.kind == "slice" and in_random_order(owner)
    if index.draws or mixed or turns_of(owner) or (order and isinstance(owner, ListValue | Instance)):
        it.emit(SliceEvent(location=location, context=it.context, sliced=owner, index=index, order=order))
    item = _item(it, owner, index, location)
    if isinstance(item, Unknown):
        item = item.made_from("[]", (owner, index), location)
    elif isinstance(item, Choice) and it.probing:  # whichever it is of the names in a list, it stands at the index
        item = changed(item, "options", tuple(_from_list(each, (owner, index), location) for each in item.options))
    return item.tainted(index.draws)


def _from_list(option: Option, read: tuple[Value, Value], location: Location) -> Option:
    """One of the items that a list may give, with what it is read from."""
    if not isinstance(option.value, Unknown):
        return option
    return Option(option.value.made_from("[]", read, location), option.condition, option.facts)


def _item(it: Interpreter, owner: Value, index: Value, location: Location) -> Value:
    if isinstance(owner, Choice):
        sides = []
        with it.doubted():
            for option in owner.options:
                if isinstance(option.value, Absent) or (isinstance(option.value, Const) and option.value.value is None):
                    continue
                item = _item(it, option.value, index, location)
                sides.append((item, branch_of(option)))
        return join(sides) if sides else Unknown(reason="None has no items")
    if isinstance(index, Choice):
        with it.doubted():
            return join_each(index, lambda one: _item(it, owner, one, location))
    match owner:
        case DictValue():
            return _of_dictionary(it, owner, index)
        case ListValue():
            return _of_list(owner, index)
        case Const(value=str() | bytes()):
            return _of_text(owner, index)
        case External():
            return _of_external(it, owner, index, location)
        case Instance():
            return _of_instance(it, owner, index, location)
        case ClassValue():
            return _of_class(owner, index)
    draws = drawn(owner, index)
    reason = owner.reason if isinstance(owner, Unknown) else "an item at run time"
    return Unknown(reason=reason, draws=draws)


def _of_dictionary(it: Interpreter, owner: DictValue, index: Value) -> Value:
    key = key_of(index)
    if key is None:
        if owner.complete and 0 < len(owner.items) <= MOST_OPTIONS:
            return join(
                [(present(item), Branch("", it.asked_for.where(index, [at]))) for at, item in owner.items.items()]
            )
        return not_known(owner, "a key that is not known")
    found = lookup(owner, key[0])
    if found is None:
        it.note_missing(owner)
        return not_known(owner, key[0])
    return it.read(present(it.read(held(owner, owner.as_kept(key[0]))))).tainted(owner.draws)


def _of_list(owner: ListValue, index: Value) -> Value:
    items = owner.items
    if isinstance(index, ListValue) and index.kind == "slice":
        return _slice_of_list(owner, index)
    if isinstance(index, Const) and isinstance(index.value, int):
        position = index.value
        if owner.complete and owner.kind != "set" and -len(items) <= position < len(items):
            return items[position].tainted(owner.draws)
    return one_of(owner).tainted(drawn(index))


def _slice_of_list(owner: ListValue, index: ListValue) -> Value:
    bounds = _bounds(index)
    if owner.complete and bounds is not None and bounds.step != 0:
        return ListValue(items=owner.items[bounds], kind=owner.kind, draws=owner.draws)
    return ListValue(items=list(owner.items), kind=owner.kind, complete=False, draws=drawn(owner, index))


def _bounds(index: ListValue) -> slice | None:
    """The slice of three known parts."""
    parts: list[int | None] = []
    for part in index.items:
        if not isinstance(part, Const) or not (part.value is None or isinstance(part.value, int)):
            return None
        parts.append(part.value)
    return slice(*parts) if len(parts) == 3 else None


def _of_text(owner: Const, index: Value) -> Value:
    from cmgan_audit.program.domain.numbers import constant

    text = owner.value
    if isinstance(index, ListValue) and index.kind == "slice":
        bounds = _bounds(index)
        if bounds is not None and isinstance(text, str | bytes):
            return constant(lambda: text[bounds], "the slice", owner)
        return Unknown(reason="a part of a text", draws=drawn(owner, index))
    if isinstance(index, Const) and isinstance(index.value, int) and isinstance(text, str | bytes):
        position = index.value
        if -len(text) <= position < len(text):
            return constant(lambda: text[position], "the index", owner)
    return Unknown(reason="a part of a text", draws=drawn(owner, index))


def _of_external(it: Interpreter, owner: External, index: Value, location: Location) -> Value:
    """`os.environ["NAME"]` and the like; `List[int]` stays the name itself."""
    from cmgan_audit.program.library.answers import call_library

    if owner.name in ("os.environ", "sys.argv", "sys.modules"):
        return call_library(it, f"{owner.name}.__getitem__", None, Arguments(positional=(index,)), location, None)
    if owner.name.rpartition(".")[2][:1].isupper() or owner.name.startswith(("typing.", "builtins.")):
        return External(name=canonical(owner.name))
    return Unknown(reason=f"an item of {owner.name}", draws=drawn(index))


def _of_class(owner: ClassValue, index: Value) -> Value:
    from cmgan_audit.program.language.classes import is_enum

    if is_enum(owner) and isinstance(index, Const) and isinstance(index.value, str):
        return owner.namespace.get(index.value, Unknown(reason=f"{owner.name} has no member {index.value}"))
    return owner


def _of_instance(it: Interpreter, owner: Instance, index: Value, location: Location) -> Value:
    from cmgan_audit.program.library.answers import special_method

    if isinstance(owner.cls, ClassValue) and class_attribute(owner.cls, "__getitem__") is not None:
        return it.call(attribute(it, owner, "__getitem__", location), Arguments(positional=(index,)), location)
    items = owner.attrs.get("@items")
    if isinstance(items, DictValue | ListValue):
        return _item(it, items, index, location)
    result = special_method(it, owner, "__getitem__", [index], location)
    if result is not None:
        return result
    if not isinstance(owner.cls, ClassValue):
        reason = f"an item of what {owner.external_name} gives"
        if owner.external_name == "torch.load":
            reason = Reason(reason, Cause.LOADED)
        draws = drawn(owner, index)
        if isinstance(index, ListValue) and index.kind == "slice" and "@shuffled" in owner.attrs:
            draws |= owner.attrs["@shuffled"].draws  # which items a part has is a matter of their order
        return Unknown(reason=reason, draws=draws)
    return Unknown(reason=f"an item of {owner.cls.name}", draws=drawn(owner, index))


def store_item(it: Interpreter, owner: Value, index: Value, value: Value, location: Location) -> None:
    """`owner[index] = value`."""
    from cmgan_audit.program.library.answers import call_library, special_method

    owner, index = it.read(owner), it.read(index)
    key = key_of(index)
    if isinstance(owner, Choice):
        for option in owner.options:
            if isinstance(option.value, DictValue) and key is not None:
                old = lookup(option.value, key[0]) or Absent()
                both = join([(value, Branch(option.condition)), (old, Branch(""))])
                store_item(it, option.value, index, both, location)
        return
    if isinstance(owner, Instance) and isinstance(owner.cls, ClassValue):
        if class_attribute(owner.cls, "__setitem__") is not None:
            method = attribute(it, owner, "__setitem__", location)
            it.call(method, Arguments(positional=(index, value)), location)
            return
    if isinstance(owner, Instance) and isinstance(owner.attrs.get("@items"), DictValue | ListValue):
        owner = owner.attrs["@items"]
    if isinstance(index, Const) and isinstance(index.value, str):
        it.emit(StoreEvent(location=location, context=it.context, target=owner, name=index.value, value=value))
    if isinstance(owner, DictValue):
        if key is not None:
            write_item(it, owner, key[0], value)
        else:
            it.journal.set_open(owner)
    elif isinstance(owner, ListValue):
        _store_in_list(it, owner, index, value)
    elif isinstance(owner, External) and owner.name == "os.environ":
        call_library(it, "os.environ.__setitem__", None, Arguments(positional=(index, value)), location, None)
    else:
        it.asked_for.changed(owner)
        if isinstance(owner, Instance):
            special_method(it, owner, "__setitem__", [index, value], location)


def _store_in_list(it: Interpreter, owner: ListValue, index: Value, value: Value) -> None:
    items = list(owner.items)
    if isinstance(index, Const) and isinstance(index.value, int) and owner.complete:
        if -len(items) <= index.value < len(items):
            items[index.value] = value
            it.journal.set_content(owner, items, complete=True)
            return
    blurred: list[Value] = [join([(item, Branch("")), (value, Branch(""))]) for item in items]
    whole = owner.complete and not (isinstance(index, ListValue) and index.kind == "slice")
    it.journal.set_content(owner, blurred, whole)


def delete_item(it: Interpreter, owner: Value, index: Value) -> None:
    """`del owner[index]`."""
    owner, index = it.read(owner), it.read(index)
    if isinstance(owner, Choice):
        _maybe_delete(it, owner, index)
        return
    if isinstance(owner, Instance) and isinstance(owner.attrs.get("@items"), DictValue):
        owner = owner.attrs["@items"]
    key = key_of(index)
    if isinstance(owner, DictValue) and key is not None:
        it.journal.delete_item(owner, owner.as_kept(key[0]))
    elif isinstance(owner, DictValue):
        it.journal.set_open(owner)
    elif isinstance(owner, ListValue):
        if isinstance(index, Const) and isinstance(index.value, int) and owner.complete:
            items = list(owner.items)
            if -len(items) <= index.value < len(items):
                del items[index.value]
                it.journal.set_content(owner, items, complete=True)
                return
        it.journal.set_content(owner, list(owner.items), complete=False)
    else:
        it.asked_for.changed(owner)


def _maybe_delete(it: Interpreter, owner: Choice, index: Value) -> None:
    """`del` on one of several containers: each may have lost the item."""
    for option in owner.options:
        target = option.value
        if isinstance(target, DictValue):
            for key in key_of(index) or list(target.items):
                old = lookup(target, key)
                if old is not None:
                    it.journal.set_item(target, key, join([(old, Branch("")), (Absent(), Branch(option.condition))]))
        elif isinstance(target, ListValue):
            it.journal.set_content(target, list(target.items), complete=False)


# Needed by functions above, and itself in need of them: these modules are one interpreter. As modules and behind all
# definitions they are found whichever is loaded first; an import in each function would be carried out at every call,
# which takes longer than many a call.
from cmgan_audit.program.language import expressions  # noqa: E402
