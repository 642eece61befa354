"""Calls of the tree's own functions: parameters are bound, the body is executed, what it returns is joined."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from functools import lru_cache

from cmgan_audit.finding import Location
from cmgan_audit.program.domain.joins import Branch, filled, join, same
from cmgan_audit.program.domain.numbers import drawn
from cmgan_audit.program.domain.values import (
    Absent,
    Arguments,
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
    Option,
    Symbol,
    Unknown,
    Value,
    changed,
    may_be_absent,
)
from cmgan_audit.program.execution.branches import Flow, arrive
from cmgan_audit.program.execution.interpreter import (
    MOST_CALLS_DEEP,
    Activation,
    Interpreter,
    ProgramRaisedError,
    joined,
)
from cmgan_audit.program.execution.kernels import left_out
from cmgan_audit.program.execution.state import Environment
from cmgan_audit.program.execution.trace import GRADIENT_MODES, MAYBE, NO_GRADIENTS, CallEvent, Frame
from cmgan_audit.program.language.attributes import decorator_names
from cmgan_audit.program.language.classes import order_of_bases
from cmgan_audit.source.syntax import own_nodes, positional_parameters

# How often a function may be on the way at once: twice, and once for each level of nested data that it goes down.
MOST_OWN_CALLS = 2
MOST_LEVELS = 8

# Decorators through which a configuration, which is not followed, fills parameters in.
_FILLERS = {
    "gin.configurable": "gin",
    "gin.register": "gin",
    "gin.config.configurable": "gin",
    "gin.config.register": "gin",
}

# Decorators that are in force while the function runs, as if its body stood in a `with`.
_MANAGERS = frozenset({*GRADIENT_MODES, "torch.autocast"})


def qualified(function: FunctionValue) -> str:
    """Module and name of a function, as events spell it."""
    return f"{function.module.name}.{function.qualname}"


_YIELDS = frozenset({ast.Yield, ast.YieldFrom})


@lru_cache(256)  # not more: what is remembered keeps the syntax tree of its function
def is_generator(node: ast.AST) -> bool:
    """Whether calling the function makes a generator."""
    return any(type(inner) in _YIELDS for inner in own_nodes(node))


def call_function(it: Interpreter, function: FunctionValue, arguments: Arguments, location: Location) -> Value:
    """The result of calling a function of the tree; the call is an event, and so is what happens inside."""
    event = CallEvent(
        location=location,
        context=it.context,
        callee=qualified(function),
        arguments=arguments,
        result=Unknown(reason="the call has not ended"),
        receiver=function.bound_to,
    )
    it.emit(event)
    if is_generator(function.node):
        result: Value = GeneratorValue(function=function, arguments=arguments, location=location)
    else:
        result = run_body(it, function, arguments, location)
    event.ended(result)
    return result


def run_body(
    it: Interpreter,
    function: FunctionValue,
    arguments: Arguments,
    location: Location,
    activation: Activation | None = None,
) -> Value:
    """Execute a function's body with bound parameters and join what its paths return."""
    depth = len(it.activations)
    level = sum(1 for frame in it.context.frames if _is_same(frame.value, function))
    if level >= MOST_OWN_CALLS and not (level < MOST_LEVELS and _goes_down(it, function, arguments)):
        return Unknown(reason=f"{function.qualname} calls itself")
    if depth >= MOST_CALLS_DEEP:
        it.limit(location, f"calls are nested deeper than {MOST_CALLS_DEEP}; {function.qualname} is not followed")
        return Unknown(reason="calls are nested too deeply")
    it.executed.setdefault(function.node, function)
    if left_out(it, function, arguments):
        given = arguments.every
        return Unknown(reason=f"a number that {function.qualname} computes", draws=drawn(*given))
    closure = function.closure
    parent = closure if isinstance(closure, Environment) else None
    environment = Environment(function.module, "function", parent)
    environment.names.update(bind(it, function, arguments, location))
    if activation is None:
        activation = Activation(function.module, environment)
    activation.module, activation.environment, activation.function = function.module, environment, function
    managers = [name for each in function.decorators for name in managers_of(each) if _is_followed(name)]
    frame = Frame(function.qualname, location, function)
    mark = it.journal.mark()
    with it.activated(activation, frame, managers):
        result = _execute(it, function, activation)
    it.forget_names(environment, mark)
    return result


def _is_same(one: FunctionValue | None, other: FunctionValue) -> bool:
    """Whether two functions are one, whatever they are bound to; what a decorator makes is another one each time."""
    return one is not None and one.node is other.node and one.closure is other.closure


