"""Evaluation passes that repeat themselves because the random state is set before each of them."""

from __future__ import annotations

import dataclasses

from cmgan_audit.facts.records import Dataset
from cmgan_audit.facts.scene import Made, Pass, Scene, Use
from cmgan_audit.facts.values import constant
from cmgan_audit.finding import Step
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.names import canonical
from cmgan_audit.program.values import Const
from cmgan_audit.rules.record import Known

# The generator that a draw uses, by the library of the drawing function.
_LIBRARY = {
    "random.": "random.seed",
    "np.": "numpy.random.seed",
    "numpy.": "numpy.random.seed",
    "torch": "torch.manual_seed",
}

# Hooks that a framework calls before each evaluation pass of its fit(), whose epochs are not loops of the program.
_BEFORE_PASS = regex(r"on_(validation|stage)(_epoch)?_start")


def reseeded(scene: Scene, made: Made, dataset: Dataset) -> Dataset:
    """The dataset, its crop taken back where every pass over the loader starts from the same random state."""
    crop = dataset.random_crop
    passes = scene.passes_over(made.loader)
    if not (isinstance(crop, Known) and crop.value) or not passes:
        return dataset
    workers = constant(made.arguments.get("num_workers", 5)) or 0
    seeds = [_seed_before(scene, single, dataset.drawn_by, workers > 0) for single in passes]
    if not all(seeds):
        return dataset
    first = seeds[0]
    assert first is not None
    text = f"{dataset.name}: every pass starts from the seed that is set at {first.event.location}"
    steps = (Step(first.event.location, "the random state is set before each pass"),)
    return dataclasses.replace(dataset, random_crop=Known(False, steps), crop_evidence=text)


def _seed_before(scene: Scene, single: Pass, drawn_by: str, in_workers: bool) -> Use | None:
    """The call that sets the random state for one pass.

    Worker processes are seeded from torch's generator; without workers the drawing library's own one counts.
    """
    wanted = (
        "torch.manual_seed"
        if in_workers
        else next((seed for prefix, seed in _LIBRARY.items() if drawn_by.startswith(prefix)), "torch.manual_seed")
    )
    for use in scene.of("seed"):
        name = canonical(use.event.callee)
        fits = name == wanted or name.endswith("seed_everything")
        argument = use.event.arguments.get("seed", 0)
        if argument is None and use.event.arguments.positional:
            argument = use.event.arguments.positional[0]
        if fits and use.position < single.position and _before_each(use, single) and isinstance(argument, Const):
            return use
    return None


def _before_each(use: Use, single: Pass) -> bool:
    """Whether a call comes once with every time that a pass is made, not once before all of them."""
    if single.event.framework.endswith(".fit"):
        frames = use.event.context.frames
        hooks = (frame.function.rpartition(".")[2] for frame in frames if frame.call == single.event.location)
        return any(_BEFORE_PASS.fullmatch(hook) for hook in hooks)
    around = tuple(loop for loop in single.event.context.loops if loop is not single.event.loop)
    return use.event.context.loops == around
