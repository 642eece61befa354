"""Gradient accumulation: over how many steps of a loader the optimiser sums gradients before it steps."""

from __future__ import annotations

from cmgan_audit.facts.code import Code
from cmgan_audit.facts.frameworks import accumulating_argument
from cmgan_audit.facts.scene import Made, Scene
from cmgan_audit.facts.steps.guards import guard_of
from cmgan_audit.facts.values import fact_of, length_of_range
from cmgan_audit.program.naming.names import canonical
from cmgan_audit.rules.record import Fact, Known, Unknown


def accumulation_of(code: Code, made: Made) -> Fact:
    """The steps whose gradients are summed for one optimiser step on batches of this loader."""
    scene = code.scene
    for event in scene.named(accumulating_argument):
        value = event.arguments.get(accumulating_argument(canonical(event.callee)))
        if value is not None:
            return fact_of(value, 1)
    guards = {
        use.event.location: guard_of(code, use.event.context)
        for single in scene.passes_over(made.loader)
        for use in scene.of("step")
        if single.holds(use.event.context) and not scene.is_of_inner_loop(use, single)
    }
    if not guards:
        return _drawn_for_a_step(scene, made)
    found = [guard for guard in guards.values() if guard is not None]
    if not found or len(found) < len(guards):
        return Known(1)
    every = found[0].every
    return every if isinstance(every, Known) else Unknown(f"the optimiser steps where {found[0].text}", every.trail)


def _drawn_for_a_step(scene: Scene, made: Made) -> Fact:
    """How often a loop between two steps draws a batch and sums its gradients: `for _ in range(8): batch = next(x)`."""
    around_steps = {tuple(map(id, use.event.context.loops)) for use in scene.of("step") if use.event.context.loops}
    for single in scene.passes_over(made.loader):
        loops = single.event.context.loops
        outer = tuple(map(id, loops[:-1]))
        if not single.event.is_one_draw or outer not in around_steps:
            continue
        if any(single.holds(use.event.context) for use in scene.of("backward")):
            every = length_of_range(loops[-1].iterates)
            return every if isinstance(every, Known) else Unknown("a loop between two steps draws the batches")
    return Known(1)
