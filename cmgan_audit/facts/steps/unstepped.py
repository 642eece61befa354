"""Optimisers that never step, although their gradients are computed and set back for every batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from cmgan_audit.facts.adversarial.holders import Held, Holders, called, disjoint
from cmgan_audit.facts.adversarial.losses import Losses
from cmgan_audit.facts.classes import values_within
from cmgan_audit.facts.optimisers import is_optimiser
from cmgan_audit.facts.passes.outside_helpers import looks_on
from cmgan_audit.facts.steps.actions import BACKWARD, SCHEDULE, STEP, ZERO, Action
from cmgan_audit.facts.steps.by_hand import ByHand
from cmgan_audit.facts.steps.out_of_reach import lines_in_reach
from cmgan_audit.facts.steps.windows import UNSEEN, batch_loop, loops_by_hand
from cmgan_audit.facts.values import instances_of, same_object
from cmgan_audit.facts.view import View
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.values import ClassValue, Instance

_STEPS = regex(r"\.(step|minimize)\s*\(")
# A trainer has a dictionary of optimisers, and a list of trainers is handed on.
_DEEP = 3


@dataclass(frozen=True, slots=True, eq=False)
class Unstepped:
    """An optimiser that never steps: where its gradients are set back, and a backward pass that is there for them.

    Its networks are what the pass ends in: those of a judge only hand gradients on to what it judges.
    """

    optimiser: Instance
    zero: Action
    backward: Action


def unstepped(view: View, actions: Sequence[Action]) -> Iterator[Unstepped]:
    """The optimisers of a run that are there to learn and never step, each once.

    What another line or another optimiser may step, what the program changes by hand or freezes, and what only lies on
    the way of another network's loss is left out; so is a program without any step that goes through its batches once.
    """
    waiting = _never_stepped(view, actions)
    if not waiting or _may_step_unseen(view, actions):
        return
    holders, losses = Holders(view.scene), Losses(view.flow)
    stepping = [holders.of(each) for action in actions if action.kind == STEP for each in action.on]
    by_hand = ByHand(view, holders)
    for zero in waiting:
        if not stepping and _only_measures(view, zero):
            continue
        held = holders.of(zero.on[0])
        shared = any(not disjoint(held, other) for other in stepping)
        if not held.complete or shared or any(map(by_hand.is_handled, held.networks)):
            continue
        for backward in _backwards(view, zero, actions):
            calls = losses.calls(backward, held)
            if calls and not any(losses.any_fed(calls, other) for other in stepping):
                yield Unstepped(zero.on[0], zero, backward)
                break


def _never_stepped(view: View, actions: Sequence[Action]) -> list[Action]:
    """For each optimiser of a library that nothing steps, where its gradients are set back in a loop over batches."""
    stepped = {id(each.attrs) for action in actions if action.kind == STEP for each in action.on}
    passes = loops_by_hand(view)
    found: dict[int, Action] = {}
    for zero in _with_optimisers(view, actions):
        if zero.kind != ZERO or len(zero.on) != 1 or isinstance(zero.on[0].cls, ClassValue):
            continue
        if id(zero.on[0].attrs) not in stepped and batch_loop(zero.event.context, passes) is not None:
            found.setdefault(id(zero.on[0].attrs), zero)
    return [each for each in found.values() if not _is_given_away(view, each.on[0])]


def _with_optimisers(view: View, actions: Sequence[Action]) -> Iterator[Action]:
    """The actions, where `network.zero_grad()` is about each optimiser whose networks are all set back by it."""
    if all(each.kind != ZERO or each.on for each in actions):
        yield from actions
        return
    made = {
        id(value.attrs): value
        for event in view.scene.calls
        for value in instances_of(event.result)
        if is_optimiser(value)
    }
    holders = Holders(view.scene)
    held = [(optimiser, holders.of(optimiser)) for optimiser in made.values()]
    for each in actions:
        if each.kind != ZERO or each.on or each.event.receiver is None:
            yield each
            continue
        reset = Held(tuple(called([each.event.receiver])))
        for optimiser, own in held:
            if own.complete and own.networks and all(map(reset.holds, own.networks)):
                yield replace(each, on=(optimiser,))


def _is_given_away(view: View, optimiser: Instance) -> bool:
    """Whether code that is not there gets an optimiser or what holds it, and may step it.

    What a method is called on is given to it too: `self.after_backward()` of a trainer whose base class is not there.
    """
    passes = loops_by_hand(view)
    for event in (each for each in view.scene.calls if each.is_elsewhere):
        if looks_on(event):
            # One that is given the optimiser itself for every batch may do more than its name says.
            handed = any(isinstance(each, Instance) and same_object(each, optimiser) for each in event.arguments.every)
            if not handed or batch_loop(event.context, passes) is None:
                continue
        given = [*event.arguments.every, *([event.receiver] if event.receiver is not None else [])]
        parts = (part for value in given for part in values_within(value, _DEEP))
        if any(isinstance(part, Instance) and same_object(part, optimiser) for part in parts):
            return True
    return False


def _only_measures(view: View, zero: Action) -> bool:
    """Whether batches are gone through once and no weights are kept, as where the time of a pass is taken."""
    return len(zero.event.context.loops) < 2 and not view.scene.named(lambda name: name.endswith(".state_dict"))


def _may_step_unseen(view: View, actions: Sequence[Action]) -> bool:
    """Whether something may step that is not known: a framework, or a line that was not followed."""
    if any(each.kind == STEP and not each.on for each in actions):
        return True
    if view.scene.named(lambda name: name.startswith(UNSEEN)):
        return True
    steps = (each.event.location for each in actions if each.kind in (STEP, SCHEDULE))
    seen = {(place.path, place.line) for place in steps}
    return any((path, number) not in seen for path, number, _ in lines_in_reach(view, _STEPS))


def _backwards(view: View, zero: Action, actions: Sequence[Action]) -> Iterator[Action]:
    loop = batch_loop(zero.event.context, loops_by_hand(view))
    for each in actions:
        if each.kind == BACKWARD and loop is not None and loop in each.event.context.loops:
            yield each
