"""`check --format github`: workflow commands that GitHub Actions shows beside the changed lines."""

from __future__ import annotations

from cmgan_audit.finding import Finding, Severity
from cmgan_audit.gate.audited import Audited
from cmgan_audit.report.places import prefix_from_here

COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def render(audited: Audited) -> str:
    """Return a command per finding that counts."""
    prefix = prefix_from_here(audited)
    return "".join(f"{_command(finding, prefix)}\n" for finding in audited.open)


def _command(finding: Finding, prefix: str) -> str:
    properties: dict[str, str | int] = {}
    place = finding.location
    if place is not None:
        properties = {"file": prefix + place.path, "line": place.line, "endLine": place.end_line or place.line}
        if properties["line"] == properties["endLine"]:  # GitHub refuses columns over several lines
            properties["col"] = place.column
            if place.end_column is not None:
                properties["endColumn"] = place.end_column
    properties["title"] = f"{finding.rule} {finding.name}"
    listed = ",".join(f"{key}={_property(str(value))}" for key, value in properties.items())
    steps = [f"{prefix}{step.location}: {step.note}" for step in finding.trail]
    return f"::{COMMANDS[finding.severity]} {listed}::{_data(chr(10).join((finding.message, *steps)))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
