"""The loop around a clip of gradients as a ring: what happens to them from the clip on, until it is reached again."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from functools import cached_property

from cmgan_audit.facts.adversarial.holders import Held, Holders, disjoint
from cmgan_audit.facts.adversarial.losses import Losses
from cmgan_audit.facts.frameworks import OWN_ORDER
from cmgan_audit.facts.steps.actions import BACKWARD, STEP, ZERO, Action
from cmgan_audit.facts.steps.unseen_gradients import may_carry_over
from cmgan_audit.facts.steps.windows import batch_loop, loops_by_hand
from cmgan_audit.facts.values import instances_of, is_among
from cmgan_audit.facts.view import View
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.values import ClassValue, Instance
from cmgan_audit.program.execution.trace import CallEvent, Condition, Event, Loop
from cmgan_audit.program.naming.names import canonical

_OF_SCHEDULES = regex(r"[sS]ched|[wW]arm")


@dataclass(eq=False)
class Ring:
    """What happens around one clip in the loop that it stands in.

    Attributes:
        view: the run.
        clip: the clip.
        held: the networks whose gradients it clips.
        loop: that loop.
        over_batches: whether it is the one over batches, not one inside of it.
        inside: the actions of that loop, in order.
        uses: the steps in it that may use these gradients, each with the optimiser.
        own: the optimisers among these that certainly train the networks, with what they hold.
        holders: the networks by the optimiser that trains them.
    """

    view: View
    clip: Action
    held: Held
    loop: Loop
    over_batches: bool
    inside: tuple[Action, ...]
    uses: tuple[tuple[Action, Instance], ...]
    own: tuple[Instance, ...]
    holders: Holders

    def set_back_before(self) -> Action | None:
        """Where all of the gradients were certainly set back, with no backward pass between that and the clip."""
        for each in reversed(self._before):
            if each.kind == BACKWARD:
                return None
            if self._sets_back_all(each) and _conditions(each) <= _conditions(self.clip):
                return None if self._does_unseen("backward", each.position, self.clip.position) else each
        passes = [each for each in self.inside if each.kind == BACKWARD]
        for each in reversed(self._after) if self.over_batches else ():
            if each.kind == BACKWARD:
                return None
            if self._sets_back_all(each) and all(_conditions(each) <= _conditions(one) for one in passes):
                return each
        return None

    def filling_after(self) -> Action | None:
        """The backward pass between the clip and a step that uses the gradients."""
        found = (self._filling(self.clip, *use) for use in self.uses if is_among(use[1], self.own))
        return next((each for each in found if each is not None), None)

    def set_back_after(self) -> Action | None:
        """Where the gradients are set back before any step uses them; None where one may."""
        first: Action | None = None
        filled = False
        for step, optimiser in self.uses:
            zero = self._set_back_between(step, optimiser)
            if zero is None or may_carry_over(self.view.scene, self._events_until(zero), self.held):
                return None
            first = first or zero
            filled = filled or self._filling(zero, step, optimiser) is not None
        return first if filled and not self._does_unseen("step") else None

    def own_step_before(self) -> Action | None:
        """The step that has used the gradients, with no backward pass between it and the clip."""
        for each in reversed(self._before):
            if each.kind == BACKWARD:
                return None
            if each.kind == STEP and any(is_among(on, self.own) for on in each.on):
                return each
        return None

    def own_step_around(self) -> Action | None:
        """The last step before the clip that has used the gradients, in this pass of the loop or in the one before."""
        round_the_loop = [*self._after, *self._before] if self.over_batches else []
        steps = [each for each in round_the_loop if each.kind == STEP and any(is_among(on, self.own) for on in each.on)]
        return steps[-1] if steps else None

    def foreign_step_after(self) -> Action | None:
        """The next step after the clip, where it certainly leaves the clipped networks alone."""
        step = next((each for each in self._after if each.kind == STEP), None)
        if step is None or not step.on:
            return None
        others = [self.holders.of(optimiser) for optimiser in step.on]
        return step if all(each.complete and disjoint(each, self.held) for each in others) else None

    @cached_property
    def _before(self) -> Sequence[Action]:
        return [each for each in self.inside if each.position < self.clip.position]

    @cached_property
    def _after(self) -> Sequence[Action]:
        return [each for each in self.inside if each.position > self.clip.position]

    def _between(self, start: Action, end: Action) -> list[Action]:
        """The actions from one on to another, around the end of the loop where that comes first."""
        if start.position < end.position:
            return [each for each in self.inside if start.position < each.position < end.position]
        to_the_end = [each for each in self.inside if each.position > start.position]
        return [*to_the_end, *(each for each in self.inside if each.position < end.position)]

    def _events_until(self, end: Action) -> list[Event]:
        """What happens in the loop from the clip on to an action, around the end of the loop where that comes first."""
        events, start = self.view.scene.run.events, self.clip.position + 1
        stretches = [(start, end.position)] if start <= end.position else [(start, len(events)), (0, end.position)]
        return [event for first, last in stretches for event in events[first:last] if self.loop in event.context.loops]

    def _filling(self, start: Action, step: Action, optimiser: Instance) -> Action | None:
        """A backward pass on the way to a step that comes to the networks of its optimiser."""
        passes = [each for each in self._between(start, step) if each.kind == BACKWARD]
        if not passes:
            return None
        losses, held = Losses(self.view.flow), self.holders.of(optimiser)
        return next((each for each in passes if losses.comes_to(each, held if held.complete else self.held)), None)

    def _set_back_between(self, step: Action, optimiser: Instance) -> Action | None:
        """Where an optimiser's gradients are certainly set back between the clip and a step of it."""
        same_pass = step.position > self.clip.position
        for each in self._between(self.clip, step):
            if each.kind != ZERO or not each.concerns(optimiser):
                continue
            of_clip = each.position > self.clip.position
            certain = _conditions(self.clip) if of_clip else frozenset[Condition]()
            certain |= _conditions(step) if same_pass or not of_clip else frozenset[Condition]()
            if _conditions(each) <= certain:
                return each
        return None

    def _sets_back_all(self, action: Action) -> bool:
        if action.kind != ZERO or not all(map(action.concerns, self.own)):
            return False
        held = [self.holders.of(each) for each in self.own]
        return any(not each.complete or all(map(each.holds, self.held.networks)) for each in held)

    def _does_unseen(self, word: str, start: int = 0, end: int | None = None) -> bool:
        """Whether something called so happens in the loop, between two positions, that could not be followed."""
        events = self.view.scene.run.events
        known = {each.event for each in self.inside}
        inside = [event for event in events[start:end] if self.loop in event.context.loops]
        calls = [
            each
            for each in inside
            if isinstance(each, CallEvent) and word in each.callee.rpartition(".")[2] and each not in known
        ]
        if not calls:
            return False
        followed = {frame.call for each in inside for frame in each.context.frames}
        return any(not self._is_harmless(each) for each in calls if each.location not in followed)

    def _is_harmless(self, event: CallEvent) -> bool:
        """Whether a method of the tree does nothing that is seen, or this is about the learning rate."""
        if any(isinstance(each.cls, ClassValue) for each in instances_of(event.receiver)):
            return True
        call = self.view.code.call_at(event.location)
        return call is not None and _OF_SCHEDULES.search(ast.unparse(call.func)) is not None


