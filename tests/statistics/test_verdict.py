"""One word for two intervals."""

from __future__ import annotations

import pytest

from cmgan_audit.statistics.verdict import Verdict, judge


@pytest.mark.parametrize(
    ("difference", "equivalence", "expected"),
    [
        ((-0.46, -0.42), (-0.455, -0.425), Verdict.REGRESSED),
        ((0.1, 0.2), (0.11, 0.19), Verdict.IMPROVED),
        ((-0.02, 0.02), (-0.015, 0.015), Verdict.EQUIVALENT),
        ((-0.02, -0.005), (-0.018, -0.008), Verdict.EQUIVALENT),  # excludes 0, but does not matter
        ((-0.05, 0.02), (-0.04, 0.01), Verdict.UNDECIDED),
        ((-0.032, -0.001), (-0.031, -0.002), Verdict.REGRESSED),
        ((-0.02, 0.02), None, Verdict.UNDECIDED),  # an early look cannot claim equivalence
        (None, None, Verdict.UNDECIDED),
    ],
)
def test_verdicts(
    difference: tuple[float, float] | None, equivalence: tuple[float, float] | None, expected: Verdict
) -> None:
    assert judge(824, difference, equivalence, 0.03) is expected


def test_below_ten_pairs_nothing_is_said() -> None:
    assert judge(9, (-0.5, -0.4), (-0.5, -0.4), 0.03) is Verdict.UNDECIDED
    assert judge(9, (0.0, 0.0), (0.0, 0.0), 0.03) is Verdict.UNDECIDED
    assert judge(10, (-0.5, -0.4), (-0.5, -0.4), 0.03) is Verdict.REGRESSED


def test_lower_may_be_better() -> None:
    assert judge(100, (0.1, 0.2), (0.1, 0.2), 0.03, higher_is_better=False) is Verdict.REGRESSED
    assert judge(100, (-0.2, -0.1), (-0.2, -0.1), 0.03, higher_is_better=False) is Verdict.IMPROVED
