"""What a discriminator that learns a metric is given as its target: a score per item, or one number for all."""

from __future__ import annotations

from collections.abc import Iterator

from cmgan_audit.facts.metrics.flow import ScoreFlow
from cmgan_audit.facts.metrics.grades import Grade
from cmgan_audit.facts.metrics.scoring import training_contexts
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Step
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.rules.record import Fact, Known, Record, record_kind


@record_kind("metric_target")
@dataclass(frozen=True, slots=True, kw_only=True)
class MetricTarget(Record):
    """A loss that compares something with metric scores, in training.

    Attributes:
        collapsed: whether one number stands for the scores of all items; placed where they are reduced to it.
    """

    collapsed: Fact


def metric_targets(view: View, flow: ScoreFlow) -> Iterator[MetricTarget]:
    """The losses of a run with metric scores as their target."""
    for learnt in flow.learnt.values():
        contexts = view.code.contexts.get(learnt.function)
        if contexts is None:  # outside of all functions, as in a notebook
            contexts = tuple(event.context for event in view.scene.calls if event.location == learnt.place)
        if not training_contexts(view, contexts):
            continue
        loss = Step(learnt.place, "the loss compares the batch with this target")
        if learnt.target.grade is Grade.ONE_FOR_ALL and learnt.target.reduced is not None:
            steps = (Step(learnt.target.reduced, "the scores of the batch become one number here"), loss)
            collapsed = Known(True, steps)
        else:
            collapsed = Known(False, (loss,))
        yield MetricTarget(location=learnt.place, anchor="", collapsed=collapsed)
