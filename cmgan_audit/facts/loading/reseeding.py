"""Evaluation passes that repeat themselves because the random state is set before each of them."""

from __future__ import annotations

import dataclasses

from cmgan_audit.facts.records import Dataset
from cmgan_audit.facts.scene import Made, Pass, Scene
from cmgan_audit.facts.seedings import Seeding, seedings
from cmgan_audit.facts.values import constant
from cmgan_audit.finding import Step
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.values import Const, FunctionValue
from cmgan_audit.program.execution.probe import call_value
from cmgan_audit.program.execution.trace import CallEvent
from cmgan_audit.program.library.seeding import Generator, drawn_from, seed_given, set_by
from cmgan_audit.program.naming.names import canonical
from cmgan_audit.rules.record import Known

# Hooks that a framework calls before each evaluation pass of its fit(), whose epochs are not loops of the program.
_BEFORE_PASS = regex(r"on_(validation|stage)(_epoch)?_start")


def reseeded(scene: Scene, made: Made, dataset: Dataset) -> Dataset:
    """The dataset, its crop taken back where every pass over the loader starts from the same random state."""
    crop = dataset.random_crop
    passes = scene.passes_over(made.loader)
    if not (isinstance(crop, Known) and crop.value) or not passes:
        return dataset
    workers = constant(made.arguments.get("num_workers", 5)) or 0
    in_workers = _seed_of_workers(scene, made, dataset.drawn_by) if workers > 0 else None
    if in_workers is not None:
        text = f"{dataset.name}: the workers of every pass start from the seed that is set at {in_workers.location}"
        steps = (Step(in_workers.location, "each worker sets this random state when a pass starts it"),)
        return dataclasses.replace(dataset, random_crop=Known(False, steps), crop_evidence=text)
    seeds = [_seed_before(scene, single, dataset.drawn_by, workers > 0) for single in passes]
    if not all(seeds):
        return dataset
    first = seeds[0]
    assert first is not None
    text = f"{dataset.name}: every pass starts from the seed that is set at {first.event.location}"
    steps = (Step(first.event.location, "the random state is set before each pass"),)
    return dataclasses.replace(dataset, random_crop=Known(False, steps), crop_evidence=text)


def _seed_before(scene: Scene, single: Pass, drawn_by: str, in_workers: bool) -> Seeding | None:
    """The call that sets the random state for one pass.

    Worker processes are seeded from torch's generator; without workers the drawing library's own one counts.
    """
    wanted = Generator.TORCH if in_workers else _drawn_from(drawn_by)
    for seeding in seedings(scene.run, single.position):
        fits = wanted in seeding.generators and seeding.position < single.position
        if fits and isinstance(seeding.seed, Const) and _before_each(seeding, single):
            return seeding
    return None


def _seed_of_workers(scene: Scene, made: Made, drawn_by: str) -> CallEvent | None:
    """The call by which each worker sets the random state to a constant; workers start anew with every pass."""
    function = made.arguments.get("worker_init_fn", 10)
    kept = made.arguments.get("persistent_workers")
    if not isinstance(function, FunctionValue) or (kept is not None and constant(kept) is not False):
        return None
    events, _ = call_value(scene.run, function, [Const(value=1)], made.loader)  # one of the workers stands for all
    wanted = _drawn_from(drawn_by)
    for event in events:
        if isinstance(event, CallEvent) and wanted in set_by(event) and not event.context.conditions:
            return event if isinstance(seed_given(canonical(event.callee), event.arguments), Const) else None
    return None


def _drawn_from(drawn_by: str) -> Generator:
    """The generator that a draw uses: torch's where it is a method of a tensor."""
    return drawn_from(drawn_by) or Generator.TORCH


def _before_each(use: Seeding, single: Pass) -> bool:
    """Whether a call comes once with every time that a pass is made, not once before all of them."""
    if single.event.framework.endswith(".fit"):
        frames = use.event.context.frames
        hooks = (frame.function.rpartition(".")[2] for frame in frames if frame.call == single.event.location)
        return any(_BEFORE_PASS.fullmatch(hook) for hook in hooks)
    around = tuple(loop for loop in single.event.context.loops if loop is not single.event.loop)
    return use.event.context.loops == around
