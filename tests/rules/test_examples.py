"""Every example of every rule of the static door is run through the whole audit and judged as it says."""

from __future__ import annotations

import pytest

from cmgan_audit.gate.door import collect, load_kinds
from cmgan_audit.gate.examples import try_examples
from cmgan_audit.rules.catalogue import load_catalogue

CATALOGUE = load_catalogue()


@pytest.mark.parametrize("rule", [rule for rule in CATALOGUE if rule.door == "check"], ids=lambda rule: rule.id)
def test_examples_are_judged_as_they_say(rule):
    load_kinds()
    tried = try_examples([rule], CATALOGUE, collect)
    assert len(tried) == len(rule.examples)
    problems = [f"{each.rule.path.name}:{each.example.line}: {each.problem}" for each in tried if each.problem]
    assert not problems
