"""Schedulers of learning rates and updates of weights, as records."""

from __future__ import annotations

from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.rules.record import NO, YES, Fact, Record, record_kind

BATCH, EPOCH, ANY = "batch", "epoch", "any"


@record_kind("scheduler")
@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduler(Record):
    """A scheduler of a learning rate whose optimiser steps over the batches of a loader.

    Its place is where it is stepped first; where it is made, when it never is.

    Attributes:
        name: its class, "StepLR".
        stepped: whether it is ever stepped.
        pace: once per "batch", once per "epoch" (a pass over the loader), or "any" for another rhythm.
        meant: the pace that its own arguments are given for; "any" when they fit both.
        constants: what these arguments come to at the other pace, as a clause.
        twice: whether it is stepped a second time before its optimiser goes on, in every pass of the same loop.
        before_update: whether its first step comes before the first step of its optimiser.
        without_metric: whether it waits for a metric that its step is not given.
        told_metric: whether its step is given a metric, and it counts epochs.
        told_epoch: whether its step is given the number of the epoch, and it waits for a metric.
        renewed: whether every epoch makes a new one for the same optimiser, which is stepped once.
    """

    name: str
    stepped: Fact
    pace: Fact
    meant: Fact
    constants: str = ""
    twice: Fact = NO
    before_update: Fact = NO
    without_metric: Fact = NO
    told_metric: Fact = NO
    told_epoch: Fact = NO
    renewed: Fact = NO


@record_kind("scaling")
@dataclass(frozen=True, slots=True, kw_only=True)
class Scaling(Record):
    """An update of weights as mixed precision sees it; its place is the backward pass.

    Attributes:
        optimiser: its class, "AdamW".
        half: whether networks run in float16 before the backward pass.
        scaled: whether the loss is multiplied by a GradScaler before it.
        scaler_on: whether this scaler is enabled.
        through_scaler: whether the optimiser steps through a scaler.
        scaler_updated: whether the scaler is told to adapt after steps.
        clips_scaled: whether gradients are clipped while they are still multiplied.
        idle_scaler: whether the run makes a GradScaler that takes part in nothing; told with its first update only.
    """

    optimiser: str
    half: Fact
    scaled: Fact
    scaler_on: Fact
    through_scaler: Fact
    scaler_updated: Fact
    clips_scaled: Fact
    idle_scaler: Fact


@record_kind("update")
@dataclass(frozen=True, slots=True, kw_only=True)
class Update(Record):
    """A step of an optimiser over the batches of a loader; its place is the step.

    Attributes:
        optimiser: its class, "AdamW".
        accumulation: batches whose gradients are summed for one step.
        ever_zeroed: whether its gradients are ever set back.
        sums_steps: whether they are set back outside of the loop over batches only, and it steps inside.
        zeroed_before_step: whether they are set back between the backward pass and the step.
        zeroed_every_batch: whether they are set back for every batch although the step comes less often.
        zeroed_before_last: whether they are set back under the step's own counter, before the last batch is added.
        repeated: whether it steps a second time on the same gradients.
        divided: whether the loss, or the gradient, is divided by the number of accumulated batches.
        scale_matters: whether a constant factor on all gradients changes the step.
        tail_lost: whether the last batches of an epoch, fewer than one step sums, are set back without a step.
        never_steps: whether there is no step at all; its place is where gradients are set back then.
    """

    optimiser: str
    accumulation: Fact
    ever_zeroed: Fact = YES
    sums_steps: Fact = NO
    zeroed_before_step: Fact = NO
    zeroed_every_batch: Fact = NO
    zeroed_before_last: Fact = NO
    repeated: Fact = NO
    divided: Fact = YES
    scale_matters: Fact = NO
    tail_lost: Fact = NO
    never_steps: Fact = NO


@record_kind("clip")
@dataclass(frozen=True, slots=True, kw_only=True)
class Clip(Record):
    """Gradients of a network that are clipped in a loop over batches; its place is the call.

    Attributes:
        network: the class of the network, of several that of the first.
        empty: whether these gradients have been set back, and no backward pass has filled them since.
        late: whether the step has used them already, and they are set back before the next one.
        foreign: whether the step that follows is one of other networks, and they are set back before their own.
    """

    network: str
    empty: Fact
    late: Fact
    foreign: Fact


@record_kind("learner")
@dataclass(frozen=True, slots=True, kw_only=True)
class Learner(Record):
    """A network that a loss comes through in a loop over batches; its place is the optimiser that steps on the loss.

    Attributes:
        network: its class, with the place where it is made if the optimiser has another one of that class.
        optimiser: the class of that optimiser.
        holds: the classes of the networks whose parameters it has, as text.
        left_out: whether no optimiser of the run has a parameter of the network.
    """

    network: str
    optimiser: str
    holds: str
    left_out: Fact
