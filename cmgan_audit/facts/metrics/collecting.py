"""The records about metrics of one run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cmgan_audit.facts.metrics.batches import metric_batches
from cmgan_audit.facts.metrics.flow import ScoreFlow
from cmgan_audit.facts.metrics.handlers import metric_handlers
from cmgan_audit.facts.metrics.pesq_calls import pesq_calls
from cmgan_audit.facts.metrics.scoring import RATIOS, Scoring, scorings
from cmgan_audit.facts.metrics.targets import metric_targets
from cmgan_audit.facts.view import View
from cmgan_audit.rules.record import Record


def metric_records(view: View) -> Iterator[Record]:
    """What a run does with speech metrics; nothing for a run that computes none."""
    scored = scorings(view)
    if not scored:
        return
    flow = _followed(view, scored)
    yield from metric_handlers(view, scored)
    failing = [scoring for scoring in scored if scoring.metric not in RATIOS]
    if failing:
        yield from metric_batches(view, failing, flow if len(failing) == len(scored) else _followed(view, failing))
    yield from metric_targets(view, flow)
    yield from pesq_calls(view, scored)


def _followed(view: View, scored: Sequence[Scoring]) -> ScoreFlow:
    flow = ScoreFlow(view, scored)
    flow.follow()
    return flow
