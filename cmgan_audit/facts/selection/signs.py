"""Whether a factor turns the direction of a number round: its sign, where the program tells it."""

from __future__ import annotations

import ast

from cmgan_audit.facts.slices import Found, Slicer
from cmgan_audit.facts.view import View
from cmgan_audit.lazy_regex import regex

# A factor of unknown value that is above zero: a weight or a count, by its name.
_WEIGHT = regex(
    r"weight|lambda|\blam|alpha|beta|gamma|\bw\d?\b|batch|size|shape|num|count|total|len|\bbs?\b|\bn\b|scale"
)
# Methods that write into a tensor and may turn its sign round, or put other numbers there.
_IN_PLACE = frozenset("neg_ negative_ mul_ div_ sub_ copy_ reciprocal_".split())
_SCALES = frozenset({"mul_", "div_"})
# What counts.
_COUNTS = frozenset("len size numel".split())


def sign_of(slicer: Slicer, here: Found, depth: int = 4) -> int:
    """The sign of a factor: 1, -1, or 0 where it is open.

    Args:
        slicer: of the run.
        here: the factor.
        depth: how many names it is followed through.
    """
    match here.node:
        case ast.Constant(value=int() | float() as value):
            return 1 if value > 0 else 0
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -sign_of(slicer, here.beside(operand), depth)
        case ast.Call(func=ast.Name(id=function) | ast.Attribute(attr=function)) if function in _COUNTS:
            return 1
        case ast.BinOp(left=left, op=ast.Mult() | ast.Div(), right=right):
            return sign_of(slicer, here.beside(left), depth) * sign_of(slicer, here.beside(right), depth)
        case ast.IfExp(body=one, orelse=other):
            signs = {sign_of(slicer, here.beside(each), depth) for each in (one, other)}
            return signs.pop() if len(signs) == 1 else 0
    if isinstance(here.node, ast.Name | ast.Attribute) and depth:
        signs = {sign_of(slicer, each, depth - 1) for each, _ in slicer.sources(here)} or {0}
        if signs != {0}:
            return signs.pop() if len(signs) == 1 else 0
    return 1 if _WEIGHT.search(ast.unparse(here.node).lower()) else 0


def is_turned_in_place(view: View, here: Found) -> bool:
    """Whether a name stands for numbers that a line above it may have turned round where they are.

    `losses.neg_()`, `losses.mul_(-1)`, `np.negative(losses, out=losses)`.

    Args:
        view: the run.
        here: the name, or an attribute of `self`.
    """
    assert isinstance(here.node, ast.expr)
    around = view.code.around(here.path, here.node)
    name, line = ast.unparse(here.node), here.node.lineno
    for node in around.own_nodes() if around is not None else ():
        match node:
            case ast.Call(func=ast.Attribute(value=owner, attr=method), args=given) if (
                method in _IN_PLACE and node.lineno < line and ast.unparse(owner) == name
            ):
                scaled = method in _SCALES and given and sign_of(view.slicer, here.beside(given[0])) > 0
                if not scaled:
                    return True
            case ast.Call(keywords=[*_, ast.keyword(arg="out", value=target)]):
                if node.lineno < line and ast.unparse(target) == name:
                    return True
    return False
