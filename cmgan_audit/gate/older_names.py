"""What files, definitions and variables were called at an earlier commit: what only got another name is not new."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import PurePosixPath

from cmgan_audit.finding import Finding, Location
from cmgan_audit.gate.extracted_functions import extracted_functions
from cmgan_audit.gate.git import Repository
from cmgan_audit.gate.renamed_definitions import Definition, Key, definitions, renamed_definitions
from cmgan_audit.gate.renamed_variables import renamed_variables
from cmgan_audit.program.execution.depth import deeply
from cmgan_audit.source.discovery import DATA_SUFFIXES

_PYTHON = frozenset({".py", ".pyw", ".ipynb"})
_TOP_LEVEL = "<module>"  # what an anchor calls it


class OlderNames:
    """The names that files and definitions of a tree had at a commit, as git and their texts tell.

    Args:
        repository: git, in the audited folder.
        commit: the full hash of the commit.
    """

    def __init__(self, repository: Repository, commit: str) -> None:
        self._repository = repository
        self.commit = commit
        self._renamed: dict[Key, Mapping[str, str]] = {}
        self._parsed: dict[tuple[str, bool], dict[Definition, ast.AST]] = {}
        self._there: dict[str, bool] = {}

    @property
    def stages(self) -> tuple[Callable[[Finding], Finding], ...]:
        """What gives a finding its older names, one after the other; each is asked for what the ones before leave."""
        return self.of_file, self.of_definition, self.of_variable, self.of_setting

    def of_file(self, finding: Finding) -> Finding:
        """The finding as it would be under the older name of its file."""
        entry, colon, rest = finding.anchor.partition(":")  # that of a whole script is its path
        return replace(
            finding,
            location=None if finding.location is None else self._in_older_file(finding.location),
            trail=tuple(replace(step, location=self._in_older_file(step.location)) for step in finding.trail),
            anchor=f"{self.files.get(entry, entry)}{colon}{rest}",
        )

    def _in_older_file(self, place: Location) -> Location:
        return replace(place, path=self.files.get(place.path, place.path))

    def of_definition(self, finding: Finding) -> Finding:
        """The finding as it would be under the older names of the classes and functions around it and in its anchor."""
        older = self.of_file(finding)
        if older.location is None:
            return older
        return replace(
            older,
            location=self._where_it_stood(older.location),
            trail=tuple(replace(step, location=self._where_it_stood(step.location)) for step in older.trail),
            anchor=_with_names(older.anchor, r"\w+(?:\.\w+)*", self._older_name),
        )

    def _where_it_stood(self, place: Location) -> Location:
        """A place in the file that the definition around it stood in; its line is that of today."""
        around = (
            before.path for before, now in self._pairs if now.path == place.path and now.first <= place.line <= now.last
        )
        return replace(place, path=next(around, place.path))

    def _older_name(self, dotted: str) -> str:
        """What a dotted name was, of which the first parts may be that of a definition."""
        name, rest = dotted, ""
        while name:
            if name in self._words:
                return self._words[name] + rest
            name, dot, last = name.rpartition(".")
            rest = f"{dot}{last}{rest}"
        return dotted

    def of_variable(self, finding: Finding) -> Finding:
        """The finding as it would be under the older names of the variables around it too."""
        older = self.of_definition(finding)
        if finding.location is None:
            return older
        path, line = self.files.get(finding.location.path, finding.location.path), finding.location.line
        names: dict[str, str] = {}
        for scope, node in self._defined(path, earlier=False).items():
            if scope.first <= line <= scope.last:
                names |= self._variables(scope, node)  # of the inner scope in the end
        return replace(older, anchor=_with_names(older.anchor, r"\w+", lambda word: names.get(word, word)))

    def of_setting(self, finding: Finding) -> Finding:
        """The finding as it would be if a value that a new file sets stood where the program first takes it.

        What stands in a function there is no setting, but code that may do anew what was mended elsewhere.
        """
        older = self.of_variable(finding)
        place = older.location
        if place is None or self._had(place.path) or self._is_in_function(place):
            return older
        if (other := self._in_other_format(place.path)) is not None:
            return replace(older, location=replace(place, path=other))
        taken = (step.location for step in older.trail if step.location.path != place.path)
        return replace(older, location=next(taken, place))

    def _in_other_format(self, path: str) -> str | None:
        """The file of settings that a new one was made of, in its folder: `conf.yaml` that is a `conf.json` now."""
        suffixes = sorted(DATA_SUFFIXES) if PurePosixPath(path).suffix in DATA_SUFFIXES else ()
        others = (PurePosixPath(path).with_suffix(suffix).as_posix() for suffix in suffixes)
        return next(
            (each for each in others if self._had(each) and not (self._repository.folder / each).exists()), None
        )

    def _is_in_function(self, place: Location) -> bool:
        scopes = self._defined(place.path, earlier=False)
        return any(each.kind == "function" and each.first <= place.line <= each.last for each in scopes)

    def _had(self, path: str) -> bool:
        if path not in self._there:
            self._there[path] = self._repository.had(self.commit, path)
        return self._there[path]

    def _variables(self, now: Definition, node: ast.AST) -> Mapping[str, str]:
        """New name -> old name of the variables of a function, or of the top level of a file."""
        if now.key not in self._renamed:
            key = self._earlier.get(now.key, now.key)
            olds = self._defined(key[0], earlier=True).items()
            before = next((old for each, old in olds if (each.key, each.kind) == (key, now.kind)), None)
            same = before is not None and now.kind != "class"
            self._renamed[now.key] = renamed_variables(before, node) if before is not None and same else {}
        return self._renamed[now.key]

    def _defined(self, path: str, *, earlier: bool) -> Mapping[Definition, ast.AST]:
        """What a file that changed defines, by the path that it had: as it was, or as it is."""
        if (path, earlier) not in self._parsed:
            before, now = self._changed
            data = (before if earlier else now).get(path, b"")
            self._parsed[path, earlier] = deeply(lambda: dict(definitions(path, data)))
        return self._parsed[path, earlier]

    @cached_property
    def files(self) -> Mapping[str, str]:
        """New path -> old path of the files that have another one now."""
        return self._repository.renamed_since(self.commit)

    @cached_property
    def _words(self) -> Mapping[str, str]:
        """New name -> old name of definitions, where every one of that new name had the same old one.

        Of a method also the name alone: anchors have it with its class or without.
        """
        found: dict[str, set[str]] = {}
        for before, now in self._pairs:
            found.setdefault(now.name, set()).add(before.name or _TOP_LEVEL)
            if now.depth:
                found.setdefault(now.word, set()).add(before.word or _TOP_LEVEL)
        return {now: next(iter(before)) for now, before in found.items() if len(before) == 1}

    @cached_property
    def _earlier(self) -> Mapping[Key, Key]:
        """What a definition was at the commit, where that is something else."""
        return {now.key: before.key for before, now in self._pairs}

    @cached_property
    def _pairs(self) -> list[tuple[Definition, Definition]]:
        """Every definition that has come, and what it was or came out of, in files as they were called."""
        return deeply(self._paired)

    def _paired(self) -> list[tuple[Definition, Definition]]:
        renamed = renamed_definitions(*self._changed)
        return [*renamed, *extracted_functions(*self._changed, {now.key: before.key for before, now in renamed})]

    @cached_property
    def _changed(self) -> tuple[Mapping[str, bytes], Mapping[str, bytes]]:
        """The files that changed, as they were and as they are, by the paths that they had."""
        before, now = self._repository.changed_programs(self.commit)
        return before, {self.files.get(path, path): data for path, data in now.items()}


def is_of_script(anchor: str) -> bool:
    """Whether an anchor is that of a whole script, or of a function of it."""
    return PurePosixPath(anchor.partition(":")[0]).suffix in _PYTHON


def _with_names(anchor: str, pattern: str, older: Callable[[str], str]) -> str:
    """An anchor with older names in it. That of a script begins with its path, which is no name."""
    path = anchor.partition(":")[0] if is_of_script(anchor) else ""
    return path + re.sub(pattern, lambda found: older(found[0]), anchor.removeprefix(path))
