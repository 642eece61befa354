"""Find the weights of a network in whatever a training script wrapped around them."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from cmgan_audit.evaluation.checkpoints.errors import CheckpointError
from cmgan_audit.evaluation.checkpoints.named import Weights
from cmgan_audit.evaluation.checkpoints.reading import Checkpoint
from cmgan_audit.evaluation.checkpoints.sets import state_dicts, unnamed_averages
from cmgan_audit.evaluation.material.names import shortened


def split_by_marker(found: Weights, marker: str) -> list[Weights]:
    """The networks in a set of weights that have a tensor of this name, each without its prefix.

    `module.` of DistributedDataParallel, `generator.` of a Lightning module or `_orig_mod.` of torch.compile may stand
    before every name, several of them nested, and other networks may lie beside the one that is meant.
    """
    networks = []
    for key in found.tensors:
        if key != marker and not key.endswith("." + marker):
            continue
        prefix = key[: len(key) - len(marker)]
        tensors = {name[len(prefix) :]: tensor for name, tensor in found.tensors.items() if name.startswith(prefix)}
        if not prefix:  # a bare network beside prefixed copies of itself keeps only what is its own
            copies = [name[: -len(marker)] for name in found.tensors if name.endswith("." + marker)]
            tensors = {name: item for name, item in tensors.items() if not name.startswith(tuple(copies) or ("\0",))}
        name = ".".join(part for part in (found.name, prefix.rstrip(".")) if part)
        networks.append(Weights(name, tensors))
    return networks


def pick_weights(checkpoint: Checkpoint, marker: str, wanted: str | None = None) -> Weights:
    """The weights of a network in a checkpoint.

    Args:
        checkpoint: the file.
        marker: a parameter name that every such network has.
        wanted: a word of the name of the set to take, for files that hold several (`ema`, `generator`).

    Raises:
        CheckpointError: there is none, or several and nothing says which.
    """
    sets = state_dicts(checkpoint)
    if not sets:
        raise CheckpointError(f"{checkpoint.path}: holds no weights: {_outline(checkpoint.content)}")
    networks = [network for found in sets for network in split_by_marker(found, marker)]
    if not networks:
        largest = max(sets, key=lambda found: len(found.tensors))
        raise CheckpointError(
            f"{checkpoint.path}: the weights do not fit: no {marker} in them; the file has "
            f"{shortened(largest.tensors, 4)}. Another network? Name it with --model or --repo and --network"
        )
    names = ", ".join(network.name or "(top level)" for network in networks)
    if wanted is not None:
        matching = [network for network in networks if wanted.lower() in network.name.lower()]
        exact = [network for network in matching if wanted == network.name]
        matching = exact or matching
        if not matching:
            lists = [
                f"; {one.name} is a list of {len(one.values)} averages without names, and fits none in just one way"
                for one in unnamed_averages(checkpoint)
            ]
            raise CheckpointError(f"{checkpoint.path}: no weights named {wanted!r}; there are: {names}{''.join(lists)}")
    else:
        plain = [network for network in networks if not network.is_average] or networks
        matching = [network for network in plain if network.is_current] or plain
    if len(matching) > 1 and len({network.digest for network in matching}) > 1:
        choice = ", ".join(network.name or "(top level)" for network in matching)
        raise CheckpointError(f"{checkpoint.path}: holds several sets of weights, choose one with --weights: {choice}")
    return matching[0]


def passed_over(checkpoint: Checkpoint, marker: str, chosen: Weights) -> list[str]:
    """Names of other sets of weights of the same network in the file, with other values than those that were chosen."""
    networks = [network for found in state_dicts(checkpoint) for network in split_by_marker(found, marker)]
    return [one.name or "(top level)" for one in networks if one.name != chosen.name and one.digest != chosen.digest]


def fit_problem(expected: Mapping[str, tuple[int, ...]], tensors: Mapping[str, Tensor]) -> str | None:
    """Say how tensors do not fit a network, or None if they do.

    Args:
        expected: shape of every tensor of the network.
        tensors: what there is. A missing `num_batches_tracked` is no problem: inference does not read it.
    """
    missing = [name for name in expected if name not in tensors and not name.endswith("num_batches_tracked")]
    unexpected = [name for name in tensors if name not in expected]
    wrong = [
        f"{name} is {list(tensors[name].shape)} where {list(shape)} is needed"
        for name, shape in expected.items()
        if name in tensors and tuple(tensors[name].shape) != tuple(shape)
    ]
    parts = [
        f"{len(items)} {what}: {shortened(items, 4)}"
        for what, items in (("missing", missing), ("unexpected", unexpected), ("of another shape", wrong))
        if items
    ]
    return "; ".join(parts) or None


def _outline(content: object) -> str:
    """One line on what a file holds instead of weights."""
    if isinstance(content, Mapping):
        return f"its keys are {shortened([str(key)[:40] for key in content], 8)}" if content else "an empty dictionary"
    if isinstance(content, Tensor):
        return f"a single tensor of shape {list(content.shape)}"
    return f"an object of type {type(content).__name__}"
