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
    """Understands lines that hold a number together with the line above them, which may name it."""

    def __init__(self, book: RoleBook) -> None:
        self._book = book
        self._known: dict[tuple[bytes, bytes], Plan | None] = {}
        self._above: _Above | None = None
        self._waiting: tuple[Plan, list[bytes], int] | None = None

    def plan(self, shape: bytes) -> Plan | None:
        """The plan of a line and the one above it; None where it is no mere number, or the line above names none."""
        above = self._above
        if above is None or not _is_only_a_number(shape):
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
            self._waiting = plan, self._above.row + row, line

    def waited(self, shape: bytes) -> tuple[Plan, list[bytes], int] | None:
        """What waits for a line of this shape (empty at the end of the log): plan, numbers and place."""
        found, self._waiting = self._waiting, None
        return None if _is_only_a_number(shape) else found

    def passed(self, shape: bytes, plan: Plan, row: list[bytes]) -> None:
        """The line was read; it is the one above the next."""
        self._above = None if plan.values else _Above(shape, plan, row)

    def _joined(self, above: _Above, shape: bytes) -> Plan | None:
        name = above.shape.decode("utf-8", errors="replace").rstrip()
        if above.plan.values or len(name) > _LONGEST or not (_OPEN.search(name) or _is_a_name(name)):
            return None
        plan = understand(f"{name} {shape.decode('utf-8', errors='replace').strip()}", self._book)
        named = [value for value in plan.values if value.slots == (above.plan.slots,) or value.constant is not None]
        said = len(plan.values) == 1 and bool(named) and named[0].role.kind in ("metric", "loss", "best")
        return plan if said else None


def _is_only_a_number(shape: bytes) -> bool:
    return len(shape) <= _LONGEST and _ONLY_NUMBER.fullmatch(shape) is not None


def _is_a_name(line: str) -> bool:
    """Whether a line is the name of a series and nothing else: `val loss`, `Test PESQ`."""
    t, words = table(), words_of(line)
    known = t.telling | t.qualifiers | set(t.phases) | set(t.networks) | t.losses
    return "\0" not in line and bool(words) and known.issuperset(words)
