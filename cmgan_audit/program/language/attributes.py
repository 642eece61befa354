"""Attributes: reading, writing and testing them on every kind of value."""

from __future__ import annotations

import math
from functools import lru_cache

from cmgan_audit.finding import Location
from cmgan_audit.program.domain.joins import Branch, branch_of, filled, join, join_each, join_options
from cmgan_audit.program.domain.reasons import naming
from cmgan_audit.program.domain.values import (
    Absent,
    Arguments,
    BoundMethod,
    Choice,
    ClassValue,
    Const,
    DictValue,
    External,
    FunctionValue,
    GeneratorValue,
    Instance,
    Key,
    ListValue,
    ModuleValue,
    Symbol,
    Unknown,
    Value,
    may_be_absent,
    options_of,
)
from cmgan_audit.program.execution.interpreter import Interpreter
from cmgan_audit.program.execution.trace import StoreEvent
from cmgan_audit.program.language.classes import (
    SuperValue,
    annotated,
    bound,
    class_attribute,
    is_dictionary,
    is_validated,
    library_bases,
    order_of_bases,
)
from cmgan_audit.program.language.validated_models import VALIDATING
from cmgan_audit.program.models.registry import find_object
from cmgan_audit.program.naming.names import canonical

_DICT_METHODS = frozenset(dir(dict))
# What holds the network inside of a wrapper for several GPUs; programs ask for it to see whether there is one.
_INSIDE = "module"
_PI = frozenset({"math.pi", "numpy.pi", "torch.pi"})
_PLAIN_NETWORK = frozenset({"builtins.object", "abc.ABC", "torch.nn.Module", "torch.nn.Sequential"})


def attribute(it: Interpreter, value: Value, name: str, location: Location | None = None) -> Value:
    """The attribute `name` of a value. What a library object's attribute holds stays a `BoundMethod`."""
    match value:
        case Choice():
            return _of_choice(it, value, name, location)
        case External():
            made = find_object(value.name)
            return _member(value.name, name) if made is None else attribute(it, made(it), name, location)
        case ModuleValue():
            return _of_module(it, value, name)
        case Instance():
            return _of_instance(it, value, name, location)
        case ClassValue():
            return _of_class(it, value, name)
        case DictValue():
            return _of_dictionary(it, value, name)
        case SuperValue():
            return _of_super(it, value, name)
        case FunctionValue() if name == "__name__":
            return Const(value=getattr(value.node, "name", "<lambda>"))
        case FunctionValue() if name == "__self__" and value.bound_to is not None:
            return value.bound_to
        case Unknown():
            if name in ("to", "cuda", "cpu", "float", "squeeze", "unsqueeze") or value.draws:
                return BoundMethod(receiver=value, name=name, draws=value.draws)
            return BoundMethod(receiver=value, name=name)
    return BoundMethod(receiver=value, name=name, draws=value.draws)


@lru_cache(4096)
def _member(owner: str, name: str) -> External | Const:
    """A member of a library's module or class; the same names are read in every run."""
    member = canonical(f"{owner}.{name}")
    return Const(value=math.pi) if member in _PI else External(name=member)


def _of_choice(it: Interpreter, value: Choice, name: str, location: Location | None) -> Value:
    """On each option that can have the attribute: a path on which it is None has ended before."""
    sides = []
    with it.doubted():
        for option in options_of(it.read(value)):
            if isinstance(option.value, Absent) or (isinstance(option.value, Const) and option.value.value is None):
                continue
            if name == _INSIDE and has_attribute(it, option.value, name) is False:
                continue
            found = attribute(it, option.value, name, location)
            sides.append((found, branch_of(option)))
    return join(sides) if sides else Unknown(reason=f"None has no attribute {name}")