class Rings:
    """The rings of a run, by the clips that they go around."""

    def __init__(self, view: View, actions: Sequence[Action]) -> None:
        self._view = view
        self._actions = actions
        self._passes = loops_by_hand(view)
        self._holders = Holders(view.scene)

    def networks(self, clip: Action) -> Held:
        """The networks whose gradients a clip is about."""
        given = clip.event.arguments.get("parameters", 0)
        return Held((), complete=False) if given is None else self._holders.asked_for(given)

    def around(self, clip: Action) -> Ring | None:
        """The ring of a clip; None where it is not known what is clipped, or what steps on it, and when."""
        batches = batch_loop(clip.event.context, self._passes)
        held, loops = self.networks(clip), _loops(clip)
        if batches is None or batches not in loops or not held.complete:
            return None
        in_batch = [each for each in self._actions if batches in each.event.context.loops]
        if any(_has_own_order(each) for each in in_batch):
            return None
        steps = [(each, optimiser) for each in in_batch if each.kind == STEP for optimiser in each.on]
        own, maybe = self._training(held, [optimiser for _, optimiser in steps])
        uses = [(step, optimiser) for step, optimiser in steps if is_among(optimiser, (*own, *maybe))]
        zeros = [each for each in in_batch if each.kind == ZERO and any(is_among(on, own) for on in each.on)]
        apart = any(_loops(each) != loops for each in (*(step for step, _ in uses), *zeros))
        if not own or apart or any(_is_open(each) for each in in_batch):
            return None
        inside = tuple(each for each in in_batch if loops[-1] in each.event.context.loops)
        over = loops[-1] is batches
        return Ring(self._view, clip, held, loops[-1], over, inside, tuple(uses), tuple(own), self._holders)

    def _training(self, held: Held, optimisers: Sequence[Instance]) -> tuple[list[Instance], list[Instance]]:
        """The optimisers that certainly train some networks, and those that may.

        Where a single one steps, it is the one also where its networks are not known.
        """
        distinct = list({id(each.attrs): each for each in optimisers}.values())
        found = {id(each.attrs): self._holders.of(each) for each in distinct}
        own = [each for each in distinct if not disjoint(found[id(each.attrs)], held)]
        if not own and len(distinct) == 1 and not found[id(distinct[0].attrs)].complete:
            own = distinct
        return own, [each for each in distinct if not found[id(each.attrs)].complete]


def _conditions(action: Action) -> frozenset[Condition]:
    return frozenset(action.event.context.conditions)


def _loops(action: Action) -> tuple[Loop, ...]:
    """The loops around an action whose passes do not stand one behind the other in the run."""
    return tuple(loop for loop in action.event.context.loops if not loop.unrolled)


def _has_own_order(action: Action) -> bool:
    return action.kind in (BACKWARD, STEP) and canonical(action.event.callee).startswith(OWN_ORDER)


def _is_open(action: Action) -> bool:
    """Whether a step may be one of any optimiser, or computes gradients by itself in a closure that it is given."""
    if action.kind != STEP:
        return False
    arguments = action.event.arguments
    return not action.on or (not action.scaler and bool(arguments.positional or arguments.keywords))
