"""Losses that are written out: differences that are squared, or taken without their sign, on the way to a loss."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from cmgan_audit.facts.runtime.flow import Node
from cmgan_audit.facts.values import constant
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Location
from cmgan_audit.program.domain.values import Value, options_of

_SIGNLESS = frozenset({"square", "square_", "abs", "abs_", "absolute", "absolute_", "norm"})
_POWERS = frozenset({"**", "pow", "pow_"})


def differences_in_losses(view: View) -> Mapping[Location, Sequence[Node]]:
    """The differences by whose size a loss of the run grows, by their places: `((answer - target) ** 2).mean()`."""
    found: dict[Location, list[Node]] = defaultdict(list)
    for root, _ in view.flow.losses():
        for node in view.flow.behind(root):
            if node.operands and _drops_sign(node):
                for base in _differences(view, node.operands[0]):
                    if base.location is not None:
                        found[base.location].append(base)
    return found


def _drops_sign(node: Node) -> bool:
    member = node.operation.rpartition(".")[2]
    if member in _POWERS:
        return len(node.operands) > 1 and constant(node.operands[1]) == 2
    if member == "*":
        return len(node.operands) == 2 and node.operands[0] is node.operands[1]
    return member in _SIGNLESS


def _differences(view: View, value: Value, left: int = 8) -> Iterator[Node]:
    """The differences that a value is, or may be."""
    for option in options_of(value):
        node = view.flow.node(option.value)
        if node is not None and node.operation == "-" and len(node.operands) == 2:
            yield node
        elif node is not None and node.operation == "or" and left > 0:
            for operand in node.operands:
                yield from _differences(view, operand, left - 1)
