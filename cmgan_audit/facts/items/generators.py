"""Generators that go on from one pass over a loader to the next: their draws repeat in every run, not in every pass.

A dataset that makes `np.random.default_rng(0)` once draws on from where the pass before has stopped. Worker processes
that every pass starts anew hide this: each begins with a copy of the generator as the dataset was made with it.
"""

from __future__ import annotations

from cmgan_audit.facts.items.making import Reading
from cmgan_audit.facts.scene import Made, Scene
from cmgan_audit.facts.values import constant, instances_of, same_object
from cmgan_audit.program.domain.values import Draw, Instance
from cmgan_audit.program.execution.trace import CallEvent
from cmgan_audit.program.library.draws import generator_seed

_SEEDS = (".manual_seed", ".seed", ".set_state", ".reset")


def goes_on(scene: Scene, made: Made, reading: Reading, draw: Draw) -> bool:
    """Whether a seeded draw of an item comes from a generator that the next pass over the loader finds further on."""
    around = (loop for single in scene.passes_over(made.loader) for loop in single.event.context.loops)
    own = {single.event.loop for single in scene.passes_over(made.loader)}
    if not _keeps_its_state(made) or all(loop in own for loop in around):
        return False
    generators = [
        each
        for event in reading.events
        if isinstance(event, CallEvent) and event.location == draw.location and event.callee == draw.callee
        for value in (event.receiver, event.arguments.get("generator"))
        for each in instances_of(value)
        if generator_seed(each)
    ]
    return bool(generators) and all(_is_made_once(scene, reading, each) for each in generators)


def _keeps_its_state(made: Made) -> bool:
    """Whether the items of every pass are read from one and the same copy of the dataset."""
    workers, kept = made.arguments.get("num_workers", 5), made.arguments.get("persistent_workers")
    return workers is None or constant(workers) == 0 or (kept is not None and constant(kept) is True)


def _is_made_once(scene: Scene, reading: Reading, generator: Instance) -> bool:
    """Whether a generator is made before the passes, and no item gives it another state."""
    for event in reading.events:
        if isinstance(event, CallEvent):
            made_here = isinstance(event.result, Instance) and same_object(event.result, generator)
            on_it = event.callee.endswith(_SEEDS) and any(
                same_object(each, generator) for each in instances_of(event.receiver)
            )
            if made_here or on_it:
                return False
    making = [event for event in scene.calls if isinstance(event.result, Instance) and event.result is generator]
    return not any(event.context.loops for event in making)
