"""Python's own functions and types, computed where their arguments are known."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import Any

from cmgan_audit.finding import Location
from cmgan_audit.program.domain.containers import MOST_ITEMS, known_items, lifted, plain, unique
from cmgan_audit.program.domain.joins import branch_of, join, join_each
from cmgan_audit.program.domain.listings import listings_of, settled, settled_value, without_order
from cmgan_audit.program.domain.numbers import call_symbol, drawn, origin
from cmgan_audit.program.domain.values import (
    NONE,
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
    Symbol,
    Unknown,
    Value,
)
from cmgan_audit.program.execution.branches import truth
from cmgan_audit.program.execution.interpreter import Interpreter, ProgramRaisedError
from cmgan_audit.program.execution.trace import SideBySideEvent
from cmgan_audit.program.language.attributes import attribute
from cmgan_audit.program.language.classes import bare, class_attribute
from cmgan_audit.program.library.attribute_access import (
    attributes_of,
    get_attribute,
    set_attribute,
    set_past_the_class,
    whether_attribute,
)
from cmgan_audit.program.library.dictionaries import fill_dictionary, is_state
from cmgan_audit.program.library.kinds import is_instance, type_of
from cmgan_audit.program.library.texts import evaluate_text

Builtin = Callable[[Interpreter, Arguments, Location], Value | None]

# Functions of constants: computed by Python itself.
_PURE = frozenset("int float str bool abs round min max sum ord chr divmod repr complex bin hex oct ascii".split())


def call_builtin(it: Interpreter, name: str, arguments: Arguments, location: Location) -> Value | None:
    """The result of a function of the module `builtins`; None when it is a library call like any other."""
    handler = _HANDLERS.get(name)
    if handler is not None:
        return handler(it, arguments, location)
    if name in _PURE:
        return _pure(it, name, arguments)
    kind = getattr(builtins, name, None)
    if isinstance(kind, type) and issubclass(kind, BaseException):
        return Instance(cls=External(name=f"builtins.{name}"), arguments=arguments, location=location)
    if name in ("exit", "quit"):
        raise ProgramRaisedError("SystemExit", location)
    return None


def _pure(it: Interpreter, name: str, arguments: Arguments) -> Value:
    values = [it.read(value) for value in arguments.positional]
    for position, value in enumerate(values):
        if isinstance(value, Choice):
            sides = []
            for option in value.options:
                chosen = (*values[:position], option.value, *values[position + 1 :])
                inner = Arguments(positional=chosen, keywords=arguments.keywords, open_kwargs=arguments.open_kwargs)
                sides.append((_pure(it, name, inner), branch_of(option)))
            return join(sides)
    sources = (*values, *arguments.keywords.values())
    contents = [plain(value) for value in values]
    keywords = {key: plain(value) for key, value in arguments.keywords.items()}
    known = None not in contents and None not in keywords.values() and not arguments.open_kwargs
    if known and not (name == "sum" and _has_text(contents)):
        return _computed(name, [c[0] for c in contents if c], {k: v[0] for k, v in keywords.items() if v}, sources)
    if not keywords:
        symbol = call_symbol(name, *values)
        if symbol is not None:
            return symbol
    reason = next((value.reason for value in values if isinstance(value, Unknown)), f"{name}() at run time")
    return Unknown(reason=reason, draws=drawn(*sources), trail=origin(*sources)).made_from(name, sources)


def _has_text(contents: list[Any]) -> bool:
    return any(isinstance(content[0], list) and any(isinstance(i, list) for i in content[0]) for content in contents)


def _computed(name: str, positional: list[Any], keywords: dict[str, Any], sources: tuple[Value, ...]) -> Value:
    if name in ("int", "str", "repr") and any(_huge(value) for value in positional):
        return Unknown(reason="a number that is too long to be written")
    try:
        result = getattr(builtins, name)(*positional, **keywords)
    except (ArithmeticError, TypeError, ValueError, LookupError) as error:
        return Unknown(reason=f"{name}() fails: {error}", draws=drawn(*sources))
    if name in ("max", "min"):
        chosen = [value for value in sources if isinstance(value, Const) and value.value is result]
        sources = (*chosen, *sources)
    return lifted(result, *sources)


def _huge(value: object) -> bool:
    if isinstance(value, int):
        return value.bit_length() > 4096
    return isinstance(value, str) and len(value) > 4000


def _str(it: Interpreter, arguments: Arguments, location: Location) -> Value:
    """`str(path)` and the text of other objects; of plain values it is computed like any pure function."""
    value = it.read(arguments.positional[0]) if len(arguments.positional) == 1 else None
    if isinstance(value, Choice):
        return join_each(value, lambda one: _str(it, Arguments(positional=(one,)), location))
    if isinstance(value, Instance):
        from cmgan_audit.program.library.answers import special_method

        return special_method(it, value, "__str__", [], location) or _pure(it, "str", arguments)
    if isinstance(value, Unknown) and type(value) is not Unknown:
        return value  # the word of an option that must be given, or the content of a file, is a text already
    return _pure(it, "str", arguments)


def _len(it: Interpreter, arguments: Arguments, location: Location) -> Value | None:
    value = it.read(arguments.positional[0]) if arguments.positional else NONE
    if isinstance(value, Choice):
        open_length = Unknown(reason="a length")
        return join_each(value, lambda one: _len(it, Arguments(positional=(one,)), location) or open_length)
    if isinstance(value, Const) and isinstance(value.value, str | bytes):
        return Const(value=len(value.value), trail=value.trail, draws=value.draws)
    if isinstance(value, ListValue | DictValue):
        items, complete = known_items(value)
        return Const(value=len(items), trail=origin(*items)) if complete else _length_of(it, value)
    if isinstance(value, Instance) and isinstance(value.cls, ClassValue):
        found = class_attribute(value.cls, "__len__")
        if found is not None:
            return it.call(attribute(it, value, "__len__", location), Arguments(), location)
    if isinstance(value, External) and value.name == "sys.argv":
        from cmgan_audit.program.library.answers import call_library

        return call_library(it, "sys.argv.__len__", None, Arguments(), location)
    return _length_of(it, value)


def _length_of(it: Interpreter, value: Value) -> Value:
    """A length that is not known. What it is the length of is kept for a setting, which may be asked for it again, for
    a listed folder, whose positions it counts, and while an item is read: it may be a seed."""
    length = Unknown(reason="a length", draws=without_order(drawn(value)))
    kept = it.probing or it.asked_for.is_setting(value) or listings_of(value)
    return length.made_from("len", (value,)) if kept else length


def _sequence(kind: str) -> Builtin:
    def build(it: Interpreter, arguments: Arguments, location: Location) -> Value:
        from cmgan_audit.program.execution.iteration import collected

        if not arguments.positional:
            return ListValue(items=[], kind=kind)
        source = it.read(arguments.positional[0])
        items, complete = collected(it, source, location)
        if kind == "set":
            items, complete = unique(items, complete)
        return ListValue(items=items, kind=kind, complete=complete, draws=source.draws)

    return build


def _dict(it: Interpreter, arguments: Arguments, location: Location) -> Value | None:
    if len(arguments.positional) == 1 and not arguments.keywords and is_state(arguments.positional[0]):
        return None  # it remembers whose tensors it holds
    made = DictValue(items={})
    fill_dictionary(it, made, arguments)
    return made


def _range(it: Interpreter, arguments: Arguments, location: Location) -> Value:
    bounds = [value.value if isinstance(value, Const) else None for value in arguments.positional]
    draws = drawn(*arguments.positional)
    if bounds and len(bounds) <= 3 and all(isinstance(bound, int) for bound in bounds):
        try:
            numbers = range(*[bound for bound in bounds if isinstance(bound, int)])
        except ValueError:
            return Unknown(reason="range() with step zero")
        if len(numbers[:33]) <= 32:  # the length of a huge range is an error of its own
            return ListValue(items=[Const(value=number) for number in numbers], kind="range", draws=draws)
    return Instance(cls=External(name="builtins.range"), arguments=arguments, location=location, draws=draws)


def _enumerate(it: Interpreter, arguments: Arguments, location: Location) -> Value | None:
    source = arguments.get("iterable", 0)
    first = arguments.get("start", 1) or Const(value=0)
    if isinstance(source, ListValue) and isinstance(first, Const) and isinstance(first.value, int):
        pairs: list[Value] = [
            ListValue(items=[Const(value=first.value + position), item], kind="tuple")
            for position, item in enumerate(source.items)
        ]
        return ListValue(items=pairs, complete=source.complete, kind="view", draws=source.draws)
    return None


def _zip(it: Interpreter, arguments: Arguments, location: Location) -> Value | None:
    sources = [it.read(value) for value in arguments.positional]
    parts = [known_items(source) for source in sources]
    if not parts or not all(complete for _, complete in parts) or arguments.keywords:
        orders = tuple(order for order in map(listings_of, sources) if order)
        if len(orders) > 1:
            it.emit(SideBySideEvent(location=location, context=it.context, orders=orders))
        return None
    rows = zip(*(items for items, _ in parts), strict=False)
    return ListValue(items=[ListValue(items=list(row), kind="tuple") for row in rows], kind="view")


def _map(it: Interpreter, arguments: Arguments, location: Location) -> Value:
    from cmgan_audit.program.execution.iteration import collected, element

    if len(arguments.positional) < 2:
        return Unknown(reason="map() without arguments")
    function, *sources = arguments.positional
    parts = [collected(it, source, location) for source in sources]
    if all(complete for _, complete in parts):
        rows = list(zip(*(items for items, _ in parts), strict=False))
        if len(rows) <= 32:
            results = [it.call(function, Arguments(positional=tuple(row)), location) for row in rows]
            return ListValue(items=results, kind="view")
    with it.forks.in_a_pass():
        one = it.call(function, Arguments(positional=tuple(element(it, s, location) for s in sources)), location)
    return ListValue(items=[one], complete=False, kind="view", draws=drawn(one))


def _sorted(it: Interpreter, arguments: Arguments, location: Location) -> Value:
    from cmgan_audit.program.execution.iteration import collected

    source = arguments.get("iterable", 0) or NONE
    items, complete = collected(it, source, location)
    content = plain(ListValue(items=items, complete=complete))
    if content is not None and not arguments.keywords:
        try:
            order = sorted(range(len(items)), key=lambda index: content[0][index])
        except TypeError as error:
            return Unknown(reason=f"sorted() fails: {error}")
        return ListValue(items=[items[index] for index in order], draws=drawn(source))
    return ListValue(items=[settled_value(item) for item in items], complete=False, draws=settled(drawn(source)))


def _reversed(it: Interpreter, arguments: Arguments, location: Location) -> Value:
    source = arguments.get("sequence", 0) or NONE
    items, complete = known_items(source)
    return ListValue(items=items[::-1], complete=complete, kind="view", draws=drawn(source))


def _quantified(anyone: bool) -> Builtin:
    def decide(it: Interpreter, arguments: Arguments, location: Location) -> Value:
        from cmgan_audit.program.execution.iteration import collected

        source = arguments.get("iterable", 0) or NONE
        items, complete = collected(it, source, location)
        verdicts = [truth(it, item) for item in items]
        if anyone in verdicts:
            return Const(value=anyone)
        if complete and None not in verdicts:
            return Const(value=not anyone)
        return Unknown(reason="any() at run time" if anyone else "all() at run time", draws=drawn(source, *items))

    return decide


def _iter(it: Interpreter, arguments: Arguments, location: Location) -> Value | None:
    source = it.read(arguments.positional[0]) if arguments.positional else None
    if isinstance(source, Instance) and isinstance(source.cls, ClassValue):
        own = class_attribute(source.cls, "__iter__")
        if own is not None:
            return it.call(attribute(it, source, "__iter__", location), Arguments(), location)
    return source if isinstance(source, ListValue | DictValue | GeneratorValue) else None


def _next(it: Interpreter, arguments: Arguments, location: Location) -> Value:
    from cmgan_audit.program.execution.iteration import draw_one

    return draw_one(it, arguments.positional[0], location) if arguments.positional else NONE


def _callable(it: Interpreter, arguments: Arguments, location: Location) -> Value:
    value = it.read(arguments.positional[0]) if arguments.positional else NONE
    if isinstance(value, FunctionValue | ClassValue):
        return Const(value=True)
    if isinstance(value, Const | ListValue | DictValue | Symbol):
        return Const(value=False)
    return Unknown(reason="whether something can be called")


def _filter(it: Interpreter, arguments: Arguments, location: Location) -> Value:
    from cmgan_audit.program.execution.iteration import collected

    source = arguments.get("", 1) or NONE
    items, _ = collected(it, source, location)
    return ListValue(items=items[:MOST_ITEMS], complete=False, kind="view", draws=drawn(source))


def _import(it: Interpreter, arguments: Arguments, location: Location) -> Value:
    name = arguments.get("name", 0)
    if isinstance(name, Const) and isinstance(name.value, str):
        return it.import_module(name.value.partition(".")[0])
    return Unknown(reason="the module that is imported")


def _new(it: Interpreter, arguments: Arguments, location: Location) -> Value | None:
    """`object.__new__(cls)`: an object whose constructor has not run."""
    wanted = arguments.get("cls", 0)
    return bare(wanted, arguments, location) if isinstance(wanted, ClassValue) else None


def _property(it: Interpreter, arguments: Arguments, location: Location) -> Value | None:
    """`x = property(getter)` in a class body."""
    import dataclasses

    getter = arguments.get("fget", 0)
    if isinstance(getter, FunctionValue):
        mark = External(name="builtins.property")
        return dataclasses.replace(getter, decorators=(*getter.decorators, mark))
    return None


_HANDLERS: dict[str, Builtin] = {
    "len": _len,
    "list": _sequence("list"),
    "tuple": _sequence("tuple"),
    "set": _sequence("set"),
    "frozenset": _sequence("set"),
    "dict": _dict,
    "range": _range,
    "enumerate": _enumerate,
    "zip": _zip,
    "map": _map,
    "filter": _filter,
    "sorted": _sorted,
    "reversed": _reversed,
    "any": _quantified(anyone=True),
    "all": _quantified(anyone=False),
    "getattr": get_attribute,
    "setattr": set_attribute,
    "object.__setattr__": set_past_the_class,
    "object.__new__": _new,
    "hasattr": whether_attribute,
    "vars": attributes_of,
    "str": _str,
    "isinstance": is_instance,
    "type": type_of,
    "iter": _iter,
    "next": _next,
    "callable": _callable,
    "property": _property,
    "__import__": _import,
    "eval": evaluate_text,
}
