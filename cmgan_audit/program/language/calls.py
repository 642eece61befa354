"""Calls: what is called, with which arguments, and who answers: a function or class of the tree, or a library."""

from __future__ import annotations

import ast
from dataclasses import replace
from functools import lru_cache

from cmgan_audit.finding import Location
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.joins import Branch, branch_of
from cmgan_audit.program.domain.listings import without_listings
from cmgan_audit.program.domain.numbers import drawn
from cmgan_audit.program.domain.reasons import naming
from cmgan_audit.program.domain.spreading import spread_items
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
    Instance,
    ListValue,
    ModuleValue,
    Symbol,
    Unknown,
    Value,
)
from cmgan_audit.program.execution.branches import Side, choose
from cmgan_audit.program.execution.interpreter import Interpreter
from cmgan_audit.program.execution.trace import CallEvent
from cmgan_audit.program.language.classes import (
    SuperValue,
    bare,
    bound,
    class_attribute,
    construct,
    construct_library_part,
    constructor_of,
    initialise,
    is_enum,
    is_network,
    library_bases,
    order_of_bases,
)
from cmgan_audit.program.language.functions import call_function
from cmgan_audit.program.language.signatures import may_take
from cmgan_audit.program.language.validated_models import VALIDATING, keywords_of
from cmgan_audit.program.language.weightless import learns_nothing
from cmgan_audit.source.syntax import walk

# Functions that score speech: nothing is learnt through them.
_A_SCORE = regex(r"(compute_|calc_|cal_|get_)?(pesq|e?stoi)(_score|_mos|_wb|_nb)?")


def evaluate_call(it: Interpreter, node: ast.Call) -> Value:
    """The value of a call expression."""
    location = it.location(node)
    if isinstance(node.func, ast.Name) and node.func.id in ("super", "locals", "globals"):
        special = _special(it, node, node.func.id)
        if special is not None:
            return special
    callee = expressions.evaluate(it, node.func)
    return call(it, callee, evaluate_arguments(it, node), location, node)


def evaluate_arguments(it: Interpreter, node: ast.Call) -> Arguments:
    """The arguments of a call, `*` and `**` spread. A literal starts its trail here."""
    positional: list[Value] = []
    keywords: dict[str, Value] = {}
    unknown, spread = "", None
    for item in node.args:
        if isinstance(item, ast.Starred):
            value = it.read(expressions.evaluate(it, item.value))
            items, rest = spread_items(value)
            positional.extend(items)
            # Behind others of unknown length nothing tells which parameters they fill.
            spread = value if rest and not (unknown or items) and item is node.args[-1] else None
            unknown = f"*{it.text(item.value, 40)} of {rest}" if rest else unknown
        else:
            positional.append(_literal(it, expressions.evaluate(it, item), item))
    for keyword in node.keywords:
        value = expressions.evaluate(it, keyword.value)
        if keyword.arg is not None:
            keywords[keyword.arg] = _literal(it, value, keyword.value, keyword.arg)
            continue
        reason = spread_keywords(it, it.read(value), keywords, it.text(keyword.value, 40))
        unknown = reason or unknown
    return Arguments(positional=tuple(positional), keywords=keywords, open_kwargs=unknown, spread=spread)


def spread_keywords(it: Interpreter, value: Value, keywords: dict[str, Value], text: str) -> str:
    """Add the items of `**value`; the result says why there may be more, empty when all are known."""
    if isinstance(value, Instance) and isinstance(value.attrs.get("@items"), DictValue):
        value = value.attrs["@items"]
    if isinstance(value, DictValue):
        for key, item in value.items.items():
            if isinstance(key, str):
                keywords[key] = it.read(item).tainted(value.draws)
        return "" if value.complete else f"**{text} of unknown content"
    if isinstance(value, Choice):
        return _spread_choice(it, value, keywords, text)
    reason = f"**{text} of unknown content"
    return naming(f"{reason}: {value.reason}", value.reason) if isinstance(value, Unknown) else reason


