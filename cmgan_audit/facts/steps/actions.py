"""What a run does to losses, gradients and rates, in program order: backward, zero_grad, step, scale, clip."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cmgan_audit.facts.optimisers import is_optimiser, is_scaler, is_scheduler
from cmgan_audit.facts.values import instances_of, is_among
from cmgan_audit.finding import Location
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.domain.values import Instance
from cmgan_audit.program.execution.trace import CallEvent, Run
from cmgan_audit.program.naming.names import canonical

BACKWARD, ZERO, STEP, SCHEDULE = "backward", "zero", "step", "schedule"
SCALE, UNSCALE, UPDATE, CLIP = "scale", "unscale", "update", "clip"

_OF_SCALERS = {"scale": SCALE, "unscale_": UNSCALE, "update": UPDATE}


@dataclass(frozen=True, slots=True, eq=False)
class Action:
    """One call that takes part in an optimisation.

    Attributes:
        kind: one of the words above.
        event: the call.
        position: its place in the order of the run.
        on: the optimisers, schedulers or scalers that it may be about; empty when that is not known.
        scaler: the scalers through which an optimiser steps.
    """

    kind: str
    event: CallEvent
    position: int
    on: tuple[Instance, ...] = ()
    scaler: tuple[Instance, ...] = ()

    def concerns(self, thing: Instance) -> bool:
        """Whether this may be about an optimiser, a scheduler or a scaler."""
        return is_among(thing, self.on)


def actions_of(run: Run) -> Iterator[Action]:
    """The actions of a run, in order."""
    found: list[Action] = []
    for position, event in enumerate(run.events):
        if isinstance(event, CallEvent):
            name = canonical(event.callee)
            action = _action(event, name, name.rpartition(".")[2], position)
            if action is not None:
                found.append(action)
    outer = _handed_on(found)
    return (each for each in found if each not in outer)


def _handed_on(actions: Sequence[Action]) -> set[Action]:
    """The calls of a class of the tree that do the same once more inside: its step() calls super().step()."""
    found: set[Action] = set()
    latest: dict[tuple[str, Location], Action] = {}
    for each in actions:
        for frame in each.event.context.frames if each.kind in (STEP, ZERO) else ():
            outer = latest.get((each.kind, frame.call))
            if outer is not None and any(map(outer.concerns, each.on)):
                found.add(outer)
        latest[each.kind, each.event.location] = each
    return found


def _action(event: CallEvent, name: str, member: str, position: int) -> Action | None:
    if member == "step":
        return _step(event, name, position)
    if member == "backward" or name.endswith((".manual_backward", ".backward_pass")):
        return Action(BACKWARD, event, position)
    if member == "zero_grad":
        return Action(ZERO, event, position, tuple(each for each in instances_of(event.receiver) if is_optimiser(each)))
    if member in _OF_SCALERS:
        scalers = _scalers(event)
        if scalers or name.startswith("?"):
            return Action(_OF_SCALERS[member], event, position, scalers)
    if name.startswith("torch.nn.utils.clip_grad"):
        return Action(CLIP, event, position)
    return None


def _step(event: CallEvent, name: str, position: int) -> Action | None:
    receivers = instances_of(event.receiver)
    schedulers = tuple(each for each in receivers if is_scheduler(each))
    if schedulers:
        return Action(SCHEDULE, event, position, schedulers)
    optimisers = tuple(each for each in receivers if is_optimiser(each))
    if optimisers:
        return Action(STEP, event, position, optimisers)
    scalers = _scalers(event)
    given = tuple(each for each in instances_of(event.arguments.get("optimizer", 0)) if is_optimiser(each))
    if scalers or (given and name.startswith("?")):
        return Action(STEP, event, position, given, scalers)
    return None


def _scalers(event: CallEvent) -> tuple[Instance, ...]:
    return tuple(each for each in instances_of(event.receiver) if is_scaler(each))
