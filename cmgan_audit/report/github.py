"""`check --format github`: workflow commands that GitHub Actions shows beside the changed lines, and the summary.

GitHub shows ten annotations of each kind in a step; the log of the step, and its last line, have them all.
"""

from __future__ import annotations

from cmgan_audit.finding import Finding, Severity
from cmgan_audit.gate.audited import Audited
from cmgan_audit.report.places import FromHere
from cmgan_audit.report.wording import advice, coverage, summary, sureness

COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def render(audited: Audited) -> str:
    """Return a command per finding that counts, and per file that could not be read, and what the log says at its end.

    Of what is undecided there is the number only: no text of the audited files begins or makes a line of its own.
    """
    here = FromHere(audited)
    unread = (_unread(here.path(path), line, reason) for path, line, reason in audited.coverage.failed)
    commands = (*(_command(each, here) for each in audited.open), *unread)
    return "".join(f"{line}\n" for line in (*commands, summary(audited), coverage(audited, at_most=0)))


def _unread(path: str, line: int, reason: str) -> str:
    place = f"file={_property(path)},line={max(line, 1)}"
    return f"::notice {place},title=could not be read::{_data(f'cmgan-audit could not read this file: {reason}')}"


def _command(finding: Finding, here: FromHere) -> str:
    properties: dict[str, str | int] = {}
    place = finding.location
    if place is not None:
        properties = {"file": here.path(place.path), "line": place.line, "endLine": place.end_line or place.line}
        if properties["line"] == properties["endLine"]:  # GitHub refuses columns over several lines
            properties["col"] = place.column
            if place.end_column is not None:
                properties["endColumn"] = place.end_column
    properties["title"] = f"{finding.rule} {finding.name}"
    listed = ",".join(f"{key}={_property(str(value))}" for key, value in properties.items())
    steps = [f"{here.place(step.location)}: {step.note}" for step in finding.trail]
    text = "\n".join((finding.message + sureness(finding), *steps, *advice(finding)))
    return f"::{COMMANDS[finding.severity]} {listed}::{_data(text)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
