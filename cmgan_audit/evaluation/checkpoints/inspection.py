"""What is inside a checkpoint, told from its tensors and values alone: no network is built."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from torch import Tensor

from cmgan_audit.evaluation.checkpoints.bundles import bundle_of
from cmgan_audit.evaluation.checkpoints.limits import Steps
from cmgan_audit.evaluation.checkpoints.named import Weights
from cmgan_audit.evaluation.checkpoints.reading import Checkpoint, open_file
from cmgan_audit.evaluation.checkpoints.sets import state_dicts
from cmgan_audit.evaluation.checkpoints.stand_ins import is_module
from cmgan_audit.finding import JsonValue
from cmgan_audit.lazy_dataclasses import dataclass

EXPLODED_VARIANCE = 1e6
"""A running variance above this is called exploded: activations behind it are a thousand times the usual size."""

_MAX_VALUES = 200
_MAX_TEXT = 200
_MAX_DEPTH = 6


@dataclass(frozen=True, slots=True)
class BatchNormState:
    """Running statistics of one batch-norm layer.

    Attributes:
        layer: its name.
        condition: `trained`, `untouched` (mean 0 and variance 1 everywhere: never saw a batch in training mode) or
            `exploded` (not finite, a negative variance, or one above EXPLODED_VARIANCE).
        largest_variance: the largest finite running variance.
        batches: how many batches it saw (`num_batches_tracked`), None if the file does not say.
    """

    layer: str
    condition: str
    largest_variance: float
    batches: int | None


@dataclass(frozen=True, slots=True)
class WeightsFacts:
    """Facts about one set of weights.

    Attributes:
        name: where it lies in the file, "" for a bare state_dict.
        digest: hex digest of the content, without a prefix that all names share.
        tensors: number of tensors.
        parameters: number of values, without batch-norm statistics.
        dtypes: tensors per type, such as {"float32": 331}.
        not_finite: names of tensors that hold NaN or Inf, with how many values.
        all_zero: names of tensors of more than one value that are zero everywhere, batch-norm statistics apart.
        batch_norms: state of every batch-norm layer.
        largest: name of the parameter with the largest absolute finite value, and that value; None without values.
    """

    name: str
    digest: str
    tensors: int
    parameters: int
    dtypes: Mapping[str, int]
    not_finite: Mapping[str, int]
    all_zero: tuple[str, ...]
    batch_norms: tuple[BatchNormState, ...]
    largest: tuple[str, float] | None


@dataclass(frozen=True, slots=True)
class CheckpointFacts:
    """Facts about one file: what was read, its size in bytes, embedded plain values by place, sets of weights."""

    checkpoint: Checkpoint
    size: int
    values: Mapping[str, JsonValue]
    weights: tuple[WeightsFacts, ...]


def inspect_file(path: Path) -> CheckpointFacts:
    """Read a checkpoint and say what is in it.

    Raises:
        CheckpointError: it cannot be read as a checkpoint.
    """
    checkpoint = open_file(path)
    values: dict[str, JsonValue] = {}
    for place, value in _plain_values(checkpoint.content, (), Steps(path)):
        if len(values) == _MAX_VALUES:
            break
        values[place] = value
    weights = tuple(weights_facts(found) for found in state_dicts(checkpoint))
    bundle = bundle_of(path)
    return CheckpointFacts(checkpoint, path.stat().st_size if bundle is None else bundle.size, values, weights)


def weights_facts(weights: Weights) -> WeightsFacts:
    """Facts about one set of weights."""
    statistics = _statistics_names(weights)
    dtypes: dict[str, int] = {}
    not_finite: dict[str, int] = {}
    all_zero: list[str] = []
    largest: tuple[str, float] | None = None
    for name, tensor in weights.tensors.items():
        kind = str(tensor.dtype).removeprefix("torch.")
        dtypes[kind] = dtypes.get(kind, 0) + 1
        if not tensor.numel():
            continue
        values = _as_real(tensor)
        bad = int((~torch.isfinite(values)).sum())
        if bad:
            not_finite[name] = bad
        peak = float(torch.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0).abs().max())
        if not bad and peak == 0.0 and tensor.numel() > 1 and name not in statistics:
            all_zero.append(name)
        if name not in statistics and (largest is None or peak > largest[1]):
            largest = (name, peak)
    return WeightsFacts(
        name=weights.name,
        digest=weights.bare.digest,
        tensors=len(weights.tensors),
        parameters=sum(tensor.numel() for name, tensor in weights.tensors.items() if name not in statistics),
        dtypes=dtypes,
        not_finite=not_finite,
        all_zero=tuple(all_zero),
        batch_norms=tuple(_batch_norms(weights)),
        largest=largest,
    )


def _as_real(tensor: Tensor) -> Tensor:
    """The values of any tensor as floats of one dimension."""
    if tensor.is_quantized:
        tensor = tensor.dequantize()
    if tensor.layout != torch.strided:
        tensor = tensor.to_dense()
    if tensor.is_complex():
        tensor = torch.view_as_real(tensor.resolve_conj())
    return tensor.detach().flatten().to(torch.float64)


def _statistics_names(weights: Weights) -> set[str]:
    endings = ("running_mean", "running_var", "num_batches_tracked")
    return {name for name in weights.tensors if name.rpartition(".")[2] in endings}


def _batch_norms(weights: Weights) -> Iterator[BatchNormState]:
    for name, variance in weights.tensors.items():
        layer, _, last = name.rpartition(".")
        mean = weights.tensors.get(f"{layer}.running_mean")
        if last != "running_var" or mean is None or not variance.numel():
            continue
        counted = weights.tensors.get(f"{layer}.num_batches_tracked")
        spread, center = _as_real(variance), _as_real(mean)
        finite = spread[torch.isfinite(spread)]
        largest = float(finite.max()) if finite.numel() else math.nan
        broken = len(finite) < len(spread) or not bool(torch.isfinite(center).all()) or bool((finite < 0).any())
        if broken or largest > EXPLODED_VARIANCE:
            condition = "exploded"
        elif bool((spread == 1).all()) and bool((center == 0).all()):
            condition = "untouched"
        else:
            condition = "trained"
        batches = int(counted) if counted is not None and counted.numel() == 1 else None
        yield BatchNormState(layer, condition, largest, batches)


def _plain_values(value: object, place: tuple[str, ...], steps: Steps) -> Iterator[tuple[str, JsonValue]]:
    """Embedded configuration and scores: everything that is no tensor, by its place; optimizer states are left out."""
    steps.count()
    if place and any(word in place[-1].lower() for word in ("optim", "scheduler", "scaler", "rng")):
        return
    if is_module(value):  # its attributes are those of its class, not of the training
        return
    if isinstance(value, Mapping) and len(place) < _MAX_DEPTH:
        for key, item in value.items():
            yield from _plain_values(item, (*place, str(key)), steps)
    elif isinstance(value, Tensor) and place:
        is_weight = "." in place[0]  # a bare state_dict has parameters of one value, too
        if value.numel() == 1 and len(place) == 1 and not is_weight and not value.is_quantized:
            yield place[0], _as_json(value.item())
    elif isinstance(value, list | tuple):
        if place and len(value) <= 32 and all(isinstance(item, bool | int | float | str) for item in value):
            yield ".".join(place), [_as_json(item) for item in value]
    elif hasattr(value, "__dict__") and not isinstance(value, type) and len(place) < _MAX_DEPTH:
        yield from _plain_values(vars(value), place, steps)
    elif place and (value is None or isinstance(value, bool | int | float | str)):
        yield ".".join(place), _as_json(value)


def _as_json(value: object) -> JsonValue:
    """A value that every JSON reader takes: numbers that are not finite become text."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    text = str(value)
    return text if len(text) <= _MAX_TEXT else text[: _MAX_TEXT - 3] + "..."
