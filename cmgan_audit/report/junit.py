"""`check --format junit`: findings as failed test cases, what is in order as passed ones, the undecided as skipped.

A file that could not be read is a test case with an error.
"""

from __future__ import annotations

from xml.etree import ElementTree

from cmgan_audit.finding import Finding, Location
from cmgan_audit.gate.audited import Audited
from cmgan_audit.report.ansi import visible
from cmgan_audit.report.places import FromHere
from cmgan_audit.report.wording import advice, sureness


def render(audited: Audited) -> str:
    """Return the report as JUnit XML."""
    here = FromHere(audited)
    cases = [
        *(_failed(finding, here) for finding in audited.open),
        *(_unread(here.path(path), line, reason) for path, line, reason in audited.coverage.failed),
        *(_skipped(each.rule, each.location, each.reason, here) for each in audited.unresolved),
        *(_case(each.rule, each.location, here) for each in audited.passed),
    ]
    counts = {
        "tests": len(cases),
        "failures": len(audited.open),
        "errors": len(audited.coverage.failed),
        "skipped": len(audited.unresolved),
    }
    attributes = {name: str(number) for name, number in counts.items()}
    root = ElementTree.Element("testsuites", {"name": "cmgan-audit", **attributes})
    suite = ElementTree.SubElement(root, "testsuite", {"name": "cmgan-audit check", **attributes})
    suite.extend(cases)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _case(rule: str, place: Location | None, here: FromHere) -> ElementTree.Element:
    path = "" if place is None else visible(here.path(place.path))
    name = rule if place is None else f"{rule} {path}:{place.line}"
    attributes = {"name": name, "classname": path or "cmgan-audit"}
    if place is not None:
        attributes |= {"file": path, "line": str(place.line)}
    return ElementTree.Element("testcase", attributes)


def _failed(finding: Finding, here: FromHere) -> ElementTree.Element:
    case = _case(finding.rule, finding.location, here)
    message = visible(finding.message) + sureness(finding)
    failure = ElementTree.SubElement(case, "failure", {"message": message, "type": finding.severity.value})
    steps = [f"{here.place(step.location)}: {step.note}" for step in finding.trail]
    failure.text = "\n".join(
        visible(line) for line in (f"{finding.rule} {finding.name}", message, *steps, *advice(finding))
    )
    return case


def _unread(path: str, line: int, reason: str) -> ElementTree.Element:
    path = visible(path)
    attributes = {"name": f"read {path}", "classname": path, "file": path, "line": str(max(line, 1))}
    case = ElementTree.Element("testcase", attributes)
    ElementTree.SubElement(case, "error", {"message": visible(reason), "type": "could not be read"})
    return case


def _skipped(rule: str, place: Location, reason: str, here: FromHere) -> ElementTree.Element:
    case = _case(rule, place, here)
    ElementTree.SubElement(case, "skipped", {"message": visible(reason)})
    return case