def _goes_down(it: Interpreter, function: FunctionValue, arguments: Arguments) -> bool:
    """Whether a function that calls itself works on an item of what it was given, as those for nested settings do."""
    above = next(each for each in reversed(it.activations) if _is_same(each.function, function))
    spec = function.node.args
    parameters = [*spec.posonlyargs, *spec.args, *spec.kwonlyargs, *filter(None, (spec.vararg, spec.kwarg))]
    scopes = [(parameter.arg, above.environment.scope_of(parameter.arg)) for parameter in parameters]
    held = _items(it, [scope.names[name] for name, scope in scopes if scope is not None])
    spread = _items(it, held) if arguments.keywords else []  # `**item`: its items are what is given
    given = map(it.read, arguments.every)
    return any(same(value, item) for value in given for item in (*held, *spread))


def _items(it: Interpreter, values: Iterable[Value]) -> list[Value]:
    """The items of those values that are dictionaries, of the tree's own classes too, or lists."""
    found: list[Value] = []
    for each in map(it.read, values):
        if isinstance(each, Instance):
            each = each.attrs.get("@items", each)
        if isinstance(each, DictValue):
            found += map(it.read, each.items.values())
        elif isinstance(each, ListValue):
            found += map(it.read, each.items)
    return found


def _execute(it: Interpreter, function: FunctionValue, activation: Activation) -> Value:
    from cmgan_audit.program.language.expressions import evaluate
    from cmgan_audit.program.language.statements import execute_block

    if isinstance(function.node, ast.Lambda):
        return evaluate(it, function.node.body)
    try:
        flow = execute_block(it, function.node.body)
    except ProgramRaisedError:
        if not activation.returns:
            it.exits = [leaving for leaving in it.exits if leaving.owner is not activation]
            raise
        arrive(it, Flow.RETURN, activation, 0, alone=True)
    else:
        if flow is not Flow.RETURN:
            record_return(it, activation, Const(value=None))
        arrive(it, Flow.RETURN, activation, 0, alone=False)
    return joined(activation.returns)


def record_return(it: Interpreter, activation: Activation, value: Value) -> None:
    """Keep a returned value with the conditions, inside this call, under which it is returned."""
    inside = it.context.conditions[len(activation.outer.conditions) :]
    text = " and ".join(condition.text for condition in inside)
    activation.returns.append(Option(value, text, it.facts - activation.outer_facts))


def bind(it: Interpreter, function: FunctionValue, arguments: Arguments, location: Location) -> dict[str, Value]:
    """The names of a function's parameters with their values for one call."""
    spec = function.node.args
    positional = list(arguments.positional)
    if function.bound_to is not None:
        positional.insert(0, function.bound_to)
    keywords = dict(arguments.keywords)
    names: dict[str, Value] = {}
    ordered = positional_parameters(spec)
    for place, parameter in enumerate(ordered):
        own = function.bound_to is not None and place == 0
        if place < len(positional):
            given: Value | None = positional[place]
        else:
            given = keywords.pop(parameter.arg, None)
        names[parameter.arg] = (
            given
            if own and given is not None
            else _bound(function, parameter, given, arguments, location, place - len(positional))
        )
    rest = positional[len(ordered) :]
    if spec.vararg is not None:
        open_ended = "*" in arguments.open_kwargs and "**" not in arguments.open_kwargs
        names[spec.vararg.arg] = ListValue(items=rest, kind="tuple", complete=not open_ended)
    for parameter in spec.kwonlyargs:
        given = keywords.pop(parameter.arg, None)
        names[parameter.arg] = _bound(function, parameter, given, arguments, location)
    if spec.kwarg is not None:
        rest_by_name: dict[Key, Value] = {}
        rest_by_name.update(keywords.items())
        names[spec.kwarg.arg] = DictValue(
            items=rest_by_name, complete=not arguments.open_kwargs, origin=arguments.open_kwargs
        )
    return names


