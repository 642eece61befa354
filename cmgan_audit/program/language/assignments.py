"""Assignments: to names, attributes, items and patterns. A value notes where it became a setting."""

from __future__ import annotations

import ast

from cmgan_audit.finding import Location
from cmgan_audit.program.domain.containers import known_items
from cmgan_audit.program.domain.numbers import drawn
from cmgan_audit.program.domain.values import (
    Arguments,
    Choice,
    Const,
    External,
    Symbol,
    Unknown,
    Value,
    options_of,
)
from cmgan_audit.program.execution.imports import bind_name
from cmgan_audit.program.execution.interpreter import Interpreter
from cmgan_audit.program.execution.trace import CallEvent
from cmgan_audit.program.language.attributes import store
from cmgan_audit.program.language.subscripts import delete_item, evaluate_slice, store_item


def execute_assign(it: Interpreter, targets: list[ast.expr], value: Value, source: ast.expr) -> None:
    """`a = b = value`."""
    for target in targets:
        assign(it, target, noted(it, target, value, source))


def noted(it: Interpreter, target: ast.expr, value: Value, source: ast.expr) -> Value:
    """The value with a step for this assignment: where a constant starts its way, or becomes an attribute or item."""
    if not isinstance(value, Const | Symbol | Choice):
        return value
    started = any(option.value.trail for option in options_of(value))
    if isinstance(target, ast.Name) and started:
        return value
    if isinstance(target, ast.Name | ast.Attribute | ast.Subscript):
        return value.via(it.location(source), f"{it.text(target, 60)} = {it.text(source, 60)}")
    return value


def assign(it: Interpreter, target: ast.expr, value: Value, *, quiet: bool = False) -> None:
    """Bind a target to a value. `quiet` leaves out the event (loop variables of comprehensions)."""
    match target:
        case ast.Name():
            bind_name(it, it.activation.environment, target.id, value)
        case ast.Attribute():
            owner = it.read(expressions.evaluate(it, target.value))
            store(it, owner, target.attr, value, None if quiet else it.location(target))
        case ast.Subscript():
            owner = expressions.evaluate(it, target.value)
            store_item(it, owner, evaluate_slice(it, target.slice), value, it.location(target))
        case ast.Starred():
            assign(it, target.value, value, quiet=quiet)
        case ast.Tuple() | ast.List():
            _unpack(it, target.elts, value, quiet)


def _unpack(it: Interpreter, targets: list[ast.expr], value: Value, quiet: bool) -> None:
    for target, part in zip(targets, parts_of(it, value, targets), strict=True):
        assign(it, target, part, quiet=quiet)


def parts_of(it: Interpreter, value: Value, targets: list[ast.expr]) -> list[Value]:
    """The values that unpacking gives to each target."""
    from cmgan_audit.program.domain.joins import branch_of, join
    from cmgan_audit.program.domain.values import ListValue

    value = it.read(value)
    if isinstance(value, Choice):
        rows = [(parts_of(it, o.value, targets), branch_of(o)) for o in value.options]
        usable = [(row, branch) for row, branch in rows if not all(isinstance(part, Unknown) for part in row)]
        rows = usable or rows
        return [join([(row[place], branch) for row, branch in rows]) for place in range(len(targets))]
    items, complete = known_items(value)
    star = next((place for place, target in enumerate(targets) if isinstance(target, ast.Starred)), None)
    if star is None:
        if complete and len(items) == len(targets):
            return [item.tainted(value.draws) for item in items]
        reason = value.reason if isinstance(value, Unknown) else "a part of something that is not wholly known"
        part = Unknown(reason=reason, draws=drawn(value))
        return [part.made_from("[]", (value, Const(value=place))) for place in range(len(targets))]
    after = len(targets) - star - 1
    if complete and len(items) >= len(targets) - 1:
        middle = items[star : len(items) - after]
        return [*items[:star], ListValue(items=list(middle)), *items[len(items) - after :]]
    unknown = Unknown(reason="a part of something that is not wholly known", draws=drawn(value))
    unknown = unknown.made_from("[]", (value,))
    return [ListValue(items=[], complete=False) if place == star else unknown for place in range(len(targets))]


