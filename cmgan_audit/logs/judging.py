"""From logs to findings and a verdict."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import field
from statistics import median

from cmgan_audit.finding import Finding, Severity
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.logs.raising import Raiser
from cmgan_audit.logs.selection.judged import JudgedSeries, Question, judged_series
from cmgan_audit.logs.series import INDEX, Reading
from cmgan_audit.logs.single_scores import hides_large_falls
from cmgan_audit.logs.symptoms.course import divergence, lost_best, schedule
from cmgan_audit.logs.symptoms.decline import loss_divergence, metric_decline
from cmgan_audit.logs.symptoms.evaluation import changing_count, incomparable_evaluation, plateau, selection_optimism
from cmgan_audit.logs.symptoms.values import discriminator_starved, not_finite, sentinel_in_metric
from cmgan_audit.rules.catalogue import Catalogue
from cmgan_audit.statistics.trend import best_index

DECLINE = "CMG801"
# Fewer evaluations say nothing about a trend.
_FEWEST = 3
_LAST = 3
# The level before the last evaluation, and how many noise floors below it are no noise of one evaluation.
_LEVEL = 5
_PLUNGE = 3.0


@dataclass(slots=True)
class Judgement:
    """What all logs together say; `asks_for_declines`: CMG801 is among the rules."""

    judged: list[JudgedSeries] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    asks_for_declines: bool = True

    @property
    def errors(self) -> int:
        """How many findings are errors, of whatever kind."""
        return sum(finding.severity is Severity.ERROR for finding in self.findings)

    @property
    def fell_unasked(self) -> bool:
        """Whether a metric fell and stayed down, and nobody wanted to know."""
        declines = ((one.decline, one.measure.small) for one in self.judged)
        return not self.asks_for_declines and any(
            d is not None and d.counts and d.drop >= small for d, small in declines
        )

    def verdict(self, fail_on: Severity | None) -> str:
        """ "degraded", "healthy" or "undecided".

        degraded: a CMG801 at or above `fail_on` (None: never). healthy: some series was long enough to tell and
        nothing worse than a note was found of its course, and none ends in failed or far worse evaluations.
        undecided: everything else.
        """
        declines = [f for f in self.findings if f.rule == DECLINE]
        if fail_on is not None and any(f.severity >= fail_on for f in declines):
            return "degraded"
        if any(f.severity > Severity.NOTE for f in declines) or self.fell_unasked:
            return "undecided"
        if any(one.ends_without_score or ends_in_a_plunge(one) for one in self.judged):
            return "undecided"
        return "healthy" if any(_can_tell(judged) for judged in self.judged) else "undecided"


def _can_tell(judged: JudgedSeries) -> bool:
    """Enough evaluations that scatter less than what is looked for, the last of them no start of a fall."""
    ys = judged.series.ys
    if len(ys) < _FEWEST or scatters_too_much(judged) or says_only_the_best(judged):
        return False
    if judged.decline is not None:
        return True
    sign = 1.0 if judged.higher else -1.0
    best = ys[best_index(ys, judged.higher)]
    if sign * (best - ys[-1]) <= judged.floor.half_width:
        return True
    return len(ys) >= 3 * _FEWEST


def scatters_too_much(judged: JudgedSeries) -> bool:
    """Whether even a large fall would be lost in the noise; one that ends at its best has none that could be."""
    return hides_large_falls(judged.floor, judged.measure) and not _ends_at_its_best(judged)


def says_only_the_best(judged: JudgedSeries) -> bool:
    """Whether the log has a score where it improved, and elsewhere the words that it did not: no fall can be seen.

    Words at epochs that have a score speak of another one, or of a gain that was too small.
    """
    series, sign = judged.series, 1.0 if judged.higher else -1.0
    unsaid = {x for kind, x in judged.run.unsaid if kind == series.x_kind}
    if not unsaid or (series.x_kind != INDEX and not unsaid.isdisjoint(series.xs)):
        return False
    improves = all(sign * (b - a) > 0 for a, b in itertools.pairwise(series.ys))
    return improves or sum(x > series.xs[-1] for x in unsaid) >= _LAST


def _ends_at_its_best(judged: JudgedSeries) -> bool:
    """Whether the last evaluations are as good as the best; scores without epochs and steps have no end."""
    ys = judged.series.ys
    if judged.series.x_kind == INDEX or judged.batches:
        return False
    best = ys[best_index(ys, judged.higher)]
    return all(abs(best - last) < judged.measure.large for last in (median(ys[-_LAST:]), ys[-1]))


def ends_in_a_plunge(judged: JudgedSeries) -> bool:
    """The last evaluation lies far below the level before it: a failed evaluation, or the first of a collapse."""
    ys = judged.series.ys
    if len(ys) <= _LEVEL or judged.decline is not None:
        return False
    sign = 1.0 if judged.higher else -1.0
    plunge = sign * (median(ys[-1 - _LEVEL : -1]) - ys[-1])
    return plunge > max(_PLUNGE * judged.floor.half_width, judged.measure.large)


def judge(readings: Sequence[Reading], question: Question, catalogue: Catalogue, selected: frozenset[str]) -> Judgement:
    """Judge every run of every log; findings come worst first, then in the order of the logs."""
    out = Judgement(asks_for_declines=DECLINE in selected)
    for reading in readings:
        raiser = Raiser(catalogue, selected, reading.format)
        for run in reading.runs:
            judged = judged_series(run, question)
            out.judged.extend(judged)
            for one in judged:
                out.findings += metric_decline(one, question, raiser)
                out.findings += loss_divergence(one, question, raiser)
                out.findings += schedule(one, raiser)
                out.findings += incomparable_evaluation(one, question, raiser)
                out.findings += plateau(one, raiser)
                out.findings += selection_optimism(one, raiser)
            out.findings += lost_best(run, raiser)
            out.findings += changing_count(run, raiser)
            out.findings += discriminator_starved(run, raiser)
            out.findings += sentinel_in_metric(run, raiser)
            out.findings += not_finite(run, raiser)
            out.findings += divergence(run, judged, raiser)
    out.findings.sort(key=lambda f: (-list(Severity).index(f.severity), f.rule))
    return out