def _spread_choice(it: Interpreter, value: Choice, keywords: dict[str, Value], text: str) -> str:
    from cmgan_audit.program.domain.joins import join

    parts: list[tuple[dict[str, Value], Branch]] = []
    unknown = ""
    for option in value.options:
        inner: dict[str, Value] = {}
        unknown = spread_keywords(it, option.value, inner, text) or unknown
        parts.append((inner, branch_of(option)))
    for name in {name: None for inner, _ in parts for name in inner}:
        keywords[name] = join([(inner.get(name, Absent()), branch) for inner, branch in parts])
    return unknown


def _literal(it: Interpreter, value: Value, node: ast.expr, keyword: str = "") -> Value:
    """The value of an argument; a literal starts its way here. Its text is only made where it is said."""
    if isinstance(value, Const) and not value.trail:
        text = it.text(node)
        return value.via(it.location(node), f"{keyword}={text}" if keyword else text)
    return value


def call(
    it: Interpreter, callee: Value, arguments: Arguments, location: Location, node: ast.AST | None = None
) -> Value:
    """The result of calling any value."""
    it.count()
    callee = it.read(callee)
    match callee:
        case FunctionValue():
            return call_function(it, callee, arguments, location)
        case ClassValue():
            return _call_class(it, callee, arguments, location)
        case External():
            return answers.call_library(it, callee.name, None, arguments, location, node)
        case BoundMethod():
            return call_method(it, callee, arguments, location, node)
        case Instance():
            return _call_instance(it, callee, arguments, location, node)
        case Choice():
            return _call_choice(it, callee, arguments, location, node)
    reason = callee.reason if isinstance(callee, Unknown) else "what is called is not known"
    taint = without_listings(drawn(callee, *arguments.every))
    operands = (callee, *arguments.every)
    result = Unknown(reason=reason, draws=taint).made_from("call", operands, location)
    it.emit(CallEvent(location=location, context=it.context, callee="", arguments=arguments, result=result))
    return result


def _call_class(it: Interpreter, cls: ClassValue, arguments: Arguments, location: Location) -> Value:
    if is_enum(cls):
        return _enum_member(cls, arguments)
    made = class_attribute(cls, "__new__")
    event = CallEvent(
        location=location,
        context=it.context,
        callee=f"{cls.module.name}.{cls.qualname}",
        arguments=arguments,
        result=Unknown(reason="the constructor has not ended"),
    )
    it.emit(event)
    if made is not None and isinstance(made[0], FunctionValue):
        result = _made_by(it, bound(made[0], cls), cls, arguments, location)
    else:
        result = construct(it, cls, arguments, location)
    event.ended(result)
    return result


def _made_by(it: Interpreter, maker: FunctionValue, cls: ClassValue, arguments: Arguments, location: Location) -> Value:
    """What a class gives that makes its objects itself, as one of which there is only one does."""
    if constructor_of(cls) is None:
        construct(it, cls, arguments, location)
        return it.call(maker, arguments, location)
    made = it.call(maker, arguments, location)
    if not isinstance(made, Instance) or not isinstance(made.cls, ClassValue):
        return construct(it, cls, arguments, location)
    if any(isinstance(base, ClassValue) and base.namespace is cls.namespace for base in order_of_bases(made.cls)):
        initialise(it, made, made.cls, arguments, location)
    return made


def _enum_member(cls: ClassValue, arguments: Arguments) -> Value:
    wanted = arguments.get("value", 0)
    for member in cls.namespace.values():
        if isinstance(member, Instance) and isinstance(wanted, Const):
            held = member.attrs.get("value")
            if isinstance(held, Const) and held.value == wanted.value:
                return member
    return Unknown(reason=f"which member of {cls.name} is meant")


