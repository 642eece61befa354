"""Expressions that count the batches of a loop: `step`, `i + 1`, `len(loader)`, a counter that grows by one."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Protocol

from cmgan_audit.program.execution.iteration import HANDING_ON
from cmgan_audit.source.syntax import walk

# What a number is handed through before something is divided by it.
CONVERSIONS = frozenset({"max", "float", "int"})


# What draws the batches: a loop, or a part of a comprehension.
Drawing = ast.For | ast.AsyncFor | ast.comprehension


def unguarded(node: ast.expr) -> ast.expr:
    """A number without what keeps a division by it from failing: `n` of `max(1, n)`, `n or 1`, `n if n else 1`."""
    match node:
        case ast.Call(func=ast.Name(id=name), args=[*arguments]) if name in CONVERSIONS:
            open_ones = [each for each in arguments if not isinstance(each, ast.Constant)]
            return unguarded(open_ones[0]) if len(open_ones) == 1 else node
        case ast.BoolOp(op=ast.Or(), values=[first, ast.Constant()]):
            return unguarded(first)
        case ast.IfExp(body=number, orelse=ast.Constant()) | ast.IfExp(body=ast.Constant(), orelse=number):
            return unguarded(number)
        case ast.BinOp(left=left, op=ast.Add(), right=ast.Constant(value=float())):
            return unguarded(left)
    return node


class Count(Protocol):
    """What is divided by in a mean."""

    def counts(self, node: ast.expr) -> bool:
        """Whether an expression is the number of values that were taken in."""


class BatchCount:
    """What counts the batches of one loop over a loader.

    Attributes:
        loop: the loop.
        drawn: the names and calls that it draws from, as they are written.
        names: the names that hold the number of batches, or the index of the last one, after the loop.
    """

    def __init__(self, loop: Drawing, body: Sequence[ast.AST], function: Sequence[ast.AST]) -> None:
        """Args:
        loop: the loop over the batches.
        body: the nodes of one pass, without those of loops inside it.
        function: the nodes of the function around the loop.
        """
        self.loop = loop
        drawn = [loop.iter, *_wrapped(loop.iter, function)]
        self.drawn = {
            ast.unparse(node)
            for each in drawn
            for node in walk(each)
            if isinstance(node, ast.Name | ast.Attribute | ast.Call | ast.Subscript)
        }
        self.names: set[str] = set(_index_of(loop, drawn))
        for node in body:
            match node:
                case ast.AugAssign(target=target, op=ast.Add(), value=ast.Constant(value=1)):
                    self.names.add(ast.unparse(target))
                case ast.Assign(targets=[target], value=value) if self.counts(value):
                    self.names.add(ast.unparse(target))
        for node in function:
            match node:
                case ast.Assign(targets=[target], value=value) if self._is_length(value):
                    self.names.add(ast.unparse(target))

    def counts(self, node: ast.expr) -> bool:
        """Whether an expression is the number of batches, or the index of the last one."""
        node = unguarded(node)
        match node:
            case ast.Name() | ast.Attribute() | ast.Subscript():
                return ast.unparse(node) in self.names
            case ast.BinOp(left=left, op=ast.Add() | ast.Sub(), right=ast.Constant()):
                return self.counts(left)
            case ast.Call(func=ast.Name(id=name), args=arguments) if name in CONVERSIONS:
                return any(self.counts(argument) for argument in arguments)
        return self._is_length(node)

    def stops_before_the_end(self) -> bool:
        """Whether the loop is over after some batches, `if step >= 20: break` or `islice(loader, 20)`: the last one of
        the loader, which may be shorter, is not among them."""
        for node in walk(self.loop.iter):
            match node:
                case ast.Call(func=ast.Name(id="islice") | ast.Attribute(attr="islice"), args=[_, *bounds]):
                    if not any(map(self._is_length, bounds)):
                        return True
        statements = self.loop.body if isinstance(self.loop, ast.For | ast.AsyncFor) else []
        for node in statements:
            match node:
                case ast.If(test=ast.Compare(left=left, comparators=[right]), body=[*_, ast.Break()]):
                    sides = [self._is_index(left), self._is_index(right)]
                    if any(sides) and not all(map(self.counts, (left, right))):
                        return True
        return False

    def _is_index(self, node: ast.expr) -> bool:
        return self.counts(node) and not self._is_length(node)

    def _is_length(self, node: ast.expr) -> bool:
        """`len(loader)`: the batches; `len(loader.dataset)` counts items."""
        match node:
            case ast.Call(func=ast.Name(id="len"), args=[argument]):
                return ast.unparse(argument) in self.drawn and not ast.unparse(argument).endswith(".dataset")
        return False


def _wrapped(drawn: ast.expr, function: Sequence[ast.AST]) -> list[ast.expr]:
    """What a loop draws from when it is wrapped before the loop: `bar = tqdm(loader)`, `with tqdm(loader) as bar`, be
    it that the loop numbers what `bar` gives."""
    names = {ast.unparse(node) for node in walk(drawn) if isinstance(node, ast.Name | ast.Attribute)}
    found = []
    for node in function:
        match node:
            case ast.Assign(targets=[target], value=ast.Call() as call) if ast.unparse(target) in names:
                found.append(call)
            case ast.withitem(context_expr=ast.Call() as call, optional_vars=ast.expr() as target):
                if ast.unparse(target) in names:
                    found.append(call)
    return [call for call in found if ast.unparse(call.func).rpartition(".")[2] in HANDING_ON]


def _index_of(loop: Drawing, drawn: Sequence[ast.expr]) -> list[str]:
    """The index that enumerate, or tqdm's tenumerate, gives."""
    enumerated = any(
        isinstance(node, ast.Name) and node.id.endswith("enumerate") for each in drawn for node in walk(each)
    )
    if enumerated and isinstance(loop.target, ast.Tuple) and isinstance(loop.target.elts[0], ast.Name):
        return [loop.target.elts[0].id]
    return []
