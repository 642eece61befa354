"""Named predicates: judgements that need order or paths through code, written in Python over typed records.

A predicate is called in a rule's `when` by its name: `gradient_leaks()` asks about the record that the rule is over,
`gradient_leaks(step)` about a linked record or a variable of `any(...)`. It returns a fact, so its answer has the same
three values and the same evidence as a field.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.rules.record import Fact, Record


@dataclass(frozen=True, slots=True)
class Predicate:
    """A registered predicate: its name, the class of record that it asks about, and its function."""

    name: str
    over: type[Record]
    function: Callable[[Any], Fact]


PREDICATES: dict[str, Predicate] = {}


def predicate(over: type[Record]) -> Callable[[Callable[[Any], Fact]], Callable[[Any], Fact]]:
    """Register a function from a record of class `over` to a fact, under the function's name."""

    def register(function: Callable[[Any], Fact]) -> Callable[[Any], Fact]:
        name = function.__name__
        if name in PREDICATES or name in RESERVED:
            raise ValueError(f"predicate {name!r} is registered twice or has the name of a function of conditions")
        PREDICATES[name] = Predicate(name, over, function)
        return function

    return register


RESERVED = frozenset({"any", "all", "len"})
