"""Classes of the tree: where an attribute is found, which libraries they derive from, how an object is made."""

from __future__ import annotations

import ast

from cmgan_audit.finding import Location
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.domain.values import (
    Absent,
    Arguments,
    ClassValue,
    Const,
    DictValue,
    External,
    FunctionValue,
    Instance,
    Unknown,
    Value,
    changed,
    options_of,
)
from cmgan_audit.program.execution.interpreter import Interpreter
from cmgan_audit.program.execution.trace import CallEvent
from cmgan_audit.program.naming.names import canonical

_MODULES = frozenset(
    {
        "torch.nn.Module",
        "torch.nn.Sequential",
        "torch.nn.ModuleList",
        "torch.nn.ModuleDict",
        "torch.jit.ScriptModule",
        "lightning.pytorch.LightningModule",
        "lightning.LightningModule",
    }
)
_DICTIONARIES = frozenset(
    {"builtins.dict", "collections.OrderedDict", "collections.UserDict", "collections.defaultdict"}
)
_ITEM_GETTERS = frozenset(f"{name}.{method}" for name in _DICTIONARIES for method in ("__getitem__", "get"))
_MODELS = frozenset({"pydantic.BaseModel", "pydantic.BaseSettings", "pydantic_settings.BaseSettings"})
MOST_BASES = 40
MOST_VISITS = 400  # of bases of bases, of which some are shared by many


@dataclass(frozen=True, slots=True, kw_only=True)
class SuperValue(Value):
    """`super()`: attributes are looked up after `start` in the order of bases of the object's class."""

    start: ClassValue
    owner: Value


def order_of_bases(cls: ClassValue) -> list[Value]:
    """The class and its bases in the order in which attributes are looked up, libraries' included."""
    known = cls.memo.get("order")
    if known is not None:
        return known
    found: list[Value] = []
    above: list[Value] = []  # the classes whose bases are being gone through
    visits = 0

    def visit(value: Value) -> None:
        nonlocal visits
        for option in options_of(value):
            base = option.value
            visits += 1
            if len(found) >= MOST_BASES or visits > MOST_VISITS or any(_same_class(base, each) for each in above):
                return
            # A shared base comes after everything that derives from it.
            found[:] = [known for known in found if not _same_class(base, known)]
            found.append(base)
            if isinstance(base, ClassValue):
                above.append(base)
                for inner in base.bases:
                    visit(inner)
                above.pop()

    visit(cls)
    cls.memo["order"] = found
    return found


def _same_class(left: Value, right: Value) -> bool:
    if isinstance(left, ClassValue) and isinstance(right, ClassValue):
        return left.namespace is right.namespace
    return isinstance(left, External) and isinstance(right, External) and left.name == right.name


def class_attribute(cls: ClassValue, name: str, after: ClassValue | None = None) -> tuple[Value, ClassValue] | None:
    """What a class attribute holds and which class has it; with `after`, only classes behind that one."""
    skipping = after is not None
    for base in order_of_bases(cls):
        if not isinstance(base, ClassValue):
            continue
        if skipping:
            skipping = not (after is not None and _same_class(base, after))
            continue
        if name in base.namespace:
            return base.namespace[name], base
    return None


def constructor_of(cls: ClassValue) -> FunctionValue | None:
    """The constructor of a class, its own or one that it inherits within the tree."""
    found = class_attribute(cls, "__init__")
    return found[0] if found is not None and isinstance(found[0], FunctionValue) else None


def library_bases(cls: ClassValue) -> list[str]:
    """The qualified names of the library classes that a class derives from; "?" for a base that is not known."""
    names = []
    for base in order_of_bases(cls):
        if isinstance(base, External):
            names.append(canonical(base.name))
        elif not isinstance(base, ClassValue):
            names.append("?")
    return names


def is_network(cls: ClassValue) -> bool:
    """Whether objects of the class are torch modules."""
    return any(name in _MODULES for name in library_bases(cls))


def is_dictionary(cls: ClassValue) -> bool:
    """Whether objects of the class are dictionaries."""
    return any(name in _DICTIONARIES for name in library_bases(cls))


