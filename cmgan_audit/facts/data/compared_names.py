"""Names of two listed folders that a program compares, and goes on only where they are the same."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from cmgan_audit.facts.view import View
from cmgan_audit.finding import Location
from cmgan_audit.program.domain.values import Listing
from cmgan_audit.program.execution.trace import ComparedEvent, Event

Identity = tuple[Location, int]


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
    """Whether a comparison stands in an `assert`, or in a test behind which the pair is given up."""
    node = view.code.node_of(event)
    if node is None:
        return False
    for parent in view.code.parents(event.location.path, node):
        if isinstance(parent, ast.Assert):
            return True
        if isinstance(parent, ast.If):
            return isinstance(parent.body[-1], ast.Raise | ast.Continue)
        if isinstance(parent, ast.stmt):
            return False
    return False
