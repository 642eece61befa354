"""In the child: an ONNX graph, run by onnxruntime."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime

from cmgan_audit.evaluation.models.enhancer import DeviceError, ModelError, Samples


def graph_runner(path: Path, device: str) -> Callable[[Samples], object]:
    """A graph as a function of one utterance.

    A graph of one input of two axes is waveform in, waveform out ([batch, samples]); one of four axes stands in the
    `cmgan` pipeline ([batch, 2, time, frequency], result of the same shape or as real and imaginary part).

    Args:
        path: the .onnx file.
        device: `cpu`, `cuda` or `cuda:N`.

    Raises:
        ModelError: the graph has other inputs, or the device is not there.
        DeviceError: the device is none.
    """
    wanted, settings = _provider(device)
    if wanted not in onnxruntime.get_available_providers():
        raise ModelError(
            f"onnxruntime has no {wanted} here; it has: {', '.join(onnxruntime.get_available_providers())}"
        )
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors only; they are raised anyway
    session = onnxruntime.InferenceSession(str(path), options, providers=[(wanted, settings)])
    if session.get_providers()[0] != wanted:  # libraries of CUDA are missing: onnxruntime goes on with the CPU
        raise ModelError(f"onnxruntime could not start its {wanted} for --device {device}; use --device cpu")
    inputs = session.get_inputs()
    if len(inputs) != 1 or inputs[0].type != "tensor(float)" or len(inputs[0].shape) not in (2, 4):
        had = "; ".join(f"{each.name}: {each.type} {each.shape}" for each in inputs)
        raise ModelError(
            f"the graph must have one float input [batch, samples] or [batch, 2, time, frequency], not {had}"
        )
    name, axes = inputs[0].name, len(inputs[0].shape)
    if axes == 4:
        return _spectral(lambda spectrum: session.run(None, {name: spectrum}))

    def run(noisy: Samples) -> object:
        result = session.run(None, {name: noisy[None]})[0]
        if result.ndim != 2 or len(result) != 1:
            raise ModelError(f"the graph returned shape {list(result.shape)} for [1, {len(noisy)}]: [batch, samples]")
        return result[0]

    return run


def _provider(device: str) -> tuple[str, dict[str, str]]:
    """What onnxruntime calls a device, and its settings: as everywhere, TF32 rounding is off."""
    if device == "cpu":
        return "CPUExecutionProvider", {}
    match = re.fullmatch(r"cuda(?::(\d+))?", device)
    if match is None:
        raise DeviceError(f"--device {device}: not a device; use cpu, cuda or cuda:N")
    return "CUDAExecutionProvider", {"device_id": match[1] or "0", "use_tf32": "0"}


def _spectral(graph: Callable[[Samples], list[Samples]]) -> Callable[[Samples], object]:
    import torch

    from cmgan_audit.evaluation.models.hosted.networks import network_runner

    class Graph(torch.nn.Module):
        """The graph where the pipeline expects a network."""

        def forward(self, spectrum: torch.Tensor) -> object:
            parts = [torch.from_numpy(part) for part in graph(np.ascontiguousarray(spectrum.numpy()))]
            return parts[0] if len(parts) == 1 else tuple(parts)

    return network_runner(Graph(), "cmgan", {}, "cpu")
