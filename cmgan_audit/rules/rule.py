"""A rule of the catalogue as it stands in its YAML file: text, severity, conditions, examples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path

from cmgan_audit.errors import UsageError
from cmgan_audit.finding import Confidence, Finding, JsonValue, Location, Severity, Trail
from cmgan_audit.lazy_dataclasses import dataclass

DOORS = ("check", "trend", "compare-ckpts")

# What a parameter of a rule may be; a setting must have the type of the default.
ParameterValue = bool | int | float | str


class RuleError(UsageError):
    """A rule file is wrong; the message names the file, the line, the value and what would be right."""

    def __init__(self, path: Path, line: int, reason: str) -> None:
        super().__init__(f"{path}:{line}: {reason}")


@dataclass(frozen=True, slots=True)
class Case:
    """One entry of a conditional text or severity: `is` holds when `when` is true, always without a `when`."""

    value: str
    when: str | None
    line: int


@dataclass(frozen=True, slots=True)
class Advice:
    """How to mend what the rule finds; `safety` says whether the change alters what the program computes."""

    title: str
    safety: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Example:
    """Small files that the rule is right (`good`) or wrong (`bad`) about; `at` is "file:line" of the finding.

    `profile` names the published training that they are compared with.
    """

    verdict: str
    files: Mapping[str, str]
    line: int
    at: str | None = None
    title: str = ""
    arguments: tuple[str, ...] = ()
    profile: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `over` and `when` judge records; `raised_by` names the door that raises the rule by itself."""

    id: str
    name: str
    summary: str
    severities: tuple[Case, ...]
    messages: tuple[Case, ...]
    why: str
    path: Path
    lines: Mapping[str, int]
    since: str = ""
    preview: bool = False
    over: str = ""
    when: str = ""
    at: str = ""
    raised_by: str = ""
    pass_when: str = ""
    passed: tuple[Case, ...] = ()
    parameters: Mapping[str, ParameterValue] = field(default_factory=dict)
    do_not_flag: str = ""
    fix: Advice | None = None
    seen_at_run_time: str = ""
    references: tuple[str, ...] = ()
    examples: tuple[Example, ...] = ()

    @property
    def severity(self) -> Severity:
        """The highest severity that the rule can have."""
        return max(Severity(case.value) for case in self.severities)

    @property
    def message(self) -> str:
        """The message of a rule that a door raises: plain `str.format` text, filled by that door."""
        return " ".join(self.messages[-1].value.split())

    def finding(
        self,
        words: Mapping[str, object],
        *,
        anchor: str,
        location: Location | None = None,
        trail: Trail = (),
        evidence: Mapping[str, JsonValue] | None = None,
        severity: Severity | None = None,
        confidence: Confidence = Confidence.HIGH,
    ) -> Finding:
        """A finding of a rule that a door raises.

        Args:
            words: fill the holes of the message.
            anchor: what it is about; makes the fingerprint.
            location: where it is.
            trail: leads from there to where it takes effect.
            evidence: the numbers that it rests on.
            severity: where the rule has several; else the highest that it can have.
            confidence: how sure it is.
        """
        return Finding(
            rule=self.id,
            name=self.name,
            severity=severity or self.severity,
            confidence=confidence,
            message=self.message.format(**words).strip(),
            location=location,
            trail=trail,
            evidence=evidence or {},
            anchor=anchor,
        )

    @property
    def door(self) -> str:
        """The command that raises the rule."""
        return self.raised_by or "check"
