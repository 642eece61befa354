"""Averaged weights that a file keeps without what belongs to them: a list without names, or parameters without buffers.

`torch_ema`, the `EMAModel` of `diffusers` and many scripts keep the averages of `model.parameters()` as a list. A
`state_dict` has the same parameters in the same order, with buffers between them, so the names can be told from a set
of weights in the same file, wherever the shapes leave one reading. Buffers (running statistics) and frozen parameters
are not averaged; evaluating such an average means to take them as they are in the network.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from torch import Tensor

from cmgan_audit.evaluation.checkpoints.named import Weights
from cmgan_audit.lazy_dataclasses import dataclass

LIST_KEYS = ("shadow_params",)
"""What libraries call their list of averages."""

_STATISTICS = ("running_mean", "running_var", "num_batches_tracked")


@dataclass(frozen=True, slots=True)
class AveragedList:
    """Averages of parameters in their order.

    Attributes:
        name: where they lie in the file.
        values: the averages.
    """

    name: str
    values: Sequence[Tensor]


def with_averages(sets: Sequence[Weights], lists: Sequence[AveragedList]) -> list[Weights]:
    """The sets of weights of a file, its averages completed, and its lists of averages as sets where they fit one.

    Args:
        sets: sets of weights with names, in the order of the file.
        lists: lists of averages.
    """
    plain = [found for found in sets if not found.is_average]
    completed = [_completed(found, plain) if found.is_average else found for found in sets]
    for averages in lists:
        named = (named_after(averages, found) for found in plain)
        completed.extend([found for found in named if found is not None][:1])
    return completed


def _completed(average: Weights, plain: Sequence[Weights]) -> Weights:
    """An average of parameters alone, with what it lacks from the weights that it is the average of."""
    own = average.tensors
    for found in plain:
        for tensors in (found.tensors, found.bare.tensors):
            if len(own) < len(tensors) and all(
                name in tensors and tensors[name].shape == value.shape for name, value in own.items()
            ):
                return Weights(average.name, {name: own.get(name, value) for name, value in tensors.items()})
    return average


def named_after(averages: AveragedList, found: Weights) -> Weights | None:
    """A list of averages with the names of a set of weights; None where it does not fit, or in more than one way."""
    names = [group[0] for group in _parameters(found.tensors)]
    shapes = [found.tensors[name].shape for name in names]
    wanted = [value.shape for value in averages.values]
    places = _places(wanted, shapes)
    if not places or 2 * len(places) < len(names):
        return None  # of another network, of which a few shapes happen to come here in their order
    # Taken from the end it must be the same: else some parameter is left out, and nobody knows which.
    mirrored = _places(wanted[::-1], shapes[::-1])
    if mirrored is None or [len(shapes) - 1 - place for place in reversed(mirrored)] != places:
        return None
    tied = {group[0]: group for group in _parameters(found.tensors)}
    replaced = {
        name: value for place, value in zip(places, averages.values, strict=True) for name in tied[names[place]]
    }
    return Weights(averages.name, {name: replaced.get(name, value) for name, value in found.tensors.items()})


def _parameters(tensors: Mapping[str, Tensor]) -> Iterator[list[str]]:
    """Names of what can be averaged, in the order of the network; a tensor with several names counts once."""
    groups: dict[tuple[object, ...], list[str]] = {}
    for name, tensor in tensors.items():
        if name.rpartition(".")[2] in _STATISTICS or not (tensor.is_floating_point() or tensor.is_complex()):
            continue
        # Two empty tensors, or two of another layout, are not told to be one.
        shared = tensor.numel() and not tensor.is_sparse and not tensor.is_quantized
        key = (tensor.data_ptr(), tensor.dtype, tuple(tensor.shape), tuple(tensor.stride())) if shared else (name,)
        groups.setdefault(key, []).append(name)
    yield from groups.values()


def _places(wanted: Sequence[object], shapes: Sequence[object]) -> list[int] | None:
    """Where each wanted shape comes first, one after the other; None where they do not all come."""
    places: list[int] = []
    at = 0
    for shape in wanted:
        while at < len(shapes) and shapes[at] != shape:
            at += 1
        if at == len(shapes):
            return None
        places.append(at)
        at += 1
    return places
