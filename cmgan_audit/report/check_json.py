"""`check --format json`: the document of the contract, schema cmgan-audit/check/v1."""

from __future__ import annotations

import json
from typing import Any

from cmgan_audit import __version__
from cmgan_audit.finding import Finding, Fix, Location
from cmgan_audit.gate.audited import Audited
from cmgan_audit.gate.fingerprint import fingerprints

SCHEMA = "cmgan-audit/check/v1"


def render(audited: Audited) -> str:
    """Return the report as JSON text."""
    return json.dumps(document(audited), indent=2, ensure_ascii=False) + "\n"


def document(audited: Audited) -> dict[str, Any]:
    """Return the report as plain data."""
    seen = audited.coverage
    marks = fingerprints(audited.findings)
    return {
        "schema": SCHEMA,
        "tool": {"name": "cmgan-audit", "version": __version__},
        "findings": [_finding(finding, mark) for finding, mark in zip(audited.findings, marks, strict=True)],
        "unresolved": [
            {"rule": each.rule, "path": each.location.path, "line": each.location.line, "reason": each.reason}
            for each in audited.unresolved
        ],
        "coverage": {
            "files": seen.files,
            "parsed": seen.parsed,
            "failed": [{"path": path, "line": line, "reason": reason} for path, line, reason in seen.failed],
            "loaders": seen.loaders,
            "loaders_resolved": seen.loaders_resolved,
        },
        "passed": [
            {"rule": each.rule, "path": each.location.path, "line": each.location.line, "evidence": each.evidence}
            for each in audited.passed
        ],
    }


def _finding(finding: Finding, fingerprint: str) -> dict[str, Any]:
    place = finding.location
    return {
        "rule": finding.rule,
        "name": finding.name,
        "severity": finding.severity.value,
        "confidence": finding.confidence.value,
        **_place(place),
        "message": finding.message,
        "trail": [
            {
                "path": step.location.path,
                "line": step.location.line,
                "column": step.location.column,
                "note": step.note,
            }
            for step in finding.trail
        ],
        "fingerprint": fingerprint,
        "fix": _fix(finding.fix),
        "suppressed": None if finding.suppressed is None else {"reason": finding.suppressed},
        "baselined": finding.baselined,
    }


def _place(place: Location | None) -> dict[str, Any]:
    if place is None:  # a finding about the audit itself, such as a stale entry of the baseline
        return {"path": None, "line": None, "column": None, "end_line": None, "end_column": None}
    return {
        "path": place.path,
        "line": place.line,
        "column": place.column,
        "end_line": place.end_line or place.line,
        "end_column": place.end_column or place.column,
    }


def _fix(fix: Fix | None) -> dict[str, Any] | None:
    if fix is None or not fix.edits:  # advice without edits is in the rule's text, not a fix
        return None
    return {
        "safety": fix.safety,
        "title": fix.title,
        "edits": [
            {
                "path": edit.path,
                "line": edit.line,
                "column": edit.column,
                "end_line": edit.end_line,
                "end_column": edit.end_column,
                "replacement": edit.replacement,
            }
            for edit in fix.edits
        ],
    }
