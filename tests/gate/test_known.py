"""Which findings are known: each known one answers for one finding of its fingerprint."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from cmgan_audit.finding import Confidence, Finding, Location, Severity
from cmgan_audit.gate.known import KnownFindings

FOUND = Finding("TOY101", "tiny", Severity.ERROR, Confidence.HIGH, "message", Location("a.py", 3), anchor="load")


def known(*findings):
    """The known findings."""
    counts = Counter(finding.fingerprint for finding in findings)
    return KnownFindings(counts, {finding.fingerprint: finding.rule for finding in findings}, dict)


def test_one_answers_for_one():
    assert known(FOUND).unknown([FOUND, FOUND], [0, 1], lambda finding: finding) == [1]


def test_older_names_are_asked_for_where_one_of_the_rule_is_left():
    asked = []

    def older(finding):
        asked.append(finding.anchor)
        return replace(finding, anchor="load")

    other, renamed = replace(FOUND, rule="TOY102", anchor="load"), replace(FOUND, anchor="make")
    assert known(FOUND).unknown([other, renamed], [0, 1], older) == [0]
    assert asked == ["make"]
    assert known().unknown([renamed], [0], older) == [0]
    assert asked == ["make"]
