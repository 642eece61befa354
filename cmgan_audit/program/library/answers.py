"""Calls of libraries: random draws, models, launchers that start functions of the tree, and the default.

By default a library call gives an object that remembers what was called and how, so that `DataLoader(...)`,
`DistributedSampler(...)` and `DDP(model)` can be read back later.
"""

from __future__ import annotations

import ast
from dataclasses import replace
from functools import lru_cache

from cmgan_audit.finding import Location
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain import listings
from cmgan_audit.program.domain.numbers import drawn
from cmgan_audit.program.domain.open_settings import READS_A_TEXT
from cmgan_audit.program.domain.values import (
    CALLED_ON,
    Absent,
    Arguments,
    BoundMethod,
    ClassValue,
    Const,
    Draw,
    External,
    Instance,
    ListValue,
    Unknown,
    Value,
)
from cmgan_audit.program.execution.interpreter import Interpreter
from cmgan_audit.program.execution.trace import CallEvent
from cmgan_audit.program.library import draws, launchers
from cmgan_audit.program.library.repeating import keeps_its_object, seed_text
from cmgan_audit.program.library.seeding import generators_set, seed_given
from cmgan_audit.program.models import registry
from cmgan_audit.program.naming.names import canonical

# Functions that join what a list holds at that moment: it may grow later, or be emptied for the next round.
_JOINING = frozenset(
    [f"torch.{name}" for name in "stack cat concat concatenate vstack hstack dstack tensor as_tensor".split()]
    + [f"numpy.{name}" for name in "stack concatenate vstack hstack dstack array asarray".split()]
)
# Methods that give the object itself back.
_SAME_OBJECT = frozenset(
    "to cuda cpu half float double bfloat16 eval train requires_grad_ share_memory apply type xpu ipex "
    "module_to".split()
)
_LAYER = regex(r"torch\.nn\.[A-Z]\w*")


def call_library(
    it: Interpreter,
    name: str,
    receiver: Value | None,
    arguments: Arguments,
    location: Location,
    node: ast.AST | None = None,
) -> Value:
    """The result of a library function, class or method; the call is an event."""
    name = canonical(name)
    if name.startswith("builtins."):
        result = builtins.call_builtin(it, name.removeprefix("builtins."), arguments, location)
        if result is not None:
            return result
    if receiver is None:
        result = methods.unbound_method(it, name, arguments, location)
        if result is not None:
            return result
    event = CallEvent(
        location=location,
        context=it.context,
        callee=name,
        arguments=arguments,
        result=Unknown(reason="the call has not ended"),
        receiver=receiver,
    )
    it.emit(event)
    result = _result(it, name, receiver, arguments, location, node)
    event.ended(result)
    return result


@dataclass(frozen=True, slots=True)
class _Kind:
    """What the name of a library call says about it: whether it draws, lists a folder, sorts, or keeps an order."""

    draws: bool
    lists: bool
    sorts: bool
    keeps_order: bool


@lru_cache(4096)
def _kind_of(name: str) -> _Kind:
    return _Kind(
        draws.draws_random(name), listings.lists_a_folder(name), listings.sorts(name), listings.keeps_order(name)
    )


def _result(
    it: Interpreter, name: str, receiver: Value | None, arguments: Arguments, location: Location, node: ast.AST | None
) -> Value:
    given = arguments.every
    taint = drawn(*given, *([receiver] if receiver is not None else []))
    kind = _kind_of(name)
    if taint and not kind.keeps_order:
        taint = listings.without_listings(taint)
    if kind.draws and not draws.keeps_all_in_order(name, arguments):
        made = draws.draw(name, receiver, arguments, location, it.reseeded)
        return _drawn(it, name, receiver, arguments, taint | {made})
    if kind.lists:
        taint |= {listings.listing(name, location, len(it.run.events))}
    elif kind.sorts:
        taint = listings.settled(taint)
    _note_seed(it, name, arguments)
    result = _modelled(it, name, receiver, arguments, location, node)
    if result is None:
        result = launchers.start(it, name, receiver, arguments, location)
    if result is None:
        result = _trained(it, name, receiver, arguments, location)
    if result is None and isinstance(receiver, Instance) and name.rpartition(".")[2] in _SAME_OBJECT:
        return receiver
    if result is None:
        given_now = _as_it_is(arguments) if name in _JOINING else arguments
        result = Instance(cls=External(name=name), arguments=given_now, location=location)
        member = name.rpartition(".")[2]
        if receiver is not None and (member in READS_A_TEXT or (it.probing and keeps_its_object(member))):
            result.attrs[CALLED_ON] = receiver
    return result.tainted(taint)


