"""The record of a search for the best number so far."""

from __future__ import annotations

import ast

from cmgan_audit.facts.slices import Found
from cmgan_audit.lazy_dataclasses import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class Search:
    """A comparison that asks whether a number is better than the best one so far, which it then becomes.

    Attributes:
        compare: the comparison.
        number: the new number.
        best: the best one so far.
        taken: what counts as better.
        asks_less: whether the comparison asks if the new number is less.
        test: the test that holds the comparison.
        among_all: whether it is one with all numbers so far, of which none is kept apart as the best one.
    """

    compare: ast.expr
    number: ast.expr
    best: ast.expr
    taken: str
    asks_less: bool
    test: Found
    among_all: bool = False