def _call_instance(
    it: Interpreter, callee: Instance, arguments: Arguments, location: Location, node: ast.AST | None
) -> Value:
    if not isinstance(callee.cls, ClassValue):
        it.asked_for.called(callee, "__call__")
        return answers.call_library(it, f"{callee.external_name}.__call__", callee, arguments, location, node)
    found = class_attribute(callee.cls, "__call__")
    if found is not None and isinstance(found[0], FunctionValue):
        return call_function(it, bound(found[0], callee), arguments, location)
    forward = class_attribute(callee.cls, "forward")
    if forward is not None and isinstance(forward[0], FunctionValue):
        if _is_no_network(forward[0].node) or (it.probing and learns_nothing(callee, it.built)):
            return call_function(it, bound(forward[0], callee), arguments, location)
    name = f"{callee.cls.module.name}.{callee.cls.qualname}.__call__"
    given = arguments.every
    draws = without_listings(drawn(callee, *given))
    result = Unknown(reason=f"the output of {callee.cls.name}", draws=draws)
    result = result.made_from("network", (callee, *given), location)
    event = CallEvent(
        location=location, context=it.context, callee=name, arguments=arguments, result=result, receiver=callee
    )
    it.emit(event)
    if not is_network(callee.cls) and forward is not None and isinstance(forward[0], FunctionValue):
        return call_function(it, bound(forward[0], callee), arguments, location)
    return result


@lru_cache(maxsize=256)
def _is_no_network(function: ast.AST) -> bool:
    """Whether a `forward` holds a training, or asks for a score: a trainer or a metric that is written as a module."""
    for node in walk(function):
        match node:
            case ast.Call(func=ast.Attribute(attr="backward")):
                return True
            case ast.Call(func=ast.Name(id=name)) | ast.Call(func=ast.Attribute(value=ast.Name(), attr=name)):
                if _A_SCORE.fullmatch(name):
                    return True
    return False


def _call_choice(
    it: Interpreter, callee: Choice, arguments: Arguments, location: Location, node: ast.AST | None
) -> Value:
    """Each option that can be called so; what is None, no callable or takes other arguments ended that path before."""
    able = [o for o in callee.options if not isinstance(o.value, Const | Absent | ListValue | DictValue | Symbol)]
    able = [option for option in able if may_take(option.value, arguments)] or able
    if len(able) == 1:
        return call(it, able[0].value, arguments, location, node)
    if not able:
        return Unknown(reason="what is called is not known")

    def side(value: Value) -> Side[Value]:
        return Side(branches[value], location, lambda: call(it, value, arguments, location, node))

    branches = {option.value: branch_of(option) for option in able}
    return choose(it, [side(value) for value in branches])


def call_method(
    it: Interpreter, method: BoundMethod, arguments: Arguments, location: Location, node: ast.AST | None = None
) -> Value:
    """A method of a constant, a container, `super()` or a library object."""
    receiver = method.receiver
    it.asked_for.called(receiver, method.name)
    if method.name == "__new__":
        wanted = arguments.positional[0] if arguments.positional else receiver
        if isinstance(wanted, ClassValue):
            made = bare(wanted, arguments, location)
            if "typing.NamedTuple" in library_bases(wanted):  # a tuple is filled when it is made
                initialise(it, made, wanted, replace(arguments, positional=arguments.positional[1:]), location)
            return made
    if method.name in VALIDATING and isinstance(receiver, ClassValue):
        validated = arguments.get("obj", 0)
        if isinstance(validated, DictValue):
            return call(it, receiver, keywords_of(validated), location, node)
    if method.name == "__init__" and isinstance(receiver, Instance) and isinstance(receiver.cls, ClassValue):
        initialise(it, receiver, receiver.cls, arguments, location)
        return Const(value=None)
    if isinstance(receiver, SuperValue):
        return _call_super(it, receiver, method.name, arguments, location, node)
    if method.name == "__setattr__" and isinstance(receiver, Instance) and isinstance(receiver.cls, ClassValue):
        written = Arguments(positional=(receiver, *arguments.positional))
        return answers.call_library(it, "builtins.setattr", None, written, location, node)
    if isinstance(receiver, Const | ListValue | DictValue):
        result = methods.container_method(it, receiver, method.name, arguments, location)
        if result is not None:
            return result
        if isinstance(receiver, Const):
            return Unknown(reason=f"{method.name}() of a constant", draws=drawn(receiver, *arguments.positional))
    return answers.call_library(it, _method_name(receiver, method.name), receiver, arguments, location, node)


