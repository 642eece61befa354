"""Every rule that ships: complete, honest about its age, and short enough to explain on one screen."""

from __future__ import annotations

import pytest

from cmgan_audit.report.rule_text import explain
from cmgan_audit.rules.catalogue import load_catalogue

CATALOGUE = list(load_catalogue())
SCREEN = 50


@pytest.mark.parametrize("rule", CATALOGUE, ids=lambda rule: rule.id)
def test_a_rule_is_complete(rule):
    assert rule.id.startswith("CMG") and rule.path.stem == rule.id
    needed = {
        "check": ("since", "do_not_flag", "fix", "seen_at_run_time", "references"),
        "trend": ("since", "do_not_flag", "fix", "seen_at_run_time", "examples"),
        "compare-ckpts": ("since",),  # what it measures is its own evidence
    }
    for key in needed[rule.door]:
        assert getattr(rule, key), f"{rule.id} has no {key}"


def test_an_audit_reads_no_examples():
    assert not any(rule.examples for rule in load_catalogue(examples=False))


@pytest.mark.parametrize("rule", CATALOGUE, ids=lambda rule: rule.id)
def test_its_explanation_fits_a_screen(rule):
    text = explain(rule)
    assert len(text.splitlines()) <= SCREEN
    assert max(len(line) for line in text.splitlines()) <= 125


@pytest.mark.parametrize("rule", [rule for rule in CATALOGUE if rule.door == "check"], ids=lambda rule: rule.id)
def test_a_rule_over_code_has_a_bad_and_a_good_example(rule):
    if rule.id not in ("CMG906", "CMG907"):  # about a baseline and settings, which the files of an example do not show
        assert {example.verdict for example in rule.examples} == {"bad", "good"}
