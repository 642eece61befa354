"""Collects updates: when gradients are set back, how many batches one step sums, and whether the loss allows for it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence

from cmgan_audit.facts.conditions import exclude
from cmgan_audit.facts.passes.left_early import may_end_with_a_group
from cmgan_audit.facts.steps.accumulate_blocks import summed_in_block, zeroed_before_last_in_block
from cmgan_audit.facts.steps.actions import BACKWARD, CLIP, STEP, ZERO, Action
from cmgan_audit.facts.steps.divided import divided
from cmgan_audit.facts.steps.guards import Guard, guard_of
from cmgan_audit.facts.steps.out_of_reach import is_held_by_others, is_left_aside, lines_in_reach
from cmgan_audit.facts.steps.records import Update
from cmgan_audit.facts.steps.short_loops import is_left_after_one
from cmgan_audit.facts.steps.unseen_gradients import may_compute
from cmgan_audit.facts.steps.unstepped import Unstepped, unstepped
from cmgan_audit.facts.steps.windows import Update as Window
from cmgan_audit.facts.steps.windows import actions_by_hand, updates_in, with_networks
from cmgan_audit.facts.values import class_name
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Step
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.values import Instance
from cmgan_audit.program.execution.trace import innermost_function
from cmgan_audit.rules.record import NO, YES, Fact, Known, Unknown
from cmgan_audit.source.syntax import walk

# Optimisers that divide the gradient by its own size: a constant factor on it cancels.
_SCALE_FREE = regex(r"(Fused)?\w*Adam\w*|RMSprop\w*|Adagrad|Adadelta|Lion|Lamb|Adafactor")
_OF_SELF = regex(r"\bself\.(\w+)\.$")
_ZEROING = regex(r"(?<!\w)(?<!def )zero_grad\(|(\.grad\s*=\s*None|\.grad\.(data\.)?zero_\()")


def updates_of(view: View) -> Iterable[Update]:
    """The steps of optimisers in the loops of a run over batches; frameworks order theirs by themselves."""
    actions = actions_by_hand(view)
    if not actions:
        return []
    never = [_never(each) for each in unstepped(view, actions)]
    actions = with_networks(view, actions)
    return [*(_update(view, window, actions) for window in updates_in(view, actions) if window.backwards), *never]


def _never(found: Unstepped) -> Update:
    """The update that an optimiser never makes."""
    zero, name = found.zero.event, class_name(found.optimiser)
    trail = (
        Step(zero.location, f"the gradients of {name} are set back here, and nothing steps on them"),
        Step(found.backward.event.location, "they are computed here"),
        Step(found.optimiser.location, f"{name} is made here"),
    )
    return Update(
        location=zero.location,
        anchor=f"{innermost_function(zero.context)}.{name}",
        optimiser=name,
        accumulation=Known(1),
        never_steps=Known(True, trail),
    )


def _update(view: View, window: Window, actions: Sequence[Action]) -> Update:
    step = window.step
    place = step.event.location
    guard = _accumulating(view, window)
    in_block = summed_in_block(view, window) if guard is None else None
    every = Known(1) if guard is None else guard.every
    before_last = _zeroed_before_last(view, window, guard)
    return Update(
        location=place,
        anchor=f"{innermost_function(step.event.context)}.{class_name(window.optimiser)}",
        trail=(Step(window.backwards[-1].event.location, "the gradients are computed here"),),
        optimiser=class_name(window.optimiser),
        accumulation=every if in_block is None else in_block,
        ever_zeroed=_ever_zeroed(view, window, actions),
        sums_steps=_sums_steps(view, window, guard, actions),
        zeroed_before_step=_zeroed_before(view, window),
        zeroed_every_batch=_zeroed_every_batch(window, guard),
        zeroed_before_last=before_last if in_block is None else zeroed_before_last_in_block(window),
        repeated=_repeated(window),
        divided=divided(view, window, guard),
        scale_matters=_scale_matters(window),
        tail_lost=_tail_lost(view, window, guard, actions),
    )


def _accumulating(view: View, window: Window) -> Guard | None:
    """The counter that lets the optimiser step less often than gradients are computed."""
    guard = guard_of(view.code, window.step.event.context)
    if guard is None:
        return None
    behind = (condition.location for each in window.backwards for condition in each.event.context.conditions)
    return None if guard.location in behind or _steps_for_each(window, guard) else guard


def _steps_for_each(window: Window, guard: Guard) -> bool:
    """Whether the optimiser also steps on every batch, whatever the counter says: `learn(a, n % 8 == 7); learn(b)`."""
    of_step = window.step.event.context.tests
    for each in window.inside:
        if each.kind == STEP and each.concerns(window.optimiser) and each.event.context.tests < of_step:
            counted = any(condition.location == guard.location for condition in each.event.context.conditions)
            if not counted and each.event.context.loops[-1] is window.loop:
                return True
    return False


def _ever_zeroed(view: View, window: Window, actions: Sequence[Action]) -> Fact:
    zeros = [each for each in actions if each.kind == ZERO]
    if any(not each.on or each.concerns(window.optimiser) for each in zeros):
        return YES
    unseen = _zeroed_unseen(view, zeros, window.optimiser)
    if unseen is not None:
        return unseen
    place = window.step.event.location
    return Known(False, (Step(place, "it steps on the sum of all gradients since the beginning"),))


def _zeroed_unseen(view: View, zeros: Sequence[Action], optimiser: Instance) -> Fact | None:
    """Whether gradients are set back where no action shows it; None where no line of the executed code does that."""
    seen = {(each.event.location.path, each.event.location.line) for each in zeros}
    for path, number, found in lines_in_reach(view, _ZEROING):
        if is_left_aside(view, path, number):
            continue
        if found[1]:
            return YES  # parameter by parameter: whose they are is not told apart
        own = _OF_SELF.search(found.string[: found.start()])
        if (path, number) in seen or (own and is_held_by_others(view, optimiser, path, number, own[1])):
            continue
        return Unknown(f"{path}:{number} sets gradients back on a way that was not followed")
    return None


def _sums_steps(view: View, window: Window, guard: Guard | None, actions: Sequence[Action]) -> Fact:
    """Whether the optimiser steps many times before its gradients are set back, outside of the loop over batches.

    One step per pass, at its end, uses the sum over the pass as it should.
    """
    here = window.loop.location  # a loop in a function is another one with each call
    zeros = [each for each in actions if each.kind == ZERO]
    concerned = [each for each in zeros if not each.on or each.concerns(window.optimiser)]
    outside = [each for each in concerned if all(loop.location != here for loop in each.event.context.loops)]
    if not concerned or len(outside) < len(concerned) or not all(each.on for each in outside):
        return NO
    if is_left_after_one(view.code, window.loop) and any(_in_loops_around(window, each) for each in outside):
        return NO  # one step for each time that they are set back
    if guard is None:
        often = any(window.step.event.context.tests <= backward.event.context.tests for backward in window.backwards)
    else:
        often = isinstance(guard.every, Known)
    if not often:
        return NO
    unseen = _zeroed_unseen(view, zeros, window.optimiser)
    if unseen is not None:
        return NO if isinstance(unseen, Known) else unseen
    trail = (
        Step(window.step.event.location, "it steps here many times in between"),
        Step(outside[-1].event.location, "gradients are set back here, outside of the loop over batches"),
    )
    return Known(True, trail)


def _in_loops_around(window: Window, action: Action) -> bool:
    """Whether something happens once for each pass: in all loops that the loop over batches stands in."""
    around = window.step.event.context.loops
    outer = around[: next(index for index, loop in enumerate(around) if loop is window.loop)]
    return [loop.location for loop in action.event.context.loops] == [loop.location for loop in outer]


def _zeroed_before(view: View, window: Window) -> Fact:
    """Whether the last thing that happens to the gradients before the step is that they are set back.

    Code that is not there may compute them after that: `balancer.backward(losses)`.
    """
    step = window.step
    for each in reversed(window.inside):
        if each.position >= step.position or each.kind not in (ZERO, BACKWARD):
            continue
        if each.kind == BACKWARD:
            return NO
        if each.concerns(window.optimiser) and each.event.context.tests <= step.event.context.tests:
            if may_compute(view.scene, view.scene.run.events[each.position + 1 : step.position]):
                return NO
            late = all(backward.position > step.position for backward in window.backwards)
            told = "and computed only after the step" if late else "after the backward pass"
            return Known(True, (Step(each.event.location, f"gradients are set back here, {told}"),))
    return NO


def _zeroed_every_batch(window: Window, guard: Guard | None) -> Fact:
    """Whether gradients are set back under fewer conditions than the step, which is guarded by a counter."""
    if guard is None:
        return NO
    of_step = window.step.event.context.tests
    for each in window.inside:
        if each.kind != ZERO or not each.concerns(window.optimiser):
            continue
        guarded = any(condition.location == guard.location for condition in each.event.context.conditions)
        if not guarded and each.event.context.tests < of_step:
            return Known(True, (Step(each.event.location, "gradients are set back here, for every batch"),))
    return NO


def _zeroed_before_last(view: View, window: Window, guard: Guard | None) -> Fact:
    """Whether gradients are set back under the counter of the step, but before the backward pass of the same batch.

    `if i % K == 0` around both is true for one batch in K: that one is all that is left of them.
    """
    if guard is None or any(_steps_too(each, window) for each in window.inside):
        return NO
    first = window.backwards[0].position
    for each in window.inside:
        if each.kind != ZERO or each.position > first or not each.concerns(window.optimiser):
            continue
        around = guard_of(view.code, each.event.context)
        if around is not None and _moment(around) == _moment(guard) and not _goes_on(view, guard, around):
            here = Step(each.event.location, "gradients are set back here, before the last of the batches is added")
            return Known(True, (here, Step(guard.location, "the step comes under the same counter")))
    return NO


def _goes_on(view: View, guard: Guard, earlier: Guard) -> bool:
    """Whether the counter goes on in the function of a guard, after another guard that asks for the same rest."""
    branch = view.code.node_at(guard.location)
    function = None if branch is None else view.code.around(guard.location.path, branch)
    if function is None:
        return False
    names = {ast.unparse(each) for each in walk(guard.counter.left) if isinstance(each, ast.Name | ast.Attribute)}
    own = function.own_nodes()
    same = view.code.node_at(earlier.location) in own
    after = earlier.location.line if same and earlier.location.path == guard.location.path else 0
    steps = (each for each in own if isinstance(each, ast.AugAssign) and ast.unparse(each.target) in names)
    return any(after < each.lineno < guard.location.line for each in steps)


def _moment(guard: Guard) -> tuple[str, str]:
    return ast.unparse(guard.counter), guard.rest


def _steps_too(action: Action, window: Window) -> bool:
    """Whether an action is another step of the same optimiser."""
    other = action.event.location != window.step.event.location
    return other and action.kind == STEP and action.concerns(window.optimiser)


def _repeated(window: Window) -> Fact:
    """Whether another step of the optimiser follows without a backward pass in between."""
    step = window.step
    for each in window.inside:
        if each.position <= step.position:
            continue
        if each.kind in (BACKWARD, ZERO):
            return NO
        same_way = each.event.context.tests == step.event.context.tests and not _excluded(each)
        same_loops = each.event.context.loops == step.event.context.loops
        if each.kind == STEP and each.concerns(window.optimiser) and same_way and same_loops:
            trail = (
                Step(each.event.location, "it steps again, on the same gradients"),
                Step(step.event.location, "it has stepped here"),
            )
            return Known(True, trail)
    return NO


def _excluded(action: Action) -> bool:
    texts = action.event.context.tests
    return exclude(texts, texts)


def _scale_matters(window: Window) -> Fact:
    if any(each.kind == CLIP for each in window.inside):
        return YES
    return NO if _SCALE_FREE.fullmatch(class_name(window.optimiser)) else YES


def _tail_lost(view: View, window: Window, guard: Guard | None, actions: Sequence[Action]) -> Fact:
    """Whether gradients are set back between two epochs, when the counter has let no step use the last of them.

    A tail that nobody sets back is not lost: the first step of the next epoch uses it. A loop that is left at a number
    of batches may leave none.
    """
    if guard is None or not guard.alone or may_end_with_a_group(view.code, window.loop, window.step.event.context):
        return NO
    around = window.step.event.context.loops
    epochs = around[: next(index for index, loop in enumerate(around) if loop is window.loop)]
    here = window.loop.location  # a loop in a function is another one with each call
    outside = [each for each in actions if all(loop.location != here for loop in each.event.context.loops)]
    if not epochs or any(each.kind == STEP and each.concerns(window.optimiser) for each in outside):
        return NO
    for each in outside:
        if each.kind == ZERO and each.concerns(window.optimiser) and epochs[-1] in each.event.context.loops:
            trail = (
                Step(each.event.location, "gradients are set back here, once per epoch"),
                Step(guard.location, "the counter lets no step use the batches after its last multiple"),
            )
            return Known(True, trail)
    return NO
