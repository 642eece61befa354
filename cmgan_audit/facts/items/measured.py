"""Windows over a signal that only measure it: `level = wave.unfold(-1, 400, 200).pow(2).mean(-1)` is no new batch."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from cmgan_audit.facts.code import Code, Reached
from cmgan_audit.source.syntax import last_name

_MEASURING = frozenset(
    "all amax amin any argmax argmin count_nonzero item max mean median min norm quantile std sum var".split()
)


def is_only_measured(code: Code, scope: Reached, node: ast.expr) -> bool:
    """Whether all that a function makes of an expression is a mean, a maximum or the like, also by a name for it."""
    uses = _named_uses(code, scope, node)
    return all(_is_measured(code, scope, each) for each in uses or [node])


def _named_uses(code: Code, scope: Reached, node: ast.expr) -> Sequence[ast.expr]:
    """Where a function reads the names that it gives to what it makes of an expression."""
    *_, statement = code.holders(scope.module.path, node)
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    names = {target.id for target in targets if isinstance(target, ast.Name)}
    return [
        each
        for each in scope.own_nodes()
        if isinstance(each, ast.Name) and each.id in names and isinstance(each.ctx, ast.Load)
    ]


def _is_measured(code: Code, scope: Reached, node: ast.AST) -> bool:
    """Whether what is computed of an expression, in the same one, comes to a measure: `frames.pow(2).mean()`."""
    for each in code.holders(scope.module.path, node):
        match each:
            case ast.Call(func=function) if last_name(function) in _MEASURING:
                return True
            case ast.Call(func=function) if function is not node:
                return False  # who gets it may train on it
            case ast.Call() | ast.Attribute() | ast.BinOp() | ast.UnaryOp() | ast.Subscript():
                node = each
            case _:
                return False
    return False