def _of_module(it: Interpreter, value: ModuleValue, name: str) -> Value:
    from cmgan_audit.program.execution.imports import environment_of, submodule
    from cmgan_audit.program.naming.names import from_star

    scope = environment_of(it, value.module)
    if name in scope.names:
        return it.read(scope.names[name])
    if name == "__dict__":
        return scope.as_dictionary
    child = submodule(it, value.module, name)
    if child is not None:
        return child
    if scope.stars:
        library = from_star(scope.stars, name)
        if library is not None:
            return External(name=library)
    getter = scope.names.get("__getattr__")
    if isinstance(getter, FunctionValue):
        return it.call(getter, Arguments(positional=(Const(value=name),)), Location(value.module.path, 1))
    return Unknown(reason=f"{value.module.name} has no {name}")


def _of_instance(it: Interpreter, value: Instance, name: str, location: Location | None) -> Value:
    if name in value.attrs:
        return it.read(_own(it, value, name, location)).tainted(value.draws)
    if not isinstance(value.cls, ClassValue):
        from cmgan_audit.program.library.answers import library_attribute

        known = library_attribute(it, value, name, location or value.location)
        return known if known is not None else BoundMethod(receiver=value, name=name, draws=value.draws)
    if name == "__class__":
        return value.cls
    if name == "__dict__":
        return DictValue(items=value.attrs)  # type: ignore[arg-type]
    found = class_attribute(value.cls, name)
    if found is not None:
        return _bind(it, found[0], value, location)
    if name in ("__setattr__", "__init__"):
        return BoundMethod(receiver=value, name=name)
    items = value.attrs.get("@items")
    if isinstance(items, DictValue):
        dynamic = isinstance(value.attrs.get("__dict__"), DictValue | Instance) or items.attribute_access
        if dynamic and name in items.items:
            return it.read(held(items, name))
        if dynamic and not items.complete and name not in _DICT_METHODS:
            return not_known(items, name)
        if name in _DICT_METHODS:
            return BoundMethod(receiver=items, name=name)
    getter = class_attribute(value.cls, "__getattr__")
    if getter is not None and isinstance(getter[0], FunctionValue) and not name.startswith("__"):
        place = location or value.location
        return it.call(bound(getter[0], value), Arguments(positional=(Const(value=name),)), place)
    if library_bases(value.cls):
        from cmgan_audit.program.library.answers import library_attribute

        known = library_attribute(it, value, name, location or value.location)
        return known if known is not None else BoundMethod(receiver=value, name=name)
    return Unknown(reason=f"{value.cls.name} has no attribute {name}")


def _own(it: Interpreter, value: Instance, name: str, location: Location | None) -> Value:
    """An attribute of the object itself; on paths where it was not set, the class's."""
    own = value.attrs[name]
    if not isinstance(own, Choice) or not may_be_absent(own):
        return own
    found = class_attribute(value.cls, name) if isinstance(value.cls, ClassValue) else None
    if found is None:
        return present(own)
    return filled(own, _bind(it, found[0], value, location))


def _bind(it: Interpreter, member: Value, owner: Instance, location: Location | None) -> Value:
    """A class attribute read through an object."""
    if isinstance(member, Choice):
        return join_each(member, lambda one: _bind(it, one, owner, location))
    if not isinstance(member, FunctionValue):
        return it.read(member)
    kinds = decorator_names(member)
    if "builtins.staticmethod" in kinds:
        return member
    if "builtins.classmethod" in kinds:
        return bound(member, owner.cls)
    if kinds & {"builtins.property", "functools.cached_property"}:
        return it.call(bound(member, owner), Arguments(), location or owner.location)
    return bound(member, owner)


def decorator_names(function: FunctionValue) -> set[str]:
    """The qualified names of the library decorators of a function."""
    names = set()
    for value in function.decorators:
        if isinstance(value, External):
            names.add(value.name)
        elif isinstance(value, Instance):
            names.add(value.external_name)
        elif isinstance(value, BoundMethod):
            names.add(f".{value.name}")
    return names