def execute_augmented(it: Interpreter, node: ast.AugAssign) -> None:
    """`target += value`; lists are extended in place, as Python does."""
    from cmgan_audit.program.domain.values import DictValue, Instance, ListValue
    from cmgan_audit.program.language.operators import operate
    from cmgan_audit.program.library.answers import special_method
    from cmgan_audit.program.library.methods import container_method

    load = _as_load(node.target)
    before = it.read(expressions.evaluate(it, load))
    value = expressions.evaluate(it, node.value)
    location = it.location(node)
    if isinstance(before, ListValue) and before.kind == "list" and isinstance(node.op, ast.Add):
        container_method(it, before, "extend", Arguments(positional=(value,)), location)
        return
    if isinstance(before, DictValue) and isinstance(node.op, ast.BitOr):
        container_method(it, before, "update", Arguments(positional=(value,)), location)
        return
    if isinstance(before, External) and before.name == "os.environ" and isinstance(node.op, ast.BitOr):
        it.call(it.attribute(before, "update", location), Arguments(positional=(value,)), location)
        return
    if isinstance(before, Instance) and isinstance(node.op, ast.Add):
        itself = special_method(it, before, "__iadd__", [value], location)
        if itself is not None:
            assign(it, node.target, itself)
            return
    result = operate(it, type(node.op), before, value, location)
    if isinstance(result, Const | Symbol | Choice):
        result = result.via(location, it.text(node))
    if isinstance(node.target, ast.Name) and isinstance(node.op, ast.Add | ast.Sub):
        _changed_in_place(it, node.op, before, value, location)
    assign(it, node.target, result)


def _changed_in_place(
    it: Interpreter, operator: ast.Add | ast.Sub, before: Value, other: Value, location: Location
) -> None:
    """`p -= step` where p is an item of something: a tensor is changed itself, not the name alone.

    An attribute or an item that is assigned leaves an event behind; so does this, as the call that Python makes of it.
    """
    if any(_is_item(option.value) for option in options_of(before)):
        name = "?.__iadd__" if isinstance(operator, ast.Add) else "?.__isub__"
        given = Arguments(positional=(other,))
        it.emit(
            CallEvent(
                location=location, context=it.context, callee=name, arguments=given, result=before, receiver=before
            )
        )


def _is_item(value: Value) -> bool:
    return isinstance(value, Unknown) and value.computed is not None and value.computed.operation == "[]"


def _as_load(target: ast.expr) -> ast.expr:
    """The same target as an expression that is read."""
    match target:
        case ast.Name():
            made: ast.expr = ast.Name(id=target.id, ctx=ast.Load())
        case ast.Attribute():
            made = ast.Attribute(value=target.value, attr=target.attr, ctx=ast.Load())
        case ast.Subscript():
            made = ast.Subscript(value=target.value, slice=target.slice, ctx=ast.Load())
        case _:
            return target
    return ast.copy_location(made, target)


def execute_delete(it: Interpreter, node: ast.Delete) -> None:
    """`del name`, `del owner.attribute`, `del owner[index]`."""
    from cmgan_audit.program.domain.values import DictValue, Instance

    for target in node.targets:
        match target:
            case ast.Name():
                scope = it.activation.environment.scope_to_write(target.id)
                it.journal.delete(scope.names, target.id)
            case ast.Attribute():
                owner = it.read(expressions.evaluate(it, target.value))
                if isinstance(owner, Instance):
                    it.journal.delete_attribute(owner, target.attr)
                elif isinstance(owner, DictValue):
                    it.journal.delete_item(owner, target.attr)
                it.asked_for.changed(owner)
            case ast.Subscript():
                delete_item(it, expressions.evaluate(it, target.value), evaluate_slice(it, target.slice))


# Needed by functions above, and itself in need of them: these modules are one interpreter. As modules and behind all
# definitions they are found whichever is loaded first; an import in each function would be carried out at every call,
# which takes longer than many a call.
from cmgan_audit.program.language import expressions  # noqa: E402
