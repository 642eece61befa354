"""A value that is not known but for being one of several texts."""

from __future__ import annotations

import pytest

from cmgan_audit.program.domain.text_tests import exclude, formula_of, is_left_over, told

COSINE, PLATEAU, OTHER = formula_of(3, ["cosine"]), formula_of(3, ["plateau"]), formula_of(31, ["cosine"])
EITHER = formula_of(3, ["plateau", "cosine"])


@pytest.mark.parametrize(
    ("facts", "verdict"),
    [
        ([(PLATEAU, True)], False),
        ([(COSINE, False)], False),
        ([(EITHER, False)], False),
        ([(COSINE, True)], True),
        ([(EITHER, True), (PLATEAU, False)], True),
        ([(EITHER, True)], None),
        ([(PLATEAU, False)], None),
        ([(OTHER, False), (formula_of(31, ["plateau"]), True)], None),
        ([("device_count > 1", True)], None),
        ([], None),
    ],
)
def test_a_value_that_is_one_text_is_no_other(facts: list[tuple[str, bool]], verdict: bool | None) -> None:
    assert told(COSINE, facts) is verdict


def test_a_value_that_is_none_of_several_texts_is_not_one_of_them() -> None:
    neither = [(COSINE, False), (PLATEAU, False)]
    assert told(EITHER, neither) is False
    assert exclude(neither, [(EITHER, True)])
    assert exclude([(EITHER, True)], neither)
    assert not exclude([(COSINE, False)], [(EITHER, True)])


def test_of_formulas_of_other_kinds_only_the_same_tells() -> None:
    assert told("device_count > 1", [("device_count > 1", False)]) is False
    assert told("device_count > 1", [("device_count > 2", True)]) is None


def test_a_value_of_known_choices_is_the_one_that_is_left() -> None:
    train, test = (formula_of(5, [text], ["test", "train"]) for text in ("train", "test"))
    assert told(train, [(test, False)]) is True
    assert told(formula_of(5, ["train"]), [(formula_of(5, ["test"]), False)]) is None


def test_what_is_neither_of_two_texts_is_left_over() -> None:
    assert is_left_over([(COSINE, False)], [(PLATEAU, False)])
    assert not is_left_over([(COSINE, False)], [(COSINE, False)])
    assert not is_left_over([(COSINE, False)], [(PLATEAU, True)])
    assert not is_left_over([(COSINE, True)], [(PLATEAU, False)])
    assert not is_left_over([(COSINE, False)], [(formula_of(31, ["plateau"]), False), ("!1", False)])
