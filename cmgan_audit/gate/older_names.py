"""What files, classes and functions were called at an earlier commit: what only got another name is not new."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property

from cmgan_audit.finding import Finding
from cmgan_audit.gate.git import Repository
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.source.discovery import Failure
from cmgan_audit.source.python_file import parse_python
from cmgan_audit.source.syntax import children

# So much of two definitions has to be alike for one to be the other under another name: of whole files, git asks half.
LEAST_ALIKE = 0.6
# Definitions that are alike but not equal are looked for among so many pairs at most.
MOST_PAIRS = 40_000


@dataclass(frozen=True, slots=True)
class Definition:
    """A class or a function: its file, its dotted name there, its kind, its lines, and which of the file's they are.

    Its own name is left out of the lines, and so are blanks around them.
    """

    path: str
    name: str
    kind: str
    text: tuple[str, ...]
    first: int
    last: int

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
        self._commit = commit

    def of_file(self, finding: Finding) -> Finding:
        """The finding as it would be under the older name of its file."""
        place = finding.location
        path = None if place is None else self.files.get(place.path)
        anchor = self.files.get(finding.anchor, finding.anchor)  # that of a whole script is its path
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

    @cached_property
    def files(self) -> Mapping[str, str]:
        """New path -> old path of the files that have another one now."""
        return self._repository.renamed_since(self._commit)

    @cached_property
    def _words(self) -> Mapping[str, str]:
        """New name -> old name of definitions, where every one of that new name had the same old one."""
        found: dict[str, set[str]] = {}
        for before, now in self._pairs:
            found.setdefault(now.word, set()).add(before.word)
        return {now: next(iter(before)) for now, before in found.items() if len(before) == 1}

    @cached_property
    def _pairs(self) -> list[tuple[Definition, Definition]]:
        """Every definition that is there no more, and what has come in its place, in files as they were called."""
        before, now = self._repository.changed_programs(self._commit)
        old = [each for path, data in before.items() for each in definitions(path, data)]
        new = [each for path, data in now.items() for each in definitions(self.files.get(path, path), data)]
        there, were = {each.key for each in new}, {each.key for each in old}
        gone = [each for each in old if each.key not in there]
        come = [each for each in new if each.key not in were]
        return [*_pair_up(gone, come)]


def definitions(path: str, data: bytes) -> Iterator[Definition]:
    """The classes and functions of a Python file, outer ones first; none of a file that cannot be parsed."""
    parsed = parse_python(path, data)
    if isinstance(parsed, Failure):
        return
    waiting: list[tuple[ast.AST, str]] = [(parsed.tree, "")]
    while waiting:
        node, outer = waiting.pop()
        name = outer
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            name = f"{outer}.{node.name}" if outer else node.name
            first, last = node.lineno, node.end_lineno or node.lineno
            own = re.compile(rf"\b{re.escape(node.name)}\b")
            text = (own.sub("", line).strip() for line in parsed.lines[first - 1 : last])
            kind = "class" if isinstance(node, ast.ClassDef) else "function"
            yield Definition(path, name, kind, tuple(line for line in text if line), first, last)
        waiting += reversed([(child, name) for child in children(node)])


def _pair_up(gone: Iterable[Definition], come: Iterable[Definition]) -> Iterator[tuple[Definition, Definition]]:
    """Pairs of definitions that are one under two names: first those of equal text, then the most alike."""
    left = dict.fromkeys(come)
    by_text: dict[tuple[str, tuple[str, ...]], list[Definition]] = {}
    for now in left:
        by_text.setdefault((now.kind, now.text), []).append(now)
    rest = []
    for before in gone:
        same = by_text.get((before.kind, before.text))
        if not same:
            rest.append(before)
            continue
        now = max(same, key=lambda now: (now.word == before.word, now.path == before.path))
        same.remove(now)
        del left[now]
        yield before, now
    if len(rest) * len(left) > MOST_PAIRS:
        return
    old, new = ([(each, Counter(each.text)) for each in definitions] for definitions in (rest, left))
    alike = [
        (share, before, now)
        for before, one in old
        for now, other in new
        if now.kind == before.kind and (share := _alike(one, other)) >= LEAST_ALIKE
    ]
    taken: set[tuple[str, str, bool]] = set()
    for _, before, now in sorted(alike, key=lambda found: -found[0]):  # of equals the first of the tree
        ends = {(*before.key, True), (*now.key, False)}
        if not ends & taken:
            taken |= ends
            yield before, now


def _alike(first: Counter[str], second: Counter[str]) -> float:
    """The share of lines that two texts have in common."""
    common = sum(min(first[line], second[line]) for line in first.keys() & second.keys())
    return 2 * common / (first.total() + second.total())