def _as_it_is(arguments: Arguments) -> Arguments:
    """Arguments whose lists keep the content that they have now."""
    positional = tuple(
        replace(value, items=list(value.items)) if isinstance(value, ListValue) else value
        for value in arguments.positional
    )
    return replace(arguments, positional=positional)


def _trained(
    it: Interpreter, name: str, receiver: Value | None, arguments: Arguments, location: Location
) -> Value | None:
    """What a training framework does in this call, under any of the names of the receiver's library classes."""
    for candidate in _names(name, receiver):
        result = trainers.run_trainer(it, candidate, receiver, arguments, location)
        if result is not None:
            return result
    return None


def _drawn(it: Interpreter, name: str, receiver: Value | None, arguments: Arguments, taint: frozenset[Draw]) -> Value:
    if draws.changes_in_place(name):
        for target in arguments.positional[:1]:
            if isinstance(target, ListValue):
                items = target.items or [Unknown(reason="an item of a list")]
                shuffled: list[Value] = [item.tainted(taint) for item in items]
                it.journal.set_content(target, shuffled, complete=False)
            elif isinstance(target, Instance):
                it.journal.set(target.attrs, "@shuffled", Const(value=True, draws=taint))
        if isinstance(receiver, Instance | Unknown):
            return receiver.tainted(taint)
        return Const(value=None)
    return Unknown(reason=f"drawn by {name}", draws=taint)


def _note_seed(it: Interpreter, name: str, arguments: Arguments) -> None:
    """While an item is read: a global generator that is seeded with a constant or the index repeats itself."""
    if not it.probing:
        return
    generators = generators_set(name)
    if generators:
        said = seed_text(seed_given(name, arguments))
        reason = f"reseeded with {said} for every item" if said else ""
        it.reseeded = {**it.reseeded, **dict.fromkeys(generators, reason)}


def _modelled(
    it: Interpreter, name: str, receiver: Value | None, arguments: Arguments, location: Location, node: ast.AST | None
) -> Value | None:
    for candidate in _names(name, receiver):
        found = _model_of(candidate)
        if found is not None:
            result = found(registry.ModelCall(it, candidate, receiver, without_absent(arguments), node, location))
            if result is not None:
                return result
    return None


@lru_cache(4096)
def _model_of(name: str) -> registry.Model | None:
    return registry.find(name)


@lru_cache(4096)
def _attribute_model_of(name: str) -> registry.AttributeModel | None:
    return registry.find_attribute(name)


def _names(name: str, receiver: Value | None) -> list[str]:
    """The names under which a model may be registered: for objects of the tree, every library base has a say."""
    if isinstance(receiver, Instance) and isinstance(receiver.cls, ClassValue):
        from cmgan_audit.program.language.classes import library_bases

        method = name.rpartition(".")[2]
        return [f"{base}.{method}" for base in library_bases(receiver.cls) if base != "?"] or [name]
    return [name]


def without_absent(arguments: Arguments) -> Arguments:
    """The arguments without keywords that were certainly not set."""
    if not any(isinstance(value, Absent) for value in arguments.keywords.values()):
        return arguments
    kept = {key: value for key, value in arguments.keywords.items() if not isinstance(value, Absent)}
    return replace(arguments, keywords=kept)


def library_attribute(it: Interpreter, value: Instance, name: str, location: Location) -> Value | None:
    """What an attribute of a library object holds, if a model or its constructor says so."""
    for candidate in _names(f"{value.external_name}.{name}", value):
        found = _attribute_model_of(candidate)
        if found is not None:
            result = found(registry.AttributeRead(it, name, value, location))
            if result is not None:
                return result
    if name == _COMPILED_FROM:
        return value  # torch.compile() is followed as handing its network through
    given = _given_to_constructor(value, name)
    return value if given is None and name == "module" and _is_plain_network(value) else given


