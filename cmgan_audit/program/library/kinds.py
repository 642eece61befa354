"""`isinstance` and `type`: to which classes a value belongs, as far as that is known."""

from __future__ import annotations

import builtins

from cmgan_audit.finding import Location
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.joins import branch_of, join_outcomes
from cmgan_audit.program.domain.values import (
    Arguments,
    Choice,
    ClassValue,
    Const,
    DictValue,
    External,
    FunctionValue,
    GeneratorValue,
    Instance,
    ListValue,
    ModuleValue,
    Unknown,
    Value,
)
from cmgan_audit.program.execution.interpreter import Interpreter
from cmgan_audit.program.language.classes import is_dictionary, library_bases, order_of_bases
from cmgan_audit.program.naming.names import canonical

_CONCRETE = {
    name: getattr(builtins, name)
    for name in ("int", "float", "str", "bool", "dict", "list", "tuple", "set", "bytes", "complex")
}
# Classes of libraries whose objects are no number, text or container: `isinstance(parser, tuple)` is False.
_NO_BUILTIN = regex(r"(argparse|pathlib|torch\.nn|torch\.optim(\.lr_scheduler)?|torch\.utils\.data)\.[A-Z]\w*")

# torch's classes of schedulers, without the base of them all.
_SCHEDULER = regex(r"torch\.optim\.lr_scheduler\.(?!_?LRScheduler$)[A-Z]\w*")

# Namespaces: their keys are attributes, and they are no dictionaries.
_NAMESPACES = frozenset({"argparse.Namespace", "types.SimpleNamespace"})

# Classes of libraries of which no number and no text is one: settings that are nested.
_NO_SCALAR = regex(r"omegaconf\.(?:[a-z]+\.)*(?:DictConfig|ListConfig|BaseContainer|Container)")
# Those of which no list, and those of which no dictionary is one.
_NO_LIST = regex(r"omegaconf\.(?:[a-z]+\.)*DictConfig")
_NO_DICTIONARY = regex(r"omegaconf\.(?:[a-z]+\.)*ListConfig")

# Classes of which None may be an object; it is none of any other library's.
_MAY_HOLD_NONE = regex(r"(?:builtins\.object|(?:collections(?:\.abc)?|types|typing|typing_extensions)\.\w+)$")


def is_instance(it: Interpreter, arguments: Arguments, location: Location) -> Value:
    """`isinstance(value, kind)`."""
    if len(arguments.positional) != 2:
        return Unknown(reason="isinstance() without a class")
    value, kind = (it.read(argument) for argument in arguments.positional)
    kinds = kind.items if isinstance(kind, ListValue) else [kind]
    if isinstance(value, Choice):
        sides = [(_verdict(option.value, kinds), branch_of(option)) for option in value.options]
        return join_outcomes(sides)
    return _verdict(value, kinds)


def _verdict(value: Value, kinds: list[Value]) -> Value:
    """Whether a value is of one of several classes; where that is open it keeps what was asked."""
    known = _of_kinds(value, kinds)
    if known is not None:
        return Const(value=known)
    verdict = Unknown(reason="the class of an object")
    names = [kind.name for kind in kinds if isinstance(kind, External | ClassValue)]
    if not isinstance(value, Unknown | Instance) or len(names) < len(kinds):
        return verdict
    return verdict.made_from("isinstance", (value, Const(value=" ".join(sorted(names)))))


def _of_kinds(value: Value, kinds: list[Value]) -> bool | None:
    verdicts = [_of_kind(value, kind) for kind in kinds]
    if True in verdicts:
        return True
    return None if None in verdicts else False


def _of_kind(value: Value, kind: Value) -> bool | None:
    if isinstance(kind, Choice):
        possible = {_of_kind(value, option.value) for option in kind.options}
        return possible.pop() if len(possible) == 1 else None
    if isinstance(kind, External) and kind.name.startswith("builtins."):
        concrete = _CONCRETE.get(kind.name.removeprefix("builtins."))
        real = _real_type(value)
        if concrete is not None and real is not None:
            return issubclass(real, concrete)
        if concrete is not None and isinstance(value, Instance) and _NO_BUILTIN.fullmatch(value.external_name):
            return False
    if isinstance(value, DictValue) and value.attribute_access and isinstance(kind, External):
        if canonical(kind.name) == value.made_by:
            return True
        if value.made_by in _NAMESPACES:
            return False if kind.name.removeprefix("builtins.") in _CONCRETE else None
    if isinstance(value, Instance) and isinstance(value.cls, ClassValue):
        return _tree_object_of_kind(value.cls, kind)
    if isinstance(value, Instance) and isinstance(kind, External):
        from cmgan_audit.program.models.registry import bases_of

        if canonical(kind.name) in bases_of(value.external_name):
            return True
        return False if _are_schedulers_apart(canonical(value.external_name), canonical(kind.name)) else None
    if isinstance(value, Instance) and isinstance(kind, ClassValue):
        return False
    if isinstance(value, Const | ListValue | DictValue | FunctionValue | ModuleValue) and isinstance(kind, ClassValue):
        return False
    if isinstance(kind, External) and _is_other_settings(value, kind.name):
        return False
    if isinstance(value, Const) and value.value is None and isinstance(kind, External):
        return None if _MAY_HOLD_NONE.match(kind.name) else False
    return None


def _are_schedulers_apart(name: str, kind: str) -> bool:
    """Whether torch's scheduler of one class is none of another class: each derives from their common base alone."""
    one, other = _SCHEDULER.fullmatch(name), _SCHEDULER.fullmatch(kind)
    return one is not None and other is not None and name != kind


def _is_other_settings(value: Value, name: str) -> bool:
    """Whether a class of settings that are nested has no object of this sort: settings themselves, lists of them."""
    match value:
        case Const():
            return _NO_SCALAR.fullmatch(name) is not None
        case ListValue():
            return _NO_LIST.fullmatch(name) is not None
        case DictValue():
            return _NO_DICTIONARY.fullmatch(name) is not None
    return False


def _tree_object_of_kind(cls: ClassValue, kind: Value) -> bool | None:
    names = library_bases(cls)
    if isinstance(kind, ClassValue):
        own = any(isinstance(base, ClassValue) and base.namespace is kind.namespace for base in order_of_bases(cls))
        return True if own else (None if "?" in names else False)
    if isinstance(kind, External):
        name = canonical(kind.name)
        if name in names or (name == "builtins.dict" and is_dictionary(cls)):
            return True
        plain_bases = {"builtins.object", "torch.nn.Module", "torch.utils.data.Dataset", "abc.ABC"}
        return False if set(names) <= plain_bases else None
    return None


def _real_type(value: Value) -> type | None:
    if isinstance(value, Const):
        return type(value.value)
    if isinstance(value, DictValue):
        return None if value.attribute_access else dict
    if isinstance(value, ListValue):
        return {"list": list, "tuple": tuple, "set": set}.get(value.kind)
    if isinstance(value, FunctionValue | ClassValue | ModuleValue | GeneratorValue):
        return type(_real_type)
    return None


def type_of(it: Interpreter, arguments: Arguments, location: Location) -> Value:
    """`type(value)`."""
    value = it.read(arguments.positional[0]) if arguments.positional else Const(value=None)
    if isinstance(value, Instance):
        return value.cls
    real = _real_type(value)
    if real is not None and real.__name__ in _CONCRETE:
        return External(name=f"builtins.{real.__name__}")
    return Unknown(reason="the class of an object")
