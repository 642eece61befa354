"""Tensors with their names: what a set of weights is, wherever it was found."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from itertools import takewhile

import torch
from torch import Tensor

from cmgan_audit.lazy_dataclasses import dataclass

_AVERAGE_WORDS = ("ema", "swa", "averag", "shadow")
_KEPT_WORDS = ("best",)


@dataclass(frozen=True, slots=True)
class Weights:
    """A named set of tensors.

    Attributes:
        name: where it lay: keys from the top of the file, then the prefix of its tensors; "" for a bare state_dict.
        tensors: by name, without the prefix.
    """

    name: str
    tensors: Mapping[str, Tensor]

    @property
    def digest(self) -> str:
        """Hex digest of names, types, shapes and values: equal weights have equal digests in every file form."""
        total = hashlib.sha256()
        for name in sorted(self.tensors):
            tensor = self.tensors[name].detach()
            total.update(f"{name}\0{tensor.dtype}\0{list(tensor.shape)}\0".encode())
            total.update(tensor_bytes(tensor))
        return total.hexdigest()

    @property
    def bare(self) -> Weights:
        """The same tensors without the prefix that all their names share.

        A wrapper's copy (`module.` of DistributedDataParallel, `net.` of a Lightning module) is equal to the plain one.
        """
        parts = [name.split(".")[:-1] for name in self.tensors]
        shared = sum(1 for _ in takewhile(lambda level: len(set(level)) == 1, zip(*parts, strict=False)))
        tensors = {name.split(".", shared)[-1]: tensor for name, tensor in self.tensors.items()}
        return Weights(self.name, tensors)

    @property
    def is_average(self) -> bool:
        """Whether its name says that it is an average of weights over training (EMA, SWA)."""
        return any(word in self.name.lower() for word in _AVERAGE_WORDS)

    @property
    def is_current(self) -> bool:
        """Whether nothing says that it is another state of the network than that of the moment the file was written.

        Trainers put averages into their files, and the weights of the best epoch until then (`best_state`).
        """
        return not self.is_average and not any(word in self.name.lower() for word in _KEPT_WORDS)


def tensor_bytes(tensor: Tensor) -> bytes:
    """The values of a tensor in memory order of its shape."""
    if tensor.layout != torch.strided or tensor.is_quantized:
        tensor = tensor.to_dense() if not tensor.is_quantized else tensor.dequantize()
    tensor = tensor.resolve_conj().resolve_neg()  # views that a file may hold, and whose bytes are those of the other
    return tensor.contiguous().flatten().view(torch.uint8).numpy().tobytes() if tensor.numel() else b""
