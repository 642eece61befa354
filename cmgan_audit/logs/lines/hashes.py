"""Lines that differ in a hash: another commit, job or file on every one. They are understood once."""

from __future__ import annotations

from dataclasses import replace

from cmgan_audit.lazy_regex import regex
from cmgan_audit.logs.lines.plan import Plan
from cmgan_audit.logs.lines.shapes import understand
from cmgan_audit.logs.roles import RoleBook

# Its first digits may have become a slot. Names such as `dec128` look the same.
_HASH = regex(rb"(?<![\w.])(?:(\x00)(?=\w{3})|(?=\w{6}))(?=[a-f]*[0-9])(?=[0-9]*[a-f])[0-9a-f]+(?![\w.])")


class HashedShapes:
    """Makes the plans of shapes, and keeps those of lines with a hash for the lines with another one.

    A hash within the name of a value tells runs or systems apart (`a1b2c3d4/val_pesq`): nothing is shared there.
    """

    def __init__(self, book: RoleBook) -> None:
        self._book = book
        self._known: dict[bytes, tuple[Plan, list[str]]] = {}

    def plan(self, shape: bytes) -> Plan:
        """The plan of a shape; its key keeps the hash, so that a line with another one is no echo."""
        hashes = [found.group().lstrip(b"\0").decode() for found in _HASH.finditer(shape)]
        if not hashes:
            return self._understood(shape)
        alike = _HASH.sub(rb"\1x", shape)
        if alike not in self._known:
            plan = self._understood(shape)
            if not any(word in name for word in hashes for name in _names(plan)):
                self._known[alike] = plan, hashes
            return plan
        plan, others = self._known[alike]
        key = plan.key
        for other, word in zip(others, hashes, strict=True):
            key = key.replace(other, word)
        return replace(plan, key=key, lines=0)

    def forget(self) -> None:
        """Drop what was kept."""
        self._known.clear()

    def _understood(self, shape: bytes) -> Plan:
        return understand(shape.decode("utf-8", errors="replace"), self._book)


def _names(plan: Plan) -> list[str]:
    """All names that a plan gives to numbers."""
    values = [*plan.values, *([] if plan.row_of is None else [plan.row_of])]
    return [*(value.name for value in values), *(listed.name for listed in plan.arrays), *plan.head, *plan.missing]
