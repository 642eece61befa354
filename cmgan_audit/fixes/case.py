"""What a fixer is asked and what it answers."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field

from cmgan_audit.facts.records import Loader
from cmgan_audit.finding import Edit, Finding, Location
from cmgan_audit.fixes.document import Document, UnrecognisedShapeError
from cmgan_audit.fixes.python_text import PythonText
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.rules.record import Record
from cmgan_audit.rules.rule import ParameterValue
from cmgan_audit.source.tree import SourceTree


@dataclass(slots=True)
class Sources:
    """The files of the audited tree, each opened for edits once."""

    tree: SourceTree
    _opened: dict[str, Document] = field(default_factory=dict)

    def document(self, path: str) -> Document:
        """A file of any kind.

        Raises:
            UnrecognisedShapeError: it lies outside of the tree, or cannot be read as text.
        """
        if path not in self._opened:
            data = self.tree.read_bytes(path) if self.tree.locate(path) == path else None
            if data is None:
                raise UnrecognisedShapeError(f"{path} is no file of the audited folder")
            if path.endswith((".py", ".pyw", ".ipynb")):
                parsed = None if path.endswith(".ipynb") else self.tree.parsed(path)  # a notebook is refused unread
                self._opened[path] = PythonText(path, data, parsed)
            else:
                self._opened[path] = Document(path, data)
        return self._opened[path]

    def modules_with(self, word: str) -> Iterator[tuple[str, ast.Module]]:
        """The path and the syntax tree of every Python file that holds a word."""
        for path in self.tree.python_files:
            data = self.tree.read_bytes(path)
            module = self.tree.module(path) if data is not None and word.encode() in data else None
            if module is not None:
                yield path, module

    def python(self, path: str) -> PythonText:
        """A Python file.

        Raises:
            UnrecognisedShapeError: it is none, or cannot be parsed.
        """
        document = self.document(path)
        if not isinstance(document, PythonText):
            raise UnrecognisedShapeError(f"{path} is no Python file")
        return document


@dataclass(frozen=True, slots=True)
class Case:
    """One finding to mend.

    Attributes:
        finding: what was found.
        records: the records that the rule found, one or more where several share the place.
        every: all records of the tree: what else a change would reach.
        parameters: of the rule, as the project sets them.
        sources: the files.
    """

    finding: Finding
    records: tuple[Record, ...]
    every: tuple[Record, ...]
    parameters: Mapping[str, ParameterValue]
    sources: Sources

    @property
    def place(self) -> Location:
        """Where the finding stands.

        Raises:
            UnrecognisedShapeError: it has no place.
        """
        if self.finding.location is None:
            raise UnrecognisedShapeError("it has no place in a file")
        return self.finding.location

    @property
    def loaders(self) -> list[Loader]:
        """The loaders among the records that were found."""
        return [record for record in self.records if isinstance(record, Loader)]

    @property
    def other_loaders(self) -> list[Loader]:
        """All other loaders of the tree."""
        found = {id(record) for record in self.records}
        return [record for record in self.every if isinstance(record, Loader) and id(record) not in found]


@dataclass(frozen=True, slots=True)
class Repair:
    """What a fixer would change; `safety` and `reason` where they differ from those of the rule's advice."""

    title: str
    edits: tuple[Edit, ...]
    safety: str = ""
    reason: str = ""


# Raises UnrecognisedShapeError where it does not know the shape.
Fixer = Callable[[Case], Repair]
