"""Expressions that stand in a text: `eval(config.model)()` makes the network that a setting names."""

from __future__ import annotations

import ast
import dataclasses
from functools import lru_cache

from cmgan_audit.finding import Location
from cmgan_audit.program.domain.joins import branch_of, join
from cmgan_audit.program.domain.values import Arguments, Choice, Const, Value
from cmgan_audit.program.execution.interpreter import Interpreter
from cmgan_audit.source.operands import expression_of

_LONGEST = 400


def evaluate_text(it: Interpreter, arguments: Arguments, location: Location) -> Value | None:
    """The value of `eval(text)` in the current scope; None where the text or the names that it may use are not known.

    Of several possible texts only names are looked up: whatever calls something would do so for all of them.
    """
    if len(arguments.positional) != 1 or arguments.keywords or arguments.open_kwargs:
        return None
    text = it.read(arguments.positional[0])
    if not isinstance(text, Choice):
        return _value(it, text, location)
    sides = [(_value(it, each.value, location, named=True), branch_of(each)) for each in text.options]
    known = [(value, branch) for value, branch in sides if value is not None]
    return join(known) if len(known) == len(sides) else None


def _value(it: Interpreter, text: Value, location: Location, *, named: bool = False) -> Value | None:
    from cmgan_audit.program.language.expressions import evaluate

    if not isinstance(text, Const) or not isinstance(text.value, str) or len(text.value) > _LONGEST:
        return None
    node = _parsed(text.value, location)
    if node is None or (named and not isinstance(node, ast.Name | ast.Attribute)):
        return None
    value = evaluate(it, node)
    if isinstance(value, Const) and not value.trail:
        return dataclasses.replace(value, trail=text.trail)
    return value


@lru_cache(maxsize=256)
def _parsed(text: str, location: Location) -> ast.expr | None:
    """The expression of a text, at the place of the call; None where it is none, or asks for itself again."""
    node = expression_of(text)
    for each in ast.walk(node) if node is not None else ():
        if isinstance(each, ast.Name) and each.id == "eval":
            return None
        if isinstance(each, ast.expr):
            each.lineno, each.col_offset = location.line, location.column - 1
            each.end_lineno, each.end_col_offset = location.end_line, (location.end_column or location.column) - 1
    return node
