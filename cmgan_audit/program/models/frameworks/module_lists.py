"""Networks that hold others: `ModuleList` and `ModuleDict`, whose items are kept, `add_module` of any network, and what
`apply` does to each part of one.
"""

from __future__ import annotations

from collections.abc import Sequence

from cmgan_audit.program.domain.containers import MOST_ITEMS, known_items
from cmgan_audit.program.domain.values import (
    Arguments,
    BoundMethod,
    ClassValue,
    Const,
    DictValue,
    FunctionValue,
    Instance,
    ListValue,
    Unknown,
    Value,
)
from cmgan_audit.program.models.registry import ModelCall, listing, model

_HOLDERS = ("Module", "Sequential", "ModuleList", "ModuleDict")


@model("torch.nn.ModuleList")
def _module_list(call: ModelCall) -> Value | None:
    given = call.get("modules", 0)
    items, complete = ([], True) if given is None else known_items(given)
    return call.instance(items=listing(list(items), complete=complete))


@model("torch.nn.ModuleList.append", "torch.nn.Sequential.append")
def _append(call: ModelCall) -> Value | None:
    return _longer(call, call.arguments.positional[:1], whole=True)


@model("torch.nn.ModuleList.extend", "torch.nn.ModuleList.__iadd__", "torch.nn.Sequential.extend")
def _extend(call: ModelCall) -> Value | None:
    more = call.get("modules", 0)
    items, complete = ([], False) if more is None else known_items(more)
    return _longer(call, items, whole=complete)


@model("torch.nn.ModuleList.insert", "torch.nn.Sequential.insert")
def _insert(call: ModelCall) -> Value | None:
    """Where it stands matters to nobody who asks what the list holds; which index it has is not known any more."""
    return _longer(call, call.arguments.positional[1:2], whole=False)


@model("torch.nn.ModuleList.__len__")
def _length(call: ModelCall) -> Value | None:
    held = call.state("items")
    return Const(value=len(held.items)) if isinstance(held, ListValue) and held.complete else None


@model("torch.nn.ModuleDict")
def _module_dict(call: ModelCall) -> Value | None:
    given = call.get("modules", 0)
    if isinstance(given, DictValue):
        return call.instance(items=DictValue(items=dict(given.items), complete=given.complete))
    return call.instance(items=DictValue(items={}, complete=given is None))


@model(*(f"torch.nn.ModuleDict.{name}" for name in ("items", "keys", "values", "pop", "update")))
def of_dictionary(call: ModelCall) -> Value | None:
    """A method of the dictionary that an object keeps its items in.

    Args:
        call: the call of a method that a dictionary has too.

    Returns:
        What the dictionary answers; None where the object keeps none.
    """
    held = call.state("items")
    if not isinstance(held, DictValue):
        return None
    method = BoundMethod(receiver=held, name=call.callee.rpartition(".")[2])
    return call.interpreter.call(method, call.arguments, call.location)


@model(*(f"torch.nn.{name}.{method}" for name in _HOLDERS for method in ("add_module", "register_module")))
def _add_module(call: ModelCall) -> Value | None:
    """The part becomes an attribute of that name; what has a list or a dictionary of its parts gets one more."""
    name, part, owner = call.get("name", 0), call.get("module", 1), call.receiver
    if part is None or not isinstance(owner, Instance):
        return None
    held, text = call.state("items"), name.value if isinstance(name, Const) else None
    if isinstance(held, DictValue) and isinstance(text, str):
        call.interpreter.journal.set_item(held, text, part)
    elif isinstance(held, ListValue) or not isinstance(owner.cls, ClassValue):
        _longer(call, [part], whole=True)
    elif isinstance(text, str):
        call.interpreter.set_attribute(owner, text, part, call.location)
    else:
        more = call.state("parts")  # under a name that is not known
        items = more.items if isinstance(more, ListValue) else []
        call.set_state("parts", listing([*items, part][:MOST_ITEMS], complete=False))
    return Const(value=None)


@model(
    *(f"torch.nn.{name}.apply" for name in _HOLDERS),
    *(f"torch.nn.parallel.{name}.apply" for name in ("DataParallel", "DistributedDataParallel")),
)
def _apply(call: ModelCall) -> Value | None:
    """The function is called with each part, as in a loop over `modules()`: once, with one that stands for all."""
    function = call.get("fn", 0)
    if not isinstance(function, FunctionValue) or not isinstance(call.receiver, Instance):
        return None
    it = call.interpreter
    parts = it.call(BoundMethod(receiver=call.receiver, name="modules"), Arguments(), call.location)
    part = Unknown(reason="a part of a network").made_from("[]", (parts,), call.location)
    it.call(function, Arguments(positional=(part,)), call.location)
    return call.receiver


def _longer(call: ModelCall, more: Sequence[Value], *, whole: bool) -> Value | None:
    """The list itself, with further items; a `Sequential` keeps them once there are more than it was made of."""
    held, owner = call.state("items"), call.receiver
    if isinstance(held, ListValue):
        complete = held.complete and whole and len(held.items) + len(more) <= MOST_ITEMS
        call.interpreter.journal.set_content(held, [*held.items, *more][:MOST_ITEMS], complete)
    elif isinstance(owner, Instance) and not isinstance(owner.cls, ClassValue):
        call.set_state("items", listing([*owner.arguments.positional, *more], complete=whole))
    return call.receiver
