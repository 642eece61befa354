"""Gradient accumulation: over how many steps of a loader the optimiser sums gradients before it steps."""

from __future__ import annotations

from cmgan_audit.facts.code import Code
from cmgan_audit.facts.frameworks import accumulating_argument
from cmgan_audit.facts.scene import Made
from cmgan_audit.facts.steps.guards import guard_of
from cmgan_audit.facts.values import fact_of
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
    found = [guard for guard in guards.values() if guard is not None]
    if not found or len(found) < len(guards):
        return Known(1)
    every = found[0].every
    return every if isinstance(every, Known) else Unknown(f"the optimiser steps where {found[0].text}", every.trail)
