"""What files, definitions and variables were called at an earlier commit: what only got another name is not new."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field, replace
from functools import cached_property

from cmgan_audit.finding import Finding
from cmgan_audit.gate.git import Repository
from cmgan_audit.gate.renamed_variables import (
    LEAST_ALIKE,
    MOST_PAIRS,
    alike_share,
    renamed_variables,
    statements,
    words_of,
)
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.source.discovery import Failure
from cmgan_audit.source.python_file import parse_python
from cmgan_audit.source.syntax import children


@dataclass(frozen=True, slots=True)
class Definition:
    """A class or a function: its file, its dotted name there, its kind, its lines in the file, and what it says.

    The file itself has no name.
    """

    path: str
    name: str
    kind: str
    first: int
    last: int
    node: ast.AST = field(compare=False, repr=False)

    @property
    def key(self) -> tuple[str, str]:
        """What tells it apart in a tree."""
        return self.path, self.name

    @property
    def word(self) -> str:
        """The last part of its name."""
        return self.name.rpartition(".")[2]


class OlderNames:
    """The names that files and definitions of a tree had at a commit, as git and their texts tell.

    Args:
        repository: git, in the audited folder.
        commit: the full hash of the commit.
    """

    def __init__(self, repository: Repository, commit: str) -> None:
        self._repository = repository
        self.commit = commit
        self._renamed: dict[tuple[str, str], Mapping[str, str]] = {}

    @property
    def stages(self) -> tuple[Callable[[Finding], Finding], ...]:
        """What gives a finding its older names, one after the other; each is asked for what the ones before leave."""
        return self.of_file, self.of_definition, self.of_variable

    def of_file(self, finding: Finding) -> Finding:
        """The finding as it would be under the older name of its file."""
        place = finding.location
        path = None if place is None else self.files.get(place.path)
        entry, colon, rest = finding.anchor.partition(":")  # that of a whole script is its path
        anchor = f"{self.files.get(entry, entry)}{colon}{rest}"
        if place is None or path is None:
            return replace(finding, anchor=anchor)
        return replace(finding, location=replace(place, path=path), anchor=anchor)

    def of_definition(self, finding: Finding) -> Finding:
        """The finding as it would be under the older names of the classes and functions around it and in its anchor."""
        older = self.of_file(finding)
        if finding.location is None or older.location is None:
            return older
        line = finding.location.line
        around = (
            before.path
            for before, now in self._pairs
            if now.path == older.location.path and now.first <= line <= now.last
        )
        place = replace(older.location, path=next(around, older.location.path))
        anchor = re.sub(r"\w+", lambda word: self._words.get(word[0], word[0]), older.anchor)
        return replace(older, location=place, anchor=anchor)

    def of_variable(self, finding: Finding) -> Finding:
        """The finding as it would be under the older names of the variables around it too."""
        older = self.of_definition(finding)
        if finding.location is None:
            return older
        path, line = finding.location.path, finding.location.line
        names: dict[str, str] = {}
        for scope in self._changed[1]:
            if scope.path == self.files.get(path, path) and scope.first <= line <= scope.last:
                names |= self._variables(scope)  # of the inner scope in the end
        return replace(older, anchor=re.sub(r"\w+", lambda word: names.get(word[0], word[0]), older.anchor))

    def _variables(self, now: Definition) -> Mapping[str, str]:
        """New name -> old name of the variables of a function, or of the top level of a file."""
        if now.key not in self._renamed:
            before = self._earlier.get(now.key)
            same = before is not None and before.kind == now.kind != "class"
            self._renamed[now.key] = renamed_variables(before.node, now.node) if before is not None and same else {}
        return self._renamed[now.key]

    @cached_property
    def files(self) -> Mapping[str, str]:
        """New path -> old path of the files that have another one now."""
        return self._repository.renamed_since(self.commit)

    @cached_property
    def _words(self) -> Mapping[str, str]:
        """New name -> old name of definitions, where every one of that new name had the same old one."""
        found: dict[str, set[str]] = {}
        for before, now in self._pairs:
            found.setdefault(now.word, set()).add(before.word)
        return {now: next(iter(before)) for now, before in found.items() if len(before) == 1}

    @cached_property
    def _earlier(self) -> Mapping[tuple[str, str], Definition]:
        """What a definition was at the commit, by the key that it has now."""
        return {each.key: each for each in self._changed[0]} | {now.key: before for before, now in self._pairs}

    @cached_property
    def _pairs(self) -> list[tuple[Definition, Definition]]:
        """Every definition that is there no more, and what has come in its place, in files as they were called."""
        old, new = ([each for each in side if each.kind != "file"] for side in self._changed)
        there, were = {each.key for each in new}, {each.key for each in old}
        gone = [each for each in old if each.key not in there]
        come = [each for each in new if each.key not in were]
        return [*_pair_up(gone, come)]

    @cached_property
    def _changed(self) -> tuple[list[Definition], list[Definition]]:
        """What files that changed define, as they were and as they are, in files as they were called."""
        before, now = self._repository.changed_programs(self.commit)
        return (
            [each for path, data in before.items() for each in definitions(path, data)],
            [each for path, data in now.items() for each in definitions(self.files.get(path, path), data)],
        )


def definitions(path: str, data: bytes) -> Iterator[Definition]:
    """A Python file, its classes and functions, outer ones first; nothing of a file that cannot be parsed."""
    parsed = parse_python(path, data)
    if isinstance(parsed, Failure):
        return
    yield Definition(path, "", "file", 1, len(parsed.lines), parsed.tree)
    waiting: list[tuple[ast.AST, str]] = [(parsed.tree, "")]
    while waiting:
        node, outer = waiting.pop()
        name = outer
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            name = f"{outer}.{node.name}" if outer else node.name
            first, last = node.lineno, node.end_lineno or node.lineno
            kind = "class" if isinstance(node, ast.ClassDef) else "function"
            yield Definition(path, name, kind, first, last, node)
        waiting += reversed([(child, name) for child in children(node)])


def _text(definition: Definition) -> tuple[str, ...]:
    """The statements of a definition with its head, with a mark in place of its name.

    Layout is left out: a formatter may have been there too.
    """
    node = definition.node
    parts = (words_of(node), *statements(node))
    return tuple(" ".join("@" if word == definition.word else word for word in words) for words in parts)


def _pair_up(gone: Iterable[Definition], come: Iterable[Definition]) -> Iterator[tuple[Definition, Definition]]:
    """Pairs of definitions that are one under two names: first those of equal text, then the most alike."""
    left = {now: _text(now) for now in come}
    by_text: dict[tuple[str, tuple[str, ...]], list[Definition]] = {}
    for now, text in left.items():
        by_text.setdefault((now.kind, text), []).append(now)
    rest: dict[Definition, tuple[str, ...]] = {}
    for before in gone:
        text = _text(before)
        same = by_text.get((before.kind, text))
        if not same:
            rest[before] = text
            continue
        now = max(same, key=lambda now: (now.word == before.word, now.path == before.path))
        same.remove(now)
        del left[now]
        yield before, now
    if len(rest) * len(left) > MOST_PAIRS:
        return
    old, new = ([(each, Counter(text)) for each, text in side.items()] for side in (rest, left))
    alike = [
        (share, before, now)
        for before, one in old
        for now, other in new
        if now.kind == before.kind and (share := alike_share(one, other)) >= LEAST_ALIKE
    ]
    taken: set[tuple[str, str, bool]] = set()
    for _, before, now in sorted(alike, key=lambda found: -found[0]):  # of equals the first of the tree
        ends = {(*before.key, True), (*now.key, False)}
        if not ends & taken:
            taken |= ends
            yield before, now