def _method_name(receiver: Value, name: str) -> str:
    """The qualified name of a method of a library object: its class, and for a chain `a.b.c()` the attributes."""
    if isinstance(receiver, Instance):
        if isinstance(receiver.cls, ClassValue):
            known = [base for base in library_bases(receiver.cls) if base != "?"]
            return f"{known[0] if known else receiver.cls.name}.{name}"
        return f"{receiver.external_name}.{name}"
    if isinstance(receiver, BoundMethod):
        return f"{_method_name(receiver.receiver, receiver.name)}.{name}"
    if isinstance(receiver, DictValue):
        return f"builtins.dict.{name}"
    if isinstance(receiver, ListValue):
        return f"builtins.{receiver.kind}.{name}"
    if isinstance(receiver, ModuleValue):
        return f"{receiver.module.name}.{name}"
    return f"?.{name}"


def _call_super(
    it: Interpreter, receiver: SuperValue, name: str, arguments: Arguments, location: Location, node: ast.AST | None
) -> Value:
    """A method of the library part of an object."""
    owner = receiver.owner
    if not isinstance(owner, Instance) or not isinstance(owner.cls, ClassValue):
        return Unknown(reason="super() of something that is not known")
    if name == "__init__":
        construct_library_part(it, owner, owner.cls, arguments, location)
        return Const(value=None)
    if name == "__setattr__" and len(arguments.positional) == 2 and isinstance(arguments.positional[0], Const):
        it.journal.set(owner.attrs, str(arguments.positional[0].value), arguments.positional[1])
        return Const(value=None)
    if name in ("__getattribute__", "__getattr__") and arguments.positional:
        wanted = arguments.positional[0]
        if isinstance(wanted, Const) and isinstance(wanted.value, str):
            return owner.attrs.get(wanted.value, Unknown(reason=f"no attribute {wanted.value}"))
    items = owner.attrs.get("@items")
    if isinstance(items, DictValue):
        result = methods.container_method(it, items, name, arguments, location)
        if result is not None:
            return result
    return answers.call_library(it, _method_name(owner, name), owner, arguments, location, node)


def _special(it: Interpreter, node: ast.Call, name: str) -> Value | None:
    environment = it.activation.environment
    if environment.scope_of(name) is not None:
        return None
    if name in ("locals", "globals"):
        scope = environment.module_scope if name == "globals" else environment
        return scope.as_dictionary
    function = next((a.function for a in reversed(it.activations) if a.function and a.function.defined_in), None)
    start: Value | None = function.defined_in if function is not None else None
    owner = function.bound_to if function is not None else None
    if owner is None and function is not None and function.qualname.endswith(".__new__"):
        owner = start  # as in `cls.__new__(cls)`: it is handed the class itself
    if node.args:
        start = expressions.evaluate(it, node.args[0])
        owner = expressions.evaluate(it, node.args[1]) if len(node.args) > 1 else None
    if isinstance(start, ClassValue) and owner is not None:
        return SuperValue(start=start, owner=owner)
    return Unknown(reason="super() outside of a method")


# Needed by functions above, and itself in need of them: these modules are one interpreter. As modules and behind all
# definitions they are found whichever is loaded first; an import in each function would be carried out at every call,
# which takes longer than many a call.
from cmgan_audit.program.language import expressions  # noqa: E402
from cmgan_audit.program.library import answers, methods  # noqa: E402
