"""The settings that the code trains with now: each number where it is written, and where it takes effect."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import field
from itertools import takewhile
from typing import TypeGuard

from cmgan_audit.facts.records import Loader
from cmgan_audit.facts.trained.families import BATCH, SEGMENT, family_of
from cmgan_audit.facts.trained.records import AppliedSetting
from cmgan_audit.facts.values import is_number
from cmgan_audit.finding import Location
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex
from cmgan_audit.rules.record import Fact, Known, OneOf, Record
from cmgan_audit.source.tree import SourceTree

_NUMBER = regex(r"[-+]?\d+(\.\d*)?([eE][-+]?\d+)?")
_BESIDE = regex(
    r"(?:\b(\w+)[\"\']?\s*[:=]\s*"  # batch_size=4, "batch_size": 4
    r"|--([\w\-]+)(?:[\"\'][^#]{0,200}?\bdefault\s*=\s*|\s+))"  # "--batch_size", default=4, --batch_size 4
    r"([-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?)\b(?!\s*[*/.])"
)
_LONGEST = 4_000


@dataclass(frozen=True, slots=True)
class CodeValue:
    """A number as the code sets it.

    Attributes:
        number: what takes effect.
        fact: the same, with its trail.
        written: the number as it stands where it is set; None where that is no plain number.
        words: the words of the line where it is set.
        place: where it is set.
    """

    number: float
    fact: Known
    written: float | None
    words: frozenset[str]
    place: Location | None


@dataclass(slots=True)
class CodeSettings:
    """The settings of a tree.

    Attributes:
        values: the numbers by family.
        unknown: the families of which one value is not known.
        words: all words of the files that the values come through.
        written: files, keys and the numbers that the files write beside them.
    """

    values: dict[str, list[CodeValue]] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)
    words: frozenset[str] = frozenset()
    written: frozenset[tuple[str, str, float]] = frozenset()

    def near(self, path: str) -> CodeSettings:
        """The settings as a file's neighbours have them: of code in other folders than the nearest none count."""
        values = {family: _nearest(path, held) for family, held in self.values.items()}
        ways = {step.location.path for held in values.values() for value in held for step in value.fact.trail}
        written = frozenset(each for each in self.written if each[0] in ways)
        return CodeSettings(values, self.unknown, self.words, written)

    def writes(self, key: str, number: float) -> bool:
        """Whether the files write a number beside a key, also where something else takes effect."""
        return any(each[1:] == (key, number) for each in self.written)

    def of(self, family: str) -> Sequence[CodeValue]:
        """All values of a family; none where one of them is not known."""
        return () if family in self.unknown else self.values.get(family, ())

    def comparable(self, family: str, key: str) -> Sequence[CodeValue]:
        """The values that a key of a configuration may have set: where lines name it, those alone."""
        known = self.of(family)
        named = [value for value in known if key.lower() in value.words]
        return named or (() if family == SEGMENT else known)


def sets_anything(records: Iterable[Record]) -> bool:
    """Whether any setting behind the records of a tree is a known number; asks nothing of its files."""
    return any(_is_number(option) for _, option in _options(records))


def code_settings(tree: SourceTree, records: Iterable[Record]) -> CodeSettings:
    """The settings behind the records of a tree; reads every file that they come through."""
    found = CodeSettings()
    lines = _Lines(tree)
    for family, option in _options(records):
        if _is_number(option):
            found.values.setdefault(family, []).append(_code_value(option, lines))
        else:
            found.unknown.add(family)
    found.words = frozenset(lines.words)
    found.written = frozenset(lines.written)
    return found


def _options(records: Iterable[Record]) -> Iterator[tuple[str, Fact]]:
    for family, fact in _facts(records):
        yield from ((family, option) for option in (fact.options if isinstance(fact, OneOf) else (fact,)))


def _is_number(fact: Fact) -> TypeGuard[Known]:
    return isinstance(fact, Known) and is_number(fact.value)


def _facts(records: Iterable[Record]) -> Iterator[tuple[str, Fact]]:
    for record in records:
        if isinstance(record, Loader) and record.trains:
            yield BATCH, record.batch_size
        elif isinstance(record, AppliedSetting):
            yield record.family, record.value


def _nearest(path: str, values: Sequence[CodeValue]) -> list[CodeValue]:
    """The values whose way through the code shares most folders with a path."""
    shared = [max((_shared(path, step.location.path) for step in value.fact.trail), default=0) for value in values]
    return [value for value, count in zip(values, shared, strict=True) if count == max(shared)]


def _shared(left: str, right: str) -> int:
    folders = zip(left.split("/")[:-1], right.split("/")[:-1], strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], folders))


def _code_value(fact: Known, lines: _Lines) -> CodeValue:
    place = fact.location
    line = "" if place is None else lines.at(place)
    for step in fact.trail:
        lines.at(step.location)
    return CodeValue(
        number=float(fact.value),
        fact=fact,
        written=None if place is None else _written(line, place),
        words=frozenset(re.findall(r"\w+", line.lower())),
        place=place,
    )


def _written(line: str, place: Location) -> float | None:
    if place.end_column is None or place.end_line not in (None, place.line):
        return None
    text = line[place.column - 1 : place.end_column - 1].strip("\"' ")
    return float(text) if _NUMBER.fullmatch(text) else None


class _Lines:
    """Lines of files; of every file that one was asked of its words, and the numbers beside keys."""

    def __init__(self, tree: SourceTree) -> None:
        self._tree = tree
        self._lines: dict[str, list[str]] = {}
        self.words: set[str] = set()
        self.written: set[tuple[str, str, float]] = set()

    def at(self, place: Location) -> str:
        lines = self._lines.get(place.path)
        if lines is None:
            text = "" if place.path.endswith(".ipynb") else self._tree.text(place.path) or ""
            lines = self._lines[place.path] = text.replace("\r\n", "\n").split("\n")
            self.words.update(re.findall(r"\w+", text))
            self.written.update((place.path, *each) for each in _beside_keys(lines))
        return lines[place.line - 1] if 0 < place.line <= len(lines) else ""


def _beside_keys(lines: Iterable[str]) -> Iterator[tuple[str, float]]:
    """Keys of settings with the number that stands beside them: in dictionaries, calls, options and commands."""
    for line in lines:
        for key, option, number in _BESIDE.findall(line.partition("#")[0][:_LONGEST]):
            name = key or option.replace("-", "_")
            if family_of(name):
                yield name, float(number)
