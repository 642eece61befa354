"""Series of checkpoints, from scores to verdicts."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from cmgan_audit.errors import InputError
from cmgan_audit.statistics.compare import Comparison, compare_checkpoints, gating, settled
from cmgan_audit.statistics.sequential import Look, plan_looks
from cmgan_audit.statistics.strata import nested_order
from cmgan_audit.statistics.verdict import Verdict

Scores = dict[str, dict[str, float]]


def series(means: dict[str, float], n: int = 200, sd: float = 0.14, seed: int = 0) -> Scores:
    rng = np.random.default_rng(seed)
    names = [f"p{232 if index < n // 2 else 257}_{index:03d}" for index in range(n)]
    difficulty = rng.normal(0, 0.6, n)
    return {
        name: dict(zip(names, (mean + difficulty + rng.normal(0, sd, n)).tolist(), strict=True))
        for name, mean in means.items()
    }


def by_family(comparisons: list[Comparison], candidate: str) -> dict[str, Comparison]:
    return {one.family: one for one in comparisons if one.candidate == candidate}


DECLINE = series({"epoch 2": 2.64, "epoch 7": 2.21, "epoch 8": 2.20, "epoch 14": 2.07, "noisy": 1.97})
ORDER = ["epoch 2", "epoch 7", "epoch 8", "epoch 14"]


def test_the_decline_of_the_post_mortem() -> None:
    found = compare_checkpoints(DECLINE, ORDER, baseline="noisy")
    assert [(one.candidate, one.family, one.baseline) for one in found] == [
        ("epoch 2", "baseline", "noisy"),
        ("epoch 7", "best", "epoch 2"),
        ("epoch 7", "previous", "epoch 2"),
        ("epoch 7", "baseline", "noisy"),
        ("epoch 8", "best", "epoch 2"),
        ("epoch 8", "previous", "epoch 7"),
        ("epoch 8", "baseline", "noisy"),
        ("epoch 14", "best", "epoch 2"),
        ("epoch 14", "previous", "epoch 8"),
        ("epoch 14", "baseline", "noisy"),
    ]
    last = by_family(found, "epoch 14")
    assert last["best"].verdict is Verdict.REGRESSED
    assert last["best"].mean_difference == pytest.approx(-0.57, abs=0.05)
    assert last["best"].share_worse > 0.95
    assert last["baseline"].verdict is Verdict.IMPROVED
    assert by_family(found, "epoch 7")["best"].verdict is Verdict.REGRESSED


def test_the_previous_family_is_scipys_test_with_holm() -> None:
    found = [one for one in compare_checkpoints(DECLINE, ORDER) if one.family == "previous"]
    plain = [
        stats.ttest_rel(list(DECLINE[one.candidate].values()), list(DECLINE[one.baseline].values())) for one in found
    ]
    assert [one.p_value for one in found] == pytest.approx([float(one.pvalue) for one in plain], rel=1e-9)
    ranked = sorted(range(3), key=lambda index: plain[index].pvalue)
    bar = 0.0
    for rank, index in enumerate(ranked):
        bar = max(bar, (3 - rank) * float(plain[index].pvalue))
        assert found[index].p_adjusted == pytest.approx(min(1.0, bar), rel=1e-9)
        level = 1 - 0.05 * float(plain[index].pvalue) / bar
        assert (found[index].ci_low, found[index].ci_high) == pytest.approx(
            tuple(plain[index].confidence_interval(level)), rel=1e-6
        )


@pytest.mark.parametrize("seed", range(5))
def test_interval_and_adjusted_p_value_agree(seed: int) -> None:
    scores = series({f"e{index}": 2.5 - 0.012 * index for index in range(6)}, seed=seed)
    for one in compare_checkpoints(scores, list(scores), baseline="e0", floor=1e-6):
        assert one.ci_low is not None and one.ci_high is not None and one.p_adjusted is not None
        assert (one.ci_low > 0 or one.ci_high < 0) == (one.p_adjusted <= 0.05)
        assert one.p_value is not None and one.p_value <= one.p_adjusted


def test_the_best_before_is_corrected_for_having_been_chosen() -> None:
    scores = series({f"e{index:02d}": 2.5 for index in range(30)})
    last = by_family(compare_checkpoints(scores, sorted(scores)), "e29")["best"]
    lone = by_family(compare_checkpoints(scores, [last.baseline, "e29"]), "e29")["best"]
    assert last.mean_difference == lone.mean_difference
    assert last.p_value == pytest.approx(lone.p_value, abs=0.02)
    assert last.p_adjusted is not None and lone.p_adjusted is not None
    assert last.p_adjusted > 3 * lone.p_adjusted


def test_when_every_checkpoint_decides_all_pairs_are_corrected_together() -> None:
    scores = series({f"e{index:02d}": 2.5 - 0.003 * index for index in range(12)})
    alone = [one for one in compare_checkpoints(scores, sorted(scores)) if one.family == "best"]
    joint = [one for one in compare_checkpoints(scores, sorted(scores), every=True) if one.family == "best"]
    for one, other in zip(alone, joint, strict=True):
        assert (one.baseline, one.mean_difference, one.p_value) == (
            other.baseline,
            other.mean_difference,
            other.p_value,
        )
        assert one.p_adjusted is not None and other.p_adjusted is not None
        assert one.p_adjusted <= other.p_adjusted
        assert (other.ci_low > 0 or other.ci_high < 0) == (other.p_adjusted <= 0.05)  # type: ignore[operator]
    assert any(one.p_adjusted < other.p_adjusted for one, other in zip(alone, joint, strict=True))  # type: ignore[operator]
    look = plan_looks(200).look(2)
    looked = {
        every: by_family(compare_checkpoints(scores, sorted(scores), every=every, look=look), "e11")["best"]
        for every in (False, True)
    }
    assert looked[True].ci_low < looked[False].ci_low  # type: ignore[operator]


def test_nothing_depends_on_the_order_of_the_rows() -> None:
    shuffled = {name: dict(reversed(list(rows.items()))) for name, rows in reversed(DECLINE.items())}
    assert compare_checkpoints(DECLINE, ORDER, baseline="noisy") == compare_checkpoints(
        shuffled, ORDER, baseline="noisy"
    )


def test_identical_outputs_are_equivalent_without_a_p_value() -> None:
    scores = {"a": DECLINE["epoch 2"], "b": dict(DECLINE["epoch 2"]), "c": DECLINE["epoch 7"]}
    found = compare_checkpoints(scores, ["a", "b", "c"], baseline="a")
    for one in by_family(found, "b").values():
        assert (one.mean_difference, one.ci_low, one.ci_high) == (0.0, 0.0, 0.0)
        assert one.p_value is None and one.p_adjusted is None and one.minimum_detectable_effect is None
        assert one.verdict is Verdict.EQUIVALENT
    assert by_family(found, "c")["best"].verdict is Verdict.REGRESSED


def test_outputs_identical_to_an_earlier_best_do_not_disturb_the_reference() -> None:
    scores = {"a": DECLINE["epoch 2"], "b": dict(DECLINE["epoch 2"]), "c": dict(DECLINE["epoch 2"])}
    last = by_family(compare_checkpoints(scores, ["a", "b", "c"]), "c")["best"]
    assert (last.verdict, last.p_value) == (Verdict.EQUIVALENT, None)


def test_outputs_that_differ_on_a_few_utterances_only_have_an_interval() -> None:
    scores = series({"a": 3.0, "b": 2.4, "c": 2.3, "d": 2.2}, n=16)
    strata = {name: str(index // 4) for index, name in enumerate(scores["a"])}
    scores["e"] = dict(scores["a"])
    for name, change in zip(scores["a"], (1e-4, -2e-4, 3e-4), strict=False):  # all in one stratum
        scores["e"][name] += change

    last = by_family(compare_checkpoints(scores, list(scores), strata=strata), "e")["best"]

    assert (last.baseline, last.verdict) == ("a", Verdict.EQUIVALENT)
    assert last.ci_low is not None and last.ci_high is not None and -0.01 < last.ci_low < 0.0 < last.ci_high < 0.01
    assert last.p_adjusted is not None and last.p_value is not None
    assert last.p_adjusted == min(1.0, 4 * last.p_value)


@pytest.mark.parametrize("earlier", [["a"], ["b", "c", "d", "a"]])
@pytest.mark.parametrize("look", [None, plan_looks(16).look(0)])
def test_a_few_differences_of_one_size_are_no_difference_by_chance_of_their_signs(
    earlier: list[str], look: Look | None
) -> None:
    scores = series({"a": 3.0, "b": 2.4, "c": 2.3, "d": 2.2}, n=16)
    strata = {name: str(index // 4) for index, name in enumerate(scores["a"])}
    scores["e"] = dict(scores["a"])
    for name, change in zip(scores["a"], (-0.5, -0.51, -0.49, -0.5), strict=False):
        scores["e"][name] += change

    found = compare_checkpoints(scores, [*earlier, "e"], baseline="a", strata=strata, look=look)
    for one in by_family(found, "e").values():
        assert (one.baseline, one.verdict) == ("a", Verdict.UNDECIDED)
        assert one.p_value == 2 / 2**4
        assert one.p_adjusted is not None and one.p_adjusted >= one.p_value
        assert one.ci_low is not None and one.ci_high is not None and one.ci_low < -0.12 and one.ci_high >= 0.0


def test_seven_differences_can_be_a_regression() -> None:
    scores = series({"a": 3.0}, n=16)
    scores["b"] = dict(scores["a"])
    for name, change in zip(scores["a"], (-0.5, -0.51, -0.49, -0.5, -0.6, -0.4, -0.5), strict=False):
        scores["b"][name] += change

    for one in compare_checkpoints(scores, ["a", "b"]):
        assert one.verdict is Verdict.REGRESSED and one.p_value is not None and one.p_value >= 2 / 2**7


def test_only_utterances_that_both_systems_have_count() -> None:
    scores = {name: dict(rows) for name, rows in DECLINE.items()}
    gone = list(scores["epoch 7"])[:20]
    for name in gone:
        del scores["epoch 7"][name]
    without = {system: {name: s for name, s in rows.items() if name not in gone} for system, rows in scores.items()}
    holed = by_family(compare_checkpoints(scores, ["epoch 2", "epoch 7"]), "epoch 7")["best"]
    plain = by_family(compare_checkpoints(without, ["epoch 2", "epoch 7"]), "epoch 7")["best"]
    assert (holed.n, holed.mean_difference) == (180, plain.mean_difference)
    assert holed.ci_low == pytest.approx(plain.ci_low, abs=2e-3)
    # A hole in one earlier checkpoint does not change the comparison with another one.
    other = by_family(compare_checkpoints(scores, ORDER), "epoch 14")["best"]
    assert (other.baseline, other.n) == ("epoch 2", 200)


def test_below_ten_pairs_always_undecided() -> None:
    scores = series({"good": 3.0, "bad": 1.5}, n=9, sd=0.01)
    for one in compare_checkpoints(scores, ["good", "bad"]):
        assert one.verdict is Verdict.UNDECIDED
        assert one.p_adjusted is None
    scores = series({"good": 3.0, "bad": 1.5}, n=10, sd=0.01)
    assert {one.verdict for one in compare_checkpoints(scores, ["good", "bad"])} == {Verdict.REGRESSED}


@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_handful_of_pairs_has_no_infinite_interval(n: int) -> None:
    for one in compare_checkpoints(series({"a": 3.0, "b": 2.9}, n=n), ["a", "b"]):
        for value in (one.ci_low, one.ci_high, one.minimum_detectable_effect, one.p_value):
            assert value is None or math.isfinite(value)


@pytest.mark.parametrize("n", [2, 3, 5])
@pytest.mark.parametrize("earlier", [1, 3])
def test_so_few_pairs_that_flips_of_their_signs_know_no_five_percent_have_the_interval_of_t(
    n: int, earlier: int
) -> None:
    scores = series({f"{place}": 3.0 for place in range(earlier + 1)}, n=n)
    one = by_family(compare_checkpoints(scores, list(scores)), f"{earlier}")["best"]
    differences = np.array(list(scores[one.candidate].values())) - list(scores[one.baseline].values())
    reach = stats.t.ppf(1 - 0.025 / earlier, n - 1) * np.std(differences, ddof=1) / n**0.5
    assert one.ci_low is not None and one.ci_high is not None
    assert (one.ci_high - one.ci_low) / 2 == pytest.approx(reach)
    assert one.p_value == pytest.approx(stats.ttest_1samp(differences, 0.0).pvalue)
    assert one.p_adjusted is None and one.verdict is Verdict.UNDECIDED


def test_equivalence_needs_enough_utterances() -> None:
    scores = series({"a": 2.5, "b": 2.5}, n=824)
    assert by_family(compare_checkpoints(scores, ["a", "b"], floor=0.03), "b")["previous"].verdict is Verdict.EQUIVALENT
    few = series({"a": 2.5, "b": 2.5}, n=40)
    assert by_family(compare_checkpoints(few, ["a", "b"], floor=0.03), "b")["previous"].verdict is Verdict.UNDECIDED


def test_lower_is_better_turns_the_verdict_around() -> None:
    found = compare_checkpoints(DECLINE, ORDER, higher_is_better=False)
    last = by_family(found, "epoch 14")["previous"]
    assert last.verdict is Verdict.IMPROVED and last.mean_difference < 0
    assert by_family(found, "epoch 14")["best"].baseline == "epoch 8"


def test_strata_narrow_the_interval_where_they_explain_the_differences() -> None:
    scores = {name: dict(DECLINE[name]) for name in ("epoch 2", "epoch 7")}
    strata = {name: str(index % 4) for index, name in enumerate(sorted(scores["epoch 2"]))}
    for name, stratum in strata.items():
        scores["epoch 7"][name] += 0.3 * int(stratum)
    plain = by_family(compare_checkpoints(scores, ["epoch 2", "epoch 7"]), "epoch 7")
    stratified = by_family(compare_checkpoints(scores, ["epoch 2", "epoch 7"], strata=strata), "epoch 7")
    for family, one in stratified.items():
        other = plain[family]
        assert None not in (one.ci_low, one.ci_high, other.ci_low, other.ci_high)
        assert one.ci_high - one.ci_low < 0.6 * (other.ci_high - other.ci_low)  # type: ignore[operator]
    assert [group.group for group in stratified["best"].groups] == ["0", "1", "2", "3"]


def test_groups_are_reported_per_speaker() -> None:
    speakers = {name: name[:4] for name in DECLINE["epoch 2"]}
    found = compare_checkpoints(DECLINE, ORDER, groupings={"speaker": speakers})
    assert [(group.grouping, group.group, group.n) for group in found[0].groups] == [
        ("speaker", "p232", 100),
        ("speaker", "p257", 100),
    ]


def test_wrong_input_is_named() -> None:
    with pytest.raises(InputError, match="b, u1: the score is nan"):
        compare_checkpoints({"a": {"u1": 1.0}, "b": {"u1": math.nan}}, ["a", "b"])
    with pytest.raises(InputError, match="b and a: no utterance has a valid score in both"):
        compare_checkpoints({"a": {"u1": 1.0}, "b": {"u2": 1.0}}, ["b"], baseline="a")
    with pytest.raises(InputError, match="b: no utterance with a valid score is shared"):
        compare_checkpoints({"a": {"u1": 1.0}, "b": {"u2": 1.0}}, ["a", "b"])
    with pytest.raises(ValueError, match="c: no scores"):
        compare_checkpoints({"a": {"u1": 1.0}}, ["a", "c"])
    with pytest.raises(ValueError, match="named twice"):
        compare_checkpoints({"a": {"u1": 1.0}}, ["a", "a"])
    with pytest.raises(ValueError, match="floor"):
        compare_checkpoints(DECLINE, ORDER, floor=0.0)


def test_what_decides_the_exit_status() -> None:
    found = compare_checkpoints(DECLINE, ORDER, baseline="noisy")
    assert [(one.candidate, one.family) for one in gating(found, "epoch 14")] == [("epoch 14", "best")]
    assert [one.family for one in gating(found, "epoch 14", baseline="noisy")] == ["baseline"]
    assert len(gating(found, "epoch 14", every=True)) == 3


def looked_at(scores: Scores, order: list[str], index: int) -> list[Comparison]:
    names = nested_order(list(scores[order[0]]))
    look = plan_looks(len(names)).look(index)
    subset = {system: {name: rows[name] for name in names[: look.size]} for system, rows in scores.items()}
    return compare_checkpoints(subset, order, look=look)


def test_an_early_look_stops_for_a_large_difference_only() -> None:
    scores = series({"a": 2.64, "b": 2.20}, n=824)
    found = looked_at(scores, ["a", "b"], 0)
    assert settled(gating(found, "b"))
    assert found[0].n == 103 and found[0].p_adjusted is not None and found[0].p_adjusted < 0.05
    assert found[0].ci_low is not None and found[0].ci_high is not None
    assert found[0].ci_high - found[0].ci_low > 0.15  # the repeated interval: 5.54 standard errors to each side


def test_equivalence_waits_for_the_last_look() -> None:
    scores = series({"a": 2.5, "b": 2.5}, n=824, sd=0.05)
    assert looked_at(scores, ["a", "b"], 0)[0].verdict is Verdict.UNDECIDED
    assert not settled(gating(looked_at(scores, ["a", "b"], 1), "b"))
    assert looked_at(scores, ["a", "b"], 2)[0].verdict is Verdict.EQUIVALENT


def test_settled_needs_a_regression_or_differences_everywhere() -> None:
    found = compare_checkpoints(DECLINE, ORDER)
    assert settled(gating(found, "epoch 14", every=True))
    rising = compare_checkpoints(DECLINE, ORDER[::-1])
    assert settled(gating(rising, "epoch 2"))
    assert not settled([])
