"""Where a script says that an option is missing and ends, instead of doing its work."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from cmgan_audit.program.trace import DecisionEvent, Event
from cmgan_audit.program.values import Const

# What only tells somebody something, and what ends the program, by the last part of the called name.
_TELLS = frozenset(
    "print error warning warn info debug critical exception log echo secho print_help print_usage".split()
)
_ENDS = frozenset({"exit", "quit", "_exit", "error"})
# The stack of the module's top level and of one function: when that function returns, the script is at its end.
_MAIN = 2


def option_not_given(events: Sequence[Event]) -> str:
    """An option without a default that a test asked for, as it is written; "" where the test asked for none."""
    return next(
        (
            event.value.overridable
            for event in events
            if isinstance(event, DecisionEvent) and isinstance(event.value, Const) and event.value.value is None
        ),
        "",
    )


def only_complains(body: Sequence[ast.stmt], depth: int) -> bool:
    """Whether a branch does nothing but say something and end the script.

    Args:
        body: the statements of the branch.
        depth: how many calls deep it stands, the module's top level counted: a function that the top level calls ends
            the script by returning, one further down only leaves out what is optional.
    """
    *before, last = body
    if isinstance(last, ast.Return):
        return last.value is None and depth == _MAIN and bool(before) and all(map(_tells, before))
    return _calls(last, _ENDS) and all(map(_tells, before))


def _tells(statement: ast.stmt) -> bool:
    return _calls(statement, _TELLS)


def _calls(statement: ast.stmt, names: frozenset[str]) -> bool:
    if not isinstance(statement, ast.Expr) or not isinstance(statement.value, ast.Call):
        return False
    called = statement.value.func
    return (called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")) in names
