"""Tests taken apart: the operands of `and`, `or` and `not`, each with how it comes out where the whole test does."""

from __future__ import annotations

import ast
from collections.abc import Iterator


def expression_of(text: str) -> ast.expr | None:
    """The expression that a text is; None where it is none, as a test that is cut short or told in words."""
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def operands(test: ast.expr, *, taken: bool) -> Iterator[tuple[ast.expr, bool]]:
    """All that a test asks, each with the side that is taken where a test comes out because of it."""
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield from operands(operand, taken=not taken)
        case ast.BoolOp(values=values):
            for each in values:
                yield from operands(each, taken=taken)
        case _:
            yield test, taken


def sure_operands(test: ast.expr, *, taken: bool) -> Iterator[tuple[ast.expr, bool]]:
    """What has to come out so that a test does, each with how: the operands of `and`, of `or` that fails, of `not`, and
    the comparisons of a chain, `index >= most > 0`."""
    match test:
        case ast.Compare(left=left, ops=[_, _, *_], comparators=others) if taken:
            for first, operator, second in zip([left, *others], test.ops, others, strict=False):
                yield ast.copy_location(ast.Compare(first, [operator], [second]), test), taken
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield from sure_operands(operand, taken=not taken)
        case ast.BoolOp(op=operator, values=values) if isinstance(operator, ast.And) is taken:
            for each in values:
                yield from sure_operands(each, taken=taken)
        case _:
            yield test, taken
