"""Operating characteristics of the verdicts, by simulation: run by `make test-slow`, numbers in docs/statistics.md.

`pytest -m slow -s tests/statistics/test_simulations.py` prints every measured rate.
"""

from __future__ import annotations

import csv
import gzip
import math
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from cmgan_audit.statistics.compare import Comparison, compare_checkpoints
from cmgan_audit.statistics.multiple import t_scale
from cmgan_audit.statistics.paired import interval, summarise
from cmgan_audit.statistics.score_matrix import ScoreMatrix
from cmgan_audit.statistics.sequential import plan_looks
from cmgan_audit.statistics.signflip import SignFlips
from cmgan_audit.statistics.strata import nested_order
from cmgan_audit.statistics.verdict import Verdict, judge

pytestmark = pytest.mark.slow
Array = NDArray[np.float64]

SIZES = (14, 64, 103, 824)
STRATA = 40
TINY_FLOOR = 1e-9  # nothing is equivalent: every wrong rejection shows
RESAMPLES = 1_999


def skewed_population() -> tuple[Array, list[str]]:
    """Synthetic differences like measured ones: skewed, of different spread per stratum, with strata that differ."""
    rng = np.random.default_rng(20230311)
    strata = np.arange(4000) % STRATA
    spread = 0.1 + 0.2 * (strata % 5) / 4
    return spread * (rng.gamma(2.0, 1.0, 4000) - 2.0) / math.sqrt(2) + 0.05 * np.sin(strata), [
        f"{s:02d}" for s in strata
    ]


def measured_population() -> tuple[Array, list[str]]:
    """Enhanced minus noisy PESQ of the measured 2 s crops; four strata of utterances."""
    if "CMGAN_AUDIT_DATA" not in os.environ:
        pytest.skip("CMGAN_AUDIT_DATA does not name the folder with the measured crops")
    scores: dict[tuple[str, str], dict[str, float]] = {}
    with gzip.open(Path(os.environ["CMGAN_AUDIT_DATA"]) / "measured" / "random_crop_pesq.csv.gz", "rt") as stream:
        for row in csv.DictReader(stream):
            if row["L"] == "32000":
                scores.setdefault((row["utt"], row["k"]), {})[row["sys"]] = float(row["pesq"])
    keys = sorted(scores)
    differences = np.array([scores[key]["enh"] - scores[key]["noisy"] for key in keys])
    utterances = sorted({utterance for utterance, _ in keys})
    return differences, [str(utterances.index(utterance) % 4) for utterance, _ in keys]


POPULATIONS: dict[str, Callable[[], tuple[Array, list[str]]]] = {
    "synthetic": skewed_population,
    "measured": measured_population,
}


def one_comparison(differences: Array, strata: list[str] | None, seed: int) -> dict[str, Comparison]:
    """Both tests of two checkpoints with these differences: the sign-flip one and the t one, by family."""
    names = [f"u{index:04d}" for index in range(len(differences))]
    scores = {"first": dict.fromkeys(names, 2.0), "second": dict(zip(names, (2.0 + differences).tolist(), strict=True))}
    labels = None if strata is None else dict(zip(names, strata, strict=True))
    found = compare_checkpoints(
        scores, ["first", "second"], floor=TINY_FLOOR, strata=labels, seed=seed, resamples=RESAMPLES
    )
    return {one.family: one for one in found}


