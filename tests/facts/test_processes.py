"""Formulas with the number of processes are computed as Python computes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmgan_audit.facts.processes import PROCESSES, values_of

LEAVES = st.integers(1, 64).map(str) | st.just("n")
FORMULAS = st.recursive(
    LEAVES,
    lambda inner: (
        st.tuples(inner, st.sampled_from(["+", "-", "*", "/", "//"]), inner).map(
            lambda parts: f"({parts[0]} {parts[1]} {parts[2]})"
        )
        | inner.map(lambda part: f"int({part})")
    ),
    max_leaves=6,
)


@given(FORMULAS)
def test_values_are_those_of_python(formula: str) -> None:
    expected = []
    for count in PROCESSES:
        try:
            expected.append(eval(formula, {"n": count}))  # made by the strategy above
        except ZeroDivisionError:
            assert values_of(formula) == ()
            return
    assert values_of(formula) == tuple(dict.fromkeys(expected))


@pytest.mark.parametrize("formula", ["", "8 //", "open('x')", "n.size", "[1]", "int(n, 2, 3)", "'a' * n"])
def test_what_is_no_arithmetic_has_no_values(formula: str) -> None:
    assert values_of(formula) == ()
