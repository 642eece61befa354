"""Group-sequential bounds against the multivariate normal integral, and the looks that they belong to."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal

from cmgan_audit.statistics.sequential import LookPlan, plan_looks, spending_bounds, spent


def crossing_probability(fractions: tuple[float, ...], bounds: tuple[float, ...]) -> float:
    """Probability that a null z process leaves the bounds at any look, by scipy's multivariate normal integral."""
    times = np.array(fractions)
    correlation = np.sqrt(np.minimum.outer(times, times) / np.maximum.outer(times, times))
    inside = multivariate_normal(cov=correlation).cdf(np.array(bounds), lower_limit=-np.array(bounds))
    return float(1 - inside)


@pytest.mark.parametrize("alpha", [0.05, 0.005])
@pytest.mark.parametrize("fractions", [(0.5, 1.0), (1 / 8, 1 / 2, 1.0), (0.25, 0.5, 0.75, 1.0)])
def test_the_bounds_spend_what_the_function_allows(fractions: tuple[float, ...], alpha: float) -> None:
    bounds = spending_bounds(fractions, alpha)
    for looks in range(1, len(fractions) + 1):
        crossed = crossing_probability(fractions[:looks], bounds[:looks])
        assert crossed == pytest.approx(spent(fractions[looks - 1], alpha), abs=2e-5)
    assert spent(1.0, alpha) == pytest.approx(alpha)


def test_one_look_is_the_ordinary_test() -> None:
    assert spending_bounds((1.0,), 0.05) == pytest.approx((1.959964,), abs=1e-6)


def test_the_looks_of_the_full_test_set() -> None:
    plan = plan_looks(824)
    assert plan.sizes == (103, 412, 824)
    assert [plan.bound(index) for index in range(3)] == pytest.approx([5.54, 2.77, 1.98], abs=0.005)


@pytest.mark.parametrize(
    ("n", "sizes"), [(5, (5,)), (60, (60,)), (64, (32, 64)), (240, (120, 240)), (256, (32, 128, 256))]
)
def test_no_look_at_a_handful(n: int, sizes: tuple[int, ...]) -> None:
    assert plan_looks(n).sizes == sizes


def test_nothing_to_look_at() -> None:
    with pytest.raises(ValueError, match="0 utterances"):
        plan_looks(0)


def test_more_comparisons_raise_every_bound() -> None:
    plan = plan_looks(824)
    for index in range(3):
        assert plan.bound(index, 119) > plan.bound(index, 2) > plan.bound(index)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2), st.sampled_from([1, 3, 20]), st.floats(1.5, 9.0), st.sampled_from([30.0, 102.0, 823.0]))
def test_the_repeated_p_value_is_dual_to_the_bound(index: int, comparisons: int, t: float, df: float) -> None:
    look = plan_looks(824).look(index)
    critical = look.critical_t(df, comparisons)
    if abs(t - critical) > 1e-6:
        assert (look.p_value(t, df, comparisons) < 0.05) == (t > critical)


def test_the_last_repeated_p_value_is_hardly_more_than_the_plain_one() -> None:
    look = plan_looks(824).look(2)
    assert look.p_value(2.5, 823) == pytest.approx(0.0126, abs=0.002)


def test_few_pairs_need_a_larger_t() -> None:
    look = LookPlan((32, 64)).look(0)
    assert look.critical_t(31) > look.plan.bound(0) + 0.2


def test_the_signature_says_where_it_stopped() -> None:
    assert plan_looks(824).look(0).describe() == "looks:103/412/824,stopped:103"
    assert plan_looks(824).look(2).final
