"""Loops over batches that are left after their first batch: `for batch in loader: ...; break`."""

from __future__ import annotations

import ast

from cmgan_audit.facts.code import Code
from cmgan_audit.program.execution.trace import Loop
from cmgan_audit.source.syntax import called_name, walk

_LEAVES = (ast.Break, ast.Return)


def is_left_after_one(code: Code, loop: Loop) -> bool:
    """Whether the body of a loop runs once at most: it ends by leaving, or leaves where its counter says so."""
    node = code.node_at(loop.location)
    if not isinstance(node, ast.For):
        return False
    counter = _counter(node)
    for number, statement in enumerate(node.body):
        if isinstance(statement, _LEAVES):
            return not any(isinstance(each, ast.Continue) for before in node.body[:number] for each in walk(before))
        if counter and isinstance(statement, ast.If) and isinstance(statement.body[-1], _LEAVES):
            if _is_at(statement.test, counter, 0) or (number == 0 and _is_from(statement.test, counter, 1)):
                return True
    return False


def _counter(node: ast.For) -> str:
    """The name that counts the batches from 0; "" where none does."""
    match node.target, node.iter:
        case ast.Tuple(elts=[ast.Name(id=name), *_]), ast.Call(args=[_]) as call:
            return name if called_name(call) == "enumerate" and not call.keywords else ""
    return ""


def _is_at(test: ast.expr, counter: str, number: int) -> bool:
    match test:
        case ast.Compare(
            left=ast.Name(id=name), ops=[ast.Eq() | ast.GtE()], comparators=[ast.Constant(value=int() as value)]
        ):
            return name == counter and value == number
    return False


def _is_from(test: ast.expr, counter: str, number: int) -> bool:
    match test:
        case ast.Compare(left=ast.Name(id=name), ops=[ast.Gt()], comparators=[ast.Constant(value=int() as value)]):
            return name == counter and value == number - 1
    return _is_at(test, counter, number)
