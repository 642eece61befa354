"""The whole number that a name stands for in the test of a branch: `step % args.accumulate`.

A branch that stays open keeps only its source text, so what the run knows is found again by its name.
"""

from __future__ import annotations

import ast
from collections.abc import Container, Iterator, Mapping

from cmgan_audit.facts.bindings import given_to, names_bound
from cmgan_audit.facts.code import Code
from cmgan_audit.facts.scene import Scene
from cmgan_audit.finding import Confidence, Step
from cmgan_audit.program.domain.values import ClassValue, Const, DictValue, Instance, ModuleValue, Value
from cmgan_audit.program.execution.sessions import interpreter_of
from cmgan_audit.program.execution.state import Environment
from cmgan_audit.program.execution.trace import Condition, Context
from cmgan_audit.program.language.classes import class_attribute
from cmgan_audit.rules.record import Fact, Known, Unknown
from cmgan_audit.source.syntax import defaults_of, first_of, last_name


def number_at(code: Code, context: Context, condition: Condition, divisor: ast.expr) -> Fact:
    """The whole number that an expression in the test of a branch stands for."""
    step = Step(condition.location, f"the optimiser steps where {condition.text}")
    if isinstance(divisor, ast.Constant):
        return Known(divisor.value, (step,)) if type(divisor.value) is int else Unknown("no whole number", (step,))
    path = condition.location.path
    given = given_to(code, path, divisor) if isinstance(divisor, ast.Name) else None
    if isinstance(given, ast.Constant) and type(given.value) is int:
        module = code.module(path)
        here = Step(condition.location if module is None else module.location(given), f"{ast.unparse(divisor)} is set")
        return Known(given.value, (here, step))
    # A local name may stand for a setting: `every = config["accumulate"]`.
    found = numbers_behind(code, context, condition, divisor) or (
        numbers_behind(code, context, condition, given) if given else []
    )
    if len({value.value for value in found}) == 1:
        known = found[0]
        confidence = Confidence.MEDIUM if known.overridable else Confidence.HIGH
        return Known(known.value, (*known.trail, step), confidence=confidence)
    return Unknown(f"{ast.unparse(divisor)} is not known", (step,))


def numbers_behind(code: Code, context: Context, condition: Condition, node: ast.expr) -> list[Const]:
    """The whole numbers that a name, an attribute or an item may stand for at a branch."""
    return _global(code, condition.location.path, node) or _numbers_called(code.scene, context, last_name(node))


def _global(code: Code, path: str, name: ast.expr) -> list[Const]:
    """The whole number that a file keeps under a name that the function around does not bind; none for other names.

    Also one that a module, a class or an object keeps that is known by such a name: `settings.ACCUMULATE`.
    """
    around = first_of(code.parents(path, name), ast.FunctionDef)
    bound = frozenset() if around is None else names_bound(around)
    value = _kept(interpreter_of(code.scene.run).environments, path, name, bound)
    return [value] if isinstance(value, Const) and type(value.value) is int else []


def _kept(environments: Mapping[str, Environment], path: str, name: ast.expr, bound: Container[str]) -> Value | None:
    environment = environments.get(path)
    if isinstance(name, ast.Name):
        return None if environment is None or name.id in bound else environment.names.get(name.id)
    owner = _kept(environments, path, name.value, bound) if isinstance(name, ast.Attribute) else None
    if owner is None or not isinstance(name, ast.Attribute):
        return None
    if isinstance(owner, ModuleValue):
        return _kept(environments, owner.module.path, ast.Name(name.attr), ())
    held = owner.attrs.get(name.attr) if isinstance(owner, Instance) else None
    cls = owner.cls if isinstance(owner, Instance) else owner
    found = class_attribute(cls, name.attr) if held is None and isinstance(cls, ClassValue) else None
    return held if found is None else found[0]


def _numbers_called(scene: Scene, context: Context, name: str) -> list[Const]:
    """The whole numbers that a run keeps under a name: parameters, attributes, keys of settings.

    A branch that stays open keeps only its source text, so the number in `step % args.accumulate` is found by its name.
    """
    found: list[Value | None] = [store.value for store in scene.stores if store.name == name]
    calls = {frame.call for frame in context.frames}
    settings: dict[int, DictValue] = {}
    for event in scene.calls:
        given = event.arguments
        if event.location in calls:
            function = next((frame.value for frame in context.frames if frame.call == event.location), None)
            names = [] if function is None else [parameter.arg for parameter in function.node.args.args]
            skipped = int(bool(names) and names[0] in ("self", "cls") and len(given.positional) < len(names))
            bound = dict(zip(names[skipped:], given.positional, strict=False))
            found.append(bound.get(name))
            whole = not given.open_kwargs and given.spread is None
            if function is not None and whole and name not in bound and name not in given.keywords:
                found.append(_default(function.node.args, name))
        found.append(given.keywords.get(name))
        held = [*given.every, event.result]
        settings |= {id(value.items): value for value in held if isinstance(value, DictValue)}
    found += [value.items.get(name) for value in settings.values()]
    if all(value is None for value in found):  # else a section for something else may have a key of that name
        found += _under_key(name, settings)
    return [value for value in found if isinstance(value, Const) and type(value.value) is int]


def _default(parameters: ast.arguments, name: str) -> Value | None:
    """The whole number that a parameter is where it is not given; None for other names."""
    found = next((value for parameter, value in defaults_of(parameters) if parameter.arg == name), None)
    return Const(value=found.value) if isinstance(found, ast.Constant) and type(found.value) is int else None


def _under_key(name: str, settings: dict[int, DictValue]) -> Iterator[Value | None]:
    """What dictionaries keep under a key, and the sections inside them: `config["trainer"]["accumulate"]`."""
    waiting, seen = list(settings.values()), set(settings)
    while waiting:
        items = waiting.pop().items
        yield items.get(name)
        for value in items.values():
            if isinstance(value, DictValue) and id(value.items) not in seen:
                seen.add(id(value.items))
                waiting.append(value)
