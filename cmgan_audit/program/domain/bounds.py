"""What the tests on the way tell about a number that depends on the run.

`if wanted > torch.cuda.device_count(): wanted = torch.cuda.device_count()` leaves a number that is at most the one that
was asked for, though nobody knows how many devices there are: with one device wanted, `wanted > 1` is false.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Iterable
from functools import lru_cache

from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.domain.facts import is_fork
from cmgan_audit.program.domain.numbers import COMPARISONS
from cmgan_audit.source.operands import expression_of

# How a comparison reads with its sides exchanged, and what holds where it does not.
TURNED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.Gt,
    ast.Gt: ast.Lt,
    ast.LtE: ast.GtE,
    ast.GtE: ast.LtE,
    ast.Eq: ast.Eq,
    ast.NotEq: ast.NotEq,
}
OPPOSITE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.GtE,
    ast.Gt: ast.LtE,
    ast.LtE: ast.Gt,
    ast.GtE: ast.Lt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
}
# Numbers that count something, and the least that they can be whatever the machine.
_LEAST = {"device_count": 0.0, "world_size": 1.0, "rank": 0.0}
_INFINITE = float("inf")


@dataclass(frozen=True, slots=True)
class _Test:
    """A comparison of a term with a number: the term's text, the operator, the number on its right."""

    term: str
    operation: type[ast.cmpop]
    number: float


@dataclass(frozen=True, slots=True)
class _Bounds:
    """The numbers that a term can be; an open end is not among them."""

    low: float = -_INFINITE
    high: float = _INFINITE
    low_open: bool = False
    high_open: bool = False

    def under(self, operation: type[ast.cmpop], number: float) -> _Bounds:
        """The bounds where the term also compares like this."""
        low, low_open, high, high_open = self.low, self.low_open, self.high, self.high_open
        if operation in (ast.Gt, ast.GtE, ast.Eq) and (number, operation is ast.Gt) > (low, low_open):
            low, low_open = number, operation is ast.Gt
        if operation in (ast.Lt, ast.LtE, ast.Eq) and (-number, operation is ast.Lt) > (-high, high_open):
            high, high_open = number, operation is ast.Lt
        return _Bounds(low, high, low_open, high_open)

    def whole(self) -> _Bounds:
        """The bounds of a whole number: below 2 is at most 1."""
        low = math.floor(self.low) + 1 if self.low_open else self.low
        high = math.ceil(self.high) - 1 if self.high_open else self.high
        return _Bounds(low, high)

    def decides(self, operation: type[ast.cmpop], number: float) -> bool | None:
        """Whether all numbers within the bounds compare like this, or none does; None where some do."""
        above = self.low > number or (self.low == number and self.low_open)
        below = self.high < number or (self.high == number and self.high_open)
        if above or below:
            return _holds(operation, 1 if above else -1)
        if operation is ast.GtE and self.low >= number:
            return True
        if operation is ast.LtE and self.high <= number:
            return True
        if operation is ast.Lt and self.low >= number:
            return False
        if operation is ast.Gt and self.high <= number:
            return False
        if self.low == self.high == number:
            return _holds(operation, 0)
        return None


def _holds(operation: type[ast.cmpop], beside: int) -> bool:
    """Whether a number that lies above (1), on (0) or below (-1) another one compares like this with it."""
    return bool(COMPARISONS[operation][1](beside, 0))


def decided(formula: str, facts: Iterable[tuple[str, bool]]) -> bool | None:
    """Whether a symbolic test holds where other tests came out as they did; None where they leave it open.

    Args:
        formula: the test, as a symbol's formula gives it: "device_count > 1".
        facts: other tests with their outcomes: ("1 > device_count", True).
    """
    asked = _test(formula)
    if asked is None:
        return None
    bounds = _bounds_of(asked.term)
    for text, outcome in facts:
        known = None if is_fork(text) else _test(text)
        if known is not None and known.term == asked.term:
            operation = known.operation if outcome else OPPOSITE[known.operation]
            bounds = bounds.under(operation, known.number)
    if _counts(asked.term):
        bounds = bounds.whole()
    return bounds.decides(asked.operation, asked.number)


_REMEMBERED = 4096


@lru_cache(_REMEMBERED)
def _test(formula: str) -> _Test | None:
    match expression_of(formula):
        case ast.Compare(left=left, ops=[operation], comparators=[right]) if type(operation) in TURNED:
            number = _number(right)
            if number is not None and not isinstance(left, ast.Constant):
                return _Test(ast.unparse(left), type(operation), number)
            number = _number(left)
            if number is not None and not isinstance(right, ast.Constant):
                return _Test(ast.unparse(right), TURNED[type(operation)], number)
    return None


@lru_cache(_REMEMBERED)
def _bounds_of(term: str) -> _Bounds:
    """The bounds that a term has by itself: `min(2, device_count)` is at most 2."""
    node = expression_of(term)
    return _Bounds() if node is None else _own_bounds(node)


def _own_bounds(node: ast.expr) -> _Bounds:
    match node:
        case ast.Name(id=name):
            return _Bounds(low=_LEAST.get(name, -_INFINITE))
        case ast.Constant() if (number := _number(node)) is not None:
            return _Bounds(number, number)
        case ast.Call(func=ast.Name(id="min" | "max" as name), args=[_, _, *_] as arguments, keywords=[]):
            each = [_own_bounds(argument) for argument in arguments]
            chosen = min if name == "min" else max
            return _Bounds(chosen(bounds.low for bounds in each), chosen(bounds.high for bounds in each))
    return _Bounds()


@lru_cache(_REMEMBERED)
def _counts(term: str) -> bool:
    """Whether a term is a whole number: a count, or the smaller or larger one of counts and whole numbers."""
    node = expression_of(term)
    return node is not None and _is_whole(node)


def _is_whole(node: ast.expr) -> bool:
    match node:
        case ast.Name(id=name):
            return name in _LEAST
        case ast.Call(func=ast.Name(id="min" | "max"), args=[_, _, *_] as arguments, keywords=[]):
            return all(_is_whole(argument) for argument in arguments)
    number = _number(node)
    return number is not None and number == math.floor(number)


def _number(node: ast.expr) -> float | None:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = _number(node.operand)
        return None if inner is None else -inner
    value = node.value if isinstance(node, ast.Constant) else None
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    # A whole number stays one: `2**2000` is too large for a float.
    return value if isinstance(value, int) and not isinstance(value, bool) else None
