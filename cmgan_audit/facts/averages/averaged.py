"""What is a mean over the items of a batch before it is summed up: `error.mean(0).sum()` adds up no items."""

from __future__ import annotations

import ast

from cmgan_audit.facts.averages.called import called_function
from cmgan_audit.facts.code import Code
from cmgan_audit.facts.losses import is_loss
from cmgan_audit.facts.slices import Found
from cmgan_audit.facts.values import instances_of
from cmgan_audit.facts.view import View
from cmgan_audit.source.syntax import arguments_named, called_name, walk

# What tells a loss of torch how to reduce.
REDUCING = ("reduction", "size_average")
# Modules whose functions take an array, and what those of the losses are called.
OF_ARRAYS = frozenset({"np", "numpy", "torch"})
_OF_LOSSES = frozenset({"F", "functional", "nn.functional", "torch.nn.functional"})
_MEANS = frozenset({"mean", "nanmean", "average", "median"})
_DEEPEST = 4


def is_averaged(view: View, found: Found, depth: int = _DEEPEST) -> bool:
    """Whether an array is a mean over the items, or holds the shares of one: `error / error.numel()`.

    Args:
        view: the run.
        found: the array.
        depth: through how many names and functions it is followed.
    """
    node = found.node
    match node:
        case ast.BinOp(left=left, op=ast.Div(), right=right) if not _counts(view, found, right):
            parts: list[ast.expr] = [left]
        case ast.BinOp(op=ast.Div()):
            return True
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub(), right=right):  # `error - error.mean()` is none
            return all(is_averaged(view, found.beside(side), depth) for side in (left, right))
        case ast.BinOp(left=left, right=right):
            parts = [left, right]
        case ast.UnaryOp(operand=operand):
            parts = [operand]
        case ast.Call() if _takes_a_mean(node) or _is_mean_loss(view, node, found):
            return True
        case ast.Call(func=ast.Attribute(value=owner)) if ast.unparse(owner) not in OF_ARRAYS | {"self"}:
            parts = [owner]
        case ast.Call(func=ast.Attribute(value=ast.Name(id=module)), args=given) if module in OF_ARRAYS:
            parts = given
        case _:
            parts = []
    if any(is_averaged(view, found.beside(part), depth) for part in parts):
        return True
    if depth == 0 or not isinstance(node, ast.Name | ast.Attribute | ast.Call):
        return False
    sources = view.slicer.sources(found) or returned(view.code, node, found)
    return any(is_averaged(view, each, depth - 1) for each, _ in sources)


def returned(code: Code, call: ast.expr, found: Found) -> list[tuple[Found, int | None]]:
    """What the `forward` of a loss gives back that the run has not gone through."""
    called = called_function(code, call, found.path, found.stack)
    if called is None:
        return []
    function, path, stack = called
    returns = (node for node in walk(function) if isinstance(node, ast.Return))
    return [(Found(node.value, path, stack), None) for node in returns if node.value is not None]


def _takes_a_mean(call: ast.Call) -> bool:
    """Whether a call takes the mean over all dimensions, or over the first one among others."""
    if called_name(call) not in _MEANS:
        return False
    is_function = isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value) in OF_ARRAYS
    given = [*call.args[is_function:], *arguments_named(call, "dim", "axis")]
    axes = given[0] if given else None
    each = axes.elts if isinstance(axes, ast.Tuple | ast.List) else [axes]
    return axes is None or any(isinstance(axis, ast.Constant) and axis.value == 0 for axis in each)


def _is_mean_loss(view: View, call: ast.Call, found: Found) -> bool:
    """Whether a loss of torch is called that gives the mean, as it does where nobody tells it otherwise."""
    if arguments_named(call, *REDUCING):
        return False
    event = view.slicer.event(found)
    if event is not None and is_loss(event.callee):
        told = (name in loss.arguments.keywords for loss in instances_of(event.receiver) for name in REDUCING)
        return not any(told)
    if isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value) in _OF_LOSSES:
        return call.func.attr.endswith("_loss")
    made = [each.node for each, _ in view.slicer.sources(found.beside(call.func))]
    return any(
        isinstance(each, ast.Call) and called_name(each).endswith("Loss") and not arguments_named(each, *REDUCING)
        for each in made
    )


def _counts(view: View, found: Found, divisor: ast.expr) -> bool:
    """Whether an array is divided by the number of its items or entries, or by the sum of their weights."""
    written: list[ast.AST] = [divisor]
    if isinstance(divisor, ast.Name):
        written += [each.node for each, _ in view.slicer.sources(found.beside(divisor))]
    for node in written:
        match node:
            case ast.Subscript(value=ast.Attribute(attr="shape"), slice=ast.Constant(value=0)):
                return True
            case ast.Call(func=ast.Name(id="len")):
                return True
            case ast.Call(func=ast.Attribute(attr="size" | "numel" | "nelement"), args=[] | [ast.Constant(value=0)]):
                return True
            case ast.Call(func=ast.Attribute(attr="sum"), args=[], keywords=[]):
                return True
    return False
