"""Schedulers that every epoch makes anew for one optimiser: their schedules never get beyond the first step."""

from __future__ import annotations

from collections.abc import Sequence

from cmgan_audit.facts.steps.actions import Action
from cmgan_audit.facts.steps.told import PLATEAU
from cmgan_audit.facts.values import class_name, instances_of, is_none, same_object
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Location, Step
from cmgan_audit.program.domain.values import Const, Instance
from cmgan_audit.program.execution.trace import CallEvent, Context
from cmgan_audit.rules.record import NO, Fact, Known

# Schedulers that multiply the rate that they find, so that a new one goes on where the last one stood; the function of
# a LambdaLR may ask the loop around it where it stands.
_GO_ON = frozenset({"ExponentialLR", "MultiplicativeLR", "LambdaLR"})


def renewed(
    view: View, made: CallEvent, scheduler: Instance, steps: Sequence[Action], updates: Sequence[Action]
) -> Fact:
    """Whether each epoch makes a scheduler of its own for one optimiser and steps it once, behind its batches.

    Args:
        view: the run.
        made: the call that makes it.
        scheduler: the object.
        steps: its steps.
        updates: the steps of its optimiser.
    """
    around = _places(made.context)
    optimisers = instances_of(scheduler.arguments.get("optimizer", 0))
    if not around or len(steps) != 1 or len(optimisers) != 1 or _goes_on(scheduler):
        return NO
    step = steps[0].event
    if _places(step.context) != around or not _is_told_nothing(view, scheduler, step):
        return NO
    inside = [each for each in updates if _places(each.event.context)[: len(around)] == around]
    batches = [each for each in inside if len(each.event.context.loops) > len(around)]
    if not batches or not any(made.context.tests <= each.event.context.tests for each in batches):
        return NO  # at some epochs only: the schedule begins again there
    if any(around[-1] in _places(event.context) for event in view.scene.at(optimisers[0].location)):
        return NO  # its optimiser is a new one, too
    trail = (
        Step(made.location, "every epoch makes a scheduler of its own"),
        Step(optimisers[0].location, "the optimiser stays the same"),
        Step(step.location, "one step is all that each of them takes"),
    )
    return Known(True, trail)


def _places(context: Context) -> list[Location]:
    return [loop.location for loop in context.loops]


def _goes_on(scheduler: Instance) -> bool:
    """Whether a new scheduler does after one step what an old one would: it falls by the same factor each time."""
    name = class_name(scheduler)
    every = scheduler.arguments.get("step_size", 1) if name == "StepLR" else None
    return name in _GO_ON or (isinstance(every, Const) and every.value == 1)


def _is_told_nothing(view: View, scheduler: Instance, step: CallEvent) -> bool:
    """Whether a scheduler begins at its beginning: nobody tells it a number of steps, or gives it a state."""
    if any(not is_none(each) for each in (scheduler.arguments.get("last_epoch"),) if each is not None):
        return False
    if step.arguments.every and class_name(scheduler) != PLATEAU:
        return False  # the number of the epoch
    loads = view.scene.named(lambda name: name.endswith(".load_state_dict"))
    return not any(
        isinstance(each, Instance) and same_object(each, scheduler)
        for event in loads
        for each in instances_of(event.receiver)
    )