def _reads_items(cls: ClassValue) -> bool:
    """Whether a dictionary's attributes are its items: `__getattr__ = dict.__getitem__`."""
    getter = class_attribute(cls, "__getattr__")
    return getter is not None and isinstance(getter[0], External) and getter[0].name in _ITEM_GETTERS


def is_enum(cls: ClassValue) -> bool:
    """Whether the class is an enumeration."""
    return any(name in ("enum.Enum", "enum.IntEnum", "enum.StrEnum", "enum.Flag") for name in library_bases(cls))


def is_dataclass(cls: ClassValue) -> bool:
    """Whether the class takes its fields as constructor arguments without writing a constructor."""
    for base in order_of_bases(cls):
        if isinstance(base, ClassValue) and any(_is_dataclass_decorator(item) for item in base.decorators):
            return True
    return "typing.NamedTuple" in library_bases(cls) or is_validated(cls)


def is_validated(cls: ClassValue) -> bool:
    """Whether what the fields of a class are given becomes what their annotations say: a model of pydantic."""
    return not _MODELS.isdisjoint(library_bases(cls))


def _is_dataclass_decorator(value: Value) -> bool:
    name = value.name if isinstance(value, External) else value.external_name if isinstance(value, Instance) else ""
    return name in ("dataclasses.dataclass", "attr.s", "attr.define", "attrs.define", "pydantic.dataclasses.dataclass")


def construct(it: Interpreter, cls: ClassValue, arguments: Arguments, location: Location) -> Value:
    """A new object of a class of the tree, its constructor executed."""
    instance = bare(cls, arguments, location)
    if not _is_known_layer(it, cls, instance):
        initialise(it, instance, cls, arguments, location)
    return instance


def bare(cls: ClassValue, arguments: Arguments, location: Location) -> Instance:
    """An object of a class of the tree as `object.__new__` gives it: its constructor has not run."""
    instance = Instance(cls=cls, arguments=arguments, location=location)
    if is_dictionary(cls):
        instance.attrs["@items"] = DictValue(items={}, attribute_access=_reads_items(cls))
    return instance


def initialise(it: Interpreter, instance: Instance, cls: ClassValue, arguments: Arguments, location: Location) -> None:
    """Execute the constructor that a class has: its own, that of a dataclass, or a library's."""
    constructor = constructor_of(cls)
    if constructor is not None:
        result = it.call(bound(constructor, instance), arguments, location)
        items = instance.attrs.get("@items")
        if isinstance(result, Unknown) and isinstance(items, DictValue):  # what it would have put there is not known
            it.journal.set_open(items)
    elif is_dataclass(cls):
        _fill_fields(it, instance, arguments, location)
    else:
        construct_library_part(it, instance, cls, arguments, location)


def _is_known_layer(it: Interpreter, cls: ClassValue, instance: Instance) -> bool:
    """A layer that a network builds again and again is followed once: what it is made of does not change."""
    if not is_network(cls) or not any(_builds_network(frame.value) for frame in it.context.frames):
        return False
    if cls.node in it.built:
        return True
    it.built[cls.node] = instance
    return False


def _builds_network(function: FunctionValue | None) -> bool:
    return (
        function is not None
        and function.defined_in is not None
        and function.qualname.endswith(".__init__")
        and is_network(function.defined_in)
    )


def given_to_library(value: Value | None, library: str) -> Arguments:
    """What an object of a library was made with, also where that is the base of a class of the tree.

    `library` is what the names of the library's classes begin with.
    """
    if not isinstance(value, Instance):
        return Arguments()
    bases = (given for key, given in value.attrs.items() if key.startswith(f"@base:{library}"))
    return next((each for each in bases if isinstance(each, Arguments)), value.arguments)


