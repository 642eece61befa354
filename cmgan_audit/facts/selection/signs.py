"""Whether a factor turns the direction of a number round: its sign, where the program tells it."""

from __future__ import annotations

import ast
from dataclasses import replace

from cmgan_audit.facts.slices import Found, Slicer
from cmgan_audit.lazy_regex import regex

# A factor of unknown value that is above zero: a weight or a count, by its name.
_WEIGHT = regex(
    r"weight|lambda|\blam|alpha|beta|gamma|\bw\d?\b|batch|size|shape|num|count|total|len|\bbs?\b|\bn\b|scale"
)
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
            return -sign_of(slicer, replace(here, node=operand), depth)
        case ast.Call(func=ast.Name(id=function) | ast.Attribute(attr=function)) if function in _COUNTS:
            return 1
        case ast.BinOp(left=left, op=ast.Mult() | ast.Div(), right=right):
            return sign_of(slicer, replace(here, node=left), depth) * sign_of(slicer, replace(here, node=right), depth)
        case ast.IfExp(body=one, orelse=other):
            signs = {sign_of(slicer, replace(here, node=each), depth) for each in (one, other)}
            return signs.pop() if len(signs) == 1 else 0
    if isinstance(here.node, ast.Name | ast.Attribute) and depth:
        signs = {sign_of(slicer, each, depth - 1) for each, _ in slicer.sources(here)} or {0}
        if signs != {0}:
            return signs.pop() if len(signs) == 1 else 0
    return 1 if _WEIGHT.search(ast.unparse(here.node).lower()) else 0
