"""Names of two listed folders that a program compares, and goes on only where they are the same."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from cmgan_audit.facts.view import View
from cmgan_audit.finding import Location
from cmgan_audit.program.domain.values import Listing
from cmgan_audit.program.execution.trace import ComparedEvent, Event

Identity = tuple[Location, int]
_NO_NAMES = frozenset({"suffix", "suffixes", "parent", "parents", "anchor", "root", "drive"})


def identity(listing: Listing) -> Identity:
    """What tells one listing from others, sorted or not."""
    return listing.location, listing.number


def agreeing(view: View, events: Iterable[Event]) -> Iterator[frozenset[Identity]]:
    """The listings, two each time, whose names a run compares and leaves where they differ."""
    for event in events:
        if isinstance(event, ComparedEvent) and _refuses(view, event):
            first, second = event.orders
            for one in first:
                yield from (frozenset((identity(one), identity(other))) for other in second)


def _refuses(view: View, event: ComparedEvent) -> bool:
    """Whether an `assert`, or a test behind which a pair is given up, lets through only names that are the same."""
    node = view.code.node_of(event)
    if not isinstance(node, ast.Compare) or any(map(_is_no_name, (node.left, *node.comparators))):
        return False
    agree = all(isinstance(operation, ast.Eq) for operation in node.ops)  # what it is true for: names that are the same
    for parent in view.code.parents(event.location.path, node):
        match parent:
            case ast.UnaryOp(op=ast.Not()):
                agree = not agree
            case ast.BoolOp(op=ast.Or()) if agree:
                return False  # something else lets them through too
            case ast.BoolOp(op=ast.And()) if not agree:
                return False
            case ast.Assert():
                return agree
            case ast.If(body=body):
                return not agree and isinstance(body[-1], ast.Raise | ast.Continue)
            case ast.stmt():
                return False
    return False


def _is_no_name(node: ast.expr) -> bool:
    """Whether a path's ending or folder is compared: many files have the same."""
    return isinstance(node, ast.Attribute) and node.attr in _NO_NAMES