def stratified_sample(labels: list[str], n: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Rows of a sample that has every stratum in proportion, drawn with replacement within strata."""
    members: dict[str, list[int]] = {}
    for index, label in enumerate(labels):
        members.setdefault(label, []).append(index)
    keys = sorted(members)
    copies = -(-n // len(keys))
    names = [f"{key}|{copy}" for key in keys for copy in range(copies)]
    order = nested_order(names, {name: name.split("|")[0] for name in names})[:n]
    return np.array([rng.choice(members[name.split("|")[0]]) for name in order])


@pytest.mark.parametrize("population", POPULATIONS)
@pytest.mark.parametrize("n", SIZES)
def test_no_difference_is_rarely_called_one(population: str, n: int) -> None:
    differences, labels = POPULATIONS[population]()
    rng = np.random.default_rng(n)
    verdicts: dict[str, list[Verdict]] = {"best": [], "previous": []}
    for seed in range(1000):
        rows = rng.choice(len(differences), n)
        null = differences[rows] * rng.choice([-1.0, 1.0], n)
        strata = [labels[row] for row in rows] if seed % 2 else None
        for family, one in one_comparison(null, strata, seed).items():
            verdicts[family].append(one.verdict)
    for family, found in verdicts.items():
        regressed = found.count(Verdict.REGRESSED) / len(found)
        either = regressed + found.count(Verdict.IMPROVED) / len(found)
        print(f"\nnull {population} n={n} {family}: either {either:.3f} regressed {regressed:.3f}", end="")
        assert either <= 0.07
        assert regressed <= 0.038


def sparse(kind: str, n: int, rng: np.random.Generator) -> Array:
    """Differences of mean 0 of which most are zero: on rows of any stratum, or on all of one, of one size."""
    differences = np.zeros(n)
    if kind == "scattered":
        rows = np.flatnonzero(rng.random(n) < 0.05)
        sizes = 0.3 * rng.gamma(2.0, 0.5, len(rows))
    else:
        rows = np.arange(4)
        sizes = 0.3 + 0.015 * rng.normal(size=4)
    differences[rows] = sizes * rng.choice([-1.0, 1.0], len(rows))
    return differences


@pytest.mark.parametrize("kind", ["scattered", "one stratum"])
@pytest.mark.parametrize("n", [14, 72])
@pytest.mark.parametrize("earlier", [1, 4])
def test_differences_of_few_utterances_are_rarely_called_one(kind: str, n: int, earlier: int) -> None:
    rng = np.random.default_rng(n + earlier)
    names = [f"u{index:04d}" for index in range(n)]
    strata = {name: f"{index // 4:02d}" for index, name in enumerate(names)}
    runs = 1000
    wrong = {"best": 0, "previous": 0}
    for seed in range(runs):
        own = 2.5 + 0.14 * rng.normal(size=(earlier, n)) - 0.5 * np.arange(earlier)[::-1, None]  # the last is the best
        columns = [*own, own[-1] + sparse(kind, n, rng)]
        scores = {f"e{index}": dict(zip(names, column.tolist(), strict=True)) for index, column in enumerate(columns)}
        found = compare_checkpoints(
            scores, list(scores), floor=TINY_FLOOR, strata=strata, seed=seed, resamples=RESAMPLES
        )
        for one in found:
            if one.candidate == f"e{earlier}":
                wrong[one.family] += one.verdict in (Verdict.REGRESSED, Verdict.IMPROVED)
    for family, count in wrong.items():
        print(f"\nsparse null {kind} n={n} after {earlier}, {family}: either {count / runs:.3f}", end="")
        assert count / runs <= 0.06


@pytest.mark.parametrize("population", POPULATIONS)
@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("stratified", [False, True])
def test_intervals_cover_the_mean(population: str, n: int, stratified: bool) -> None:
    differences, labels = POPULATIONS[population]()
    means = {label: differences[np.array([one == label for one in labels])].mean() for label in set(labels)}
    rng = np.random.default_rng(1000 + n)
    covered = {"best": 0, "previous": 0}
    runs = 1500
    for seed in range(runs):
        rows = stratified_sample(labels, n, rng) if stratified else rng.choice(len(differences), n)
        # Strata are fixed: the truth is the mean over the strata in the proportions of the sample.
        truth = float(np.mean([means[labels[row]] for row in rows])) if stratified else float(differences.mean())
        found = one_comparison(differences[rows], [labels[row] for row in rows] if stratified else None, seed)
        for family, one in found.items():
            assert one.ci_low is not None and one.ci_high is not None
            covered[family] += one.ci_low <= truth <= one.ci_high
    for family, count in covered.items():
        print(f"\ncoverage {population} n={n} stratified={stratified} {family}: {count / runs:.3f}", end="")
        assert 0.93 <= count / runs <= 0.97


def latest_against_best(scores: Array, seed: int) -> Verdict:
    """The verdict on the last of K checkpoints against the best before it; scores of shape (n, K), NaN where failed."""
    n, k = scores.shape
    names = [f"e{index:03d}" for index in range(k)]
    table = {
        name: {f"u{row:04d}": float(scores[row, index]) for row in range(n) if np.isfinite(scores[row, index])}
        for index, name in enumerate(names)
    }
    matrix = ScoreMatrix.build(table, None)
    winner = matrix.best_of(names[:-1], names[-1], higher_is_better=True)
    summary = matrix.summary(winner, names[-1])
    reference = SignFlips(matrix, seed, RESAMPLES).against(names[-1], names[:-1], winner)
    assert summary.se is not None and summary.df is not None
    critical = t_scale(reference.critical(0.05), summary.df)
    return judge(summary.n, interval(summary, critical), None, TINY_FLOOR)


@pytest.mark.parametrize(
    ("k", "n", "failing"),
    [(10, 64, 0.0), (30, 64, 0.0), (120, 64, 0.0), (10, 824, 0.0), (30, 824, 0.0), (120, 824, 0.0), (30, 103, 0.05)],
)
def test_equal_checkpoints_rarely_regress_against_the_best(k: int, n: int, failing: float) -> None:
    rng = np.random.default_rng(10 * k + n)
    runs = 500
    verdicts = []
    for seed in range(runs):
        difficulty = rng.normal(2.5, 0.6, (n, 1))
        own = 0.14 * (rng.gamma(2.0, 1.0, (n, k)) - 2.0) / math.sqrt(2)
        scores = np.where(rng.random((n, k)) < failing, np.nan, difficulty + own)
        verdicts.append(latest_against_best(scores, seed))
    rate = verdicts.count(Verdict.REGRESSED) / runs
    print(f"\nbest of {k} equal checkpoints, n={n}, {failing:.0%} failing: regressed {rate:.3f}", end="")
    assert rate <= 0.05


def test_equal_checkpoints_rarely_regress_anywhere_when_every_one_decides() -> None:
    rng = np.random.default_rng(5)
    runs = {False: 0, True: 0}
    for seed in range(200):
        difficulty = rng.normal(2.5, 0.6, (206, 1))
        own = 0.14 * (rng.gamma(2.0, 1.0, (206, 20)) - 2.0) / math.sqrt(2)
        columns = (difficulty + own).T
        scores = {
            f"e{index:02d}": {f"u{row:03d}": float(value) for row, value in enumerate(column)}
            for index, column in enumerate(columns)
        }
        for every in runs:
            found = compare_checkpoints(
                scores, list(scores), every=every, floor=TINY_FLOOR, seed=seed, resamples=RESAMPLES
            )
            runs[every] += any(one.family == "best" and one.verdict is Verdict.REGRESSED for one in found)
    print(f"\nany of 20 equal checkpoints regressed: {runs[False] / 200:.3f}, jointly {runs[True] / 200:.3f}", end="")
    assert runs[True] / 200 <= 0.05


def looked_at(differences: Array, comparisons: int) -> tuple[Verdict, float]:
    """Go through the looks of a plan: the verdict where it stops, and the share of the work done by then."""
    plan = plan_looks(len(differences))
    for index in range(len(plan.sizes)):
        look = plan.look(index)
        summary = summarise(differences[: look.size])
        assert summary.df is not None
        critical = look.critical_t(summary.df, comparisons)
        verdict = judge(summary.n, interval(summary, critical), None, TINY_FLOOR)
        if verdict is not Verdict.UNDECIDED:
            break
    return verdict, look.size / len(differences)


@pytest.mark.parametrize("population", POPULATIONS)
@pytest.mark.parametrize("comparisons", [1, 10])
def test_looking_early_costs_no_error(population: str, comparisons: int) -> None:
    differences, _ = POPULATIONS[population]()
    rng = np.random.default_rng(3)
    runs = 4000 if comparisons == 1 else 1500
    wrong = 0
    for _ in range(runs):
        found = []
        for _ in range(comparisons):
            null = rng.choice(differences, 824) * rng.choice([-1.0, 1.0], 824)
            found.append(looked_at(null, comparisons)[0])
        wrong += any(verdict is not Verdict.UNDECIDED for verdict in found)
    print(f"\nsequential null {population} m={comparisons}: any difference {wrong / runs:.3f}", end="")
    assert wrong / runs <= 0.06


@pytest.mark.parametrize("sd", [0.2, 0.3])
@pytest.mark.parametrize(
    ("drop", "comparisons", "most_work"),
    [
        (0.05, 1, 0.7),
        (0.1, 1, 0.5),
        (0.2, 1, 0.25),
        (0.44, 1, 0.13),
        (0.1, 119, 0.7),
        (0.2, 119, 0.5),
        (0.44, 119, 0.2),
    ],
)
def test_looking_early_saves_work_for_large_drops(drop: float, sd: float, comparisons: int, most_work: float) -> None:
    rng = np.random.default_rng(4)
    shares, verdicts = [], []
    for _ in range(1000):
        noise = sd * (rng.gamma(2.0, 1.0, 824) - 2.0) / math.sqrt(2)
        verdict, share = looked_at(noise - drop, comparisons)
        verdicts.append(verdict)
        shares.append(share)
    regressed = verdicts.count(Verdict.REGRESSED) / len(verdicts)
    print(
        f"\nsequential drop {drop} SD {sd} m={comparisons}: work {np.mean(shares):.3f}, found {regressed:.3f}",
        end="",
    )
    assert np.mean(shares) <= most_work
    assert regressed >= 0.99
