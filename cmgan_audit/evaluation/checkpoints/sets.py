"""All sets of weights in a checkpoint, whatever a training script wrapped around them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeGuard

from torch import Tensor

from cmgan_audit.evaluation.checkpoints.averages import LIST_KEYS, AveragedList, with_averages
from cmgan_audit.evaluation.checkpoints.errors import CheckpointError, first_line
from cmgan_audit.evaluation.checkpoints.limits import Steps
from cmgan_audit.evaluation.checkpoints.named import Weights
from cmgan_audit.evaluation.checkpoints.reading import Checkpoint
from cmgan_audit.evaluation.checkpoints.stand_ins import StandIn, is_module, state_of

_MAX_DEPTH = 4
_OPTIMIZER_WORDS = ("optim", "scheduler", "scaler")


def state_dicts(checkpoint: Checkpoint) -> list[Weights]:
    """All sets of weights in a checkpoint, in the order of the file; optimizer states are left out.

    Averages that are a list without names are there with those of the weights beside them, where they fit.

    Raises:
        CheckpointError: a quantised tensor has scales or zero points that none can have.
    """
    found = list(_walk(checkpoint.content, (), Steps(checkpoint.path)))
    sets = [one for one in found if isinstance(one, Weights)]
    named = with_averages(sets, [one for one in found if isinstance(one, AveragedList)])
    for weights in named:
        _check_quantised(weights, checkpoint)
    return named


def unnamed_averages(checkpoint: Checkpoint) -> list[AveragedList]:
    """Lists of averages in a checkpoint to which no set of weights gives names."""
    named = {found.name for found in state_dicts(checkpoint)}
    return [
        one
        for one in _walk(checkpoint.content, (), Steps(checkpoint.path))
        if isinstance(one, AveragedList) and one.name not in named
    ]


def _check_quantised(weights: Weights, checkpoint: Checkpoint) -> None:
    """Torch believes the zero points of a file until it computes with them."""
    for name, tensor in weights.tensors.items():
        if tensor.is_quantized:
            try:
                tensor.dequantize()
            except RuntimeError as error:
                raise CheckpointError(
                    f"{checkpoint.path}: damaged: the quantised tensor {name} has no values: {first_line(error)}"
                ) from error


def _walk(value: object, place: tuple[str, ...], steps: Steps) -> Iterator[Weights | AveragedList]:
    steps.count()
    if is_module(value):
        value = state_of(value, steps)
    elif isinstance(value, StandIn):
        value = vars(value)
    if isinstance(value, list | tuple):  # (epoch, weights, optimizer state)
        value = {str(index): item for index, item in enumerate(value) if isinstance(item, Mapping | StandIn)}
    if not isinstance(value, Mapping) or len(place) > _MAX_DEPTH:
        return
    if place and any(word in place[-1].lower() for word in _OPTIMIZER_WORDS):
        return
    if {"state", "param_groups"} <= value.keys():  # an optimizer's state under another name, or under none
        return
    tensors = {key: item for key, item in value.items() if isinstance(key, str) and isinstance(item, Tensor)}
    if any("." in key for key in tensors) or (tensors and len(tensors) == len(value)):
        yield Weights(".".join(place), tensors)
    for key, item in value.items():
        if key in LIST_KEYS and _are_tensors(item):
            yield AveragedList(".".join((*place, str(key))), item)
        yield from _walk(item, (*place, str(key)), steps)


def _are_tensors(value: object) -> TypeGuard[Sequence[Tensor]]:
    return isinstance(value, list | tuple) and bool(value) and all(isinstance(item, Tensor) for item in value)
