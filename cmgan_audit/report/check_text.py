"""`check --format text`: every finding as a frame of the source with the way that leads to it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from cmgan_audit.finding import Finding, Step
from cmgan_audit.gate.audited import Audited
from cmgan_audit.report.ansi import SEVERITY_COLORS, Ink, visible
from cmgan_audit.report.frame import draw, margin
from cmgan_audit.report.sources import Sources
from cmgan_audit.report.wording import coverage, how, summary, sureness


def render(audited: Audited, *, color: bool = False, show_passed: bool = False) -> str:
    """Return the report as text.

    Args:
        audited: the result of the audit.
        color: whether the text is for a terminal that shows colours and links.
        show_passed: also list what was looked at and found in order, and every question that could not be decided.
    """
    ink = Ink(color)
    sources = Sources(audited.root)
    blocks = ["\n".join(_finding(finding, sources, ink)) for finding in audited.open]
    if audited.fixed:
        blocks.append("\n".join(_fixed(audited, ink)))
    if audited.coverage.failed:
        blocks.append("\n".join(_failed(audited, ink)))
    if show_passed:
        blocks.append("\n".join(_passed(audited, ink)))
        if audited.unresolved:
            blocks.append("\n".join(_unresolved(audited, ink)))
    worst = max((finding.severity for finding in audited.open), default=None)
    style = "green" if worst is None else SEVERITY_COLORS[worst]
    blocks.append(f"{ink(style, summary(audited))}\n{coverage(audited)}")
    return "\n\n".join(blocks) + "\n"


def _finding(finding: Finding, sources: Sources, ink: Ink) -> Iterator[str]:
    style = SEVERITY_COLORS[finding.severity]
    head = ink(style, f"{finding.severity.value}[{finding.rule}]")
    yield f"{head} {ink('bold', visible(finding.message))}{ink('dim', sureness(finding))}"
    steps = finding.trail
    if finding.location is not None and not any(step.location == finding.location for step in steps):
        steps = (Step(finding.location, finding.name), *steps)
    width = 0
    if steps:
        width = margin(steps, sources)
        yield from draw(steps, sources, ink, style)
    left = " " * width + " = "
    if finding.fix is not None:
        yield _wrapped(left, f"{ink('bold', 'help')}: {visible(f'{finding.fix.title} ({how(finding.fix)})')}")
    yield f"{left}{ink('bold', 'more')}: cmgan-audit explain {finding.rule}  ({finding.name})"


def _wrapped(margin: str, text: str) -> str:
    return textwrap.fill(
        text, width=118, initial_indent=margin, subsequent_indent=" " * len(margin), break_on_hyphens=False
    )


def _fixed(audited: Audited, ink: Ink) -> Iterator[str]:
    yield ink("bold", "fixed")
    for finding in audited.fixed:
        if finding.fix is not None:
            yield f"  {finding.rule} {visible(f'{finding.location}: {finding.fix.title}')} ({finding.fix.safety})"


def _failed(audited: Audited, ink: Ink) -> Iterator[str]:
    yield ink("bold", "could not be read")
    for path, line, reason in audited.coverage.failed:
        place = f"{visible(path)}:{line}" if line else visible(path)
        yield f"  {place}: {visible(reason)}"


def _passed(audited: Audited, ink: Ink) -> Iterator[str]:
    yield ink("bold", "looked at and in order")
    for entry in audited.passed:
        yield f"  {entry.rule} {visible(f'{entry.location}: {entry.evidence}')}"
    if not audited.passed:
        yield "  nothing"


def _unresolved(audited: Audited, ink: Ink) -> Iterator[str]:
    yield ink("bold", "could not be decided")
    for entry in audited.unresolved:
        yield f"  {entry.rule} {visible(f'{entry.location}: {entry.reason}')}"
