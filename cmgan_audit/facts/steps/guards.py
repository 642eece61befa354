"""Counters that let an optimiser step only every so many batches: `if (i + 1) % K == 0:`."""

from __future__ import annotations

import ast

from cmgan_audit.facts.accumulation import numbers_called
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Confidence, Location, Step
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.trace import Condition, Context
from cmgan_audit.rules.record import Fact, Known, Unknown


@dataclass(frozen=True, slots=True, eq=False)
class Guard:
    """A counter around a step.

    Attributes:
        location: of the branch.
        divisor: K, as written.
        every: what K is.
        alone: whether the counter alone decides; another way through it may take the tail of an epoch along.
    """

    location: Location
    divisor: ast.expr
    every: Fact
    alone: bool


def guard_of(view: View, context: Context) -> Guard | None:
    """The counter that something stands under; None where there is none."""
    for condition in context.conditions:
        test = _test(view, condition)
        divisor = None if test is None else _divisor(test, taken=_is_taken(condition, test))
        if test is not None and divisor is not None:
            alone = not any(isinstance(each, ast.BoolOp) for each in ast.walk(test))
            return Guard(condition.location, divisor, _value(view, context, condition, divisor), alone)
    return None


def _test(view: View, condition: Condition) -> ast.expr | None:
    """The whole test behind a branch; its text in the trace may be shortened."""
    node = view.code.node_at(condition.location)
    if isinstance(node, ast.If | ast.While | ast.IfExp):
        return node.test
    return node if isinstance(node, ast.expr) else None


def _is_taken(condition: Condition, test: ast.expr) -> bool:
    negated = isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)
    return condition.text.startswith("not ") == negated


def _divisor(test: ast.expr, *, taken: bool) -> ast.expr | None:
    """K, where the branch is the one that is taken when the counter is a multiple of K."""
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            return _divisor(inner, taken=not taken)
        case ast.BoolOp(values=parts):
            return next((found for part in parts if (found := _divisor(part, taken=taken)) is not None), None)
        case ast.Compare(left=ast.BinOp(op=ast.Mod(), right=divisor), ops=[ast.Eq()]) if taken:
            return divisor
        case ast.Compare(left=ast.BinOp(op=ast.Mod(), right=divisor), ops=[ast.NotEq() | ast.Gt()]) if not taken:
            return divisor
        case ast.BinOp(op=ast.Mod(), right=divisor) if not taken:
            return divisor
    return None


def _value(view: View, context: Context, condition: Condition, divisor: ast.expr) -> Fact:
    step = Step(condition.location, f"the optimiser steps where {condition.text}")
    if isinstance(divisor, ast.Constant):
        return Known(divisor.value, (step,)) if type(divisor.value) is int else Unknown("no whole number", (step,))
    found = numbers_called(view.scene, context, last_name(divisor))
    if len({value.value for value in found}) == 1:
        known = found[0]
        confidence = Confidence.MEDIUM if known.overridable else Confidence.HIGH
        return Known(known.value, (*known.trail, step), confidence=confidence)
    return Unknown(f"{ast.unparse(divisor)} is not known", (step,))


def last_name(node: ast.expr) -> str:
    """The last name of `self.args.accumulate` or `config["accumulate"]`; "" for anything else."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(slice=ast.Constant(value=str() as name)):
            return name
    return ""