def construct_library_part(
    it: Interpreter, instance: Instance, cls: ClassValue, arguments: Arguments, location: Location
) -> None:
    """The constructor of a library base: it looks like a call of that class, with the object as its result.

    What the base was given is kept in the object under "@base:" and the base's name.
    """
    from cmgan_audit.program.library.answers import without_absent
    from cmgan_audit.program.library.dictionaries import fill_dictionary
    from cmgan_audit.program.models.registry import ModelCall, find

    for name in library_bases(cls):
        if name in ("?", "builtins.object", "typing.Generic", "abc.ABC", "typing.Protocol"):
            continue
        it.journal.set(instance.attrs, f"@base:{name}", arguments)
        items = instance.attrs.get("@items")
        if name in _DICTIONARIES and isinstance(items, DictValue):
            fill_dictionary(it, items, arguments)
            return
        event = CallEvent(
            location=location,
            context=it.context,
            callee=name,
            arguments=arguments,
            result=instance,
            receiver=instance,
        )
        it.emit(event)
        constructor = find(f"{name}.__init__")
        if constructor is not None:
            constructor(ModelCall(it, f"{name}.__init__", instance, without_absent(arguments), None, location))
        return


def _fill_fields(it: Interpreter, instance: Instance, arguments: Arguments, location: Location) -> None:
    cls = instance.cls
    if not isinstance(cls, ClassValue):
        return
    from cmgan_audit.program.language.validated_models import given_to_fields, validate_after

    validated = is_validated(cls)
    if validated:
        arguments = given_to_fields(it, cls, arguments, location)
    names = field_names(cls)
    for position, name in enumerate(names):
        given = arguments.get(name, position)
        default = class_attribute(cls, name)
        if given is not None and not isinstance(given, Absent):
            it.journal.set_attribute(instance, name, given.via(location, f"passed as {name} to {cls.name}"))
        elif default is not None:
            it.journal.set(instance.attrs, name, _field_default(it, default[0], location))
        elif arguments.open_kwargs:
            it.journal.set(instance.attrs, name, Unknown(reason=arguments.open_kwargs))
    after = class_attribute(cls, "__post_init__")
    if after is not None and isinstance(after[0], FunctionValue):
        it.call(bound(after[0], instance), Arguments(), location)
    if validated:
        validate_after(it, instance, cls, location)


def field_names(cls: ClassValue) -> list[str]:
    """The annotated fields of a dataclass, those of its bases first."""
    bases = (base for base in reversed(order_of_bases(cls)) if isinstance(base, ClassValue))
    annotated = (node for base in bases for node in base.node.body if isinstance(node, ast.AnnAssign))
    names = dict.fromkeys(
        node.target.id
        for node in annotated
        if isinstance(node.target, ast.Name) and "ClassVar" not in ast.dump(node.annotation)
    )
    return list(names)


def annotated(cls: ClassValue) -> list[str]:
    """The names that the body of a class annotates: the keys of its `__annotations__`."""
    told = (node.target for node in cls.node.body if isinstance(node, ast.AnnAssign))
    return [target.id for target in told if isinstance(target, ast.Name)]


def _field_default(it: Interpreter, value: Value, location: Location) -> Value:
    """The default of a field: `field(default=...)` and `field(default_factory=...)` are opened."""
    if isinstance(value, Instance) and value.external_name in ("dataclasses.field", "pydantic.Field", "attr.ib"):
        factory = value.arguments.get("default_factory") or value.arguments.get("factory")
        if factory is not None:
            return it.call(factory, Arguments(), location)
        default = value.arguments.get("default", 0 if value.external_name != "dataclasses.field" else None)
        return default if default is not None else Unknown(reason="a field without a default")
    return value


def bound(function: FunctionValue, owner: Value) -> FunctionValue:
    """A function of a class as a method of an object or a class."""
    return changed(function, "bound_to", owner)


def enum_members(cls: ClassValue, location: Location) -> None:
    """Turn the values in the body of an enumeration into its members, each one object."""
    for name, value in list(cls.namespace.items()):
        if name.startswith("_") or isinstance(value, FunctionValue | ClassValue):
            continue
        member = Instance(cls=cls, arguments=Arguments(), location=location)
        member.attrs.update({"name": Const(value=name), "value": value})
        cls.namespace[name] = member
