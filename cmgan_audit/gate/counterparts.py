"""Where the statements and lines of an earlier tree stand now: a place that was edited is not another one."""

from __future__ import annotations

import bisect
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from functools import cached_property, partial
from pathlib import Path

from cmgan_audit.finding import Finding, Location
from cmgan_audit.gate.parts import Part, Scope, parts_of
from cmgan_audit.gate.renamed_variables import LEAST_ALIKE, Words, alike_share
from cmgan_audit.program.execution.depth import deeply

# Two versions of a file are compared where no more pairs of parts are left between what begins and ends them alike.
MOST_PAIRS = 4_000_000
# Parts that are not equal are compared word by word, among so many pairs at most.
MOST_ALIKE = 250_000


class Counterparts:
    """Finds what stands today in the place of what stood somewhere in an earlier tree.

    Args:
        before: the earlier tree.
        now: the tree as it is.
        renamed: new path -> old path of the files that have another one now.
    """

    def __init__(self, before: Path, now: Path, renamed: Mapping[str, str]) -> None:
        self._before, self._now = before, now
        self._older, self._newer = renamed, {old: new for new, old in renamed.items()}
        self._compared: dict[str, _Versions] = {}

    def is_at(self, place: Location, earlier: Location) -> bool:
        """Whether a place is in what stands where an earlier place stood."""
        path, part = self._of(earlier)
        return part is not None and place.path == path and part.holds(place)

    def stands(self, earlier: Location) -> bool:
        """Whether anything stands where an earlier place stood."""
        return self._of(earlier)[1] is not None

    def is_beside(self, place: Location, earlier: Location) -> bool:
        """Whether a place is in the function, class or section where something stands in place of an earlier one."""
        path, part = self._of(earlier)
        here = self._versions(earlier.path).now(place.line) if place.path == path else None
        return part is not None and here is not None and here.scope == part.scope

    def stood(self, place: Location) -> bool:
        """Whether what is at a place stood somewhere in the file before."""
        return self._at(place)[0] is not None

    def is_changed(self, place: Location) -> bool:
        """Whether what is at a place did not stand in the same scope before, or said something else."""
        old, new = self._at(place)
        return new is not None and (old is None or (old.scope, old.words) != (new.scope, new.words))

    def _at(self, place: Location) -> tuple[Part | None, Part | None]:
        versions = self._versions(self._older.get(place.path, place.path))
        return versions.earlier(place.line), versions.now(place.line)

    def _of(self, earlier: Location) -> tuple[str, Part | None]:
        path = self._newer.get(earlier.path, earlier.path)
        return path, self._versions(earlier.path).counterpart(earlier.line)

    def _versions(self, earlier: str) -> _Versions:
        if earlier not in self._compared:
            path = self._newer.get(earlier, earlier)
            old, new = partial(parts_of, self._before, earlier), partial(parts_of, self._now, path)
            self._compared[earlier] = _Versions(deeply(old), deeply(new))
        return self._compared[earlier]


class _Versions:
    """Two versions of a file."""

    def __init__(self, old: Sequence[Part], new: Sequence[Part]) -> None:
        self._old, self._new = old, new

    def counterpart(self, line: int) -> Part | None:
        """What stands where a line stood; None if it is gone."""
        number = self._pairs.get(_number_at(self._old, line))
        return None if number is None else self._new[number]

    def now(self, line: int) -> Part | None:
        """What stands on a line."""
        number = _number_at(self._new, line)
        return self._new[number] if number >= 0 else None

    def earlier(self, line: int) -> Part | None:
        """In whose place stands what is on a line; None if it came."""
        number = self._numbers_before.get(_number_at(self._new, line))
        return None if number is None else self._old[number]

    @cached_property
    def _numbers_before(self) -> Mapping[int, int]:
        return {after: before for before, after in self._pairs.items()}

    @cached_property
    def _pairs(self) -> Mapping[int, int]:
        """The number of the part of today of each earlier one, by its number.

        What stands in the same function or section comes first: equal lines of two sections are two settings.
        """
        pairing = _Pairing(self._old, self._new)
        olds, news = _by_scope(self._old), _by_scope(self._new)
        for scope, numbers in olds.items():
            pairing.within(numbers, news.get(scope, []))
        pairing.anywhere()
        return pairing.found


