"""In the child: what a checkpoint holds beside the weights that are scored, for the report to say so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import Tensor, nn

from cmgan_audit.evaluation.checkpoints.errors import CheckpointError
from cmgan_audit.evaluation.checkpoints.named import Weights
from cmgan_audit.evaluation.checkpoints.reading import Checkpoint, open_file
from cmgan_audit.evaluation.checkpoints.sets import state_dicts
from cmgan_audit.evaluation.checkpoints.weights import split_by_marker
from cmgan_audit.evaluation.models.hosted.wire import Header
from cmgan_audit.finding import JsonValue


def contents_of(path: Path, network: nn.Module | None) -> Header:
    """Epoch and sets of weights of a checkpoint that a factory read; nothing where we cannot read it as safely.

    Args:
        path: the checkpoint.
        network: what the factory loaded it into, None if it did not say.
    """
    try:
        file = open_file(path)
    except CheckpointError:
        return {}
    return {"epoch": file.epoch, **weights_of(file, None if network is None else network.state_dict())}


def weights_of(file: Checkpoint, loaded: Mapping[str, Tensor] | None) -> Header:
    """Which set of weights of a file is loaded, and which others it holds of the same network.

    Args:
        file: the checkpoint.
        loaded: tensors of the network that has them, None if there is no knowing.

    Returns:
        `weights` (name of the set, None if it cannot be told) and `passed_over` (names of sets with other values).
    """
    sets = state_dicts(file)
    if loaded:
        marker = next(iter(loaded))
        networks = [network for found in sets for network in split_by_marker(found, marker)]
        taken = [one for one in networks if _same(one.tensors, loaded)]
        if taken:
            return {
                "weights": taken[0].name,
                "passed_over": _names([one for one in networks if one.digest != taken[0].digest]),
            }
    return {"weights": None, "passed_over": _names(_of_one_network(sets))}


def _same(tensors: Mapping[str, Tensor], loaded: Mapping[str, Tensor]) -> bool:
    """Whether a network has these tensors; it may hold them in another type and on another device."""
    return all(
        name in tensors and tensors[name].shape == own.shape and bool((tensors[name].to(own) == own).all())
        for name, own in loaded.items()
        if not name.endswith("num_batches_tracked")
    )


def _of_one_network(sets: Sequence[Weights]) -> list[Weights]:
    """Sets that have the same tensors with other values: states of one network, of which only one can be scored."""
    groups: dict[tuple[tuple[str, tuple[int, ...]], ...], list[Weights]] = {}
    for found in sets:
        shape = tuple(sorted((name, tuple(tensor.shape)) for name, tensor in found.bare.tensors.items()))
        groups.setdefault(shape, []).append(found)
    several = [group for group in groups.values() if len({found.bare.digest for found in group}) > 1]
    return [found for group in several for found in group]


def _names(sets: Sequence[Weights]) -> list[JsonValue]:
    return [found.name or "(top level)" for found in sets]