def _is_plain_network(value: Instance) -> bool:
    """Whether a network has no `module` of its own: what is asked is a wrapper that is handed through (Accelerate)."""
    from cmgan_audit.program.language.classes import library_bases, order_of_bases

    if isinstance(value.cls, ClassValue):
        own = (base.node for base in order_of_bases(value.cls) if isinstance(base, ClassValue))
        return "torch.nn.Module" in library_bases(value.cls) and not any(map(_stores_module, own))
    return bool(_LAYER.fullmatch(value.external_name))


@lru_cache(512)
def _stores_module(cls: ast.ClassDef) -> bool:
    """Whether the class is itself a wrapper: `self.module = module`, also where its constructor is not followed."""
    places = (node for node in ast.walk(cls) if isinstance(node, ast.Attribute) and node.attr == "module")
    return any(isinstance(node.ctx, ast.Store) for node in places)


def keeps_argument(value: Instance, name: str) -> bool:
    """Whether an attribute of an object holds what its library class was given under the same name."""
    if isinstance(value.cls, ClassValue):
        return any(name in kept and f"@base:{library}" in value.attrs for library, kept in _KEPT_ARGUMENTS.items())
    return name in _KEPT_ARGUMENTS.get(value.external_name, {})


# What a network that torch.compile() returns calls the one that it was given.
_COMPILED_FROM = "_orig_mod"
# Attributes that hold what the constructor was given under the same name, with its position.
_KEPT_ARGUMENTS = {
    "torch.utils.data.DataLoader": {"dataset": 0, "batch_size": 1, "sampler": 3, "num_workers": 5, "drop_last": 8},
    "torch.utils.data.Subset": {"dataset": 0, "indices": 1},
    "torch.utils.data.distributed.DistributedSampler": {"dataset": 0, "shuffle": 3},
    "torch.nn.parallel.DistributedDataParallel": {"module": 0},
    "torch.nn.parallel.DataParallel": {"module": 0},
    "torch.distributed.fsdp.FullyShardedDataParallel": {"module": 0},
    "apex.parallel.DistributedDataParallel": {"module": 0},
    "functools.partial": {"func": 0},
}


def _given_to_constructor(value: Instance, name: str) -> Value | None:
    if isinstance(value.cls, ClassValue):
        for library, kept in _KEPT_ARGUMENTS.items():
            arguments = value.attrs.get(f"@base:{library}")
            if isinstance(arguments, Arguments) and name in kept:
                return arguments.get(name, kept[name])
        return None
    positions = _KEPT_ARGUMENTS.get(value.external_name, {})
    return value.arguments.get(name, positions[name]) if name in positions else None


def special_method(
    it: Interpreter, owner: Instance, name: str, arguments: list[Value], location: Location
) -> Value | None:
    """An operator or protocol method of an object: of the tree's class, or as a model of the library has it."""
    if isinstance(owner.cls, ClassValue):
        from cmgan_audit.program.language.attributes import attribute
        from cmgan_audit.program.language.classes import class_attribute

        if class_attribute(owner.cls, name) is not None:
            method = attribute(it, owner, name, location)
            return it.call(method, Arguments(positional=tuple(arguments)), location)
    full = f"{owner.external_name}.{name}"
    return _modelled(it, full, owner, Arguments(positional=tuple(arguments)), location, None)


def decorated_by_model(it: Interpreter, decorator: Value, value: Value, location: Location) -> Value | None:
    """What a library's decorator makes of a function, if a model says so; else None."""
    arguments = Arguments(positional=(value,))
    if isinstance(decorator, External):
        return _modelled(it, canonical(decorator.name), None, arguments, location, None)
    if isinstance(decorator, BoundMethod) and isinstance(decorator.receiver, Instance):
        name = f"{decorator.receiver.external_name}.{decorator.name}"
        return _modelled(it, name, decorator.receiver, arguments, location, None)
    if isinstance(decorator, Instance) and decorator.external_name:
        return _modelled(it, f"{decorator.external_name}.__call__", decorator, arguments, location, None)
    return None


# Needed by functions above, and itself in need of them: these modules are one interpreter. As modules and behind all
# definitions they are found whichever is loaded first; an import in each function would be carried out at every call,
# which takes longer than many a call.
from cmgan_audit.program.library import builtins, methods, trainers  # noqa: E402
