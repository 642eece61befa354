"""A rule's documentation in the terminal, and the catalogue as a list."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Iterator
from typing import Any

from cmgan_audit.report.ansi import SEVERITY_COLORS, Ink, visible
from cmgan_audit.rules.rule import Example, Rule

WIDTH = 100
# Lines shown around the place of the bad example.
AROUND = 3

CHAPTERS = (
    ("1", "configuration"),
    ("2", "data"),
    ("3", "training and evaluation loop"),
    ("4", "metric targets"),
    ("5", "numerics and runtime"),
    ("6", "checkpoints and selection"),
    ("7", "measured by compare-ckpts"),
    ("8", "seen in logs"),
    ("9", "the audit itself"),
)

SCHEMA = "cmgan-audit/rules/v1"


def explain(rule: Rule, *, color: bool = False) -> str:
    """Return the documentation of one rule as text that fits a screen."""
    ink = Ink(color)
    severity = ink(SEVERITY_COLORS[rule.severity], severity_words(rule))
    lines = [
        f"{ink('bold', rule.id)} {ink('bold', rule.name)}   {severity}   {origin(rule)}",
        *_paragraph(_sentence(rule.summary)),
    ]
    for title, text in chapters(rule):
        lines += ["", ink("bold", title), *_paragraph(text)]
    excerpt = next((each for each in rule.examples if each.verdict == "bad" and each.at), None)
    if excerpt is not None:
        lines += ["", ink("bold", "Example"), *_excerpt(excerpt, ink)]
    if rule.parameters:
        values = ", ".join(f"{name} = {json.dumps(value)}" for name, value in rule.parameters.items())
        lines += ["", f"{ink('bold', 'Settings')}  [tool.cmgan-audit.per_rule.{rule.id}] {values}"]
    if rule.door == "check":
        lines += ["", f"{ink('bold', 'Suppress')}  # cmgan-audit: ignore[{rule.id}] -- reason"]
    if rule.references:
        lines += ["", ink("bold", "References"), *(f"  {reference}" for reference in rule.references)]
    return "\n".join(lines) + "\n"


def chapters(rule: Rule) -> Iterator[tuple[str, str]]:
    """The parts of a rule's documentation that are there, in the order in which they are read."""
    yield "Why it is bad", rule.why
    if rule.do_not_flag:
        yield "What is right and not flagged", rule.do_not_flag
    if rule.fix is not None:
        reason = f": {rule.fix.reason}" if rule.fix.reason else ""
        yield "Fix", f"{_sentence(rule.fix.title)} ({rule.fix.safety}{reason})"
    if rule.seen_at_run_time:
        yield "Seen at run time", rule.seen_at_run_time


def severity_words(rule: Rule) -> str:
    """The severities that a rule can have: "error", or "error or warning"."""
    return " or ".join(dict.fromkeys(case.value for case in reversed(rule.severities)))


def origin(rule: Rule) -> str:
    """Which command raises a rule, since which version, and whether it is in preview."""
    since = f", since {rule.since}" if rule.since else ""
    return f"raised by {rule.door}{since}{', preview: off unless asked for' if rule.preview else ''}"


def listing(rules: Iterable[Rule], *, color: bool = False) -> str:
    """Return the catalogue as text: a line per rule, under the headings of its numbers."""
    ink = Ink(color)
    rules = list(rules)
    width = max((len(rule.name) for rule in rules), default=0)
    blocks = []
    for title, members in by_chapter(rules):
        lines = [ink("bold", title)]
        for rule in members:
            severity = ink(SEVERITY_COLORS[rule.severity], f"{rule.severity.value:<7}")
            preview = "  (preview)" if rule.preview else ""
            lines.append(f"  {rule.id}  {severity}  {rule.name:<{width}}  {rule.summary}{preview}")
        blocks.append("\n".join(lines))
    number = len(rules)
    blocks.append(f"{number} {'rule' if number == 1 else 'rules'}; `cmgan-audit explain RULE` tells more")
    return "\n\n".join(blocks) + "\n"


def by_chapter(rules: Iterable[Rule]) -> Iterator[tuple[str, list[Rule]]]:
    """The rules under the headings of the catalogue's numbers; rules of other catalogues under their own letters."""
    rules = list(rules)
    for digit, title in CHAPTERS:
        members = [rule for rule in rules if rule.id.startswith(f"CMG{digit}")]
        if members:
            yield f"CMG{digit}xx {title}", members
    others: dict[str, list[Rule]] = {}
    for rule in rules:
        if not rule.id.startswith("CMG"):
            others.setdefault(rule.id.rstrip("0123456789"), []).append(rule)
    for letters, members in others.items():
        yield f"{letters} rules of your own", members


def catalogue_json(rules: Iterable[Rule]) -> str:
    """Return the catalogue as JSON, schema cmgan-audit/rules/v1."""
    return (
        json.dumps({"schema": SCHEMA, "rules": [_plain(rule) for rule in rules]}, indent=2, ensure_ascii=False) + "\n"
    )


def _plain(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "name": rule.name,
        "summary": rule.summary,
        "severity": rule.severity.value,
        "since": rule.since or None,
        "preview": rule.preview,
        "door": rule.door,
        "over": rule.over or None,
        "when": rule.when or None,
        "params": dict(rule.parameters),
        "why": rule.why,
        "do_not_flag": rule.do_not_flag or None,
        "fix": None if rule.fix is None else {"title": rule.fix.title, "safety": rule.fix.safety},
        "seen_at_run_time": rule.seen_at_run_time or None,
        "references": list(rule.references),
    }


def _sentence(text: str) -> str:
    """A text with a capital at its beginning, unless code stands there: `pesq(...)` is no name with another letter."""
    return text[:1].upper() + text[1:] if text.split(" ")[0].strip(",;:").isalpha() else text


def _paragraph(text: str) -> list[str]:
    """Text filled anew; blank lines, list items and indented lines keep their beginnings."""
    blocks: list[str] = []
    for line in text.splitlines():
        starts = not line.strip() or line.startswith((" ", "- ", "* ")) or not blocks or not blocks[-1]
        if starts:
            blocks.append(line.rstrip())
        else:
            blocks[-1] += f" {line.strip()}"
    lines: list[str] = []
    for block in blocks:
        indent = " " * (2 + len(block) - len(block.lstrip()))
        hang = indent + ("  " if block.lstrip().startswith(("- ", "* ")) else "")
        filled = textwrap.wrap(block, WIDTH, initial_indent="  ", subsequent_indent=hang, break_on_hyphens=False)
        lines += filled or [""]
    return lines


def _excerpt(example: Example, ink: Ink) -> list[str]:
    assert example.at is not None
    name, _, number = example.at.rpartition(":")
    at = int(number)
    lines = example.files[name].splitlines()
    first, last = max(1, at - AROUND), min(len(lines), at + AROUND - 1)
    shown = [f"  {'>' if n == at else ' '} {n:>3} | {visible(lines[n - 1])}" for n in range(first, last + 1)]
    return [f"  {name}", *(ink("red", line) if line.startswith("  >") else line for line in shown)]
