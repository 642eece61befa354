"""The paired comparison against scipy, and where scipy has nothing, against brute force."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from cmgan_audit.statistics.groups import group_differences
from cmgan_audit.statistics.own_spread import own_sd_of_mean
from cmgan_audit.statistics.paired import (
    SMALLEST_P,
    critical_t,
    flip_residuals,
    interval,
    minimum_detectable_effect,
    p_value,
    share_worse,
    summarise,
    typical_difference,
)

RNG = np.random.default_rng(7)
BASELINE = RNG.normal(2.5, 0.6, 60)
CANDIDATE = BASELINE - 0.05 + RNG.normal(0, 0.2, 60)
DIFFERENCES = CANDIDATE - BASELINE


def test_without_strata_it_is_scipys_paired_t_test() -> None:
    summary = summarise(DIFFERENCES)
    expected = stats.ttest_rel(CANDIDATE, BASELINE)
    assert summary.t == pytest.approx(expected.statistic, rel=1e-12)
    assert p_value(summary) == pytest.approx(expected.pvalue, rel=1e-10)
    low, high = interval(summary, critical_t(59, 0.05))
    assert (low, high) == pytest.approx(tuple(expected.confidence_interval(0.95)), rel=1e-10)


def test_two_strata_are_weighted_by_their_rows() -> None:
    left, right = DIFFERENCES[:25], -DIFFERENCES[25:]
    summary = summarise(np.concatenate([left, right]), ["a"] * 25 + ["b"] * 35)
    parts = np.array([25 * left.var(ddof=1), 35 * right.var(ddof=1)]) / 60**2
    assert summary.se == pytest.approx(np.sqrt(parts.sum()))
    assert summary.df == pytest.approx(parts.sum() ** 2 / (parts[0] ** 2 / 24 + parts[1] ** 2 / 34))


def test_two_equal_strata_have_the_error_of_scipys_welch_test() -> None:
    left, right = DIFFERENCES[:30], 2 * DIFFERENCES[30:] + 1
    welch = stats.ttest_ind(left, -right, equal_var=False)  # mean(left) + mean(right) is twice our mean
    summary = summarise(np.concatenate([left, right]), ["a"] * 30 + ["b"] * 30)
    assert summary.t == pytest.approx(welch.statistic)
    assert summary.df == pytest.approx(welch.df)
    assert p_value(summary) == pytest.approx(welch.pvalue)


def test_strata_that_differ_do_not_widen_the_interval() -> None:
    shifted = DIFFERENCES + np.repeat([1.0, -1.0], 30)
    labels = ["a"] * 30 + ["b"] * 30
    assert summarise(shifted, labels).se == pytest.approx(summarise(DIFFERENCES, labels).se)
    plain, stratified = summarise(shifted).se, summarise(shifted, labels).se
    assert plain is not None and stratified is not None and plain > 3 * stratified


def test_flip_residuals_carry_the_standard_error() -> None:
    labels = ["a", "b", "c", "d"] * 15
    summary = summarise(DIFFERENCES, labels)
    assert summary.se is not None
    residuals = flip_residuals(DIFFERENCES, np.arange(60) % 4)
    assert np.sum(residuals**2) == pytest.approx((60 * summary.se) ** 2)


def test_identical_outputs_have_no_p_value() -> None:
    summary = summarise(np.zeros(20))
    assert summary.identical
    assert p_value(summary) is None
    assert minimum_detectable_effect(summary, 2.0) is None


def test_a_constant_difference_is_judged_by_its_signs() -> None:
    summary = summarise(np.full(12, 2.3) - 2.2)
    assert summary.t is None
    assert p_value(summary) == 2.0**-11


def test_differences_that_their_strata_explain_are_judged_by_their_signs_too() -> None:
    labels = ["a"] * 4 + ["b"] * 12
    few = summarise(np.array([0.3] * 4 + [0.0] * 12), labels)
    assert (few.identical, few.t, p_value(few)) == (False, None, 2.0**-3)
    assert not summarise(np.array([0.25] * 6 + [-0.25] * 6), ["a"] * 6 + ["b"] * 6).identical


def test_no_p_value_is_zero() -> None:
    assert p_value(summarise(1.0 + 1e-6 * RNG.normal(size=800))) == SMALLEST_P


def test_one_pair_has_a_mean_and_nothing_else() -> None:
    summary = summarise(np.array([0.4]))
    assert (summary.mean, summary.se, summary.df, p_value(summary)) == (0.4, None, None, None)
    with pytest.raises(ValueError, match="two pairs"):
        interval(summary, 2.0)


@pytest.mark.parametrize(("n", "expected"), [(824, 0.020), (206, 0.039), (64, 0.071)])
def test_minimum_detectable_effect_has_its_power(n: int, expected: float) -> None:
    differences = RNG.normal(size=n)
    differences = 0.2 * (differences - differences.mean()) / differences.std(ddof=1)
    effect = minimum_detectable_effect(summarise(differences), critical_t(n - 1, 0.05))
    assert effect == pytest.approx(expected, abs=5e-4)
    noncentral = stats.nct(n - 1, effect / 0.2 * np.sqrt(n))
    assert noncentral.sf(stats.t.ppf(0.975, n - 1)) == pytest.approx(0.8, abs=0.005)


def test_ties_are_not_worse() -> None:
    assert share_worse(np.array([-0.1, 0.0, 0.1, 0.2])) == 0.25
    assert share_worse(np.array([-0.1, 0.0, 0.1, 0.2]), higher_is_better=False) == 0.5


def test_the_typical_difference_is_hodges_lehmanns() -> None:
    pairs = [(a + b) / 2 for a, b in itertools.combinations_with_replacement(DIFFERENCES, 2)]
    assert typical_difference(DIFFERENCES) == pytest.approx(np.median(pairs))
    assert typical_difference(np.zeros(12)) == 0.0


def test_the_typical_difference_of_many_is_that_of_their_quantiles() -> None:
    many = RNG.gamma(2.0, size=100_000)
    assert typical_difference(many) == pytest.approx(typical_difference(many[:2_000]), abs=0.1)
    assert typical_difference(many) == pytest.approx(typical_difference(np.sort(many)[25::50]), abs=1e-3)


def test_group_differences_per_speaker() -> None:
    utterances = [f"p{232 if index < 20 else 257}_{index}" for index in range(60)]
    speakers = {name: name.split("_")[0] for name in utterances[:-1]}
    first, second = group_differences("speaker", speakers, utterances, DIFFERENCES)
    assert (first.group, first.n, second.group, second.n) == ("p232", 20, "p257", 39)
    assert first.mean_difference == pytest.approx(DIFFERENCES[:20].mean())
    assert (first.ci_low, first.ci_high) == pytest.approx(
        tuple(stats.ttest_1samp(DIFFERENCES[:20], 0).confidence_interval(0.95))
    )
    assert group_differences("g", {"x": "only"}, ["x"], np.array([0.3]))[0].ci_low is None


def test_own_spread_leaves_out_difficulty_and_quality() -> None:
    difficulty, quality = RNG.normal(2.5, 0.7, (800, 1)), np.linspace(0, 1, 40)
    own = RNG.normal(0, 0.14, (800, 40))
    assert own_sd_of_mean(difficulty + quality + own) == pytest.approx(0.14 / np.sqrt(800), rel=0.03)
