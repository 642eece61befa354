"""Inspect several checkpoints in order, keeping the weights of no more than two in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from cmgan_audit.evaluation.checkpoints.changes import Changes, compare_weights
from cmgan_audit.evaluation.checkpoints.errors import CheckpointError
from cmgan_audit.evaluation.checkpoints.inspection import CheckpointFacts, inspect_file
from cmgan_audit.evaluation.checkpoints.named import Weights
from cmgan_audit.evaluation.checkpoints.sets import state_dicts


def inspect_in_order(
    paths: Sequence[Path],
) -> tuple[list[CheckpointFacts], list[tuple[str, str, Changes]], list[tuple[str, str]]]:
    """Inspect checkpoints and compare each with the one before it.

    The sets of weights that are compared are those of one name in both files; without one, the first of each.

    Returns:
        Facts of every file that could be read (without its tensors), (earlier, later, changes) for neighbours among
        them, and (path, reason) of the files that could not be read.
    """
    files: list[CheckpointFacts] = []
    changes: list[tuple[str, str, Changes]] = []
    failed: list[tuple[str, str]] = []
    before: tuple[str, list[Weights]] | None = None
    for path in paths:
        try:
            facts = inspect_file(path)
        except CheckpointError as error:
            failed.append((str(path), str(error)))
            continue
        sets = state_dicts(facts.checkpoint)
        files.append(replace(facts, checkpoint=replace(facts.checkpoint, content=None)))
        if before is not None and sets:
            earlier, later = _same_set(before[1], sets)
            changes.append((before[0], str(path), compare_weights(earlier, later)))
        if sets:
            before = (str(path), sets)
    return files, changes, failed


def _same_set(before: Sequence[Weights], after: Sequence[Weights]) -> tuple[Weights, Weights]:
    by_name = {weights.name: weights for weights in after}
    for weights in before:
        if weights.name in by_name:
            return weights, by_name[weights.name]
    return before[0], after[0]
