"""Corrections for many comparisons: Holm by hand, sign flips against scipy's exact permutation test."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from cmgan_audit.statistics.multiple import (
    flip_scale,
    flipped_sums,
    holm,
    resampled_critical,
    resampled_p,
    sign_flips,
    t_scale,
)

P_VALUES = st.lists(st.floats(1e-12, 1.0), min_size=1, max_size=20)


def test_holms_example() -> None:
    adjusted, _ = holm([0.01, 0.04, 0.03, 0.005])
    assert adjusted == pytest.approx([0.03, 0.06, 0.06, 0.02])


@given(P_VALUES, st.floats(1e-3, 0.5))
def test_the_divisor_is_dual_to_the_adjusted_p_value(p_values: list[float], alpha: float) -> None:
    for p, adjusted, divisor in zip(p_values, *holm(p_values), strict=True):
        assert 1 - 1e-9 <= divisor <= len(p_values) * (1 + 1e-9)
        if abs(adjusted - alpha) > 1e-9:
            assert (adjusted < alpha) == (p < alpha / divisor)


@given(P_VALUES)
def test_holm_lies_between_no_correction_and_bonferroni(p_values: list[float]) -> None:
    adjusted, _ = holm(p_values)
    for p, one in zip(p_values, adjusted, strict=True):
        assert p - 1e-15 <= one <= min(1.0, len(p_values) * p) + 1e-15


def test_flips_give_scipys_exact_permutation_distribution() -> None:
    residuals = np.random.default_rng(3).gamma(2.0, 1.0, 12)
    residuals -= residuals.mean()
    norm = np.linalg.norm(residuals)
    exact = stats.permutation_test(
        (residuals, -residuals),
        lambda x, y, axis: np.sum(x, axis=axis) / norm,
        permutation_type="samples",
        vectorized=True,
    ).null_distribution
    assert len(exact) == 2**12
    ours = np.abs(flipped_sums(sign_flips(12, 99_999, seed=1), residuals[:, None])[:, 0]) / norm
    for value in (0.5, 1.0, 1.5, 2.0):
        assert resampled_p(ours, value) == pytest.approx(float(np.mean(np.abs(exact) >= value)), abs=0.006)


def test_for_many_rows_flips_agree_with_the_t_test() -> None:
    differences = np.random.default_rng(4).normal(0.03, 0.2, 200)
    expected = stats.ttest_1samp(differences, 0)
    residuals = differences - differences.mean()
    reference = np.abs(flipped_sums(sign_flips(200, 99_999), residuals[:, None])[:, 0]) / np.linalg.norm(residuals)
    observed = flip_scale(abs(expected.statistic), 199)
    assert resampled_p(reference, observed) == pytest.approx(expected.pvalue, abs=0.004)
    critical = t_scale(resampled_critical(reference, 0.05), 199)
    assert critical == pytest.approx(stats.t.ppf(0.975, 199), abs=0.02)


@given(st.floats(-30, 30), st.floats(1, 1000))
def test_the_two_scales_are_inverse(t: float, df: float) -> None:
    assert t_scale(flip_scale(t, df), df) == pytest.approx(t, rel=1e-6, abs=1e-6)


@given(st.lists(st.floats(0, 5), min_size=199, max_size=199), st.sampled_from([0.05, 0.1, 0.2]))
def test_beyond_the_critical_value_exactly_when_p_is_small_enough(values: list[float], alpha: float) -> None:
    reference = np.array(values)
    critical = resampled_critical(reference, alpha)
    for observed in (critical * 0.999, critical * 1.001 + 1e-6):
        assert (observed > critical) == (resampled_p(reference, observed) <= alpha + 1e-12)


def test_too_few_resamples_for_a_level() -> None:
    with pytest.raises(ValueError, match="19 resamples"):
        resampled_critical(np.arange(19.0), 0.01)


def test_signs_are_fair_and_repeatable() -> None:
    signs = sign_flips(50, 2000, seed=5)
    assert set(np.unique(signs)) == {-1, 1}
    assert abs(signs.mean()) < 0.02
    assert np.array_equal(signs, sign_flips(50, 2000, seed=5))
    assert not np.array_equal(signs, sign_flips(50, 2000, seed=6))
