"""What two paths left behind, joined."""

from __future__ import annotations

from cmgan_audit.program.domain.joins import Branch, join_outcomes
from cmgan_audit.program.domain.text_tests import formula_of
from cmgan_audit.program.domain.values import Choice, Const, Value

COSINE, PLATEAU, STEP = formula_of(1, ["cosine"]), formula_of(1, ["plateau"]), formula_of(1, ["step"])


def outcome(value: Value, expected: bool) -> frozenset[tuple[str, bool]]:
    assert isinstance(value, Choice)
    (facts,) = [each.facts for each in value.options if each.value == Const(value=expected)]
    return facts


def test_an_outcome_keeps_that_a_setting_is_none_of_what_leads_to_the_other_one() -> None:
    sides: list[tuple[Value, Branch]] = [
        (Const(value=False), Branch("cosine", frozenset({(COSINE, True)}))),
        (Const(value=True), Branch("plateau", frozenset({(COSINE, False), (PLATEAU, True)}))),
        (Const(value=False), Branch("step", frozenset({(COSINE, False), (PLATEAU, False), (STEP, True)}))),
    ]
    joined = join_outcomes(sides)
    assert outcome(joined, expected=True) >= {(COSINE, False), (PLATEAU, True)}
    assert outcome(joined, expected=False) == {(PLATEAU, False)}


def test_an_outcome_that_one_way_leaves_open_keeps_nothing() -> None:
    sides: list[tuple[Value, Branch]] = [
        (Const(value=False), Branch("cosine", frozenset({(COSINE, True)}))),
        (Const(value=True), Branch("plateau", frozenset({(PLATEAU, True)}))),
        (Const(value=False), Branch("otherwise")),
    ]
    assert outcome(join_outcomes(sides), expected=False) == frozenset()
