"""What a loader gets in the starts of a program that train: `8 if args.mode == "train" else 1` is 8 there."""

from __future__ import annotations

from cmgan_audit.facts.exclusive import exclude_each_other
from cmgan_audit.facts.records import TRAIN
from cmgan_audit.facts.scene import Made, Scene
from cmgan_audit.program.domain.joins import join_options
from cmgan_audit.program.domain.text_tests import exclude, is_left_over
from cmgan_audit.program.domain.values import Choice, Option, Value
from cmgan_audit.program.execution.trace import Context


def while_training(scene: Scene, made: Made, given: Value | None) -> Value | None:
    """An argument of a loader without what it is only where nothing learns from its batches.

    A setting that is none of the words that the program asks for counts where no word leads to the training.

    Args:
        scene: the run.
        made: the loader.
        given: the argument; None where it is not given.
    """
    if not isinstance(given, Choice):
        return given
    passes = scene.passes_over(made.loader)
    learning = [
        use.event.context for single in passes for use in scene.uses_in(single) if use.kind in ("backward", "step")
    ]
    learning += [single.event.context for single in passes if single.event.framework and single.event.role == TRAIN]
    ways = [[option for option in given.options if _leads_to(option, context)] for context in learning]
    named = [
        [option for option in options if not is_left_over(option.facts, context.facts)] or options
        for options, context in zip(ways, learning, strict=True)
    ]
    kept = [option for option in given.options if any(option in options for options in named)]
    return join_options(kept) if kept else given


def _leads_to(option: Option, training: Context) -> bool:
    """Whether what chooses an option leaves the tests around a training as they came out."""
    texts = (option.condition, *(condition.text for condition in training.conditions))
    return not exclude(option.facts, training.facts) and not exclude_each_other(texts)
