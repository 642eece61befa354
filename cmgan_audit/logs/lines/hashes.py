"""Lines that differ in a hash: another commit, job or file on every one. They are understood once.

A hash within the name of a value may tell runs or systems apart (`a1b2c3d4/val_pesq`), so names keep it; where every
value has another one, it names nothing.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace

from cmgan_audit.lazy_regex import regex
from cmgan_audit.logs.lines.plan import Plan
from cmgan_audit.logs.lines.shapes import understand
from cmgan_audit.logs.roles import RoleBook
from cmgan_audit.logs.series import INDEX, Run, Series

# Its first digits may have become a slot. Letters and a number behind them are rather a name: `dec128`, `e000012`.
_HASH = regex(
    rb"(?<![\w.])(?:(\x00)(?=\w{3})|(?=\w{6})(?![a-f]+[0-9]+\b))(?=[a-f]*[0-9])(?=[0-9]*[a-f])[0-9a-f]+(?![\w.])"
)
_WORD = regex(r"\w+")
# The words for the hashes of a line, while it is understood.
_STANDS_FOR = [f"anyhash{letter}" for letter in "abcdefgh"]
_FEWEST = 3


class HashedShapes:
    """Makes the plans of shapes, and keeps those of lines with a hash for the lines with another one."""

    def __init__(self, book: RoleBook) -> None:
        self._book = book
        self._known: dict[bytes, Plan] = {}
        self._in_names: set[str] = set()

    def plan(self, shape: bytes) -> Plan:
        """The plan of a shape; names and key keep the hash, so that a line with another one is no echo."""
        hashes = [found.group().lstrip(b"\0").decode() for found in _HASH.finditer(shape)]
        if not hashes or len(hashes) > len(_STANDS_FOR):
            return self._understood(shape)
        words = map(str.encode, _STANDS_FOR)
        alike = _HASH.sub(lambda found: (found[1] or b"") + next(words), shape)
        if alike not in self._known:
            self._known[alike] = self._understood(alike)
        return self._with(hashes, self._known[alike])

    def forget(self) -> None:
        """Drop what was kept."""
        self._known.clear()

    def settle(self, run: Run) -> None:
        """Make one series of those that have a single value each, under another hash, at another epoch or step."""
        alike: defaultdict[tuple[str, str], list[Series]] = defaultdict(list)
        for series in run.series if self._in_names else []:
            name = _WORD.sub(lambda word: "" if word.group() in self._in_names else word.group(), series.name)
            if name != series.name and series.x_kind != INDEX and series.seen == 1:
                alike[" ".join(name.split()).strip("/ "), series.x_kind].append(series)
        for (name, _), parts in alike.items():
            points = sorted((point for part in parts for point in part), key=lambda point: point[2])
            if len(parts) >= _FEWEST and all(a[0] != b[0] for a, b in itertools.pairwise(points)):
                taken = set(map(id, parts))
                run.series = [series for series in run.series if id(series) not in taken]
                run.series.append(replace(parts[0].replaced(points), name=name, seen=len(points)))

    def _with(self, hashes: Sequence[str], plan: Plan) -> Plan:
        def put(text: str) -> str:
            for word, own in zip(_STANDS_FOR, hashes, strict=False):
                text = text.replace(word, own)
            return text

        copied = replace(plan, key=put(plan.key), body=put(plan.body), lines=0)
        if len(hashes) == 1 and plan.values and plan.epoch is not None:
            copied.of_hash = f"job {hashes[0]}"
        if any(word in name for name in _names(plan) for word in _STANDS_FOR):
            _rename(copied, put)
            self._in_names.update(hashes)
        return copied

    def _understood(self, shape: bytes) -> Plan:
        return understand(shape.decode("utf-8", errors="replace"), self._book)


def _names(plan: Plan) -> list[str]:
    """All names that a plan gives to numbers."""
    names = [*(value.name for value in plan.values), *(listed.name for listed in plan.arrays)]
    return [*names, *([] if plan.row_of is None else [plan.row_of.name]), *plan.head, *plan.missing, *plan.unknown]


def _rename(plan: Plan, put: Callable[[str], str]) -> None:
    plan.values = [replace(value, name=put(value.name)) for value in plan.values]
    plan.arrays = [replace(listed, name=put(listed.name)) for listed in plan.arrays]
    plan.row_of = None if plan.row_of is None else replace(plan.row_of, name=put(plan.row_of.name))
    plan.head = tuple(map(put, plan.head))
    plan.missing, plan.unknown = list(map(put, plan.missing)), list(map(put, plan.unknown))
