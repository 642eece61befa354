"""Definitions of functions and classes: defaults, decorators and class bodies are executed, function bodies are not."""

from __future__ import annotations

import ast
import dataclasses

from cmgan_audit.finding import Location
from cmgan_audit.program.domain.values import (
    Arguments,
    BoundMethod,
    ClassValue,
    External,
    FunctionValue,
    Instance,
    Unknown,
    Value,
)
from cmgan_audit.program.execution.imports import bind_name
from cmgan_audit.program.execution.interpreter import Activation, Interpreter
from cmgan_audit.program.execution.state import Environment
from cmgan_audit.program.language.classes import enum_members, is_enum
from cmgan_audit.program.naming.names import canonical
from cmgan_audit.source.syntax import NamedFunction, defaults_of


def parameter_defaults(it: Interpreter, spec: ast.arguments) -> dict[str, Value]:
    """The values of the parameters that have a default, evaluated once, when the function is defined."""
    from cmgan_audit.program.language.expressions import evaluate

    return {parameter.arg: evaluate(it, node) for parameter, node in defaults_of(spec)}


def define_function(it: Interpreter, node: NamedFunction) -> None:
    """`def`: the name is bound to the function as its decorators leave it."""
    from cmgan_audit.program.language.expressions import evaluate

    environment = it.activation.environment
    decorators = [evaluate(it, decorator) for decorator in node.decorator_list]
    function = FunctionValue(
        node=node,
        module=it.module,
        qualname=_qualified(it, node.name),
        closure=environment,
        defaults=parameter_defaults(it, node.args),
    )
    value: Value = function
    for decorator, decorator_node in zip(reversed(decorators), reversed(node.decorator_list), strict=True):
        value = decorate(it, decorator, value, it.location(decorator_node))
        if isinstance(decorator, BoundMethod) and decorator.name == "setter":
            _keep_setter(it, node.name, function)
            return
    bind_name(it, environment, node.name, value)


def _qualified(it: Interpreter, name: str) -> str:
    environment = it.activation.environment
    if environment.kind == "class":
        owner = environment.owner
        return f"{owner}.{name}" if owner else name
    function = it.activation.function
    return f"{function.qualname}.<locals>.{name}" if function is not None else name


def _keep_setter(it: Interpreter, name: str, function: FunctionValue) -> None:
    """`@name.setter`: the property stays, the setter is kept beside it."""
    it.journal.set(it.activation.environment.names, f"{name}.setter", function)


def decorate(it: Interpreter, decorator: Value, value: Value, location: Location) -> Value:
    """What a decorator makes of a function or class. A library's decorator leaves it as it is and is remembered."""
    from cmgan_audit.program.library.answers import decorated_by_model

    decorator = it.read(decorator)
    if isinstance(decorator, FunctionValue | ClassValue):
        made = it.call(decorator, Arguments(positional=(value,)), location)
        return value if isinstance(made, Unknown) else made
    if isinstance(decorator, External | Instance | BoundMethod):
        made_by_model = decorated_by_model(it, decorator, value, location)
        if made_by_model is not None:
            return made_by_model
    if isinstance(decorator, External):
        decorator = External(name=canonical(decorator.name))
    if isinstance(value, ClassValue):
        return dataclasses.replace(value, decorators=(*value.decorators, decorator), memo={})
    if isinstance(value, FunctionValue):
        return dataclasses.replace(value, decorators=(*value.decorators, decorator))
    return value


def declare(it: Interpreter, node: ast.Global | ast.Nonlocal) -> None:
    """`global x` / `nonlocal x`: later assignments in this scope go elsewhere."""
    environment = it.activation.environment
    names = environment.global_names if isinstance(node, ast.Global) else environment.outer_names
    names.update(node.names)


def define_class(it: Interpreter, node: ast.ClassDef) -> None:
    """`class`: bases and body are executed; methods learn to which class they belong."""
    from cmgan_audit.program.language.expressions import evaluate
    from cmgan_audit.program.language.statements import execute_block

    outer = it.activation
    decorators = [evaluate(it, decorator) for decorator in node.decorator_list]
    bases = tuple(_base(evaluate(it, base)) for base in node.bases if not isinstance(base, ast.Starred))
    for keyword in node.keywords:
        evaluate(it, keyword.value)
    environment = Environment(outer.module, "class", outer.environment)
    environment.owner = _qualified(it, node.name)
    cls = ClassValue(
        node=node,
        module=outer.module,
        qualname=environment.owner,
        bases=bases,
        closure=outer.environment,
        namespace=environment.names,
    )
    inner = Activation(outer.module, environment, outer.function)
    inner.outer, inner.outer_facts = outer.outer, outer.outer_facts
    it.activations.append(inner)
    try:
        execute_block(it, node.body)
    finally:
        it.activations.pop()
    for name, value in list(environment.names.items()):
        if isinstance(value, FunctionValue) and value.defined_in is None and value.closure is environment:
            environment.names[name] = dataclasses.replace(value, defined_in=cls)
    if is_enum(cls):
        enum_members(cls, it.location(node))
    made: Value = cls
    for decorator, decorator_node in zip(reversed(decorators), reversed(node.decorator_list), strict=True):
        made = decorate(it, decorator, made, it.location(decorator_node))
    bind_name(it, outer.environment, node.name, made)


def _base(value: Value) -> Value:
    """A base class; library calls that make one (`namedtuple(...)`) stand for their result."""
    if isinstance(value, External):
        return External(name=canonical(value.name))
    if isinstance(value, Instance) and value.external_name:
        return External(name=value.external_name)
    return value
