"""What the static door hands to the gate, and what the gate hands to the reports."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Protocol

from cmgan_audit.errors import InputError
from cmgan_audit.facts.loading.declared import DeclaredRoles
from cmgan_audit.finding import Finding, Severity
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.rules.matching import Matches, Passed, Unresolved
from cmgan_audit.rules.record import Record
from cmgan_audit.rules.rule import ParameterValue, Rule
from cmgan_audit.source.consulted import Questions


class CoverageLike(Protocol):
    """How much of a tree the collectors could see."""

    @property
    def files(self) -> int:
        """Number of files that should be read."""

    @property
    def parsed(self) -> int:
        """Number of files that could be."""

    @property
    def failed(self) -> Sequence[tuple[str, int, str]]:
        """The others: path, line, reason."""

    @property
    def loaders(self) -> int:
        """Number of data loaders that the program makes."""

    @property
    def loaders_resolved(self) -> int:
        """Number of loaders whose batch size is known."""


class CollectedLike(Protocol):
    """What the collectors made of a tree."""

    @property
    def records(self) -> Sequence[Record]:
        """The records that rules judge."""

    @property
    def coverage(self) -> CoverageLike:
        """How much of the tree was seen."""

    @property
    def unresolved(self) -> Sequence[Unresolved]:
        """What the collectors themselves could not find out."""

    @property
    def unmatched(self) -> Sequence[str]:
        """The declarations of roles that no loader answers to."""

    @property
    def asked(self) -> Questions:
        """The questions to the tree that it was made from; empty where nobody keeps it."""


class Collect(Protocol):
    """The collectors of the static door."""

    def __call__(
        self, root: Path, exclude: Sequence[str], declared: DeclaredRoles, overlay: Mapping[str, bytes]
    ) -> CollectedLike:
        """Collect the records of a folder.

        Args:
            root: the folder.
            exclude: patterns of paths in it that are left out, as in .gitignore.
            declared: roles of loaders that the project declares.
            overlay: contents that count instead of those on disk, by path.
        """


@dataclass(frozen=True, slots=True)
class Look:
    """A folder as it is looked at: without some paths, and with contents that count instead of those on disk."""

    root: Path
    exclude: Sequence[str] = ()
    overlay: Mapping[str, bytes] = field(default_factory=dict)


Parameters = Mapping[str, Mapping[str, ParameterValue]]
# Called with the findings, what the rules said, all records, the parameters of the rules, and the folder.
Mend = Callable[[Sequence[Finding], Matches, Sequence[Record], Parameters, Look], list[Finding]]


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much was seen, over all trees of a run."""

    files: int = 0
    parsed: int = 0
    failed: tuple[tuple[str, int, str], ...] = ()
    loaders: int = 0
    loaders_resolved: int = 0


@dataclass(frozen=True, slots=True)
class Audited:
    """The result of `check`: what every report is made from.

    `findings` holds also what is suppressed or in the baseline, marked as such. `ignored` counts findings that the
    settings drop for their path, `older` those that `--since` leaves out; `fixed` are findings that `--fix` mended.
    `root` is the folder that the paths of findings start from; `rules` are the rules that ran. `asked` are the
    questions to the tree that all of it was made from, empty where nobody keeps it.
    """

    root: Path
    findings: tuple[Finding, ...] = ()
    unresolved: tuple[Unresolved, ...] = ()
    passed: tuple[Passed, ...] = ()
    coverage: Coverage = field(default_factory=Coverage)
    rules: Mapping[str, Rule] = field(default_factory=dict)
    ignored: int = 0
    older: int = 0
    fixed: tuple[Finding, ...] = ()
    asked: Questions = field(default=(), compare=False)

    @property
    def open(self) -> tuple[Finding, ...]:
        """The findings that count: neither suppressed nor in the baseline."""
        return tuple(finding for finding in self.findings if finding.counts)


def exit_status(audited: Audited, fail_on: str, *, strict: bool) -> int:
    """Return the exit status of the contract: 1 findings, 3 nothing read, or not all under `--strict`, else 0.

    Args:
        audited: the result of the audit.
        fail_on: error, warning, note or never.
        strict: whether a file that could not be analysed matters.
    """
    if fail_on != "never" and any(finding.severity >= Severity(fail_on) for finding in audited.open):
        return 1
    seen = audited.coverage
    return InputError.exit_status if seen.failed and (strict or not seen.parsed) else 0
