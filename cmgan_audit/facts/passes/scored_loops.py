"""Evaluations without a loader: loops over files or items in which a network runs and its output is scored."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from cmgan_audit.facts.metrics.scoring import metric_called
from cmgan_audit.facts.passes.loops import judged_loop, runs_among
from cmgan_audit.facts.records import EVAL, TRAIN
from cmgan_audit.facts.records import Loop as LoopRecord
from cmgan_audit.facts.scene import Use
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Step
from cmgan_audit.program.domain.listings import listings_of
from cmgan_audit.program.execution.trace import CallEvent, Context, Loop, innermost_function
from cmgan_audit.rules.record import Known
from cmgan_audit.source.syntax import called_name, walk


def scored_loops(view: View) -> Iterator[LoopRecord]:
    """A record for every loop that draws from no loader, runs a network and scores what comes out."""
    scored = [(event, metric) for event in view.scene.calls for metric in [_metric_in_loop(event)] if metric]
    runs = runs_among(view.scene, view.scene.of("run")) if scored else []
    seen: set[Loop] = set()
    for event, metric in scored if runs else ():
        loop = _around(event.context, runs)
        if loop is not None and loop not in seen and _evaluates(view, event.context, loop):
            seen.add(loop)
            yield _record(view, loop, event, metric, runs)


def _metric_in_loop(event: CallEvent) -> str:
    return metric_called(event.callee) if event.callee and event.context.loops else ""


def _around(context: Context, runs: list[Use]) -> Loop | None:
    """The innermost loop around a score in which a network runs too."""
    return next(
        (loop for loop in reversed(context.loops) if any(loop in run.event.context.loops for run in runs)), None
    )


def _evaluates(view: View, context: Context, loop: Loop) -> bool:
    """Whether nothing is trained in a loop, nor with what it computes, and no loop over a loader stands for it.

    A loop in a step of a training may compute what the step learns from; one over the files of a folder does not. One
    that an error ends before a backward pass is no evaluation either.
    """
    scene = view.scene
    learning = [use.event.context for use in scene.of("backward", "step")]
    if any(loop in each.loops for each in learning):
        return False
    around = context.loops[: context.loops.index(loop)]
    passes = [single for single in scene.passes if single.holds(context)]
    if any(single.event.loop is loop for single in passes) or scene.in_framework(context):
        return False
    roles = {view.role_of(single.event.loop) for single in passes}
    if roles - {TRAIN}:
        return False
    trained = {each.loops[-1] for each in learning if each.loops}
    in_training = bool(roles) or any(outer in trained for outer in around)
    if in_training and (loop.iterates is None or not listings_of(loop.iterates)):
        return False
    return not _is_cut_short(view, loop)


def _is_cut_short(view: View, loop: Loop) -> bool:
    """Whether an error ends a loop, or one in it, and what is called there is written to train."""
    contexts = {id(event.context): event.context for event in view.scene.calls if loop in event.context.loops}.values()
    inside = {each for context in contexts for each in context.loops[context.loops.index(loop) :]}
    if inside.isdisjoint(view.scene.run.cut_short):
        return False
    outside = min(len(context.frames) for context in contexts)
    called = {frame.value.node for each in contexts for frame in each.frames[outside:] if frame.value is not None}
    calls = (each for node in called for each in walk(node) if isinstance(each, ast.Call))
    return any(called_name(each) == "backward" for each in calls)


def _record(view: View, loop: Loop, event: CallEvent, metric: str, runs: list[Use]) -> LoopRecord:
    scene = view.scene
    began = min((each.context for each in scene.calls if loop in each.context.loops), key=lambda each: len(each.frames))
    inside = [use for use in scene.uses if loop in use.event.context.loops]
    return judged_loop(
        scene,
        loop.location,
        innermost_function(began),
        Known(EVAL, (Step(event.location, f"{metric} is computed here, and nothing is trained"),)),
        inside,
        [run for run in runs if loop in run.event.context.loops],
    )
