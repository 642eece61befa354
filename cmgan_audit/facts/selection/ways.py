"""Which way a run has taken inside a function, where its settings tell: `if args.loss == "l1": ... elif ...`."""

from __future__ import annotations

import ast
import operator

from cmgan_audit.facts.slices import Found
from cmgan_audit.facts.view import View
from cmgan_audit.program.domain.values import Const
from cmgan_audit.source.syntax import walk

_ORDERS = {ast.Gt: operator.gt, ast.GtE: operator.ge, ast.Lt: operator.lt, ast.LtE: operator.le}
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.Module)


def was_taken(view: View, found: Found) -> bool | None:
    """Whether the run has taken the way to an expression, as far as its settings tell; None where they do not, or where
    it has gone both ways: `for phase in ("train", "valid")`."""
    verdicts = set()
    inner = found.node
    for parent in view.code.parents(found.path, found.node):
        if isinstance(parent, FUNCTIONS):
            break
        if isinstance(parent, ast.If) and inner is not parent.test:
            held = _held(view, found.beside(parent.test))
            verdicts.add(held if held is None else held == (inner in parent.body))
        if isinstance(parent, ast.IfExp) and inner is not parent.test:
            held = _held(view, found.beside(parent.test))
            verdicts.add(held if held is None else held == (inner is parent.body))
        if isinstance(parent, ast.BoolOp):  # `higher and score > best` comes to the comparison where `higher` holds
            earlier = parent.values[: parent.values.index(inner)] if inner in parent.values else []
            goes_on = isinstance(parent.op, ast.And)
            held_before = [_held(view, found.beside(each)) for each in earlier]
            verdicts |= {None if held is None else held is goes_on for held in held_before}
        inner = parent
    return False if False in verdicts else True if True in verdicts else None


def is_optional(view: View, test: Found) -> bool:
    """Whether a test asks for something that the command line may set: another run goes the other way."""
    settings = (_setting(view, test, each) for each in walk(test.node) if isinstance(each, ast.Name | ast.Attribute))
    return any(setting is not None and setting.overridable for setting in settings)


def _held(view: View, test: Found) -> bool | None:
    """What a test of settings came to in the run: `mode`, `mode == "min"`, `not self.higher`; None where it is open."""
    match test.node:
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            inner = _held(view, test.beside(operand))
            return None if inner is None else not inner
        case ast.BoolOp(op=op, values=values):
            found = {_held(view, test.beside(each)) for each in values}
            settles = isinstance(op, ast.Or)
            return settles if settles in found else None if None in found else not settles
        case ast.Compare(left=left, ops=[ast.Eq() | ast.NotEq() | ast.Is() | ast.IsNot() as op], comparators=[other]):
            value = _setting(view, test, left)
            if value is None or not isinstance(other, ast.Constant):
                return None
            return (value.value == other.value) == isinstance(op, ast.Eq | ast.Is)
        case ast.Compare(left=left, ops=[op], comparators=[ast.Constant(value=int() | float() as other)]):
            asked, order = _setting(view, test, left), _ORDERS.get(type(op))
            number = None if asked is None else asked.value
            return order(number, other) if order is not None and isinstance(number, int | float) else None
        case ast.Name() | ast.Attribute():
            value = _setting(view, test, test.node)
            return None if value is None else bool(value.value)
    return None


def _setting(view: View, test: Found, node: ast.expr) -> Const | None:
    asked = view.code.place_of(test.path, node), test.stack
    value = view.code.decisions.get(asked)
    return value if isinstance(value, Const) and asked not in view.code.changing else None
