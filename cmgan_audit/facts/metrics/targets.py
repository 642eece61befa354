"""What a discriminator that learns a metric is given as its target: a score per item, or one number for all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cmgan_audit.facts.losses import is_loss
from cmgan_audit.facts.metrics.flow import Learnt, ScoreFlow
from cmgan_audit.facts.metrics.grades import Grade
from cmgan_audit.facts.metrics.ranges import ends_in_sigmoid
from cmgan_audit.facts.metrics.scoring import training_contexts
from cmgan_audit.facts.metrics.written_out import differences_in_losses
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Step
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.domain.values import Value
from cmgan_audit.program.execution.trace import CallEvent
from cmgan_audit.rules.record import NO, Fact, Known, Record, record_kind


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
        if _trains(view, learnt):
            answers = [_answer(event, learnt) for event in view.scene.calls if _is_of(event, learnt)]
            yield _target(view, learnt, answers)
    differences = [learnt for learnt in flow.differences.values() if _trains(view, learnt)]
    squared = differences_in_losses(view) if differences else {}
    for learnt in differences:
        if learnt.place in squared:
            (side,) = learnt.answers
            yield _target(view, learnt, [node.operands[int(side)] for node in squared[learnt.place]])


def _trains(view: View, learnt: Learnt) -> bool:
    contexts = view.code.contexts.get(learnt.function)
    if contexts is None:  # outside of all functions, as in a notebook
        contexts = tuple(event.context for event in view.scene.calls if event.location == learnt.place)
    return bool(training_contexts(view, contexts))


def _is_of(event: CallEvent, learnt: Learnt) -> bool:
    return event.location == learnt.place and is_loss(event.callee)


def _answer(event: CallEvent, learnt: Learnt) -> Value | None:
    """What a loss compares with the scores; None where both of what it compares hold scores, or none."""
    if len(learnt.answers) != 1:
        return None
    (key,) = learnt.answers
    return event.arguments.get("", key) if isinstance(key, int) else event.arguments.get(key, None)


def _target(view: View, learnt: Learnt, answers: Sequence[Value | None]) -> MetricTarget:
    loss = Step(learnt.place, "the loss compares the batch with this target")
    if learnt.target.grade is Grade.ONE_FOR_ALL and learnt.target.reduced is not None:
        steps = (Step(learnt.target.reduced, "the scores of the batch become one number here"), loss)
        collapsed = Known(True, steps)
    else:
        collapsed = Known(False, (loss,))
    return MetricTarget(
        location=learnt.place, anchor="", collapsed=collapsed, out_of_reach=_out_of_reach(view, learnt, answers)
    )


def _out_of_reach(view: View, learnt: Learnt, answers: Sequence[Value | None]) -> Fact:
    """Whether all targets of a loss lie above what its other argument can be, each time that it is computed."""
    if learnt.target.raw is None:
        return NO
    places = [ends_in_sigmoid(view, answer) for answer in answers]
    place = places[-1] if places else None
    if place is None or None in places:
        return NO
    steps = (
        Step(learnt.place, "the loss compares both"),
        Step(learnt.target.raw, "PESQ is computed here: it is above 1, up to 4.64"),
        Step(place, "the answer ends in this sigmoid: never above 1"),
    )
    return Known(True, steps)
