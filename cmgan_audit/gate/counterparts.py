"""Where the statements and lines of an earlier tree stand now: a place that was edited is not another one."""

from __future__ import annotations

import ast
import bisect
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from functools import cached_property, partial
from pathlib import Path, PurePosixPath

from cmgan_audit.finding import Finding, Location
from cmgan_audit.gate.renamed_variables import LEAST_ALIKE, UNITS, Words, alike_share, words_of
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.execution.depth import deeply
from cmgan_audit.source.discovery import Failure
from cmgan_audit.source.python_file import parse_python
from cmgan_audit.source.syntax import NamedFunction

# Two versions of a file are compared where no more pairs of parts are left between what begins and ends them alike.
MOST_PAIRS = 4_000_000

_WORDS = regex(r"\w+|[^\w\s]")
_ASSIGNS = frozenset({":Assign", ":AnnAssign"})


@dataclass(frozen=True, slots=True)
class Part:
    """A statement of a program without those inside of it, or a line of another file.

    Attributes:
        words: what it says.
        first: its first line.
        last: its last line.
        scope: the line of the function or class around it; 0 where there is none.
    """

    words: Words
    first: int
    last: int
    scope: int = 0

    def holds(self, place: Location) -> bool:
        """Whether a place begins there."""
        return self.first <= place.line <= self.last


class Counterparts:
    """Finds what stands today in the place of what stood somewhere in an earlier tree.

    Args:
        before: the earlier tree.
        now: the tree as it is.
        renamed: new path -> old path of the files that have another one now.
    """

    def __init__(self, before: Path, now: Path, renamed: Mapping[str, str]) -> None:
        self._before, self._now = before, now
        self._newer = {old: new for new, old in renamed.items()}
        self._compared: dict[str, _Versions] = {}

    def is_at(self, place: Location, earlier: Location) -> bool:
        """Whether a place is in what stands where an earlier place stood."""
        path, part = self._of(earlier)
        return part is not None and place.path == path and part.holds(place)

    def stands(self, earlier: Location) -> bool:
        """Whether anything stands where an earlier place stood."""
        return self._of(earlier)[1] is not None

    def is_beside(self, place: Location, earlier: Location) -> bool:
        """Whether a place is in the function, class or file in which something stands where an earlier place stood."""
        path, part = self._of(earlier)
        here = self._versions(earlier.path).now(place.line) if place.path == path else None
        return part is not None and here is not None and here.scope == part.scope

    def _of(self, earlier: Location) -> tuple[str, Part | None]:
        path = self._newer.get(earlier.path, earlier.path)
        return path, self._versions(earlier.path).counterpart(earlier.line)

    def _versions(self, earlier: str) -> _Versions:
        if earlier not in self._compared:
            path = self._newer.get(earlier, earlier)
            old, new = partial(_parts, self._before, earlier), partial(_parts, self._now, path)
            self._compared[earlier] = _Versions(deeply(old), deeply(new))
        return self._compared[earlier]


class _Versions:
    """Two versions of a file."""

    def __init__(self, old: Sequence[Part], new: Sequence[Part]) -> None:
        self._old, self._new = old, new

    def counterpart(self, line: int) -> Part | None:
        """What stands where a line stood; None if it is gone."""
        return self._pairs.get(_number_at(self._old, line))

    def now(self, line: int) -> Part | None:
        """What stands on a line."""
        number = _number_at(self._new, line)
        return self._new[number] if number >= 0 else None

    @cached_property
    def _pairs(self) -> Mapping[int, Part]:
        """The part of today of each earlier one, by its number."""
        old, new = ([part.words for part in side] for side in (self._old, self._new))
        head = _alike_at_first(old, new)
        tail = _alike_at_first(old[:head:-1], new[:head:-1])
        found = {number: self._new[number] for number in range(head)}
        found |= {len(old) - back: self._new[len(new) - back] for back in range(1, tail + 1)}
        old, new = old[head : len(old) - tail], new[head : len(new) - tail]
        if len(old) * len(new) <= MOST_PAIRS:
            for before, after in _aligned(old, new):
                found[head + before] = self._new[head + after]
        return found


def _number_at(parts: Sequence[Part], line: int) -> int:
    """The number of the part on a line; -1 if there is none."""
    number = bisect.bisect_right(parts, line, key=lambda part: part.first) - 1
    return number if number >= 0 and line <= parts[number].last else -1


def _alike_at_first(old: Sequence[Words], new: Sequence[Words]) -> int:
    pairs = zip(old, new, strict=False)
    return next((number for number, (one, other) in enumerate(pairs) if one != other), min(len(old), len(new)))


def _aligned(old: Sequence[Words], new: Sequence[Words]) -> Iterator[tuple[int, int]]:
    """Pairs of parts that are equal, or the most alike where some were replaced by others."""
    for kind, begin, end, start, stop in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            yield from zip(range(begin, end), range(start, stop), strict=True)
        elif kind == "replace":
            for number in range(begin, end):
                _, share, other = max((*_likeness(old[number], new[other]), other) for other in range(start, stop))
                if share >= LEAST_ALIKE:
                    yield number, other


def _likeness(old: Words, new: Words) -> tuple[bool, float]:
    """How alike two parts are: what is assigned to the same name comes first."""
    return _assigned(old) == _assigned(new) != "", alike_share(Counter(old), Counter(new))


def _assigned(words: Words) -> str:
    return next((word for word in words if word.isidentifier()), "") if words and words[0] in _ASSIGNS else ""


def _parts(root: Path, path: str) -> list[Part]:
    """The parts of a file in order; none of one that is not there."""
    try:
        data = (root / path).read_bytes()
    except OSError:
        return []
    if PurePosixPath(path).suffix in (".py", ".pyw"):
        parsed = parse_python(path, data)
        if not isinstance(parsed, Failure):
            return [*_statements(parsed.tree)]
    lines = data.decode("utf-8", "replace").splitlines()
    return [Part(tuple(_WORDS.findall(line)), number, number) for number, line in enumerate(lines, start=1)]


def _statements(tree: ast.Module) -> Iterator[Part]:
    waiting: list[tuple[ast.AST, int]] = [(node, 0) for node in reversed(tree.body)]
    while waiting:
        node, scope = waiting.pop()
        inner = [each for each in ast.iter_child_nodes(node) if isinstance(each, UNITS)]
        first, last = _lines(node)
        if inner:
            last = max(first, _lines(inner[0])[0] - 1)
        yield Part(tuple(words_of(node)), first, last, scope)
        within = first if isinstance(node, NamedFunction | ast.ClassDef) else scope
        waiting += [(each, within) for each in reversed(inner)]


def _lines(node: ast.AST) -> tuple[int, int]:
    node = node.pattern if isinstance(node, ast.match_case) else node
    first = getattr(node, "lineno", 1)
    return first, getattr(node, "end_lineno", None) or first


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
    return others[len(here) - len(standing) :]


def _may_be(finding: Finding, earlier: Location, places: Counterparts) -> bool:
    """Whether a finding passes what stands in an earlier place, or stands in another function than it."""
    ways = (finding.location, *(step.location for step in finding.trail))
    if any(places.is_at(place, earlier) for place in ways if place is not None):
        return True
    return finding.location is None or not places.is_beside(finding.location, earlier)
