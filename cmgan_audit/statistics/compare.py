"""All comparisons of a series of checkpoints, from their per-utterance scores to verdicts.

Each checkpoint is compared with the best before it, with the previous one and with a baseline; every family of
comparisons has its own correction for being many:

- `best`: which earlier checkpoint is best is chosen on the same data, so the reference is the maximum of the sign-flip
  statistics over *all* earlier checkpoints, the same flips for all (a stratified Rademacher bootstrap of the
  studentised mean). p-values and interval come from those flips; no Holm on top.
- `previous` and `baseline`: paired t with the stratified standard error, Holm over the family; the interval has the
  level at which Holm tests this comparison.

Everything is deterministic: the same scores and seed give the same numbers, in whatever order the mappings come.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import chain, pairwise
from typing import Literal

from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.statistics.groups import GroupDifference, group_differences
from cmgan_audit.statistics.multiple import RESAMPLES, holm, t_scale
from cmgan_audit.statistics.paired import (
    PairedSummary,
    critical_t,
    interval,
    minimum_detectable_effect,
    p_value,
    share_worse,
)
from cmgan_audit.statistics.score_matrix import ScoreMatrix
from cmgan_audit.statistics.sequential import Look
from cmgan_audit.statistics.signflip import Reference, SignFlips, jointly
from cmgan_audit.statistics.verdict import MIN_PAIRS, Verdict, judge

Family = Literal["best", "previous", "baseline"]
ALPHA = 0.05
EQUIVALENCE_ALPHA = 0.10  # two one-sided tests at 5 %
DEFAULT_FLOOR = 0.03  # PESQ units
DEFAULT_SEED = 20230311
# Of fewer pairs all signs agree by chance in more than one of twenty cases: flips then have no place at which to cut
# 5 % off, and the largest of them would be taken for it.
FEWEST_FLIPPED = 6


@dataclass(frozen=True, slots=True)
class Comparison:
    """One comparison of a candidate with a baseline: the entry of `comparisons` in summary.json, less its metric.

    Attributes:
        baseline: name of the system compared with.
        candidate: name of the checkpoint that is judged.
        family: why these two are compared: the best before it, the previous one, the named baseline.
        mean_difference: mean over utterances of candidate minus baseline, in units of the metric.
        ci_low: lower end of the adjusted 95 % interval on it; None where so few pairs have none.
        ci_high: upper end.
        p_value: two-sided, of this comparison alone; None for identical outputs and for fewer than two pairs.
        p_adjusted: after the correction of its family; None where `p_value` is, and below 10 pairs.
        n: utterances scored in both systems.
        minimum_detectable_effect: the true difference that would be found with 80 % power at the adjusted level; None
            where there is no spread to tell it from.
        share_worse: share of the utterances on which the candidate is worse, 0 to 1.
        verdict: regressed, improved, equivalent or undecided.
        groups: mean differences per stratum, speaker or other grouping, each with its unadjusted interval.
    """

    baseline: str
    candidate: str
    family: Family
    mean_difference: float
    ci_low: float | None
    ci_high: float | None
    p_value: float | None
    p_adjusted: float | None
    n: int
    minimum_detectable_effect: float | None
    share_worse: float
    verdict: Verdict
    groups: tuple[GroupDifference, ...] = ()


@dataclass(frozen=True, slots=True)
class _Test:
    """What the correction of a family makes of one comparison: p-values and the critical values of t.

    A critical value is infinite where so few rows can never reach the level; there is no interval then.
    """

    p_value: float | None
    p_adjusted: float | None
    critical: float
    critical_equivalence: float | None


def compare_checkpoints(
    scores: Mapping[str, Mapping[str, float]],
    order: Sequence[str],
    *,
    baseline: str | None = None,
    floor: float = DEFAULT_FLOOR,
    strata: Mapping[str, str] | None = None,
    groupings: Mapping[str, Mapping[str, str]] | None = None,
    higher_is_better: bool = True,
    every: bool = False,
    look: Look | None = None,
    seed: int = DEFAULT_SEED,
    resamples: int = RESAMPLES,
) -> list[Comparison]:
    """Compare each checkpoint with the best before it, the previous one and the baseline.

    Args:
        scores: system name -> utterance -> score; only rows with status ok, segments of one utterance averaged already.
            An utterance counts in a comparison if both systems have it.
        order: the checkpoints in order of training; each a key of `scores`.
        baseline: a key of `scores` to compare every checkpoint with; may stand outside `order` (the noisy input).
        floor: half-width of the equivalence band, in units of the metric, above 0.
        strata: utterance -> stratum for the standard error; utterances it does not name form one stratum of their own.
        groupings: name of a grouping ("speaker") -> utterance -> group, reported per group only.
        higher_is_better: direction of the metric.
        every: every checkpoint decides, not only the last (`--gate any`): the `best` family is then corrected for all
            pairs of checkpoints together. Without it each checkpoint is tested at 5 % against all before it, and of
            many equal ones some will seem to regress.
        look: set while `--until-decided` looks at part of the utterances: bounds are then those of the plan.
        seed: of the sign flips.
        resamples: number of sign flips.

    Returns:
        in the order of the candidates, for each the families best, previous, baseline as far as they exist. The first
        checkpoint has only a comparison with the baseline.

    Raises:
        InputError: a score is not finite, or two systems that must be compared share no utterance.
        ValueError: a name in `order` or `baseline` is not in `scores`, or `order` repeats a name, or `floor` is not
            positive.
    """
    if not (floor > 0 and math.isfinite(floor)):
        raise ValueError(f"floor {floor}: must be a positive number")
    if len(set(order)) != len(order):
        raise ValueError("order: a checkpoint is named twice")
    names = list(order) + ([baseline] if baseline is not None and baseline not in order else [])
    for name in names:
        if name not in scores:
            raise ValueError(f"{name}: no scores of this system")
    matrix = ScoreMatrix.build({name: scores[name] for name in names}, strata)
    reported = {**(groupings or {}), **({"stratum": strata} if strata else {})}
    comparing = _Comparing(matrix, floor, reported, higher_is_better, look)
    comparisons = [
        *comparing.with_best(order, every, lambda: SignFlips(matrix, seed, resamples)),
        *comparing.within("previous", list(pairwise(order))),
        *comparing.within("baseline", [(baseline, one) for one in order if baseline not in (None, one)]),
    ]
    place = {name: index for index, name in enumerate(order)}
    return sorted(comparisons, key=lambda comparison: place[comparison.candidate])  # stable: families keep their order


def gating(
    comparisons: Sequence[Comparison], last: str, *, baseline: str | None = None, every: bool = False
) -> list[Comparison]:
    """The comparisons that decide the exit status.

    Args:
        comparisons: what `compare_checkpoints` returned.
        last: the last checkpoint.
        baseline: the `--baseline`; if given it takes the place of the best before.
        every: `--gate any`: all checkpoints count, not only the last.
    """
    family = "best" if baseline is None else "baseline"
    return [one for one in comparisons if one.family == family and (every or one.candidate == last)]


def settled(decisive: Sequence[Comparison]) -> bool:
    """Whether differences alone settle the exit status: one comparison regressed, or all of them differ.

    The rule by which `--until-decided` stops before the last look; `decisive` is what `gating` returned.
    """
    verdicts = [one.verdict for one in decisive]
    decided = (Verdict.REGRESSED, Verdict.IMPROVED)
    return bool(verdicts) and (Verdict.REGRESSED in verdicts or all(verdict in decided for verdict in verdicts))


@dataclass(frozen=True, slots=True)
class _Comparing:
    """The comparisons of one series; the fields are those of `compare_checkpoints`.

    Attributes:
        matrix: the scores.
        floor: half-width of the equivalence band.
        groupings: name of a grouping -> utterance -> group.
        higher_is_better: direction of the metric.
        look: the look of a sequential plan, None when all utterances are scored.
    """

    matrix: ScoreMatrix
    floor: float
    groupings: Mapping[str, Mapping[str, str]]
    higher_is_better: bool
    look: Look | None

    def with_best(self, order: Sequence[str], every: bool, flips: Callable[[], SignFlips]) -> list[Comparison]:
        """Each checkpoint against the best of its earlier ones; with `every` corrected over all of them."""
        earlier = {candidate: order[:index] for index, candidate in enumerate(order) if index > 0}
        pairs = [
            (self.matrix.best_of(before, candidate, self.higher_is_better), candidate)
            for candidate, before in earlier.items()
        ]
        summaries = [self.matrix.summary(*pair) for pair in pairs]
        counts = [len(before) for before in earlier.values()]
        together = [sum(counts)] * len(counts) if every else counts
        if self.look is not None:
            looks = [self.look] * len(summaries)
            tests = list(map(_look_test, summaries, looks, together))
        else:
            drawn = flips()
            references = [drawn.against(candidate, earlier[candidate], winner) for winner, candidate in pairs]
            references = jointly(references) if every else references
            tests = list(map(_flip_test, summaries, references, together))
        return self._all("best", pairs, tests)

    def within(self, family: Family, pairs: Sequence[tuple[str, str]]) -> list[Comparison]:
        """The comparisons of a family that is corrected by Holm."""
        return self._all(family, pairs, _family_tests([self.matrix.summary(*pair) for pair in pairs], self.look))

    def _all(self, family: Family, pairs: Sequence[tuple[str, str]], tests: Sequence[_Test]) -> list[Comparison]:
        return [self._one(family, *pair, test) for pair, test in zip(pairs, tests, strict=True)]

    def _one(self, family: Family, baseline: str, candidate: str, test: _Test) -> Comparison:
        summary = self.matrix.summary(baseline, candidate)
        utterances, differences = self.matrix.differences(baseline, candidate)
        bounds = equivalence = None
        if summary.se is not None and math.isfinite(test.critical):
            bounds = interval(summary, test.critical)
            if test.p_adjusted is not None and test.p_adjusted > ALPHA:
                # Where few utterances differ, p has a limit of its own: the interval says no more than it.
                bounds = min(bounds[0], 0.0), max(bounds[1], 0.0)
            if test.critical_equivalence is not None and (self.look is None or self.look.final):
                equivalence = interval(summary, test.critical_equivalence)
        better = self.higher_is_better
        groups = (
            group_differences(name, members, utterances, differences, higher_is_better=better)
            for name, members in self.groupings.items()
        )
        return Comparison(
            baseline=baseline,
            candidate=candidate,
            family=family,
            mean_difference=summary.mean,
            ci_low=None if bounds is None else bounds[0],
            ci_high=None if bounds is None else bounds[1],
            p_value=test.p_value,
            p_adjusted=test.p_adjusted,
            n=summary.n,
            minimum_detectable_effect=minimum_detectable_effect(summary, test.critical),
            share_worse=share_worse(differences, better),
            verdict=judge(summary.n, bounds, equivalence, self.floor, higher_is_better=better),
            groups=tuple(chain.from_iterable(groups)),
        )


def _flip_test(summary: PairedSummary, reference: Reference, comparisons: int) -> _Test:
    """The sign-flip test of one comparison against its reference."""
    if not summary.se or summary.df is None:
        return _without_spread(summary, comparisons)
    if summary.n < FEWEST_FLIPPED:
        return _bonferroni_test(summary, comparisons)
    critical = t_scale(reference.critical(ALPHA), summary.df)
    if math.isinf(critical) and summary.n >= MIN_PAIRS:
        # A few utterances make all of the difference, with so few degrees of freedom that their flips cannot reach the
        # maximum over pairs of which all differ. Bonferroni's level needs no common scale.
        return _bonferroni_test(summary, comparisons)
    adjusted = min(1.0, max(reference.p_adjusted(summary), comparisons * summary.least_p))
    return _Test(
        p_value=max(reference.p_alone(summary), summary.least_p),
        p_adjusted=adjusted if summary.n >= MIN_PAIRS else None,
        critical=critical,
        critical_equivalence=t_scale(reference.critical(EQUIVALENCE_ALPHA), summary.df),
    )


def _bonferroni_test(summary: PairedSummary, comparisons: int) -> _Test:
    """The paired t test of one comparison, as one of several of which any may have been picked."""
    p = p_value(summary)
    assert p is not None and summary.df is not None, "there is a spread"
    return _Test(
        p_value=p,
        p_adjusted=min(1.0, comparisons * p) if summary.n >= MIN_PAIRS else None,
        critical=critical_t(summary.df, ALPHA / comparisons),
        critical_equivalence=critical_t(summary.df, EQUIVALENCE_ALPHA / comparisons),
    )


def _family_tests(summaries: Sequence[PairedSummary], look: Look | None) -> list[_Test]:
    """Paired t tests of one family, corrected by Holm; for equivalence by Bonferroni, whose intervals hold together."""
    counted = [index for index, one in enumerate(summaries) if one.n >= MIN_PAIRS and p_value(one) is not None]
    m = len(counted)
    if look is not None:
        return [_look_test(one, look, max(m, 1)) for one in summaries]
    adjusted, divisors = holm([p for index in counted if (p := p_value(summaries[index])) is not None])
    place = {index: rank for rank, index in enumerate(counted)}
    tests = []
    for index, summary in enumerate(summaries):
        if not summary.se or summary.df is None:
            test = _without_spread(summary, m)
        else:
            rank = place.get(index)
            test = _Test(
                p_value=p_value(summary),
                p_adjusted=None if rank is None else adjusted[rank],
                critical=critical_t(summary.df, ALPHA / (1.0 if rank is None else divisors[rank])),
                critical_equivalence=critical_t(summary.df, EQUIVALENCE_ALPHA / max(m, 1)),
            )
        tests.append(test)
    return tests


def _look_test(summary: PairedSummary, look: Look, comparisons: int) -> _Test:
    """The test at a look of a plan, at alpha / comparisons; equivalence is open only at the last look."""
    if not summary.se or summary.df is None or summary.t is None:
        return _without_spread(summary, comparisons)
    p = p_value(summary)
    assert p is not None, "there is a spread"
    t = abs(summary.t)
    if summary.least_p:
        t = min(t, critical_t(summary.df, summary.least_p))
    return _Test(
        p_value=p,
        p_adjusted=max(p, look.p_value(t, summary.df, comparisons)) if summary.n >= MIN_PAIRS else None,
        critical=look.critical_t(summary.df, comparisons),
        critical_equivalence=critical_t(summary.df, EQUIVALENCE_ALPHA / comparisons) if look.final else None,
    )


def _without_spread(summary: PairedSummary, comparisons: int) -> _Test:
    """All differences are the same number (or there is one pair): no t statistic, an interval of no width."""
    p = p_value(summary)
    adjusted = None if p is None or summary.n < MIN_PAIRS else min(1.0, comparisons * p)
    return _Test(p, adjusted, 0.0, 0.0)
