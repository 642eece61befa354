"""Read the sizes of a TSCNet from the shapes of its weights, and build the network that they fit."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import torch

from cmgan_audit.evaluation.checkpoints.errors import CheckpointError
from cmgan_audit.evaluation.checkpoints.named import Weights
from cmgan_audit.evaluation.checkpoints.weights import fit_problem
from cmgan_audit.evaluation.models.cmgan.conformer import Sizes
from cmgan_audit.evaluation.models.cmgan.network import TSCNet

MARKER = "dense_encoder.conv_1.0.weight"
"""Every TSCNet has this tensor: [channels, 3, 1, 1]."""

_ATTENTION = "TSCB_1.time_conformer.attn.fn"
_CONFORMER = "TSCB_1.time_conformer"


def read_sizes(weights: Weights) -> Sizes:
    """The sizes that the tensors of a TSCNet show.

    Raises:
        KeyError: a tensor that shows a size is missing.
        ValueError: shapes contradict each other.
    """
    shapes = {name: tuple(tensor.shape) for name, tensor in weights.tensors.items()}
    blocks = {int(match[1]) for name in shapes if (match := re.match(r"TSCB_(\d+)\.", name))}
    positions, head_width = shapes[f"{_ATTENTION}.rel_pos_emb.weight"]
    inner, channels = shapes[f"{_ATTENTION}.to_q.weight"]
    if not head_width or inner % head_width or not channels:
        raise ValueError(f"{_ATTENTION}: {inner} channels cannot be split into heads of {head_width}")
    return Sizes(
        channels=channels,
        features=shapes["mask_decoder.prelu_out.weight"][0],
        blocks=len(blocks),
        heads=inner // head_width,
        head_width=head_width,
        max_distance=(positions - 1) // 2,
        kernel_size=shapes[f"{_CONFORMER}.conv.net.4.conv.weight"][2],
        expansion=shapes[f"{_CONFORMER}.ff1.fn.fn.net.0.weight"][0] // channels,
    )


def network_for(weights: Weights, path: Path) -> TSCNet:
    """A TSCNet of the right sizes with these weights, in float32.

    Raises:
        CheckpointError: the weights are not those of a TSCNet; says which tensors are missing, unexpected or of another
            shape.
    """
    try:
        sizes = read_sizes(weights)
    except (KeyError, ValueError, IndexError) as error:
        # A tensor that shows a size is missing: compare names alone with the network of the paper.
        names = _shapes(TSCNet)
        present = {name: tuple(tensor.shape) for name, tensor in weights.tensors.items()}
        expected = {name: present.get(name, shape) for name, shape in names.items()}
        problem = fit_problem(expected, weights.tensors) or f"sizes cannot be told: {error}"
        raise CheckpointError(f"{path}: the weights do not fit CMGAN's generator (TSCNet): {problem}") from error
    misfit = fit_problem(_shapes(lambda: TSCNet.of_sizes(sizes)), weights.tensors)
    if misfit is not None:
        raise CheckpointError(f"{path}: the weights do not fit CMGAN's generator (TSCNet): {misfit}")
    with torch.device("meta"):
        network = TSCNet.of_sizes(sizes)
    network.to_empty(device="cpu")
    tensors = {
        name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in weights.tensors.items()
    }
    network.load_state_dict(tensors, strict=False)  # only `num_batches_tracked` may be missing, see fit_problem
    return network


def _shapes(build: Callable[[], TSCNet]) -> dict[str, tuple[int, ...]]:
    """Names and shapes of a network's tensors; on the meta device nothing is allocated, whatever sizes a file shows."""
    with torch.device("meta"):
        return {name: tuple(tensor.shape) for name, tensor in build().state_dict().items()}
