"""Weights of the terms of a training's loss: `weights[0] * loss_ri + weights[1] * loss_mag + ...`.

What a term is comes from the name that the program gives it; a term without such a name, or a name that two terms
share, is left out.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from cmgan_audit.facts.runtime.flow import Node
from cmgan_audit.facts.values import fact_of, is_number
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Location
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.values import Const, Value
from cmgan_audit.rules.record import Fact

_MENTIONED = regex(rb"weight|lambda|alpha|\bw\d|loss", re.IGNORECASE)
_TERMS = (
    ("loss_weight_adversarial", "the adversarial loss", regex(r"gan|metric|adv|disc|fake", re.IGNORECASE)),
    ("loss_weight_magnitude", "the magnitude loss", regex(r"mag", re.IGNORECASE)),
    ("loss_weight_time", "the time loss", regex(r"time|wav", re.IGNORECASE)),
    ("loss_weight_complex", "the complex loss", regex(r"(^|_)ri(_|$)|(^|_)com(plex)?(_|$)", re.IGNORECASE)),
)


def weights_of(view: View) -> Iterator[tuple[str, str, Location, Fact]]:
    """The weights of known terms: name in a profile, clause, place, value."""
    found: dict[str, dict[Location, tuple[str, Fact]]] = {}
    for loss, _ in view.flow.losses():
        for node in view.flow.behind(loss):
            for name, what, place, fact in _weight(view, node):
                found.setdefault(name, {})[place] = (what, fact)
    for name, places in found.items():
        if len(places) == 1:
            for place, (what, fact) in places.items():
                yield name, what, place, fact


def _weight(view: View, node: Node) -> Iterator[tuple[str, str, Location, Fact]]:
    """What a product says, where a number is multiplied with something that is called a loss."""
    if node.operation != "*" or node.location is None or len(node.operands) != 2:
        return
    product = view.code.node_at(node.location)
    if not isinstance(product, ast.BinOp) or not isinstance(product.op, ast.Mult):
        return
    for number, term in ((node.operands[0], product.right), (node.operands[1], product.left)):
        text = _name(term)
        if isinstance(number, Const) and _is_number(number) and "loss" in text.lower():
            for name, what, pattern in _TERMS:
                if pattern.search(re.sub("loss", "", text, flags=re.IGNORECASE)):
                    yield name, f"the weight of {what}", node.location, fact_of(number, None)
                    return


def _is_number(value: Value) -> bool:
    return isinstance(value, Const) and is_number(value.value)


def _name(node: ast.expr) -> str:
    """The last name of `loss_ri`, `self.loss_ri` or `losses["ri"]`, with that of a dictionary in front."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(value=holder, slice=ast.Constant(value=str() as key)):
            return f"{_name(holder)}_{key}"
        case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)):
            return name
    return ""
