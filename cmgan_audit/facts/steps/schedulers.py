"""Collects schedulers: how often each is stepped, and for which pace its constants are given."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

from cmgan_audit.facts.conditions import exclude
from cmgan_audit.facts.optimisers import is_scheduler
from cmgan_audit.facts.slices import Slicer
from cmgan_audit.facts.steps.actions import SCHEDULE, STEP, Action
from cmgan_audit.facts.steps.out_of_reach import is_replaced, lines_in_reach
from cmgan_audit.facts.steps.own_schedules import optimisers_of, own_schedulers, told_in_epochs
from cmgan_audit.facts.steps.paces import meant_pace
from cmgan_audit.facts.steps.records import ANY, BATCH, EPOCH, Scheduler
from cmgan_audit.facts.steps.renewed import renewed
from cmgan_audit.facts.steps.told import PLATEAU, told_epoch, told_metric, without_metric
from cmgan_audit.facts.steps.windows import actions_by_hand
from cmgan_audit.facts.values import class_name, instances_of, is_among, same_object, share_one
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Location, Step
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.values import Instance, ListValue
from cmgan_audit.program.execution.trace import CallEvent, Context, innermost_function
from cmgan_audit.rules.record import NO, Fact, Known, Unknown, certainly
from cmgan_audit.source.operands import expression_of
from cmgan_audit.source.syntax import walk

_A_STEP = regex(r"(sch|lr_)[\w.]*(\[[^\]]*\]|\(\))?\.step\(", re.IGNORECASE)
_LAST = regex(r"\b(is_)?last_?(batch|step|iter)|end_of_epoch|epoch_end", re.IGNORECASE)
_OWN_STATE = frozenset({"state_dict", "load_state_dict", "get_last_lr", "get_lr"})


@dataclass(frozen=True, slots=True, eq=False)
class _Made:
    """A scheduler and the call that made it."""

    scheduler: Instance
    event: CallEvent


def schedulers_of(view: View) -> Iterable[Scheduler]:
    """The schedulers of a run that trains in its own loops; frameworks step theirs by themselves."""
    actions = actions_by_hand(view)
    if not actions:
        return []
    made = _made(view)
    batches = {single.event.loop.location for single in view.scene.passes}
    slicer = view.slicer
    found = [_scheduler(view, slicer, each, actions, batches) for each in made]
    found += [_own(each, made_by, steps, actions, batches) for each, made_by, steps in own_schedulers(view)]
    return [record for record in found if record is not None]


def _made(view: View) -> list[_Made]:
    found: list[_Made] = []
    for event in view.scene.calls:
        for each in instances_of(event.result):
            if each.location == event.location and each.external_name and is_scheduler(each):
                if all(not same_object(each, known.scheduler) for known in found):
                    found.append(_Made(each, event))
    return found


def _scheduler(
    view: View, slicer: Slicer, made: _Made, actions: Sequence[Action], batches: set[Location]
) -> Scheduler | None:
    updates = _updates(made.scheduler, actions)
    loops = {loop for loop in (_batch_loop(each.event.context, batches) for each in updates) if loop is not None}
    if not loops:
        return None  # no batches of a loader: a step per epoch and a step per batch are the same thing
    every = [each for each in actions if each.kind == SCHEDULE]
    steps = [each for each in every if each.concerns(made.scheduler)]
    seen = {each.event.location for each in every}
    if not steps and any(_shares_optimiser(made.scheduler, each) for each in every):
        return None  # another scheduler of this optimiser does the work
    here = Step(made.event.location, f"{class_name(made.scheduler)} is made here")
    pace = pace_of(steps, updates, loops)
    meant, constants = meant_pace(view, slicer, made.scheduler, made.event, pace)
    place = steps[0].event.location if steps else made.event.location
    return Scheduler(
        location=place,
        anchor=f"{innermost_function(made.event.context)}.{class_name(made.scheduler)}",
        trail=(here,),
        name=class_name(made.scheduler),
        stepped=Known(True, (Step(place, "it is stepped here"),)) if steps else _stepped(view, made, seen, updates),
        pace=pace,
        meant=meant,
        constants=constants,
        twice=_twice(made.scheduler, steps, updates),
        before_update=_before(steps, updates),
        without_metric=without_metric(view, made.scheduler, steps),
        told_metric=told_metric(view, made.scheduler, steps),
        told_epoch=told_epoch(view, made.scheduler, steps),
        renewed=renewed(view, made.event, made.scheduler, steps, updates),
    )


def _own(
    scheduler: Instance, made: CallEvent, steps: Sequence[Action], actions: Sequence[Action], batches: set[Location]
) -> Scheduler | None:
    """A scheduler of a class of the tree that is told in epochs and stepped for every batch; None of all others."""
    told = told_in_epochs(scheduler, steps)
    own = optimisers_of(scheduler)
    updates = [each for each in actions if each.kind == STEP and any(map(each.concerns, own))]
    loops = {loop for loop in (_batch_loop(each.event.context, batches) for each in updates) if loop is not None}
    pace = pace_of(steps, updates, loops) if told is not None and loops else Known(ANY)
    if told is None or not certainly(pace, BATCH):
        return None
    argument, count = told
    place = steps[0].event.location
    return Scheduler(
        location=place,
        anchor=f"{innermost_function(made.context)}.{class_name(scheduler)}",
        trail=(Step(made.location, f"{class_name(scheduler)} is made here"),),
        name=class_name(scheduler),
        stepped=Known(True, (Step(place, "it is stepped here"),)),
        pace=pace,
        meant=Known(EPOCH, count.trail, count.condition, count.confidence),
        constants=f"{argument} is {count.value:,}, and each call of step() is one of them",
    )


def _updates(scheduler: Instance, actions: Sequence[Action]) -> list[Action]:
    """The steps of the optimiser that a scheduler belongs to; of all optimisers where it is not known."""
    steps = [each for each in actions if each.kind == STEP]
    own = instances_of(scheduler.arguments.get("optimizer", 0))
    return [each for each in steps if any(each.concerns(optimiser) for optimiser in own)] if own else steps


def _shares_optimiser(scheduler: Instance, step: Action) -> bool:
    """Whether a step is that of another scheduler of the same optimiser; a chain of them has those of its parts."""
    own = instances_of(scheduler.arguments.get("optimizer", 0))
    stepped = [part for other in step.on for part in (other, *_chained(other))]
    return share_one(own, [each for part in stepped for each in instances_of(part.arguments.get("optimizer", 0))])


def _chained(scheduler: Instance) -> list[Instance]:
    """The schedulers that are given to another one as a list: `ChainedScheduler([warm_up, decay])`."""
    given = scheduler.arguments.get("schedulers", 0)
    return [each for each in given.items if isinstance(each, Instance)] if isinstance(given, ListValue) else []


def _batch_loop(context: Context, batches: set[Location]) -> Location | None:
    """The innermost loop over the batches of a loader that something happens in."""
    return next((loop.location for loop in reversed(context.loops) if loop.location in batches), None)


def pace_of(steps: Sequence[Action], updates: Sequence[Action], batches: set[Location]) -> Fact:
    """How often a scheduler is stepped: once per batch, once per epoch, or in another rhythm.

    Args:
        steps: its steps.
        updates: the steps of its optimiser.
        batches: where the loops over batches stand.
    """
    paces = {_of_one(each, updates, batches): each for each in reversed(steps)}
    if paces.keys() == {BATCH, EPOCH}:
        return _at_two_paces(paces[BATCH], paces[EPOCH], updates)
    if len(paces) != 1:
        return Known(ANY)
    pace, action = next(iter(paces.items()))
    note = f"it is stepped here, once per {pace}" if pace != ANY else "it is stepped here"
    return Known(pace, (Step(action.event.location, note),))


def _at_two_paces(batch: Action, epoch: Action, updates: Sequence[Action]) -> Fact:
    """The pace of a scheduler that is stepped for every batch and once more per epoch: that of the batches.

    Where a setting chooses between the two, the steps of batches stand under a test that the others do not.
    """
    usual = {condition.text for each in (epoch, *updates) for condition in each.event.context.conditions}
    if len(batch.on) != 1 or any(condition.text not in usual for condition in batch.event.context.conditions):
        return Known(ANY)
    trail = (
        Step(batch.event.location, "it is stepped here, once per batch"),
        Step(epoch.event.location, "and once more here, per epoch"),
    )
    return Known(BATCH, trail)


def _of_one(step: Action, updates: Sequence[Action], batches: set[Location]) -> str:
    context = step.event.context
    loops = {loop.location for loop in context.loops}
    if loops & batches:
        usual = {condition.text for each in updates for condition in each.event.context.conditions}
        guards = [condition.text for condition in context.conditions if condition.text not in usual]
        return ANY if any(_counts(text) or _LAST.search(text) for text in guards) else BATCH
    around = {loop.location for each in updates for loop in each.event.context.loops}
    return EPOCH if loops & around else ANY


def _counts(text: str) -> bool:
    """Whether a test compares numbers: `(i + 1) % 1000 == 0`, `step > warm_up`, unlike `scheduler is not None`."""
    tree = expression_of(text)
    return tree is None or any(
        (isinstance(node, ast.Compare) and not isinstance(node.ops[0], ast.Is | ast.IsNot | ast.In | ast.NotIn))
        or (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod))
        for node in walk(tree)
    )


def _twice(scheduler: Instance, steps: Sequence[Action], updates: Sequence[Action]) -> Fact:
    """Whether a scheduler takes two steps for one: at the end of a pass, and once more in the loop that called it."""
    training = {loop for each in updates for loop in each.event.context.loops}
    usual = [each.event.context.tests for each in updates]
    for one, other in pairwise(sorted(steps, key=lambda each: each.position)):
        loops = one.event.context.loops
        if len(one.on) != 1 or len(other.on) != 1 or loops != other.event.context.loops or training.isdisjoint(loops):
            continue
        if _says_where(scheduler, one) or _says_where(scheduler, other) or _is_same_call(one, other):
            continue
        if not any(one.position < each.position < other.position for each in updates) and (
            _usual(usual, one, other) or (class_name(scheduler) == PLATEAU and _usual_by_one(usual, one, other))
        ):
            trail = (
                Step(one.event.location, "the scheduler is stepped here"),
                Step(other.event.location, "and once more here, with no step of its optimiser between the two"),
            )
            return Known(True, trail)
    return NO


def _usual(usual: Sequence[frozenset[str]], *steps: Action) -> bool:
    """Whether steps are taken whenever one of the updates is: not one where there is AMP, and the other where not."""
    tests = {condition.text for each in steps for condition in each.event.context.conditions}
    return any(tests <= each for each in usual)


def _usual_by_one(usual: Sequence[frozenset[str]], one: Action, other: Action) -> bool:
    """Whether one of two steps is always taken and the other in some epochs, as behind an evaluation of every fifth."""
    tests, others = (each.event.context.tests for each in (one, other))
    apart = exclude(tests, others) or any(text.startswith("except") for text in tests | others)
    return not apart and (_usual(usual, one) or _usual(usual, other))


def _says_where(scheduler: Instance, step: Action) -> bool:
    """Whether a step says itself where in the schedule it is: `step(epoch)`, unlike `step(loss)` of a plateau."""
    given = step.event.arguments
    return class_name(scheduler) != PLATEAU and bool(given.positional or given.keywords or given.open_kwargs)


def _is_same_call(one: Action, other: Action) -> bool:
    return [frame.call for frame in one.event.context.frames] == [
        frame.call for frame in other.event.context.frames
    ] and one.event.location == other.event.location


def _before(steps: Sequence[Action], updates: Sequence[Action]) -> Fact:
    """Whether the first step of a scheduler in the training loop comes before any step of its optimiser."""
    first = min(updates, key=lambda each: each.position)
    around = {loop.location for loop in first.event.context.loops}
    for step in steps:
        inside = any(loop.location in around for loop in step.event.context.loops)
        if not inside or step.position > first.position or step.event.arguments.positional:
            continue  # step(epoch) says itself where in the schedule it is
        if step.event.arguments.keywords or step.event.context.conditions != first.event.context.conditions:
            continue
        trail = (
            Step(step.event.location, "the scheduler steps here"),
            Step(first.event.location, "the optimiser steps only then"),
        )
        return Known(True, trail)
    return NO


def _stepped(view: View, made: _Made, seen: set[Location], updates: Sequence[Action]) -> Fact:
    """Whether a scheduler that no step was seen of is left alone for certain, and in which training.

    A base class makes it for all the trainings that derive from it, and some of them step it.
    """
    place = made.event.location
    taker = _handed_to(view, made.scheduler)
    if taker:
        return Unknown(f"it is handed to {taker}")
    followed = {(at.path, at.line) for at in seen}
    for path, number, _ in lines_in_reach(view, _A_STEP):
        if (path, number) not in followed and not is_replaced(view, path, number):
            return Unknown(f"{path}:{number} steps a scheduler on a way that was not followed")
    alone = Step(updates[0].event.location, "its optimiser steps here, in this training")
    return Known(False, (Step(place, "this scheduler is never stepped"), alone))


def _handed_to(view: View, scheduler: Instance) -> str:
    """The library function, or the object that is not known, that gets a scheduler and may step it."""
    for event in view.scene.calls:
        given = event.arguments.every
        if event.receiver is not None and event.callee.rpartition(".")[2] in _OWN_STATE:
            continue
        inside = (each for value in given for each in instances_of(value))
        library = isinstance(event.result, Instance) and bool(event.result.external_name)
        if (library or event.callee.startswith("?")) and is_among(scheduler, inside):
            return event.callee.strip("?.") or "something that is not known"
    return ""
