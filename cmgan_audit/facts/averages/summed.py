"""Values of a batch that are sums over its items: every item weighs the same in them, whatever the batch's size."""

from __future__ import annotations

import ast

from cmgan_audit.facts.averages.averaged import OF_ARRAYS, REDUCING, is_averaged, returned
from cmgan_audit.facts.code import Stack
from cmgan_audit.facts.slices import Found, Slicer
from cmgan_audit.facts.values import constant, instances_of
from cmgan_audit.facts.view import View
from cmgan_audit.program.domain.values import Instance
from cmgan_audit.source.syntax import arguments_named, walk

# What a loss of torch is told that makes it a sum over the items.
_SUMMED = ("sum", False)
# What hands a number or a row of numbers on as it is.
_AS_IT_IS = frozenset({"item", "cpu", "detach", "numpy", "float", "double", "squeeze", "to"})
# What makes a row of the parts of a loss: its sum is one over the parts.
_OF_PARTS = frozenset({"stack", "tensor", "as_tensor", "array", "asarray", "hstack", "cat"})
_DEEPEST = 6


def sums_items(view: View, value: ast.expr, path: str, stack: Stack) -> bool:
    """Whether the value of a batch is a sum over its items, where it is made: a loss with reduction="sum", the last
    step of `loss.mean((1, 2)).sum()`.

    Args:
        view: the run.
        value: the value of a batch.
        path: its file.
        stack: the calls in which it is taken in.
    """
    slicer = view.slicer
    for found in slicer.behind(value, path, stack).calls:
        keywords = found.node.keywords if isinstance(found.node, ast.Call) else []
        if any(
            keyword.arg in REDUCING and isinstance(keyword.value, ast.Constant) and keyword.value.value in _SUMMED
            for keyword in keywords
        ):
            return True
        event = slicer.event(found)
        if event is not None and any(map(_was_told_to_sum, instances_of(event.receiver))):
            return True
    return _ends_in_sum(view, Found(value, path, stack))


def _was_told_to_sum(loss: Instance) -> bool:
    """Whether a loss of torch was made with reduction="sum"."""
    if not loss.external_name.startswith("torch.nn."):
        return False
    given = loss.arguments.keywords
    return any(constant(given.get(name)) in _SUMMED for name in REDUCING if name in given)


def _ends_in_sum(view: View, found: Found, depth: int = _DEEPEST) -> bool:
    """Whether the last thing that makes a number of a batch is a sum over all that it holds, or over its first
    dimension, and no mean over the items was taken before; of what is added up, each part."""
    node = _handed_on(found.node)
    match node:
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub(), right=right):
            return all(_ends_in_sum(view, found.beside(side), depth) for side in (left, right))
        case ast.Call() if (summed := _summed(node)) is not None:
            row = found.beside(summed)
            return not _is_row_of_parts(view.slicer, row) and not is_averaged(view, row)
    if depth == 0 or not isinstance(node, ast.Name | ast.Attribute | ast.Call):
        return False
    sources = view.slicer.sources(found.beside(node)) or returned(view.code, node, found)
    return bool(sources) and all(item is None and _ends_in_sum(view, each, depth - 1) for each, item in sources)


def _handed_on(node: ast.AST) -> ast.AST:
    """A number without its sign, a constant factor and what only converts it."""
    match node:
        case ast.Call(func=ast.Attribute(value=inner, attr=name)) if name in _AS_IT_IS:
            return _handed_on(inner)
        case ast.Call(func=ast.Name(id="float"), args=[inner]) | ast.UnaryOp(op=ast.USub(), operand=inner):
            return _handed_on(inner)
        case (
            ast.BinOp(left=ast.Constant() | ast.UnaryOp(operand=ast.Constant()), op=ast.Mult(), right=inner)
            | ast.BinOp(left=inner, op=ast.Mult() | ast.Div(), right=ast.Constant())
        ):
            return _handed_on(inner)
    return node


def _summed(call: ast.Call) -> ast.expr | None:
    """What a call sums up to its last number, or over the items: `x` of `x.sum()`, `torch.sum(x, dim=0)`."""
    match call:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=module), attr="sum"), args=[summed, *rest]) if (
            module in OF_ARRAYS
        ):
            pass
        case ast.Call(func=ast.Attribute(value=summed, attr="sum"), args=[*rest]):
            pass
        case _:
            return None
    axes = [*rest, *arguments_named(call, "dim", "axis")]
    return summed if all(isinstance(axis, ast.Constant) and axis.value == 0 for axis in axes) else None


def _is_row_of_parts(slicer: Slicer, found: Found) -> bool:
    """Whether what is summed up was put together from single numbers: `torch.stack([distance, energy])`."""
    if isinstance(found.node, ast.List | ast.Tuple | ast.ListComp):
        return True
    for node in walk(found.node):
        given: list[ast.AST] = [node]
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            given = [each.node for each, _ in slicer.sources(found.beside(node))]
            if any(isinstance(each, ast.List | ast.ListComp) for each in given):
                return True
        calls = (each.func for each in given if isinstance(each, ast.Call))
        if any(ast.unparse(function).rpartition(".")[2] in _OF_PARTS for function in calls):
            return True
    return False