class _Pairing:
    """Finds for parts of an earlier version those of the newer one, each for one at most."""

    def __init__(self, old: Sequence[Part], new: Sequence[Part]) -> None:
        self._old, self._new = old, new
        self._counted = {id(part): Counter(part.words) for part in (*old, *new)}
        self._taken: set[int] = set()
        self.found: dict[int, int] = {}

    def within(self, old: Sequence[int], new: Sequence[int]) -> None:
        """Pair what a scope held with what it holds: what is equal, what sets the same name, what is alike."""
        blocks = self._equal(old, new)
        self._alike(old, new, by_name=True)
        for gone, come in blocks:
            self._alike(gone, come)

    def anywhere(self) -> None:
        """Pair what is left in the order of the file: a helper went into its caller, a section got another name."""
        for gone, come in self._equal(range(len(self._old)), range(len(self._new))):
            self._alike(gone, come)

    def _equal(self, old: Sequence[int], new: Sequence[int]) -> list[tuple[Sequence[int], Sequence[int]]]:
        """Pair what is equal; returns what was replaced by what in between."""
        replaced = []
        words = [self._old[number].words for number in old], [self._new[number].words for number in new]
        for kind, begin, end, start, stop in _opcodes(*words):
            if kind == "equal":
                for before, after in zip(old[begin:end], new[start:stop], strict=True):
                    self._pair(before, after)
            elif kind == "replace":
                replaced.append((old[begin:end], new[start:stop]))
        return replaced

    def _alike(self, old: Sequence[int], new: Sequence[int], *, by_name: bool = False) -> None:
        """Pair what is alike, or sets the same name; what sets the same name first, then the most alike."""
        gone = [number for number in old if number not in self.found]
        come = [number for number in new if number not in self._taken]
        if len(gone) * len(come) > MOST_ALIKE:
            return
        alike = []
        for before in gone:
            for after in come:
                same = self._old[before].name == self._new[after].name != ""
                if same or not by_name:
                    share = alike_share(self._counted[id(self._old[before])], self._counted[id(self._new[after])])
                    if by_name or share >= LEAST_ALIKE:
                        alike.append((same, share, before, after))
        for *_, before, after in sorted(alike, key=lambda each: each[:2], reverse=True):
            self._pair(before, after)

    def _pair(self, before: int, after: int) -> None:
        if before not in self.found and after not in self._taken:
            self.found[before] = after
            self._taken.add(after)


def _number_at(parts: Sequence[Part], line: int) -> int:
    """The number of the part on a line; -1 if there is none."""
    number = bisect.bisect_right(parts, line, key=lambda part: part.first) - 1
    return number if number >= 0 and line <= parts[number].last else -1


def _by_scope(parts: Sequence[Part]) -> Mapping[Scope, list[int]]:
    found: dict[Scope, list[int]] = {}
    for number, part in enumerate(parts):
        found.setdefault(part.scope, []).append(number)
    return found


def _opcodes(old: Sequence[Words], new: Sequence[Words]) -> Iterator[tuple[str, int, int, int, int]]:
    """What is equal and what was replaced, as `SequenceMatcher` tells it; of long texts only the equal ends."""
    head = _alike_at_first(old, new)
    tail = _alike_at_first(old[:head:-1], new[:head:-1])
    yield "equal", 0, head, 0, head
    yield "equal", len(old) - tail, len(old), len(new) - tail, len(new)
    old, new = old[head : len(old) - tail], new[head : len(new) - tail]
    if len(old) * len(new) <= MOST_PAIRS:
        for kind, *ends in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
            begin, end, start, stop = (head + each for each in ends)
            yield kind, begin, end, start, stop


def _alike_at_first(old: Sequence[Words], new: Sequence[Words]) -> int:
    pairs = zip(old, new, strict=False)
    return next((number for number, (one, other) in enumerate(pairs) if one != other), min(len(old), len(new)))


def elsewhere(found: Sequence[Finding], known: Iterable[Finding], places: Counterparts) -> list[Finding]:
    """Which of the findings of one symbolic place are none of those that were known there.

    That is so where something else stands in the place of a known one, in the same function, and no finding passes it.
    Findings of which it cannot be told are known.

    Args:
        found: what is found there now.
        known: what was found there in the earlier tree.
        places: where places of that tree stand now.
    """
    here = [each.location for each in known if each.location is not None]
    standing = [place for place in here if places.stands(place)]
    others = [each for each in found if not any(_may_be(each, place, places) for place in standing)]
    stood = [each for each in others if each.location is not None and places.stood(each.location)]
    return stood + [each for each in others if each not in stood][len(here) - len(standing) :]


def _may_be(finding: Finding, earlier: Location, places: Counterparts) -> bool:
    """Whether a finding passes what stands in an earlier place, or stands in another function than it."""
    ways = (finding.location, *(step.location for step in finding.trail))
    if any(places.is_at(place, earlier) for place in ways if place is not None):
        return True
    place = finding.location
    return place is None or not (places.is_beside(place, earlier) or places.stood(place))
