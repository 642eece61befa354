"""Which findings are known: each known one answers for one finding of its fingerprint."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from cmgan_audit.finding import Confidence, Finding, Location, Severity, Step
from cmgan_audit.gate.known import KnownFindings, KnownPlace, files_of

FOUND = Finding("TOY101", "tiny", Severity.ERROR, Confidence.HIGH, "message", Location("a.py", 3), anchor="load")


def known(*findings):
    """The known findings."""
    counts = Counter(finding.fingerprint for finding in findings)
    places = {each.fingerprint: KnownPlace(each.rule, each.anchor, files_of(each)) for each in findings}
    return KnownFindings(counts, places, dict)


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


def test_at_another_place_on_the_same_way_it_is_known():
    there = Step(Location("data.py", 9), "the loader gets it here")
    before = replace(FOUND, trail=(there,))
    moved = replace(before, location=Location("conf.yaml", 1))
    for other in (
        replace(moved, trail=()),  # another loader in a function of that name
        replace(moved, anchor="make"),
        replace(moved, rule="TOY102"),
    ):
        assert elsewhere(before, other) == [0]
    assert elsewhere(before, moved) == []
    assert elsewhere(replace(before, anchor=""), replace(moved, anchor="")) == [0]  # nothing tells what it is about
    assert known(before).unknown_elsewhere([moved, moved], [0, 1], lambda finding: finding) == [1]


def elsewhere(before, now):
    """The number of a finding if it is not known, also not elsewhere."""
    return known(before).unknown_elsewhere([now], [0], lambda finding: finding)
