"""What a discriminator that learns a metric is given as its target: a score per item, or one number for all."""

from __future__ import annotations

from collections.abc import Iterator

from cmgan_audit.facts.losses import is_loss
from cmgan_audit.facts.metrics.flow import Learnt, ScoreFlow
from cmgan_audit.facts.metrics.grades import Grade
from cmgan_audit.facts.metrics.ranges import ends_in_sigmoid
from cmgan_audit.facts.metrics.scoring import training_contexts
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Location, Step
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.rules.record import Fact, Known, Record, record_kind

NO = Known(False)


@record_kind("metric_target")
@dataclass(frozen=True, slots=True, kw_only=True)
class MetricTarget(Record):
    """A loss that compares something with metric scores, in training.

    Attributes:
        collapsed: whether one number stands for the scores of all items; placed where they are reduced to it.
        out_of_reach: whether PESQ is compared as it is with what ends in a sigmoid; placed at the loss.
    """

    collapsed: Fact
    out_of_reach: Fact


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
        yield MetricTarget(
            location=learnt.place, anchor="", collapsed=collapsed, out_of_reach=_out_of_reach(view, learnt)
        )


def _out_of_reach(view: View, learnt: Learnt) -> Fact:
    """Whether all targets of a loss lie above what its other argument can be, at each of its calls."""
    if learnt.target.raw is None or len(learnt.answers) != 1:
        return NO
    (key,) = learnt.answers
    place: Location | None = None
    for event in view.scene.calls:
        if event.location != learnt.place or not is_loss(event.callee):
            continue
        position, name = (key, "") if isinstance(key, int) else (None, key)
        place = ends_in_sigmoid(view, event.arguments.get(name, position))
        if place is None:
            return NO
    if place is None:
        return NO
    steps = (
        Step(learnt.place, "the loss compares both"),
        Step(learnt.target.raw, "PESQ is computed here: it is above 1, up to 4.64"),
        Step(place, "the answer ends in this sigmoid: never above 1"),
    )
    return Known(True, steps)
