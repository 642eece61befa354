"""In the child: a network class of an audited repository, with the weights of a checkpoint read safely."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from torch import nn

from cmgan_audit.evaluation.checkpoints.errors import CheckpointError
from cmgan_audit.evaluation.checkpoints.reading import open_file
from cmgan_audit.evaluation.checkpoints.weights import fit_problem, passed_over, pick_weights
from cmgan_audit.evaluation.models.enhancer import ModelError
from cmgan_audit.evaluation.models.hosted.wire import Header
from cmgan_audit.finding import JsonValue


def build_network(build: Callable[..., Any], kwargs: dict[str, Any]) -> nn.Module:
    """A network without the weights of a checkpoint.

    Args:
        build: a network class, or a function that returns a network.
        kwargs: for it.

    Raises:
        ModelError: it cannot be built with these arguments, or is no network.
    """
    try:
        network = build(**kwargs)
    except TypeError as error:
        raise ModelError(f"cannot be built with --kwargs {_spelled(kwargs)}: {error}") from error
    if not isinstance(network, nn.Module):
        raise ModelError(f"is not a network: it gave a {type(network).__name__}, where a torch.nn.Module is expected")
    if not network.state_dict():
        raise ModelError("is a network without weights")
    return network


def load_network(network: nn.Module, checkpoint: Path, weights: object) -> tuple[nn.Module, Header]:
    """Load a checkpoint into a network; beside it, what the file says and holds (`contents`).

    Args:
        network: it gets the weights.
        checkpoint: the file; read with weights_only=True like every other.
        weights: word of the name of the set of weights to take, or None.

    Raises:
        CheckpointError: the checkpoint cannot be read or does not fit.
    """
    expected = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    file = open_file(checkpoint)
    chosen = pick_weights(file, next(iter(expected)), None if weights is None else str(weights))
    problem = fit_problem(expected, chosen.tensors)
    if problem is not None:
        raise CheckpointError(f"{checkpoint}: the weights do not fit the network: {problem}")
    network.load_state_dict(dict(chosen.tensors), strict=False)  # fit_problem was strict, counters apart
    others = list[JsonValue](passed_over(file, next(iter(expected)), chosen))
    return network, {"epoch": file.epoch, "weights": chosen.name, "passed_over": others}


def _spelled(kwargs: dict[str, Any]) -> str:
    return ",".join(f"{name}={value!r}" for name, value in kwargs.items()) or "(none)"
