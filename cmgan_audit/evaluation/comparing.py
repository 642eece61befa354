"""From rows to comparisons and the verdict: reads only the score table, recomputes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cmgan_audit.evaluation.material.strata import Strata
from cmgan_audit.evaluation.metrics import METRICS, default_floor
from cmgan_audit.evaluation.raising import raise_finding
from cmgan_audit.evaluation.result import MetricComparison, MetricSummary, Outcome, deciding
from cmgan_audit.evaluation.scores.table import ScoreTable, mean_and_sd
from cmgan_audit.finding import Finding, Severity
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.statistics.compare import Comparison, compare_checkpoints, gating
from cmgan_audit.statistics.sequential import Look
from cmgan_audit.statistics.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of the rows.

    Attributes:
        order: checkpoints in the order given.
        baseline: name of a system to compare all with, None for none.
        metrics: the first decides the verdict.
        floor: half-width of the equivalence band of the first metric.
        gate_any: `--gate any`: every checkpoint decides, not only the last.
        strata: labels for the standard error and the groups of the report.
    """

    order: Sequence[str]
    baseline: str | None
    metrics: Sequence[str]
    floor: float
    gate_any: bool
    strata: Strata


def higher_is_better(metric: str) -> bool:
    """Direction of a metric; of one that is not ours, by its name."""
    known = METRICS.get(metric)
    return known.higher_is_better if known else not any(word in metric.lower() for word in LOWER_IS_BETTER)


# Names of measures of other programs in which less is better: error rates, distances, distortions, losses.
LOWER_IS_BETTER = ("wer", "cer", "mcd", "lsd", "llr", "wss", "loss", "distance", "error", "rmse", "distortion")


def compare_rows(table: ScoreTable, question: Question, look: Look | None = None) -> list[MetricComparison]:
    """All comparisons, metric by metric; a system without a single score takes no part (findings tell of it)."""
    found: list[MetricComparison] = []
    for metric in question.metrics:
        scores = {name: values for name, values in table.per_utterance(metric).items() if values}
        order = [name for name in question.order if name in scores]
        baseline = question.baseline if question.baseline in scores else None
        if not order or (len(order) == 1 and baseline is None):
            continue
        names = {*order, *([baseline] if baseline else [])}
        found += [
            MetricComparison(metric, comparison)
            for comparison in compare_checkpoints(
                {name: scores[name] for name in sorted(names)},
                order,
                baseline=baseline,
                floor=question.floor if metric == question.metrics[0] else default_floor(metric),
                strata=question.strata.labels or None,
                groupings=question.strata.groupings if metric == question.metrics[0] else None,
                higher_is_better=higher_is_better(metric),
                every=question.gate_any,
                look=look,
            )
        ]
    return found


def decisive_comparisons(comparisons: Sequence[MetricComparison], question: Question) -> list[Comparison]:
    """The comparisons of the first metric on which the exit status rests."""
    own = [entry.comparison for entry in comparisons if entry.metric == question.metrics[0]]
    last = deciding(question.order, question.baseline)
    return gating(own, last, baseline=question.baseline, every=question.gate_any)


def regressions(comparisons: Sequence[MetricComparison], decisive: Sequence[Comparison], metric: str) -> list[Finding]:
    """A finding per checkpoint that the first metric calls regressed: an error where it decides, else a warning."""
    findings: list[Finding] = []
    for entry in comparisons:
        one = entry.comparison
        decides = one in decisive
        if entry.metric != metric or one.verdict is not Verdict.REGRESSED or not (decides or one.family == "best"):
            continue
        unit = METRICS[metric].label if metric in METRICS else metric
        findings.append(
            raise_finding(
                "CMG701",
                f"{one.candidate}:{one.baseline}:{metric}",
                {
                    "candidate": one.candidate,
                    "baseline": one.baseline,
                    "family": one.family,
                    "metric": metric,
                    "mean_difference": one.mean_difference,
                    "ci_low": one.ci_low,
                    "ci_high": one.ci_high,
                    "p_adjusted": one.p_adjusted,
                    "n": one.n,
                },
                severity=Severity.ERROR if decides else Severity.WARNING,
                candidate=one.candidate,
                baseline=one.baseline,
                metric=unit,
                difference=f"{one.mean_difference:+z.3f}",
                low=f"{one.ci_low:+z.3f}",
                high=f"{one.ci_high:+z.3f}",
                n=one.n,
                worse=f"{100 * one.share_worse:.0f}",
            )
        )
    return findings


def summarise(
    table: ScoreTable, names: Sequence[str], metrics: Sequence[str]
) -> Mapping[str, Mapping[str, MetricSummary]]:
    """Mean, SD, n and failures of every metric over utterances, for each of these checkpoints."""
    summaries: dict[str, dict[str, MetricSummary]] = {name: {} for name in names}
    for metric in metrics:
        scores, failures = table.per_utterance(metric), table.failures(metric)
        for name in names:
            values = scores.get(name, {})
            mean, sd = mean_and_sd([values[utterance] for utterance in sorted(values)])
            summaries[name][metric] = MetricSummary(mean, sd, len(values), len(failures.get(name, {})))
    return summaries


def outcome(findings: Sequence[Finding], fail_on: Severity | None) -> Outcome:
    """Fail if a finding stands at or above `fail_on`; None never fails."""
    reached = fail_on is not None and any(finding.severity >= fail_on for finding in findings)
    return Outcome.FAIL if reached else Outcome.PASS


def worst_first(findings: Sequence[Finding]) -> list[Finding]:
    """Errors before warnings before notes; within one severity in the order found."""
    return sorted(findings, key=lambda finding: list(Severity).index(finding.severity), reverse=True)
