"""The examples of a rule are executable: each is written to a folder of its own, audited, and held to its verdict."""

from __future__ import annotations

import datetime
import tempfile
from dataclasses import replace
from pathlib import Path

from cmgan_audit.finding import Finding
from cmgan_audit.gate.audited import Audited, Collect
from cmgan_audit.gate.check import Auditor
from cmgan_audit.gate.settings import Settings
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.rules.catalogue import Catalogue
from cmgan_audit.rules.rule import Example, Rule


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of one example; `problem` is "" where it is as the rule says."""

    rule: Rule
    example: Example
    problem: str


def try_examples(rules: list[Rule], catalogue: Catalogue, collect: Collect) -> list[Tried]:
    """Run every example of some rules of the static door.

    Args:
        rules: the rules whose examples run.
        catalogue: all rules that run on them; the examples of one rule may show findings of others.
        collect: the collectors of the static door.
    """
    auditor = Auditor(catalogue, Settings(preview=True), collect, datetime.date.today())
    return [
        Tried(rule, example, _problem(rule, example, _audit(auditor, example)))
        for rule in rules
        for example in rule.examples
    ]


def write_example(example: Example, folder: Path) -> None:
    """Write the files of an example into a folder."""
    for name, content in example.files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")


def _audit(auditor: Auditor, example: Example) -> Audited:
    with tempfile.TemporaryDirectory(prefix="cmgan-audit-example-") as folder:
        root = Path(folder)
        write_example(example, root)
        settings = replace(auditor.settings, profile=example.profile)
        return replace(auditor, settings=settings).audit(root)


def _problem(rule: Rule, example: Example, audited: Audited) -> str:
    if audited.coverage.failed:
        path, line, reason = audited.coverage.failed[0]
        return f"{path}:{line} cannot be read: {reason}"
    findings = [finding for finding in audited.findings if finding.rule == rule.id]
    places = [_place(finding) for finding in findings]
    undecided = [each.reason for each in audited.unresolved if each.rule == rule.id]
    if example.verdict == "good":
        if findings:
            return f"nothing should be found, but {places[0]}: {findings[0].message}"
        return f"it should be decided, but {undecided[0]}" if undecided else ""
    if not findings:
        return "nothing is found" + (f"; undecided: {undecided[0]}" if undecided else "")
    if example.at is not None and example.at not in places:
        return f"should be found at {example.at}, is found at {', '.join(places)}"
    return ""


def _place(finding: Finding) -> str:
    return "no place" if finding.location is None else str(finding.location)
