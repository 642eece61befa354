"""Callers of a metric that tell how many of its scores are missing: those that a handler made NaN or None."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from cmgan_audit.facts.metrics.outcomes import counts, says
from cmgan_audit.facts.metrics.scoring import Spot
from cmgan_audit.facts.view import View
from cmgan_audit.source.syntax import walk


def counts_missing(view: View, spot: Spot) -> bool:
    """Whether a function on the way to a metric, or a script, counts the scores that are NaN or None.

    With `np.isnan(scores).sum()`, by how many scores are left of how many, or where it meets one:
    `if score is None: failed += 1`.
    """
    around: ast.AST = spot.function or next(reversed([parent for parent, _ in spot.parents(view.code)]), spot.node)
    nodes = list(walk(around))
    masks, left = _named(nodes)
    return any(_counts(node, masks, left) for node in nodes)


def _named(nodes: Sequence[ast.AST]) -> tuple[set[str], set[str]]:
    """Names that say of each score whether it is there (`ok = ~np.isnan(scores)`), and of the scores that are left."""
    masks: set[str] = set()
    left: set[str] = set()
    for node in nodes:
        if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
            continue
        if _tells_missing(node.value, masks):
            masks.add(node.targets[0].id)
        elif _leaves_out(node.value, masks):
            left.add(node.targets[0].id)
    return masks, left


def _counts(node: ast.AST, masks: set[str], left: set[str]) -> bool:
    match node:
        case ast.If():
            return any(counts(each) or says(each) for each in _where_absent(node))
        case ast.Call(func=ast.Name(id="sum") | ast.Attribute(attr="sum" | "count_nonzero"), args=[counted, *_]):
            return _tells_missing(counted, masks)
        case ast.Call(func=ast.Attribute(value=counted, attr="sum")):
            return _tells_missing(counted, masks)
        case ast.Call(func=ast.Attribute(attr="count"), args=[ast.Constant(value=None)]):
            return True
        case ast.Call(args=shown):
            return _both_lengths(shown, left)
        case ast.JoinedStr(values=values):
            return _both_lengths([each.value for each in values if isinstance(each, ast.FormattedValue)], left)
        case ast.BinOp(op=ast.Mod(), right=ast.Tuple(elts=shown)):
            return _both_lengths(shown, left)
        case ast.BinOp(left=one, right=other) | ast.Compare(left=one, comparators=[other]):
            return _both_lengths([one, other], left)
    return False


def _where_absent(node: ast.If) -> list[ast.stmt]:
    """What a test for one score does where the score is not there."""
    match node.test:
        case ast.Compare(ops=[ast.Is()], comparators=[ast.Constant(value=None)]):
            return node.body
        case ast.Compare(ops=[ast.IsNot()], comparators=[ast.Constant(value=None)]):
            return node.orelse
        case ast.Call(func=ast.Name(id="isnan") | ast.Attribute(attr="isnan")):
            return node.body
        case ast.UnaryOp(operand=ast.Call(func=ast.Name(id="isnan") | ast.Attribute(attr="isnan"))):
            return node.orelse
    return []


def _both_lengths(shown: Sequence[ast.expr], left: set[str]) -> bool:
    """Whether the number of scores that are left stands beside that of all: `len(scores) - len(sound)`."""
    lengths = [
        ast.unparse(each.args[0])
        for each in shown
        if isinstance(each, ast.Call) and isinstance(each.func, ast.Name) and each.func.id == "len" and each.args
    ]
    return any(each in left for each in lengths) and any(each not in left for each in lengths)


def _leaves_out(node: ast.expr, masks: set[str]) -> bool:
    """Whether a value is the scores without those that are missing."""
    match node:
        case ast.ListComp(generators=generators):
            return any(_tells_missing(test, masks) for each in generators for test in each.ifs)
        case ast.Subscript(slice=chosen):
            return _tells_missing(chosen, masks)
    return False


def _tells_missing(node: ast.expr, masks: set[str]) -> bool:
    """Whether a value says of each score whether it is there; a sum of the scores that are there counts nothing."""
    match node:
        case ast.Name(id=name):
            return name in masks
        case ast.Compare(ops=[ast.Is() | ast.IsNot()], comparators=[ast.Constant(value=None)]):
            return True
        case ast.Call(func=ast.Name(id="isnan" | "isfinite") | ast.Attribute(attr="isnan" | "isfinite")):
            return True
        case ast.UnaryOp(operand=inner) | ast.Call(func=ast.Attribute(value=inner, attr="astype" | "float" | "int")):
            return _tells_missing(inner, masks)
        case ast.GeneratorExp(elt=ast.Constant(value=1)) | ast.ListComp(elt=ast.Constant(value=1)):
            return any(_tells_missing(test, masks) for each in node.generators for test in each.ifs)
        case ast.GeneratorExp(elt=inner) | ast.ListComp(elt=inner):
            return _tells_missing(inner, masks)
    return False
