"""The built-in CMGAN as an `Enhancer`: checkpoint in, enhanced audio out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from cmgan_audit.evaluation.checkpoints.named import Weights
from cmgan_audit.evaluation.checkpoints.reading import Checkpoint, open_file
from cmgan_audit.evaluation.checkpoints.weights import passed_over, pick_weights
from cmgan_audit.evaluation.models.cmgan.cores import on_few_cores
from cmgan_audit.evaluation.models.cmgan.network import TSCNet
from cmgan_audit.evaluation.models.cmgan.pipeline import OFFICIAL_CHUNK_SAMPLES, SpectralSettings, enhance_waveform
from cmgan_audit.evaluation.models.cmgan.sizes import MARKER, network_for
from cmgan_audit.evaluation.models.devices import open_device, ran_out_of_memory
from cmgan_audit.evaluation.models.enhancer import SAMPLE_RATE, ModelError, Samples
from cmgan_audit.finding import JsonValue

CODE_VERSION = 3
"""Raised whenever a change to network or pipeline can change the output: part of the identity of every result."""


class CmganEnhancer:
    """TSCNet with the weights of a checkpoint, and the spectral pipeline around it."""

    def __init__(
        self,
        network: TSCNet,
        settings: SpectralSettings,
        device: torch.device,
        checkpoint: Checkpoint,
        weights: Weights,
    ) -> None:
        self._network = network.to(device).eval()
        self._settings = settings
        self._device = device
        self._checkpoint = checkpoint
        self._weights = weights

    @property
    def identity(self) -> str:
        """Hex digest of tensor content, code version and settings of the pipeline."""
        parts = ["cmgan", CODE_VERSION, self._weights.digest, self._settings.as_json()]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def describe(self) -> Mapping[str, JsonValue]:
        """Model, file, epoch, size, device and settings."""
        return {
            "model": "cmgan",
            "path": str(self._checkpoint.path),
            "sha256": self._checkpoint.sha256,
            "weights": self._weights.name,
            "weights_digest": self._weights.digest,
            "passed_over": list[JsonValue](passed_over(self._checkpoint, MARKER, self._weights)),
            "epoch": self._checkpoint.epoch,
            "parameters": sum(parameter.numel() for parameter in self._network.parameters()),
            "device": str(self._device),
            "settings": self._settings.as_json(),
        }

    def enhance(self, noisy: Samples) -> Samples:
        """Enhance one utterance; see `Enhancer.enhance`."""
        if noisy.ndim != 1:
            raise ModelError(f"cmgan: one utterance has shape [samples], not {list(noisy.shape)}")
        enhanced: Samples = self.enhance_batch(noisy[None])[0]
        return enhanced

    def enhance_batch(self, noisy: Samples) -> Samples:
        """Enhance utterances of equal length; see `Enhancer.enhance_batch`."""
        if noisy.ndim != 2:
            raise ModelError(f"cmgan: a batch has shape [batch, samples], not {list(noisy.shape)}")
        try:
            with torch.inference_mode(), on_few_cores():
                samples = torch.from_numpy(np.ascontiguousarray(noisy, dtype=np.float32)).to(self._device)
                enhanced: Tensor = enhance_waveform(self._network, samples, self._settings)
                result: Samples = enhanced.cpu().numpy()
                return result
        except RuntimeError as error:
            raise ModelError(f"cmgan: {_failure(error, self._device, noisy.shape[1])}") from error

    def close(self) -> None:
        """Nothing to release: memory goes with the object."""


def open_cmgan(
    path: Path, *, device: str = "cpu", official_chunking: bool = False, weights: str | None = None
) -> CmganEnhancer:
    """Open a checkpoint of the generator; see `cmgan_audit.evaluation.models.open_checkpoint`."""
    place = open_device(device)
    checkpoint = open_file(path)
    chosen = pick_weights(checkpoint, MARKER, weights)
    network = network_for(chosen, path)
    n_fft = 2 * (network.sizes.features - 1)
    chunk = OFFICIAL_CHUNK_SAMPLES if official_chunking else None
    settings = SpectralSettings(n_fft=n_fft, hop=n_fft // 4, chunk_samples=chunk)
    return CmganEnhancer(network, settings, place, checkpoint, chosen)


def _failure(error: RuntimeError, device: torch.device, samples: int) -> str:
    """In one line, why PyTorch could not run a network; memory that ran out is told with what would help.

    Args:
        error: of a forward pass; PyTorch raises this class for everything, on every device.
        device: where it ran.
        samples: of audio that went in, at 16 kHz.
    """
    if not ran_out_of_memory(error):
        said = str(error).strip().partition("\n")[0]
        return f"failed on {device}: {said}"
    seconds = samples / SAMPLE_RATE
    helps = ["--device cpu"] if device.type == "cuda" else []
    helps += ["--segments 3x2s"] if seconds > 2 else []
    helps += ["--official-chunking"] if samples > OFFICIAL_CHUNK_SAMPLES else []
    advice = f"; what needs less: {', '.join(helps)}" if helps else ""
    return f"out of memory on {device} at an input of {seconds:.1f} s{advice}"
