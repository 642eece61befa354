"""What the tests on the way tell about a setting that is not known but for being one of several texts.

`if args.scheduler == "plateau": ... elif args.scheduler == "cosine": ...` leaves both open, and what is made on one
side is not there where another test asks for the other text.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

_ASKED = "?"
_IS = " is "


def formula_of(number: int, text: str) -> str:
    """How a test of a value for a text stands among the facts: "?3 is 'cosine'"."""
    return f"{_ASKED}{number}{_IS}{text!r}"


def exclude(some: Iterable[tuple[str, bool]], others: Collection[tuple[str, bool]]) -> bool:
    """Whether tests cannot come out as they did on one path where others came out as they did."""
    return any((formula, not outcome) in others or (outcome and denied(formula, others)) for formula, outcome in some)


def denied(formula: str, facts: Iterable[tuple[str, bool]]) -> bool:
    """Whether a value cannot be a text where other tests came out as they did: it is another text, or known not to be.

    Args:
        formula: as `formula_of` gives it; of other formulas nothing is told.
        facts: tests with their outcomes.
    """
    if not formula.startswith(_ASKED):
        return False
    value = formula[: formula.index(_IS) + len(_IS)]
    return any(other.startswith(value) and holds != (other == formula) for other, holds in facts)
