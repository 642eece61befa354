"""A value on the line below its name: `PESQ:` or `val loss`, and then a line that is nothing but a number.

Both lines together are understood as one, whatever that may be. The first number of a column is no such value.
"""

from __future__ import annotations

import re

from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex
from cmgan_audit.logs.lines.plan import Plan
from cmgan_audit.logs.lines.shapes import understand
from cmgan_audit.logs.roles import RoleBook, table, words_of

_ONLY_NUMBER = regex(rb"\s*(?:tensor\()?[-+]?(?:\x00%?|nan|inf(?:inity)?)(?:,\s*[a-z_]+=[^,()]*)*\)?\s*", re.IGNORECASE)
# Behind such a sign a value follows; a line without one is nothing but a name.
_OPEN = regex(r"(?:[:=]|\b(?:is|are|was))\s*$")
# A longer line is a sentence.
_LONGEST = 120
_MOST_KEPT = 1000


@dataclass(slots=True)
class _Above:
    """The line above: its shape, its plan, and its numbers."""

    shape: bytes
    plan: Plan
    row: list[bytes]


class NamesAbove:
    """Understands lines that hold a number together with the line above them, which may name it.

    `waiting` is a value that was found, until the line below it has been seen: plan, numbers and place.
    """

    def __init__(self, book: RoleBook) -> None:
        self._book = book
        self._known: dict[tuple[bytes, bytes], Plan | None] = {}
        self._above: _Above | None = None
        self.waiting: tuple[Plan, list[bytes], int] | None = None

    def plan(self, shape: bytes) -> Plan | None:
        """The plan of a line and the one above it; None where it is no mere number, or the line above names none."""
        above = self._above
        if above is None or not is_only_a_number(shape):
            return None
        key = above.shape, shape
        if key not in self._known:
            if len(self._known) >= _MOST_KEPT:
                self._known.clear()
            self._known[key] = self._joined(above, shape)
        return self._known[key]

    def take(self, shape: bytes, row: list[bytes], line: int) -> None:
        """A line without a value of its own: if it holds that of the line above, it waits for the line below."""
        plan = self.plan(shape)
        if plan is not None and self._above is not None:
            self.waiting = plan, self._above.row + row, line

    def waited(self, goes_on: bool) -> tuple[Plan, list[bytes], int] | None:
        """What has waited: plan, numbers and place; None where it is the first of a column that goes on."""
        found, self.waiting = self.waiting, None
        return None if goes_on else found

    def passed(self, shape: bytes, plan: Plan, numbers: list[bytes], end: int) -> None:
        """A line was read, whose numbers end there; it is the one above the next."""
        self._above = _Above(shape, plan, numbers[end - plan.slots : end]) if plan.names_below else None

    def _joined(self, above: _Above, shape: bytes) -> Plan | None:
        name = _text(above.shape)
        plan = understand(f"{name} {_text(shape).lstrip()}", self._book)
        named = [value for value in plan.values if value.slots == (above.plan.slots,) or value.constant is not None]
        said = len(plan.values) == 1 and bool(named) and named[0].role.kind in ("metric", "loss", "best")
        return plan if said else None


def may_name(shape: bytes, plan: Plan) -> bool:
    """Whether a line may be the name of a value that stands alone on the next."""
    if plan.values or len(shape) > _LONGEST:
        return False
    name = _text(shape)
    return _OPEN.search(name) is not None or _is_a_name(name)


def _text(shape: bytes) -> str:
    return shape.decode("utf-8", errors="replace").rstrip()


def is_only_a_number(shape: bytes) -> bool:
    """Whether a line is a number, or what is none, and nothing else."""
    return len(shape) <= _LONGEST and _ONLY_NUMBER.fullmatch(shape) is not None


def _is_a_name(line: str) -> bool:
    """Whether a line is the name of a series and nothing else: `val loss`, `Test PESQ`."""
    t, words = table(), words_of(line)
    known = t.telling | t.qualifiers | set(t.phases) | set(t.networks) | t.losses
    return "\0" not in line and bool(words) and known.issuperset(words)
