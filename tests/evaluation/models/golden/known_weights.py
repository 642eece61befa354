"""Weights and inputs that every machine makes alike: raw output of PCG64, whose stream NumPy guarantees."""

from __future__ import annotations

import math
import zlib
from typing import Any

import numpy as np
import torch

SIZES = {"small": 8, "full": 64}
FRAMES = 24
SAMPLES = 39_989  # not whole hops; filled up to 40,000 it splits into pieces of whole hops, which the original needs
CHUNK = 16_000


def uniform(seed: str, shape: tuple[int, ...]) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Values in [-1, 1)."""
    bits = np.random.PCG64(zlib.crc32(seed.encode())).random_raw(math.prod(shape))
    return ((bits >> np.uint64(11)) * 2.0**-52 - 1.0).astype(np.float32).reshape(shape)


def known_state(network: torch.nn.Module) -> dict[str, torch.Tensor]:
    """A value for every tensor of a network, such that no part is idle and nothing explodes."""
    state = {}
    for name, tensor in network.state_dict().items():
        if not tensor.is_floating_point():
            state[name] = tensor
            continue
        value = uniform(name, tuple(tensor.shape))
        if name.endswith("running_var"):
            value = 1.0 + 0.5 * value
        elif tensor.ndim >= 2 and "rel_pos_emb" not in name:
            value *= 1.7 / math.sqrt(math.prod(tensor.shape[1:]))
        elif name.endswith("weight"):
            value = 0.8 + 0.4 * value if "prelu" not in name else 0.3 * value
        else:
            value *= 0.3
        state[name] = torch.from_numpy(np.asarray(value, dtype=np.float32))
    return state


def known_spectrum() -> torch.Tensor:
    """A compressed spectrum: [1, 2, frames, 201]."""
    return torch.from_numpy(uniform("spectrum", (1, 2, FRAMES, 201)) * 1.5)


def known_waveform() -> np.ndarray[Any, np.dtype[np.float32]]:
    """Noise whose level rises and falls: [samples]."""
    envelope = 0.05 + 0.04 * np.sin(np.arange(SAMPLES, dtype=np.float64) / 1500.0)
    return (uniform("waveform", (SAMPLES,)) * envelope).astype(np.float32)
