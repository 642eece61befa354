"""`check --format html`: every finding as a walk through the source, what was seen, and what is in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from itertools import groupby

from cmgan_audit.errors import MissingExtraError
from cmgan_audit.finding import Finding, Location, Severity, Step
from cmgan_audit.gate.audited import Audited
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.report.ansi import visible
from cmgan_audit.report.frame import TAB, marked
from cmgan_audit.report.html.page import render_page
from cmgan_audit.report.sources import Shown, Sources
from cmgan_audit.report.wording import count, summary
from cmgan_audit.rules.rule import Rule

CONTEXT = 1  # lines shown before and after the one that a step is about
FEW = 3  # findings that need no table of contents
WIDEST = 240  # characters of a line; of a longer one the part around the mark


@dataclass(frozen=True, slots=True)
class Line:
    """A line of source: its number as it is shown, and its text before, in and behind the marked part."""

    number: str
    before: str
    marked: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Stop:
    """One step of a walk: where it is, what happens there, and the lines around it.

    There are no lines where the source has none to show, or where the step before shows them (`again`).
    """

    place: str
    note: str
    lines: Sequence[Line]
    again: bool


@dataclass(frozen=True, slots=True)
class Walk:
    """A finding with the way that leads to it; `rule` is None for a rule that did not run."""

    finding: Finding
    stops: Sequence[Stop]
    rule: Rule | None


def render(audited: Audited) -> str:
    """Return the report as an HTML page.

    Raises:
        MissingExtraError: jinja2 is not installed.
    """
    if find_spec("jinja2") is None:
        raise MissingExtraError("check --format html", "plot")
    sources = Sources(audited.root)
    hidden = [finding for finding in audited.findings if finding.suppressed is not None or finding.baselined]
    worst = max((finding.severity for finding in audited.open), default=None)
    return render_page(
        "check.html",
        summary=summary(audited),
        verdict=_verdict(audited),
        worst="" if worst is None else worst.value,
        overview=_overview(audited.open),
        walks=[_walk(finding, sources, audited) for finding in audited.open],
        hidden=[(finding, _why_hidden(finding)) for finding in hidden],
        coverage=audited.coverage,
        unresolved=[(entry.rule, str(entry.location), visible(entry.reason)) for entry in audited.unresolved],
        passed=_passed(audited),
        rules=sorted(audited.rules.values(), key=lambda rule: rule.id),
        name=audited.root.resolve().name,
    )


def _verdict(audited: Audited) -> str:
    """The first sentence of the page."""
    findings = audited.open
    seen = f"{count(audited.coverage.parsed, 'file')} read, {count(len(audited.rules), 'rule')} run"
    if not findings:
        return f"Nothing found: {seen}, {count(len(audited.passed), 'place')} looked at and in order"
    errors = sum(finding.severity is Severity.ERROR for finding in findings)
    files = len({finding.location.path for finding in findings if finding.location is not None})
    told = f"{count(len(findings), 'finding')} in {count(files, 'file')}" if files else count(len(findings), "finding")
    if errors:
        told += f", {errors} of them {'an error' if errors == 1 else 'errors'}"
    return f"{told}: {seen}"


def _overview(findings: Sequence[Finding]) -> list[tuple[int, Finding]]:
    """The findings with their numbers on the page, the severest first; a few need no overview."""
    if len(findings) <= FEW:
        return []
    return sorted(enumerate(findings, start=1), key=lambda numbered: numbered[1].severity, reverse=True)


def _walk(finding: Finding, sources: Sources, audited: Audited) -> Walk:
    steps = finding.trail
    if finding.location is not None and not any(step.location == finding.location for step in steps):
        steps = (Step(finding.location, finding.name), *steps)
    stops: list[Stop] = []
    for step in steps:
        # Two steps on one line share its picture, as they do in the terminal.
        where = sources.shown(step.location).where
        place = f"{step.location} ({where})" if where else str(step.location)
        again = bool(stops) and stops[-1].place == place
        stops.append(Stop(place, visible(step.note), [] if again else _lines(step.location, sources), again))
    return Walk(finding, stops, audited.rules.get(finding.rule))


def _lines(place: Location, sources: Sources) -> list[Line]:
    here = sources.shown(place)
    if here.text is None:
        return []
    lines = [
        _marked_line(here, here.text)
        if each.order == here.order
        else Line(each.label, _shown(each.text or "")[:WIDEST].rstrip())
        for each in sources.around(place, CONTEXT)
    ]
    # Indentation that all lines share says nothing here, and costs a narrow screen its width.
    used = [line.before for line in lines if line.before.strip() or line.marked]
    spare = min((len(text) - len(text.lstrip()) for text in used), default=0)
    return [replace(line, before=line.before[spare:]) for line in lines]


def _marked_line(line: Shown, text: str) -> Line:
    begin, end = marked(text, line.place)
    left = max(0, begin - WIDEST // 3) if len(text) > WIDEST else 0
    right = min(len(text), left + WIDEST)
    before = ("..." if left else "") + _shown(text[left:begin])
    after = _shown(text[end:right]).rstrip() + ("..." if right < len(text) else "")
    return Line(line.label, before, _shown(text[begin : min(end, right)]), after)


def _shown(text: str) -> str:
    return visible(text).replace("\t", " " * TAB)


def _why_hidden(finding: Finding) -> str:
    return f"suppressed: {finding.suppressed}" if finding.suppressed is not None else "in the baseline"


def _passed(audited: Audited) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Rule, its name, and the places where it found things in order."""
    ordered = sorted(audited.passed, key=lambda entry: entry.rule)
    found = []
    for rule, entries in groupby(ordered, key=lambda entry: entry.rule):
        name = audited.rules[rule].name if rule in audited.rules else ""
        found.append((rule, name, [(str(entry.location), visible(entry.evidence)) for entry in entries]))
    return found
