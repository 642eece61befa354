"""Generators that go on from one pass over a loader to the next: their draws repeat in every run, not in every pass.

A dataset that makes `np.random.default_rng(0)` once draws on from where the pass before has stopped, and one that
counts its items, `random.Random(self.drawn)`, counts on. Worker processes that every pass starts anew hide this: each
begins with a copy of the generator as the dataset was made with it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from cmgan_audit.facts.code import Code
from cmgan_audit.facts.items.making import Reading
from cmgan_audit.facts.scene import Made, Scene
from cmgan_audit.facts.values import constant, instances_of, same_object
from cmgan_audit.finding import Location
from cmgan_audit.program.domain.values import Const, Draw, Instance
from cmgan_audit.program.execution.trace import CallEvent, StoreEvent
from cmgan_audit.program.library.draws import generator_seed

_SEEDS = (".manual_seed", ".seed", ".set_state", ".reset")


def goes_on(code: Code, made: Made, reading: Reading, draw: Draw) -> bool:
    """Whether a seeded draw of an item comes from a generator that the next pass over the loader finds further on, or
    that a counter of the dataset seeds."""
    scene = code.scene
    around = (loop for single in scene.passes_over(made.loader) for loop in single.event.context.loops)
    own = {single.event.loop for single in scene.passes_over(made.loader)}
    if not keeps_its_state(made) or all(loop in own for loop in around):
        return False
    generators = [
        each
        for event in reading.events
        if isinstance(event, CallEvent) and event.location == draw.location and event.callee == draw.callee
        for value in (event.receiver, event.arguments.get("generator"))
        for each in instances_of(value)
        if generator_seed(each)
    ]
    if generators and all(_is_made_once(scene, reading, each) for each in generators):
        return True
    counted = set(_counted(code, reading))
    return any(
        step.location in counted
        for event in reading.events
        if isinstance(event, CallEvent) and (event.callee.endswith(_SEEDS) or _makes_one_of(event, generators))
        for given in event.arguments.every
        for step in given.trail
    )


def _counted(code: Code, reading: Reading) -> Iterator[Location]:
    """The places where a dataset begins to count the items that it gives, and where it counts: `self.drawn += 1`."""
    for event in reading.events:
        if isinstance(event, StoreEvent) and event.target is reading.owner and isinstance(event.value, Const):
            node = code.node_at(event.location)
            statement = next(code.parents(event.location.path, node), None) if node is not None else None
            if isinstance(statement, ast.AugAssign) and not _is_set_between(code.scene, event):
                yield from (step.location for step in event.value.trail)


def _is_set_between(scene: Scene, counting: StoreEvent) -> bool:
    """Whether a loop of the program sets a counter back: at the beginning of each pass, say."""
    return any(
        store.context.loops and isinstance(store.target, Instance) and same_object(store.target, counting.target)
        for store in scene.stores
        if store.name == counting.name and isinstance(counting.target, Instance)
    )


def _makes_one_of(event: CallEvent, generators: list[Instance]) -> bool:
    return isinstance(event.result, Instance) and any(same_object(event.result, each) for each in generators)


def keeps_its_state(made: Made) -> bool:
    """Whether the items of every pass are read from one and the same copy of the dataset."""
    workers, kept = made.arguments.get("num_workers", 5), made.arguments.get("persistent_workers")
    return workers is None or constant(workers) == 0 or (kept is not None and constant(kept) is True)


def _is_made_once(scene: Scene, reading: Reading, generator: Instance) -> bool:
    """Whether a generator is made before the passes, and no item gives it another state."""
    for event in reading.events:
        if isinstance(event, CallEvent):
            made_here = _makes_one_of(event, [generator])
            on_it = event.callee.endswith(_SEEDS) and any(
                same_object(each, generator) for each in instances_of(event.receiver)
            )
            if made_here or on_it:
                return False
    making = [event for event in scene.calls if isinstance(event.result, Instance) and event.result is generator]
    return not any(event.context.loops for event in making)
