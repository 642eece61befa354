"""What counts as the rounded copy of a value."""

from __future__ import annotations

import math
import random

import pytest

from cmgan_audit.logs.selection.interleaved import _is_copy


@pytest.mark.parametrize("digits", range(1, 6))
def test_a_value_with_fewer_digits_is_a_copy(digits: int) -> None:
    rng = random.Random(digits)
    values = [rng.gauss(0, 1) * 10.0 ** rng.randint(-6, 14) for _ in range(2000)]
    assert all(_is_copy(round(value, digits), value) for value in values)


@pytest.mark.parametrize(
    ("rounded", "value"), [(2.61, 2.6), (2.5, 2.6), (math.nan, 2.6), (2.6, math.nan), (math.inf, 2.6), (2.6, math.inf)]
)
def test_another_value_is_none(rounded: float, value: float) -> None:
    assert not _is_copy(rounded, value)