def _of_class(it: Interpreter, value: ClassValue, name: str) -> Value:
    found = class_attribute(value, name)
    if found is not None:
        member = found[0]
        if isinstance(member, FunctionValue) and "builtins.classmethod" in decorator_names(member):
            return bound(member, value)
        return it.read(member)
    if name == "__name__":
        return Const(value=value.name)
    if name == "__new__" or (name in VALIDATING and is_validated(value)):
        return BoundMethod(receiver=value, name=name)
    if name == "__annotations__":
        return DictValue(items={field: Unknown(reason="an annotation") for field in annotated(value)})
    for base in library_bases(value):
        if base not in ("?", "builtins.object"):
            return External(name=canonical(f"{base}.{name}"))
    return Unknown(reason=f"{value.name} has no attribute {name}")


def _of_dictionary(it: Interpreter, value: DictValue, name: str) -> Value:
    if value.attribute_access and name in value.items:
        return held(value, name)
    if value.attribute_access and name == "__dict__":
        return DictValue(items=value.items, complete=value.complete, origin=value.origin)  # what vars() gives
    if value.attribute_access and name not in _DICT_METHODS:
        it.note_missing(value)
    if name in _DICT_METHODS and not (value.attribute_access and not value.complete and name not in dir(dict)):
        return BoundMethod(receiver=value, name=name)
    if value.attribute_access and not value.complete:
        return not_known(value, name)
    return BoundMethod(receiver=value, name=name)


def not_known(target: DictValue, key: object) -> Unknown:
    """The value of a key that is not known to be there."""
    where = target.origin or "the dictionary"
    reason = f"{where} has no {key!r}" if target.complete else f"{where} is not known to hold {key!r}"
    return Unknown(reason=naming(reason, where))


def held(target: DictValue, key: Key) -> Value:
    """A known key's item. Where it was not set on some path, an open dictionary may have held it before."""
    value = target.items[key]
    if not isinstance(value, Choice) or target.complete:
        return present(value)
    return filled(value, not_known(target, key))


def present(value: Value) -> Value:
    """A dictionary's item where it is there: the paths on which it is missing end before."""
    if not isinstance(value, Choice):
        return value
    kept = [option for option in value.options if not isinstance(option.value, Absent)]
    if len(kept) == len(value.options):
        return value
    return join_options(kept)


def _of_super(it: Interpreter, value: SuperValue, name: str) -> Value:
    cls = value.owner.cls if isinstance(value.owner, Instance) else value.owner
    if isinstance(cls, ClassValue):
        found = class_attribute(cls, name, after=value.start)
        if found is not None:
            if isinstance(value.owner, Instance):
                return _bind(it, found[0], value.owner, None)
            member = found[0]
            if isinstance(member, FunctionValue) and name != "__new__":  # which is handed the class itself
                return bound(member, value.owner)
            return member
    return BoundMethod(receiver=value, name=name)


def store(it: Interpreter, target: Value, name: str, value: Value, location: Location | None = None) -> None:
    """Assign an attribute; on a choice of objects each option may have been the one."""
    if isinstance(target, Choice):
        for option in target.options:
            if isinstance(option.value, Instance | DictValue):
                old = (
                    option.value.attrs.get(name) if isinstance(option.value, Instance) else option.value.items.get(name)
                )
                new = value if old is None else join([(value, Branch(option.condition)), (old, Branch(""))])
                store(it, option.value, name, new, location)
            elif isinstance(option.value, Unknown):
                store(it, option.value, name, value, location)
        return
    if location is not None:
        it.emit(StoreEvent(location=location, context=it.context, target=target, name=name, value=value))
    if isinstance(target, DictValue):
        it.journal.set_item(target, name, value)
    elif isinstance(target, Instance):
        _store_on_instance(it, target, name, value, location)
    elif isinstance(target, ClassValue):
        it.journal.set(target.namespace, name, value)
    elif isinstance(target, ModuleValue):
        from cmgan_audit.program.execution.imports import environment_of

        it.journal.set(environment_of(it, target.module).names, name, value)
    else:
        it.asked_for.changed(target)


