"""The words that everyone shares: findings, places, trails. Imports nothing of ours."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import field
from functools import total_ordering

from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lean_hashes import sha256

JsonValue = None | bool | int | float | str | list["JsonValue"] | dict[str, "JsonValue"]


@total_ordering
class Severity(enum.Enum):
    """How bad a finding is; ordered, `NOTE < WARNING < ERROR`.

    error: the printed number or the gradient is wrong on every run of a shipped configuration.
    warning: wrong under a condition that the trail names. note: worth knowing.
    """

    NOTE = "note"
    WARNING = "warning"
    ERROR = "error"

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, Severity):
            return NotImplemented
        order = list(Severity)
        return order.index(self) < order.index(other)


# What `--fail-on` takes: findings from this severity on make a command fail, or none do.
FAIL_ON = (*(severity.value for severity in reversed(Severity)), "never")


@total_ordering
class Confidence(enum.Enum):
    """How sure the audit is; ordered, `LOW < MEDIUM < HIGH`.

    high: every step of the trail is certain. medium: a launcher or the environment may override a step.
    low: a role is guessed from a name alone.
    """

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, Confidence):
            return NotImplemented
        order = list(Confidence)
        return order.index(self) < order.index(other)


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a file: path relative to the scanned root with forward slashes; lines and columns count from 1."""

    path: str
    line: int
    column: int = 1
    end_line: int | None = None
    end_column: int | None = None

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"

    def lies_in(self, outer: Location) -> bool:
        """Whether it begins on one of the lines of another place."""
        last = outer.line if outer.end_line is None else outer.end_line
        return self.path == outer.path and outer.line <= self.line <= last


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a trail: where, and in one sentence what happens there."""

    location: Location
    note: str


Trail = tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace the text between two places of one file; lines and columns count from 1, the end is exclusive."""

    path: str
    line: int
    column: int
    end_line: int
    end_column: int
    replacement: str


@dataclass(frozen=True, slots=True)
class Fix:
    """A way to mend a finding: `safety` is "safe" or "unsafe", `reason` says why.

    `edits` make the change; without them the title is advice, and `declined` says why this place gets no edits.
    """

    title: str
    safety: str
    edits: tuple[Edit, ...] = ()
    reason: str = ""
    declined: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule found, statically, measured or in a log.

    `location` is the decisive place (None when a finding has no place in a file); `trail` leads from there to where
    it takes effect; `evidence` holds the numbers of measured findings; `anchor` is the symbolic place (for example
    `DemandDataset.__getitem__`) that makes the fingerprint survive moved lines.
    """

    rule: str
    name: str
    severity: Severity
    confidence: Confidence
    message: str
    location: Location | None = None
    trail: Trail = ()
    evidence: Mapping[str, JsonValue] = field(default_factory=dict)
    anchor: str = ""
    fix: Fix | None = None
    suppressed: str | None = None
    baselined: bool = False

    @property
    def fingerprint(self) -> str:
        """Hex digest of rule, file and symbolic place; independent of line numbers and of the message's wording."""
        return fingerprint_of(self.rule, "" if self.location is None else self.location.path, self.anchor)

    @property
    def counts(self) -> bool:
        """Whether the gate counts it: it is neither suppressed nor in the baseline."""
        return self.suppressed is None and not self.baselined


def fingerprint_of(rule: str, path: str, anchor: str) -> str:
    """The fingerprint of findings of a rule at a symbolic place of a file."""
    return sha256("\0".join((rule, path, anchor)).encode()).hexdigest()[:16]
