"""Where the statements and lines of an earlier tree stand now: a place that was edited is not another one."""

from __future__ import annotations

import ast
import bisect
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from functools import cached_property, partial
from pathlib import Path, PurePosixPath

from cmgan_audit.finding import Finding, Location
from cmgan_audit.gate.renamed_variables import LEAST_ALIKE, UNITS, Words, alike_share, words_of
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.execution.depth import deeply
from cmgan_audit.source.discovery import DATA_SUFFIXES, Failure, kind_of
from cmgan_audit.source.python_file import parse_python
from cmgan_audit.source.syntax import NamedFunction

# Two versions of a file are compared where no more pairs of parts are left between what begins and ends them alike.
MOST_PAIRS = 4_000_000

_WORDS = regex(r"\w+|[^\w\s]")

# What the parts inside are named after.
_HOLDERS = NamedFunction | ast.ClassDef | ast.Assign | ast.AnnAssign | ast.keyword

# The names of the classes, functions, sections and keys around a part.
Scope = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """A statement of a program without those inside of it, an entry of a dictionary, or a line of another file.

    Attributes:
        words: what it says.
        first: its first line.
        last: its last line.
        scope: what it stands in.
        name: what it sets, defines or calls with; empty where that is not plain.
    """

    words: Words
    first: int
    last: int
    scope: Scope = ()
    name: str = ""

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
            old, new = partial(_parts, self._before, earlier), partial(_parts, self._now, path)
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
        self._alike(old, new, lambda same_name, _: same_name)
        for gone, come in blocks:
            self._alike(gone, come, lambda _, share: share >= LEAST_ALIKE)

    def anywhere(self) -> None:
        """Pair what is left in the order of the file: a helper went into its caller, a section got another name."""
        for gone, come in self._equal(range(len(self._old)), range(len(self._new))):
            self._alike(gone, come, lambda _, share: share >= LEAST_ALIKE)

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

    def _alike(self, old: Sequence[int], new: Sequence[int], fits: Callable[[bool, float], bool]) -> None:
        """Pair what fits, the most alike first: what sets the same name before all others."""
        gone = [number for number in old if number not in self.found]
        come = [number for number in new if number not in self._taken]
        if len(gone) * len(come) > MOST_PAIRS:
            return
        pairs = ((*self._likeness(before, after), before, after) for before in gone for after in come)
        for *_, before, after in sorted(
            (each for each in pairs if fits(*each[:2])), key=lambda each: each[:2], reverse=True
        ):
            self._pair(before, after)

    def _likeness(self, before: int, after: int) -> tuple[bool, float]:
        old, new = self._old[before], self._new[after]
        return old.name == new.name != "", alike_share(self._counted[id(old)], self._counted[id(new)])

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


def _parts(root: Path, path: str) -> list[Part]:
    """The parts of a file in order; none of one that is not there, or that is no text of a program or its settings."""
    if not kind_of(PurePosixPath(path).name):
        return []
    try:
        data = (root / path).read_bytes()
    except OSError:
        return []
    suffix = PurePosixPath(path).suffix
    if suffix in (".py", ".pyw"):
        parsed = parse_python(path, data)
        if not isinstance(parsed, Failure):
            return [*_statements(parsed.tree)]
    return [*_settings(data.decode("utf-8", "replace").splitlines(), named=suffix in DATA_SUFFIXES)]


def _settings(lines: Iterable[str], *, named: bool) -> Iterator[Part]:
    """The lines of a file that is no program, each in the keys that stand above it further to the left."""
    above: list[tuple[int, str]] = []
    for number, line in enumerate(lines, start=1):
        words = tuple(_WORDS.findall(line))
        if not words:
            continue
        depth = -1 if words[0] == "[" else len(line) - len(line.lstrip())  # a section has no line beside it
        while above and above[-1][0] >= depth:
            above.pop()
        name = next(filter(str.isidentifier, words), "") if named else ""
        yield Part(words, number, number, tuple(key for _, key in above), name)
        above.append((depth, name))


def _statements(tree: ast.Module) -> Iterator[Part]:
    waiting: list[tuple[ast.AST, Scope]] = [(node, ()) for node in reversed(tree.body)]
    line = 0  # of the last part: of those that begin on one line the first one is told
    while waiting:
        node, scope = waiting.pop()
        inner = [*_inner(node)]
        first, last = _lines(node)
        if inner:
            last = max(first, _lines(inner[0])[0] - 1)
        name = _name(node)
        if first > line or isinstance(node, UNITS):
            yield Part(tuple(words_of(node)), first, last, scope, name)
            line = first
        within = (*scope, name) if isinstance(node, _HOLDERS) else scope
        waiting += [(each, within) for each in reversed(inner)]


def _inner(node: ast.AST) -> Iterator[ast.AST]:
    """What counts for itself in a node: statements, and the entries of a dictionary that it sets."""
    yield from (each for each in ast.iter_child_nodes(node) if isinstance(each, UNITS))
    value = node.value if isinstance(node, ast.Assign | ast.AnnAssign | ast.Return | ast.keyword) else None
    if isinstance(value, ast.Dict):
        for key, held in zip(value.keys, value.values, strict=True):
            if isinstance(key, ast.Constant):
                yield ast.copy_location(ast.keyword(str(key.value), held), key)
    elif isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "dict":
        yield from value.keywords


def _name(node: ast.AST) -> str:
    """What a statement sets, defines, or calls with a first constant: `parser.add_argument("--lr", type=float)`."""
    match node:
        case ast.Assign(targets=[target]) | ast.AnnAssign(target=target):
            return ast.unparse(target)
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return name
        case ast.keyword(arg=str(name)):
            return name
        case ast.Expr(value=ast.Call(func=called, args=[ast.Constant(value=first), *_])):
            return f"{ast.unparse(called)}({first!r})"
    return ""


def _lines(node: ast.AST) -> tuple[int, int]:
    first = getattr(node.pattern if isinstance(node, ast.match_case) else node, "lineno", 1)
    last = getattr(node.value if isinstance(node, ast.keyword) else node, "end_lineno", None)
    return first, last or first


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
