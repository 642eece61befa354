"""What a loader gets in the starts of a program that train: `8 if args.mode == "train" else 1` is 8 there."""

from __future__ import annotations

from cmgan_audit.facts.exclusive import exclude_each_other
from cmgan_audit.facts.records import TRAIN
from cmgan_audit.facts.scene import Made, Scene
from cmgan_audit.rules.record import Fact, OneOf


def while_training(scene: Scene, made: Made, fact: Fact) -> Fact:
    """An argument of a loader without what it is only where nothing learns from its batches.

    Args:
        scene: the run.
        made: the loader.
        fact: the argument.
    """
    if not isinstance(fact, OneOf):
        return fact
    passes = scene.passes_over(made.loader)
    learning = [
        use.event.context for single in passes for use in scene.uses_in(single) if use.kind in ("backward", "step")
    ]
    learning += [single.event.context for single in passes if single.event.framework and single.event.role == TRAIN]
    around = [[condition.text for condition in context.conditions] for context in learning]
    options = tuple(
        option for option in fact.options if not all(exclude_each_other((option.condition, *tests)) for tests in around)
    )
    if not learning or not options:
        return fact
    return options[0] if len(options) == 1 else OneOf(options, fact.trail)
