"""`check --format gitlab`: a GitLab code quality report."""

from __future__ import annotations

import json
from typing import Any

from cmgan_audit.finding import Finding, Severity
from cmgan_audit.gate.audited import Audited
from cmgan_audit.gate.fingerprint import fingerprints
from cmgan_audit.report.places import FromHere

SEVERITIES = {Severity.ERROR: "critical", Severity.WARNING: "major", Severity.NOTE: "info"}


def render(audited: Audited) -> str:
    """Return the findings that count as a code quality report."""
    here = FromHere(audited)
    marked = zip(audited.findings, fingerprints(audited.findings), strict=True)
    issues = [_issue(finding, mark, here) for finding, mark in marked if finding.counts]
    return json.dumps(issues, indent=2, ensure_ascii=False) + "\n"


def _issue(finding: Finding, fingerprint: str, here: FromHere) -> dict[str, Any]:
    place = finding.location
    # GitLab refuses an issue without a place: one about the audit as a whole stands at the first line of its folder.
    path, begin, end = (here.root, 1, 1) if place is None else (here.path(place.path), place.line, place.end_line)
    return {
        "description": finding.message,
        "check_name": f"{finding.rule} {finding.name}",
        "fingerprint": fingerprint,
        "severity": SEVERITIES[finding.severity],
        "location": {"path": path, "lines": {"begin": begin, "end": end or begin}},
    }
