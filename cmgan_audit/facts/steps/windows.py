"""Updates of weights with the backward passes that fill their gradients, inside the loop over batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from cmgan_audit.facts.adversarial.holders import Held, Holders, called
from cmgan_audit.facts.frameworks import OWN_ORDER
from cmgan_audit.facts.optimisers import is_optimiser
from cmgan_audit.facts.records import TRAIN
from cmgan_audit.facts.steps.actions import BACKWARD, STEP, ZERO, Action
from cmgan_audit.facts.values import instances_of
from cmgan_audit.facts.view import View
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.domain.values import BoundMethod, ClassValue, Instance
from cmgan_audit.program.execution.trace import Context, IterateEvent, Loop

# What takes part in an optimisation without being seen to.
UNSEEN = (*OWN_ORDER, "horovod.", "?.prepare")


@dataclass(frozen=True, slots=True, eq=False)
class Update:
    """A step of one optimiser.

    Attributes:
        step: the step.
        optimiser: what steps.
        loop: the loop over batches that it happens in.
        inside: the actions of that loop, in order.
        backwards: the backward passes since the step before, of any optimiser; those after the step, where none comes
            before it and gradients are set back first.
    """

    step: Action
    optimiser: Instance
    loop: Loop
    inside: tuple[Action, ...]
    backwards: tuple[Action, ...]

    def start_of(self, backward: Action) -> int:
        """The position from which on networks run for a backward pass: after the one before it in this loop.

        One call is several events where what it is called on is open: `scaler.scale(loss).backward()` with one of two
        scalers.
        """
        earlier = [each for each in self.inside if each.kind == BACKWARD and each.position < backward.position]
        here = backward.event.location
        return max((each.position for each in earlier if each.event.location != here), default=-1)


def actions_by_hand(view: View) -> Sequence[Action]:
    """The actions of a run that orders them itself.

    None where a framework goes over the batches and the program does not step in its passes, nor in code that no script
    reaches.
    """
    passes = [single.event for single in view.scene.passes if single.event.framework]
    steps = [each for each in view.actions if each.kind == STEP and each.on]
    by_hand = any(
        _may_step_by_hand(each) and each.loop in step.event.context.loops for each in passes for step in steps
    )
    return view.actions if view.scene.is_reached and (by_hand or not passes) else ()


def _may_step_by_hand(event: IterateEvent) -> bool:
    """Whether the program may step optimisers in a pass: its own, or one of Lightning with manual optimisation."""
    return not event.framework or (event.framework.startswith("lightning.") and event.role == TRAIN)


def with_networks(view: View, actions: Sequence[Action]) -> Sequence[Action]:
    """The actions, where `network.zero_grad()` is about the optimisers whose networks are all set back by it.

    What an optimiser sets back is set back for those, too, that were made with its groups: `AdamW(self.param_groups)`.
    """
    stepping = {id(optimiser.attrs): optimiser for each in actions if each.kind == STEP for optimiser in each.on}
    wrapped = [(optimiser, owner) for optimiser in stepping.values() for owner in _owners_of_groups(optimiser)]
    if wrapped:
        actions = [_for_wrapped(each, wrapped) if each.kind == ZERO else each for each in actions]
    if all(each.kind != ZERO or each.on for each in actions):
        return actions
    holders = Holders(view.scene)
    held = [(optimiser, holders.of(optimiser)) for optimiser in stepping.values()]
    found: list[Action] = []
    for each in actions:
        if each.kind == ZERO and not each.on:
            reset = Held(tuple(called([each.event.receiver])) if each.event.receiver is not None else ())
            on = (optimiser for optimiser, own in held if own.complete and all(map(reset.holds, own.networks)))
            found.append(Action(ZERO, each.event, each.position, tuple(on)))
        else:
            found.append(each)
    return found


def _owners_of_groups(optimiser: Instance) -> list[Instance]:
    """The optimiser whose groups of parameters another one was made with, or that a wrapper of the tree holds."""
    if isinstance(optimiser.cls, ClassValue):
        values = (*optimiser.arguments.every, *optimiser.attrs.values())
        return [each for value in values for each in instances_of(value) if is_optimiser(each)]
    given = optimiser.arguments.get("params", 0)
    if not isinstance(given, BoundMethod) or given.name != "param_groups":
        return []
    return [each for each in instances_of(given.receiver) if is_optimiser(each)]


def _for_wrapped(zero: Action, wrapped: Sequence[tuple[Instance, Instance]]) -> Action:
    more = (optimiser for optimiser, owner in wrapped if zero.concerns(owner) and not zero.concerns(optimiser))
    return replace(zero, on=(*zero.on, *more))


def updates_in(view: View, actions: Sequence[Action]) -> Iterator[Update]:
    """The updates of a run that happen in loops over batches, each place and optimiser once."""
    passes = loops_by_hand(view)
    seen: set[object] = set()
    for step in actions:
        loop = batch_loop(step.event.context, passes) if step.kind == STEP else None
        if loop is None:
            continue
        inside = tuple(each for each in actions if loop in each.event.context.loops)
        start = max(
            (each.position for each in inside if each.kind == STEP and each.position < step.position), default=-1
        )
        backwards = tuple(each for each in inside if each.kind == BACKWARD and start < each.position < step.position)
        for optimiser in step.on:
            key = (step.event.location, id(optimiser.attrs))
            if key not in seen:
                seen.add(key)
                late = () if backwards else _too_late(step, optimiser, inside)
                yield Update(step, optimiser, loop, inside, backwards or late)


def _too_late(step: Action, optimiser: Instance, inside: Sequence[Action]) -> tuple[Action, ...]:
    """The backward passes after a step that follows zero_grad: what they compute, the next pass sets back unused."""
    first = [each for each in inside if each.position < step.position]
    if not any(each.kind == ZERO and each.concerns(optimiser) for each in first):
        return ()
    return tuple(each for each in inside if each.kind == BACKWARD and each.position > step.position)


def loops_by_hand(view: View) -> list[Loop]:
    """The loops over batches of loaders in which the program may step optimisers itself."""
    return [single.event.loop for single in view.scene.passes if _may_step_by_hand(single.event)]


def batch_loop(context: Context, passes: Sequence[Loop]) -> Loop | None:
    """The innermost loop over the batches of a loader that something happens in."""
    return next((loop for loop in reversed(context.loops) if any(loop is each for each in passes)), None)