def _store_on_instance(it: Interpreter, target: Instance, name: str, value: Value, location: Location | None) -> None:
    if isinstance(target.cls, ClassValue):
        found = class_attribute(target.cls, f"{name}.setter")
        if found is not None and isinstance(found[0], FunctionValue):
            place = location or target.location
            it.call(bound(found[0], target), Arguments(positional=(value,)), place)
            return
        items = target.attrs.get("@items")
        if name == "__dict__" and is_dictionary(target.cls) and isinstance(items, DictValue):
            # The AttrDict idiom `self.__dict__ = self`: keys are attributes from now on.
            object.__setattr__(items, "attribute_access", True)
            it.journal.set(target.attrs, "__dict__", value)
            return
        setter = class_attribute(target.cls, "__setattr__")
        if setter is not None and isinstance(setter[0], FunctionValue) and not _inside(it, setter[0]):
            place = location or target.location
            it.call(bound(setter[0], target), Arguments(positional=(Const(value=name), value)), place)
            return
        if isinstance(items, DictValue) and items.attribute_access:
            it.journal.set_item(items, name, value)
            return
    if isinstance(value, Choice) and may_be_absent(value):
        value = present(value)
    it.journal.set_attribute(target, name, value)


def _inside(it: Interpreter, function: FunctionValue) -> bool:
    return any(a.function is not None and a.function.node is function.node for a in it.activations)


def has_attribute(it: Interpreter, value: Value, name: str) -> bool | None:
    """Whether a value has an attribute; None when that is not known."""
    match value:
        case Const():
            return hasattr(value.value, name)
        case ListValue():
            return hasattr({"list": list, "tuple": tuple, "set": set}.get(value.kind, object), name) or None
        case DictValue():
            if value.attribute_access and name in value.items and may_be_absent(value.items[name]):
                return None
            if hasattr(dict, name) or (value.attribute_access and name in value.items):
                return True
            return False if value.complete else None
        case ModuleValue():
            found = attribute(it, value, name)
            return None if isinstance(found, Unknown) else True
        case Instance(cls=ClassValue() as cls):
            if class_attribute(cls, name) is not None:
                return True
            if name in value.attrs:
                return None if may_be_absent(value.attrs[name]) else True
            items = value.attrs.get("@items")
            if isinstance(items, DictValue):
                return True if name in items.items or hasattr(dict, name) else (False if items.complete else None)
            if class_attribute(cls, "__getattr__") is not None:
                return None
            return _holds_another(value) if name == _INSIDE else (None if library_bases(cls) else False)
        case ClassValue() if class_attribute(value, name) is not None or hasattr(type, name):
            return True
        case ClassValue():
            return None if library_bases(value) or _is_made_specially(value) else False
        case Instance() if name == _INSIDE:
            return _holds_another(value)
        case Choice():
            verdicts = {has_attribute(it, option.value, name) for option in value.options}
            return verdicts.pop() if len(verdicts) == 1 else None
        case Symbol() | GeneratorValue():
            return None
    return None


def _is_made_specially(cls: ClassValue) -> bool:
    """Whether a metaclass, a keyword of a base or a decorator may give a class what its body does not."""
    return any(isinstance(each, ClassValue) and (each.node.keywords or each.decorators) for each in order_of_bases(cls))


def _holds_another(value: Instance) -> bool | None:
    """Whether a network is a wrapper that holds another as its `module`; None when that is not known."""
    from cmgan_audit.program.library.answers import keeps_argument

    if keeps_argument(value, _INSIDE):
        return True
    if isinstance(value.cls, ClassValue):
        return False if _PLAIN_NETWORK.issuperset(library_bases(value.cls)) else None
    return False if canonical(value.external_name) in _PLAIN_NETWORK else None
