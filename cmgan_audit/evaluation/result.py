"""What a comparison came to: the one thing that the reports are made from."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import field

from cmgan_audit.evaluation.guards.published import SelfCheck
from cmgan_audit.evaluation.material.strata import Strata
from cmgan_audit.evaluation.scores.table import ScoreTable
from cmgan_audit.finding import Finding
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.statistics.compare import Comparison


class Outcome(enum.StrEnum):
    """The verdict on the whole comparison; fail means exit status 1."""

    PASS = "pass"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class MetricSummary:
    """A metric over one checkpoint: mean and SD over utterances with a score, how many, and how many failed."""

    mean: float | None
    sd: float | None
    n: int
    failed: int


@dataclass(frozen=True, slots=True)
class CheckpointSummary:
    """One compared system: where it came from, its metrics by name, and why it takes no part ("" where it does)."""

    name: str
    path: str
    sha256: str
    epoch: int | None
    metrics: Mapping[str, MetricSummary]
    unusable: str = ""


@dataclass(frozen=True, slots=True)
class MetricComparison:
    """A comparison of two checkpoints in one metric."""

    metric: str
    comparison: Comparison


@dataclass(frozen=True, slots=True)
class ComparisonResult:
    """Everything that a report shows.

    Attributes:
        signature: what produced the numbers; two results with different ones are not comparable.
        segments: what was scored of each utterance (`full`, `3x2s`, ...).
        utterances: names of the utterances of the evaluation, in order.
        order: the checkpoints in the order given; a baseline outside it stands in `checkpoints` only.
        baseline: name of the `--baseline`, None without one.
        primary: the metric that decides the verdict.
        floor: half-width of the equivalence band, in units of the primary metric.
        checkpoints: one per system, the baseline first if it is none of the checkpoints.
        comparisons: all of them, the primary metric first.
        decisive: those that decide the exit status.
        findings: worst first.
        outcome: pass or fail; what is `unanswered` fails.
        table: the rows.
        strata: labels of the utterances.
        left_out: utterances that `--limit` left out.
        self_check: result of the noisy self-check, None where it does not apply.
        notes: what a reader must know beside the numbers, one sentence each.
        gate_any: every checkpoint decides, not only the last.
        passed_over: files among those named that are no checkpoints.
    """

    signature: str
    segments: str
    utterances: Sequence[str]
    order: Sequence[str]
    baseline: str | None
    primary: str
    floor: float
    checkpoints: Sequence[CheckpointSummary]
    comparisons: Sequence[MetricComparison]
    decisive: Sequence[Comparison]
    findings: Sequence[Finding]
    outcome: Outcome
    table: ScoreTable
    strata: Strata
    left_out: int = 0
    self_check: SelfCheck | None = None
    notes: Sequence[str] = field(default=())
    gate_any: bool = False
    passed_over: Sequence[str] = ()

    @property
    def deciding_family(self) -> list[Comparison]:
        """The comparisons of every checkpoint in the first metric with the `--baseline`, or with the best before it."""
        family = "baseline" if self.baseline else "best"
        return [
            entry.comparison
            for entry in self.comparisons
            if entry.metric == self.primary and entry.comparison.family == family
        ]

    @property
    def unanswered(self) -> bool:
        """Whether the question has no answer: a checkpoint that decides has no score, or all others have none."""
        return bool(self.deciding_without_score) or not (self.decisive or self.alone)

    @property
    def alone(self) -> bool:
        """Whether one checkpoint was named, and nothing to compare it with: it is scored, and nothing else asked."""
        return len(self.checkpoints) + len(self.passed_over) < 2

    @property
    def deciding_without_score(self) -> list[str]:
        """The checkpoints on which the exit status rests, and of which nothing is known."""
        last = deciding(self.order, self.baseline)
        # Every one is asked about, but the first is only what the others are held against.
        asked = (
            {last, *(self.order if self.baseline else self.order[1:])} - {self.baseline} if self.gate_any else {last}
        )
        return [one.name for one in self.checkpoints if one.name in asked and not one.metrics[self.primary].n]


def deciding(order: Sequence[str], baseline: str | None) -> str:
    """The checkpoint on which the exit status rests: the last one.

    The baseline may be one of the checkpoints, and the last of them; it is not held against itself.
    """
    return next((name for name in reversed(order) if name != baseline), order[-1])
