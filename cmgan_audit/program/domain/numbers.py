"""Operators on abstract values: exact on constants, formulas on symbols, unknown where Python would raise."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from cmgan_audit.finding import Trail
from cmgan_audit.program.domain.listings import order_of
from cmgan_audit.program.domain.values import (
    Choice,
    Const,
    Constant,
    Draw,
    ListValue,
    Symbol,
    Unknown,
    Value,
)

_BINARY: dict[type[ast.operator], tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Add: ("+", operator.add),
    ast.Sub: ("-", operator.sub),
    ast.Mult: ("*", operator.mul),
    ast.Div: ("/", operator.truediv),
    ast.FloorDiv: ("//", operator.floordiv),
    ast.Mod: ("%", operator.mod),
    ast.Pow: ("**", operator.pow),
    ast.LShift: ("<<", operator.lshift),
    ast.RShift: (">>", operator.rshift),
    ast.BitOr: ("|", operator.or_),
    ast.BitXor: ("^", operator.xor),
    ast.BitAnd: ("&", operator.and_),
}
COMPARISONS: dict[type[ast.cmpop], tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Eq: ("==", operator.eq),
    ast.NotEq: ("!=", operator.ne),
    ast.Lt: ("<", operator.lt),
    ast.LtE: ("<=", operator.le),
    ast.Gt: (">", operator.gt),
    ast.GtE: (">=", operator.ge),
}
_UNARY: dict[type[ast.unaryop], tuple[str, Callable[[Any], Any]]] = {
    ast.USub: ("-", operator.neg),
    ast.UAdd: ("+", operator.pos),
    ast.Invert: ("~", operator.invert),
}
_SPELLING: dict[type[ast.AST], str] = {
    **{kind: text for kind, (text, _) in _BINARY.items()},
    **{kind: text for kind, (text, _) in COMPARISONS.items()},
    ast.MatMult: "@",
    ast.Is: "is",
    ast.IsNot: "is not",
    ast.In: "in",
    ast.NotIn: "not in",
}
_RAISED = (ArithmeticError, TypeError, ValueError)

# Constants larger than this are not computed: an audited program must not cost us memory.
_LONGEST_TEXT = 20_000
_MOST_BITS = 4096
_MOST_ITEMS = 256
_NO_DRAWS: frozenset[Draw] = frozenset()  # most values depend on none


def spelled(operation: type[ast.AST]) -> str:
    """How an operator is written."""
    return _SPELLING[operation]


def drawn(*values: Value) -> frozenset[Draw]:
    """All draws that any of these values depends on, also through the items of lists."""
    found = _NO_DRAWS
    for value in values:
        if value.draws:
            found |= order_of(value)
        if isinstance(value, ListValue):
            for item in value.items[:_MOST_ITEMS]:
                if item.draws:
                    found |= item.draws
    return found


def origin(*values: Value) -> Trail:
    """The way of the first value that has one: a computed number keeps the way of what it was computed from."""
    for value in values:
        if value.trail:
            return value.trail
        for option in value.options if isinstance(value, Choice) else ():
            if option.value.trail:
                return option.value.trail
    return ()


def overridable(*values: Value) -> str:
    """Who may change a constant computed from these: of several, who gives a text, which may be anything."""
    told = [value for value in values if isinstance(value, Const) and value.overridable]
    return next(
        (value.overridable for value in told if isinstance(value.value, str)), told[0].overridable if told else ""
    )


def binary(operation: type[ast.operator], left: Value, right: Value) -> Value:
    """`left operation right` for values that are no choices; strings, numbers, lists and symbols."""
    text, compute = _BINARY.get(operation, ("@", operator.matmul))
    draws = drawn(left, right)
    if isinstance(left, Const) and isinstance(right, Const):
        if not _affordable(operation, left.value, right.value):
            return Unknown(reason=f"the result of {text} is too large", draws=draws)
        return constant(lambda: compute(left.value, right.value), text, left, right)
    if isinstance(left, ListValue) or isinstance(right, ListValue):
        made = _filled_in(left, right) if operation is ast.Mod else _list_operation(operation, left, right)
        if made is not None:
            return made
    if _symbolic(left, right) and not draws:
        at_one = _at_one(compute, left, right)
        formula = f"{operand(left)} {text} {operand(right)}"
        return Symbol(formula=formula, at_one=at_one, trail=origin(left, right))
    return Unknown(reason=_reason(left, right), trail=origin(left, right), draws=draws)


def compare(operation: type[ast.cmpop], left: Value, right: Value) -> Value:
    """An ordering or equality of values that are no choices; identity and membership are not decided here."""
    text, compute = COMPARISONS[operation]
    draws = drawn(left, right)
    if isinstance(left, Const) and isinstance(right, Const):
        return constant(lambda: compute(left.value, right.value), text, left, right)
    if _symbolic(left, right) and not draws:
        formula = f"{operand(left)} {text} {operand(right)}"
        return Symbol(formula=formula, at_one=_at_one(compute, left, right))
    return Unknown(reason=_reason(left, right), draws=draws)


def unary(operation: type[ast.unaryop], value: Value) -> Value:
    """`-x`, `+x`, `~x` for a value that is no choice."""
    text, compute = _UNARY[operation]
    if isinstance(value, Const):
        if operation is ast.Invert and isinstance(value.value, bool):
            return Unknown(reason="~ of a boolean", draws=value.draws)  # deprecated, and a warning when computed
        return constant(lambda: compute(value.value), text, value)
    if isinstance(value, Symbol):
        at_one = _attempt(lambda: compute(value.at_one)) if value.at_one is not None else None
        return Symbol(formula=f"{text}{operand(value)}", at_one=at_one, trail=value.trail)
    return Unknown(reason=_reason(value), draws=value.draws)


def constant(compute: Callable[[], Any], what: str, *sources: Value) -> Value:
    """The constant that `compute` gives, with the way and the draws of its sources; unknown where Python raises."""
    draws = drawn(*sources)
    try:
        result = compute()
    except _RAISED as error:
        return Unknown(reason=f"{what} fails: {error}", draws=draws)
    if isinstance(result, bool | int | float | complex | str | bytes) or result is None:
        return Const(value=result, trail=origin(*sources), draws=draws, overridable=overridable(*sources))
    return Unknown(reason=f"the result of {what} is no plain constant", draws=draws)


def call_symbol(name: str, *values: Value) -> Symbol | None:
    """`name(values)` as a formula when a symbol is among the values and all others are constants."""
    if not _symbolic(*values) or not all(isinstance(value, Const | Symbol) for value in values):
        return None
    compute = {"int": int, "float": float, "round": round, "abs": abs, "max": max, "min": min, "bool": bool}.get(name)
    at_one: Constant = None
    parts = [value.value if isinstance(value, Const) else _one(value) for value in values]
    if compute is not None and None not in parts:
        at_one = _attempt(lambda: compute(*parts))  # type: ignore[operator]
    formula = f"{name}({', '.join(_plain(value) for value in values)})"
    return Symbol(formula=formula, at_one=at_one, trail=origin(*values))


def operand(value: Value) -> str:
    """A constant or symbol as part of a larger formula."""
    text = _plain(value)
    if isinstance(value, Symbol) and " " in text and not _enclosed(text):
        return f"({text})"
    return text


def _plain(value: Value) -> str:
    if isinstance(value, Const):
        return repr(value.value)
    return value.formula if isinstance(value, Symbol) else "?"


def _enclosed(text: str) -> bool:
    """Whether a formula is one call or one pair of brackets, so that it needs none around it."""
    if not text.endswith(")"):
        return False
    depth = 0
    for position, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth == 0 and character == ")":
            return position == len(text) - 1
        if depth == 0 and character == " ":
            return False
    return False


def _symbolic(*values: Value) -> bool:
    numbers = all(isinstance(value, Symbol | Const) for value in values)
    return numbers and any(isinstance(value, Symbol) for value in values)


def _one(value: Value) -> Constant:
    return value.at_one if isinstance(value, Symbol) else value.value if isinstance(value, Const) else None


def _at_one(compute: Callable[[Any, Any], Any], left: Value, right: Value) -> Constant:
    if (isinstance(left, Symbol) and left.at_one is None) or (isinstance(right, Symbol) and right.at_one is None):
        return None
    return _attempt(lambda: compute(_one(left), _one(right)))


def _attempt(compute: Callable[[], Any]) -> Constant:
    try:
        result = compute()
    except _RAISED:
        return None
    return result if isinstance(result, bool | int | float | str) else None


def _affordable(operation: type[ast.operator], left: Constant, right: Constant) -> bool:
    if isinstance(left, str | bytes) or isinstance(right, str | bytes):
        text, other = (left, right) if isinstance(left, str | bytes) else (right, left)
        if operation is ast.Mult and isinstance(other, int) and isinstance(text, str | bytes):
            return len(text) * max(other, 0) <= _LONGEST_TEXT
        if operation is ast.Mod:
            return _affordable_format(text)
        return isinstance(text, str | bytes) and len(text) <= _LONGEST_TEXT
    if isinstance(left, int) and isinstance(right, int):
        if operation is ast.Pow:
            return left.bit_length() * max(right, -right) <= _MOST_BITS
        if operation is ast.LShift:
            return left.bit_length() + max(right, 0) <= _MOST_BITS
        return left.bit_length() <= _MOST_BITS and right.bit_length() <= _MOST_BITS
    return True


def _affordable_format(template: Any) -> bool:
    """A format with a width of more than three digits could make a huge text."""
    digits = 0
    for character in str(template):
        digits = digits + 1 if character.isdigit() else 0
        if digits > 3 or character == "*":
            return False
    return len(template) <= _LONGEST_TEXT


def _filled_in(template: Value, given: Value) -> Value | None:
    """`"%s/%s.yaml" % (folder, name)`; None where it is no text, or where not all values are known.

    Nobody gives the whole of it on a command line, whatever the options are that its parts come from.
    """
    if not isinstance(template, Const) or not isinstance(template.value, str) or not _affordable_format(template.value):
        return None
    if not isinstance(given, ListValue) or given.kind != "tuple" or not given.complete:
        return None
    known = [item for item in given.items if isinstance(item, Const)]
    text, values = template.value, tuple(item.value for item in known)
    if len(known) < len(given.items) or sum(len(value) for value in values if isinstance(value, str)) > _LONGEST_TEXT:
        return None
    made = constant(lambda: text % values, "%", *known, template)
    return replace(made, overridable="") if isinstance(made, Const) else made


def _list_operation(operation: type[ast.operator], left: Value, right: Value) -> ListValue | None:
    draws = left.draws | right.draws
    if operation is ast.Add and isinstance(left, ListValue):
        if isinstance(right, ListValue) and left.kind == right.kind:
            items, complete = [*left.items, *right.items], left.complete and right.complete
            return ListValue(items=items, kind=left.kind, complete=complete, draws=draws)
        return ListValue(items=list(left.items), kind=left.kind, complete=False, draws=draws)
    if operation is ast.Mult:
        sequence, times = (left, right) if isinstance(left, ListValue) else (right, left)
        if not isinstance(sequence, ListValue):
            return None
        items, complete = list(sequence.items), False
        if isinstance(times, Const) and isinstance(times.value, int):
            complete = sequence.complete and len(items) * max(times.value, 0) <= _MOST_ITEMS
            items = items * times.value if complete else items
        return ListValue(items=items, kind=sequence.kind, complete=complete, draws=draws)
    return None


def _reason(*values: Value) -> str:
    for value in values:
        if isinstance(value, Unknown):
            return value.reason
    return "computed at run time"
