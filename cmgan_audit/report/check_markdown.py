"""`check --format markdown`: for a comment on a pull request or the summary of a workflow run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from cmgan_audit.finding import Finding
from cmgan_audit.gate.audited import Audited
from cmgan_audit.report.places import FromHere
from cmgan_audit.report.wording import advice, count, coverage, summary, sureness

# GitHub drops the summary of a step as a whole beyond 1024 KiB.
MOST_BYTES = 900_000


def render(audited: Audited) -> str:
    """Return the findings that count as Markdown: the worst ones, where there are more than a summary may hold."""
    here = FromHere(audited)
    parts = [f"### cmgan-audit: {summary(audited)}"]
    if audited.open:
        shown = _that_fit(audited.open, here)
        rows = [_row(finding, here) for finding in shown]
        parts.append("\n".join(("| | rule | where | what |", "|---|---|---|---|", *rows)))
        if left := len(audited.open) - len(shown):
            parts.append(f"{count(left, 'finding')} more: `cmgan-audit check` shows them.")
        parts += [_way(finding, here) for finding in shown if finding.trail]
    if audited.coverage.failed:
        parts.append("\n".join(("Could not be read:", "", *_unread(audited, here))))
    parts.append(_escape(coverage(audited)))
    return "\n\n".join(parts) + "\n"


def _that_fit(findings: Sequence[Finding], here: FromHere) -> Sequence[Finding]:
    """The findings that a summary can hold, in their order; of too many the severest."""
    left = MOST_BYTES
    kept = set()
    for number in sorted(range(len(findings)), key=lambda each: findings[each].severity, reverse=True):
        left -= len((_row(findings[number], here) + _way(findings[number], here)).encode(errors="replace"))
        if left < 0:
            break
        kept.add(number)
    return [finding for number, finding in enumerate(findings) if number in kept]


def _row(finding: Finding, here: FromHere) -> str:
    place = "" if finding.location is None else _code(here.place(finding.location))
    rule = f"{finding.rule} {finding.name}"
    return f"| **{finding.severity.value}** | {rule} | {place} | {_escape(finding.message + sureness(finding))} |"


def _unread(audited: Audited, here: FromHere) -> Iterator[str]:
    for path, line, reason in audited.coverage.failed:
        place = here.path(path) + (f":{line}" if line else "")
        yield f"- {_code(place)} {_escape(reason)}"


def _way(finding: Finding, here: FromHere) -> str:
    place = "" if finding.location is None else f" at {_html(here.place(finding.location))}"
    steps = "\n".join(
        f"{number}. {_code(here.place(step.location))} {_escape(step.note)}"
        for number, step in enumerate(finding.trail, start=1)
    )
    todo = "\n".join(f"- {_escape(line)}" for line in advice(finding))
    return f"<details><summary>{finding.rule}{place}: how it comes about</summary>\n\n{steps}\n\n{todo}\n\n</details>"


def _escape(text: str) -> str:
    """Text whose every character stands for itself in a table cell or a list."""
    return re.sub(r"([\\`*_{}\[\]<>|#~])", r"\\\1", " ".join(text.split()))


def _code(text: str) -> str:
    """A path in a code span, also in a table cell."""
    text = " ".join(text.split()).replace("|", "\\|")
    fence = "``" if "`" in text else "`"
    pad = " " if "`" in text else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def _html(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
