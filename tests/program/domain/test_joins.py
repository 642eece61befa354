"""What two paths left behind, joined."""

from __future__ import annotations

from cmgan_audit.program.domain.joins import Branch, filled, join, join_each, join_options, join_outcomes
from cmgan_audit.program.domain.text_tests import formula_of
from cmgan_audit.program.domain.values import Absent, Choice, Const, Value

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


def choice(*sides: tuple[Value, str]) -> Choice:
    joined = join([(value, Branch(text, frozenset({(text, True)}))) for value, text in sides])
    assert isinstance(joined, Choice)
    return joined


def test_what_comes_of_each_option_keeps_its_condition() -> None:
    sizes = choice((Const(value=2), "small"), (Const(value=8), "large"))
    doubled = join_each(sizes, lambda size: Const(value=2 * size.value) if isinstance(size, Const) else size)
    assert doubled == choice((Const(value=4), "small"), (Const(value=16), "large"))
    assert join_each(sizes, lambda size: Const(value=None)) == Const(value=None)


def test_some_of_the_options_are_a_choice_of_their_own() -> None:
    sizes = choice((Const(value=2), "small"), (Const(value=8), "large"), (Const(value=9), "largest"))
    assert join_options(sizes.options[1:]) == choice((Const(value=8), "large"), (Const(value=9), "largest"))
    assert join_options(sizes.options[:1]) == Const(value=2)


def test_what_was_not_set_on_some_path_is_filled_in() -> None:
    given = choice((Const(value=2), "small"), (Absent(), "not small"))
    assert filled(given, Const(value=1)) == choice((Const(value=2), "small"), (Const(value=1), "not small"))