def _bound(
    function: FunctionValue,
    parameter: ast.arg,
    given: Value | None,
    arguments: Arguments,
    location: Location,
    place: int = -1,
) -> Value:
    """What a parameter gets; `place` is its number among those that come behind all that are known by position."""
    default = function.defaults.get(parameter.arg)
    name = function.qualname
    if given is None or isinstance(given, Absent):
        filler = _filler(function)
        if filler:
            return Unknown(reason=f"{filler} may set {parameter.arg} of {name}")
        fallback = _default(function, parameter, default)
        if not arguments.open_kwargs:
            return fallback
        unknown = Unknown(reason=arguments.open_kwargs)
        if arguments.spread is not None and place >= 0:
            unknown = unknown.made_from("[]", (arguments.spread, Const(value=place)), location)
        return unknown if default is None else join([(fallback, Branch("")), (unknown, Branch(""))])
    if isinstance(given, Choice) and may_be_absent(given):
        given = filled(given, _default(function, parameter, default))
    if isinstance(given, Const | Symbol | Choice | Unknown):
        return passed(given, location, f"passed as {parameter.arg} to {name}")
    return given


def _filler(function: FunctionValue) -> str:
    """The library that gives a function, or the class that it makes, what a call leaves out; "" where there is none."""
    if function.decorators:
        for name in decorator_names(function):
            if name in _FILLERS:
                return _FILLERS[name]
    made, owner = function.defined_in, function.bound_to
    if made is None or not isinstance(owner, Instance) or not isinstance(owner.cls, ClassValue):
        return ""
    if not function.qualname.endswith(".__init__"):
        return ""
    for value in (decorator for cls in _constructed_by(owner.cls, made) for decorator in cls.decorators):
        name = value.name if isinstance(value, External) else getattr(value, "external_name", "")
        if name in _FILLERS:
            return _FILLERS[name]
    return ""


def _constructed_by(cls: ClassValue, made: ClassValue) -> list[ClassValue]:
    """The class that defines a constructor, and those before it that have none of their own."""
    found: list[ClassValue] = []
    for base in order_of_bases(cls):
        if not isinstance(base, ClassValue):
            continue
        if base.node is made.node:
            return [*found, base]
        found = [] if "__init__" in base.namespace else [*found, base]
    return []


def passed(value: Value, location: Location, note: str) -> Value:
    """The value after being handed to a call: no step when its last one stands in that call already."""
    if value.trail and _within(value.trail[-1].location, location):
        return value
    if isinstance(value, Choice):
        options = tuple(
            Option(passed(option.value, location, note), option.condition, option.facts) for option in value.options
        )
        return changed(value, "options", options)
    return value.via(location, note)


def _within(inner: Location, outer: Location) -> bool:
    if inner.path != outer.path or outer.end_line is None:
        return False
    start, end = (outer.line, outer.column), (outer.end_line, outer.end_column or 0)
    return start <= (inner.line, inner.column) < end


def _default(function: FunctionValue, parameter: ast.arg, default: Value | None) -> Value:
    if default is None:
        return Unknown(reason=f"nothing is passed as {parameter.arg} to {function.qualname}")
    if isinstance(default, Const) and not default.trail:
        place = function.module.location(parameter)
        return default.via(place, f"{parameter.arg} defaults to {default.value!r} in {function.qualname}")
    return default


def is_context_manager(function: FunctionValue) -> bool:
    """Whether a generator function is made for `with`."""
    return bool(decorator_names(function) & {"contextlib.contextmanager", "contextlib.asynccontextmanager"})


def managers_of(value: Value) -> tuple[str, ...]:
    """The names under which a `with` item or decorator is in force; where a branch chose it, those it may have."""
    if isinstance(value, Choice):
        names = [name for option in value.options for name in managers_of(option.value)]
        without_gradients = [name for name in names if name in NO_GRADIENTS]
        if len(without_gradients) == len(value.options):
            return (without_gradients[0],)  # `inference_mode() if there is one else no_grad()`
        # `with torch.no_grad() if evaluating else nullcontext():` is in force only on one path.
        return tuple(f"{MAYBE}{name}" for name in dict.fromkeys(without_gradients))
    if isinstance(value, External):
        return (value.name,)
    if not isinstance(value, Instance) or not value.external_name:
        return ()
    mode = value.arguments.get("mode", 0)
    if value.external_name == "torch.set_grad_enabled":
        known = f"torch.set_grad_enabled({bool(mode.value)})" if isinstance(mode, Const) else ""
        return (known or f"{MAYBE}torch.no_grad",)
    if value.external_name == "torch.inference_mode" and mode is not None:
        if not isinstance(mode, Const):
            return (f"{MAYBE}torch.inference_mode",)
        return (value.external_name,) if mode.value else ()
    return (value.external_name,)


def _is_followed(manager: str) -> bool:
    """Whether it is of interest that a function is decorated with a manager."""
    return manager.removeprefix(MAYBE).partition("(")[0] in _MANAGERS
