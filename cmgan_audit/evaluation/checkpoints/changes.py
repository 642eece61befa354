"""What changed between two checkpoints, layer by layer."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch

from cmgan_audit.evaluation.checkpoints.named import Weights
from cmgan_audit.lazy_dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LayerChange:
    """How far one layer moved.

    Attributes:
        layer: its name, the tensor names without their last part.
        relative: Euclidean norm of the difference over that of the earlier values, of all its tensors together; None if
            it cannot be told (values that are not finite, or all zero before).
        largest: largest absolute difference of one value; None if values are not finite.
        tensors: how many tensors of the layer differ, and of how many.
    """

    layer: str
    relative: float | None
    largest: float | None
    tensors: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed between two sets of weights.

    Attributes:
        layers: every layer that both have, most changed first; a layer that did not move has `relative` 0.
        added: tensors that only the later one has.
        removed: tensors that only the earlier one has.
        reshaped: tensors whose shape or type differs.
        relative: of all common tensors together, as in LayerChange.
    """

    layers: tuple[LayerChange, ...]
    added: tuple[str, ...]
    removed: tuple[str, ...]
    reshaped: tuple[str, ...]
    relative: float | None


def compare_weights(earlier: Weights, later: Weights) -> Changes:
    """Compare two sets of weights tensor by tensor, gathered by layer; counters of batches are left out.

    Sets that have no name in common are compared without their prefixes: one may come out of a wrapper (`module.`).
    """
    if earlier.tensors.keys().isdisjoint(later.tensors):
        earlier, later = earlier.bare, later.bare
    before, after = earlier.tensors, later.tensors
    common = [name for name in before if name in after and not name.endswith("num_batches_tracked")]
    reshaped = [n for n in common if before[n].shape != after[n].shape or before[n].dtype != after[n].dtype]
    moves: dict[str, list[_Move]] = {}
    for name in common:
        if name in reshaped or before[name].is_quantized or before[name].is_complex():
            continue
        old, new = before[name].detach().to(torch.float64), after[name].detach().to(torch.float64)
        difference = new - old
        largest = float(difference.abs().max()) if difference.numel() else 0.0
        move = _Move(float(difference.square().sum()), float(old.square().sum()), largest)
        moves.setdefault(name.rpartition(".")[0], []).append(move)
    layers = [
        LayerChange(
            layer=layer,
            relative=_relative(parts),
            largest=max((part.largest for part in parts), key=lambda value: math.inf if math.isnan(value) else value),
            tensors=(sum(part.largest != 0 for part in parts), len(parts)),
        )
        for layer, parts in moves.items()
    ]
    layers = [
        layer
        if layer.largest is None or math.isfinite(layer.largest)
        else LayerChange(layer.layer, None, None, layer.tensors)
        for layer in layers
    ]
    layers.sort(key=lambda layer: math.inf if layer.relative is None else layer.relative, reverse=True)
    return Changes(
        layers=tuple(layers),
        added=tuple(name for name in after if name not in before),
        removed=tuple(name for name in before if name not in after),
        reshaped=tuple(reshaped),
        relative=_relative(part for parts in moves.values() for part in parts),
    )


@dataclass(frozen=True, slots=True)
class _Move:
    """Squared norms of difference and earlier values, and the largest absolute difference, of one tensor."""

    difference: float
    before: float
    largest: float


def _relative(parts: Iterable[_Move]) -> float | None:
    parts = list(parts)
    difference, before = sum(part.difference for part in parts), sum(part.before for part in parts)
    if difference == 0:
        return 0.0
    if before == 0 or not math.isfinite(difference) or not math.isfinite(before):
        return None
    return math.sqrt(difference / before)


def duplicates(digests: Iterable[tuple[str, str]]) -> list[tuple[str, ...]]:
    """Groups of names whose weights are equal.

    Args:
        digests: (name, digest) pairs.
    """
    groups: dict[str, list[str]] = {}
    for name, digest in digests:
        groups.setdefault(digest, []).append(name)
    return [tuple(names) for names in groups.values() if len(names) > 1]
