"""`check --format sarif`: SARIF 2.1.0 (OASIS), for code scanning and editors."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from cmgan_audit import __version__
from cmgan_audit.finding import Finding, Fix, Location, Severity, Step
from cmgan_audit.gate.audited import Audited
from cmgan_audit.gate.fingerprint import fingerprints
from cmgan_audit.report.places import FromHere
from cmgan_audit.report.rule_text import chapters
from cmgan_audit.rules.rule import Rule

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
BASE = "%SRCROOT%"
# The name of our fingerprint and its version; code scanning adds a hash of the line when a report is uploaded.
FINGERPRINT = "cmganAudit/v1"

# So many characters of a rule's description code scanning takes.
LONGEST_DESCRIPTION = 1024

LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}
PROBLEMS = {**LEVELS, Severity.NOTE: "recommendation"}


def render(audited: Audited) -> str:
    """Return the report as SARIF text."""
    return json.dumps(document(audited), indent=2, ensure_ascii=False) + "\n"


def document(audited: Audited) -> dict[str, Any]:
    """Return the report as a SARIF log."""
    writer = _Writer(FromHere(audited), tuple(audited.rules))
    marked = zip(audited.findings, fingerprints(audited.findings), strict=True)
    run = {
        "tool": {
            "driver": {
                "name": "cmgan-audit",
                "version": __version__,
                "semanticVersion": __version__,
                "rules": [_descriptor(rule) for rule in audited.rules.values()],
            }
        },
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {
            BASE: {"description": {"text": "The checkout, or the folder in which cmgan-audit ran."}}
        },
        "invocations": [
            {
                "executionSuccessful": True,
                "toolExecutionNotifications": [
                    {
                        "level": "warning",
                        "message": {"text": f"could not be read: {reason}"},
                        "locations": [{"physicalLocation": writer.physical(Location(path, max(line, 1)))}],
                    }
                    for path, line, reason in audited.coverage.failed
                ],
            }
        ],
        # Code scanning opens an alert for a suppressed result too: like the other reports, this has what counts.
        "results": [writer.result(finding, mark) for finding, mark in marked if finding.counts],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _sentences(text: str) -> str:
    """As many sentences of a text as code scanning takes; the whole of it stands in the rule's help."""
    if len(text) <= LONGEST_DESCRIPTION:
        return text
    end = max(text.rfind(mark, 0, LONGEST_DESCRIPTION) for mark in (". ", ".\n"))
    return text[: end + 1] if end > 0 else f"{text[: LONGEST_DESCRIPTION - 3]}..."


def _descriptor(rule: Rule) -> dict[str, Any]:
    parts = list(chapters(rule))
    return {
        "id": rule.id,
        "name": rule.name,
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": _sentences(rule.why)},
        "help": {
            "text": "\n\n".join(f"{title}: {text}" for title, text in parts),
            "markdown": "\n\n".join(f"## {title}\n\n{text}" for title, text in parts),
        },
        "defaultConfiguration": {"level": LEVELS[rule.severity]},
        "properties": {
            "tags": ["speech-enhancement", *(["preview"] if rule.preview else [])],
            # By these code scanning puts alerts in order. A rule that is less often right is in preview.
            "problem.severity": PROBLEMS[rule.severity],
            "precision": "medium" if rule.preview else "high",
        },
    }


class _Writer:
    """Turns findings into results; knows how their paths read and the order of the rules."""

    def __init__(self, here: FromHere, rules: Sequence[str]) -> None:
        self._here = here
        self._rules = {identifier: index for index, identifier in enumerate(rules)}

    def result(self, finding: Finding, fingerprint: str) -> dict[str, Any]:
        result: dict[str, Any] = {
            "ruleId": finding.rule,
            "level": LEVELS[finding.severity],
            "message": {"text": finding.message},
            "partialFingerprints": {FINGERPRINT: fingerprint},
            "properties": {"confidence": finding.confidence.value},
        }
        if finding.rule in self._rules:
            result["ruleIndex"] = self._rules[finding.rule]
        if finding.location is not None:
            result["locations"] = [{"physicalLocation": self.physical(finding.location)}]
        if finding.trail:
            steps = [self._step(step) for step in finding.trail]
            result["codeFlows"] = [{"threadFlows": [{"locations": [{"location": step} for step in steps]}]}]
            result["relatedLocations"] = [{"id": number, **step} for number, step in enumerate(steps, start=1)]
        if finding.fix is not None and finding.fix.edits:
            result["fixes"] = [self._fix(finding.fix)]
        return result

    def physical(self, place: Location) -> dict[str, Any]:
        region: dict[str, Any] = {"startLine": place.line, "startColumn": place.column}
        if place.end_line is not None:
            region["endLine"] = place.end_line
        if place.end_column is not None:
            region["endColumn"] = place.end_column
        return {"artifactLocation": self._artifact(place.path), "region": region}

    def _artifact(self, path: str) -> dict[str, str]:
        return {"uri": quote(self._here.path(path)), "uriBaseId": BASE}

    def _step(self, step: Step) -> dict[str, Any]:
        return {"physicalLocation": self.physical(step.location), "message": {"text": step.note}}

    def _fix(self, fix: Fix) -> dict[str, Any]:
        by_path: dict[str, list[dict[str, Any]]] = {}
        for edit in fix.edits:
            region = {
                "startLine": edit.line,
                "startColumn": edit.column,
                "endLine": edit.end_line,
                "endColumn": edit.end_column,
            }
            by_path.setdefault(edit.path, []).append(
                {"deletedRegion": region, "insertedContent": {"text": edit.replacement}}
            )
        return {
            "description": {"text": f"{fix.title} ({fix.safety})"},
            "artifactChanges": [
                {"artifactLocation": self._artifact(path), "replacements": replacements}
                for path, replacements in by_path.items()
            ],
        }
