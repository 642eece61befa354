"""Loads in a start of the program that trains nothing: `if args.mode == "test": ...`, and in the other one training."""

from __future__ import annotations

from cmgan_audit.facts.checkpoints.restoring import Batch
from cmgan_audit.facts.exclusive import ask_for_others, exclusive
from cmgan_audit.facts.scene import Scene
from cmgan_audit.program.execution.trace import Context


def trainings_of(scene: Scene) -> list[Context]:
    """What stands around what trains in a run, each once."""
    found = [use.event.context for use in scene.of("backward", "step")]
    found += [single.event.context for single in scene.passes if single.event.framework]
    return list({id(each): each for each in found}.values())


def is_apart(batch: Batch, trainings: list[Context]) -> bool:
    """Whether a start of the program that loads a checkpoint trains nothing.

    Args:
        batch: what is loaded and restored.
        trainings: what stands around what trains.
    """
    return bool(batch.loads) and all(
        exclusive(load.context, training) or ask_for_others(load.context, training)
        for load in batch.loads
        for training in trainings
    )
