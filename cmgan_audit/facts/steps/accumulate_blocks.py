"""Accumulation by Accelerate: of K batches in `with accelerator.accumulate(net)`, only the last steps and sets back."""

from __future__ import annotations

from cmgan_audit.facts.frameworks import accumulating_argument
from cmgan_audit.facts.steps.actions import ZERO
from cmgan_audit.facts.steps.windows import Update as Window
from cmgan_audit.facts.values import fact_of, instances_of, is_among
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Step
from cmgan_audit.program.naming.names import canonical
from cmgan_audit.rules.record import Fact, Known

_BLOCK = ".Accelerator.accumulate"
_PREPARES = (".Accelerator.prepare", ".Accelerator.prepare_optimizer")


def summed_in_block(view: View, window: Window) -> Fact | None:
    """K, where a prepared optimiser steps in a block that accumulates; None where it does not, or each batch counts."""
    if not any(manager.endswith(_BLOCK) for manager in window.step.event.context.managers):
        return None
    prepared = view.scene.named(lambda name: name.endswith(_PREPARES))
    given = (each for call in prepared for value in call.arguments.every for each in instances_of(value))
    if not is_among(window.optimiser, given):
        return None
    for event in view.scene.named(accumulating_argument):
        value = event.arguments.get(accumulating_argument(canonical(event.callee)))
        if value is not None:
            every = fact_of(value, 1)
            return every if isinstance(every, Known) and isinstance(every.value, int) and every.value > 1 else None
    return None


def zeroed_before_last_in_block(window: Window) -> Fact:
    """Whether gradients are set back in the block before the backward pass.

    A prepared optimiser does nothing there but for the last of K batches: it throws away what the others gave.
    """
    first = window.backwards[0].position
    around = window.step.event.context.tests
    for each in window.inside:
        inside = any(manager.endswith(_BLOCK) for manager in each.event.context.managers)
        certain = each.event.context.tests <= around
        if each.kind == ZERO and inside and certain and each.position < first and each.concerns(window.optimiser):
            told = "gradients are set back here, which the block does for the last of the batches only"
            return Known(True, (Step(each.event.location, told),))
    return Known(False)
