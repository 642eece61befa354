"""A value that is not known but for being one of several texts."""

from __future__ import annotations

import pytest

from cmgan_audit.program.domain.text_tests import denied, formula_of

COSINE, PLATEAU, OTHER = formula_of(3, "cosine"), formula_of(3, "plateau"), formula_of(31, "cosine")


@pytest.mark.parametrize(
    ("facts", "verdict"),
    [
        ([(PLATEAU, True)], True),
        ([(COSINE, False)], True),
        ([(COSINE, True)], False),
        ([(PLATEAU, False)], False),
        ([(OTHER, False), (formula_of(31, "plateau"), True)], False),
        ([("device_count > 1", True)], False),
        ([], False),
    ],
)
def test_a_value_that_is_one_text_is_no_other(facts: list[tuple[str, bool]], verdict: bool) -> None:
    assert denied(COSINE, facts) is verdict


def test_formulas_of_other_kinds_tell_nothing() -> None:
    assert not denied("device_count > 1", [("device_count > 1", False)])
