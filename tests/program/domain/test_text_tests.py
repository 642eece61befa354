"""A value that is not known but for being one of several texts."""

from __future__ import annotations

import pytest

from cmgan_audit.program.domain.text_tests import exclude, formula_of, told

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
