"""Builds the findings of logs; their names and sentences come from the catalogue."""

from __future__ import annotations

import math
from collections.abc import Mapping

from cmgan_audit.finding import Confidence, Finding, JsonValue, Location, Severity
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.logs.series import Run, Series
from cmgan_audit.rules.catalogue import Catalogue

# Formats whose places are lines of the file.
_LINED = ("text", "csv", "jsonl", "text by --pattern")


@dataclass(frozen=True, slots=True)
class Raiser:
    """Raises findings of one run; rules that are not selected stay silent."""

    catalogue: Catalogue
    selected: frozenset[str]
    format: str

    def __call__(
        self,
        rule: str,
        severity: Severity,
        run: Run,
        series: Series | None,
        place: int,
        evidence: Mapping[str, JsonValue],
        *,
        certain: bool = True,
        **fill: object,
    ) -> list[Finding]:
        """A finding in a list, or an empty list when the rule is not selected.

        `fill` and the evidence fill the holes of the rule's message.
        """
        if rule not in self.selected:
            return []
        entry = self.catalogue[rule]
        name = series.name if series is not None else ""
        line = place if self.format in _LINED and place > 0 else 1
        words = {key: shown(value) for key, value in {**evidence, **fill}.items()}
        return [
            entry.finding(
                {"series": name, "axis": series.x_kind if series is not None else "", **words},
                severity=severity,
                confidence=Confidence.MEDIUM if certain else Confidence.LOW,
                location=Location(run.source, line),
                evidence={"run": run.title, "series": name, **evidence},
                anchor=f"{run.label}|{name}",
            )
        ]


def shown(value: object) -> str:
    """A number as a reader wants it: four places behind the point at most, no trailing zeros."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if isinstance(value, int) or float(value).is_integer():
        return str(int(value)) if math.isfinite(value) and abs(value) < 1e15 else f"{value:g}"
    if not 1e-3 <= abs(value) < 1e6:
        return f"{value:.3g}"
    return f"{value:.4f}".rstrip("0").rstrip(".")


def exact(value: float) -> int | float:
    """A number for the document: whole ones as integers, others without the binary dust of a subtraction."""
    if not math.isfinite(value):
        return value
    return int(value) if float(value).is_integer() and abs(value) < 1e15 else round(value, 10)
