"""In the child: a PyTorch network and a named pipeline as one function of samples."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields

import numpy as np
import torch
from torch import Tensor, nn

from cmgan_audit.evaluation.models.cmgan.pipeline import SpectralSettings, enhance_waveform
from cmgan_audit.evaluation.models.devices import open_device, ran_out_of_memory
from cmgan_audit.evaluation.models.enhancer import ModelError, Samples

FACTORY = "code of your own around it goes into a factory (--model FILE.py:factory, docs/models.md)"


def network_runner(
    network: object, pipeline: str, settings: Mapping[str, object], device: str
) -> Callable[[Samples], object]:
    """A network in a pipeline.

    Args:
        network: for `cmgan` it takes a compressed spectrum [batch, 2, time, frequency] and returns the same shape or
            a pair (real, imaginary) of [batch, 1, time, frequency]; for `waveform` [batch, samples] to the same.
        pipeline: `cmgan` or `waveform`.
        settings: of the pipeline; `cmgan` knows the fields of SpectralSettings.
        device: where it runs.

    Raises:
        ModelError: it is no network, or a setting is unknown.
    """
    if not isinstance(network, nn.Module):
        raise ModelError(f"a {type(network).__name__} where a torch.nn.Module is expected")
    place = open_device(device)
    network.to(place).eval()
    known = {field.name for field in fields(SpectralSettings)} if pipeline == "cmgan" else set()
    unknown = [name for name in settings if name not in known]
    if unknown:
        raise ModelError(
            f"pipeline {pipeline} has no setting {unknown[0]}; it has: {', '.join(sorted(known)) or 'none'}"
        )
    spectral = SpectralSettings(**settings)  # type: ignore[arg-type]

    def given(data: Tensor, what: str, other: str) -> object:
        try:
            return network(data)
        except (RuntimeError, TypeError, ValueError, IndexError, AssertionError) as error:
            error.add_note(f"the pipeline `{pipeline}` gave it a {what} of shape {list(data.shape)}")
            if not ran_out_of_memory(error):
                error.add_note(f"the other one is `{other}`")
            raise

    def on_spectrum(spectrum: Tensor) -> Tensor:
        result = given(spectrum, "spectrum", "waveform")
        if isinstance(result, tuple | list) and len(result) == 2:
            result = torch.cat([part.reshape(len(spectrum), 1, *spectrum.shape[2:]) for part in result], dim=1)
        if not isinstance(result, Tensor) or result.shape != spectrum.shape:
            raise ModelError(
                f"the network returned {_shape(result)} for a spectrum of shape {list(spectrum.shape)}; the pipeline "
                f"`cmgan` expects the same shape, or real and imaginary part; {FACTORY}"
            )
        return result.float()

    def run(noisy: Samples) -> object:
        with torch.inference_mode():
            samples = torch.from_numpy(np.array(noisy))[None].to(place)
            if pipeline == "cmgan":
                return enhance_waveform(on_spectrum, samples, spectral)[0]
            result = _only_waveform(given(samples, "waveform", "cmgan"), samples)
            if not isinstance(result, Tensor):
                raise ModelError(
                    f"the network returned {_shape(result)}, where a tensor [batch, samples] is expected; {FACTORY}"
                )
            if result.ndim == 3 and result.shape[1] == 1:
                result = result[:, 0]
            if result.ndim != 2 or len(result) != 1:
                raise ModelError(f"the network returned {_shape(result)} for {list(samples.shape)}: [batch, samples]")
            return result[0].float()  # as in the other pipeline: a network in half precision, or in double

    return run


def _only_waveform(result: object, samples: Tensor) -> object:
    """Of several values (a spectrum, a mask, the waveform) the one that can be the enhanced utterance, if one can.

    It may be of whole frames, which is judged later; what differs by half the length is something else. Beside one of
    just the length no other counts: half a spectrum of the utterance is a little longer than half of it.
    """
    values = tuple(result.values()) if isinstance(result, Mapping) else result
    if not isinstance(values, tuple | list):
        return result
    length = samples.shape[-1]
    waves = [one for one in values if isinstance(one, Tensor) and one.ndim and one.numel() == one.shape[-1]]
    equal = [one for one in waves if one.numel() == length]
    fitting = equal or [one for one in waves if 2 * abs(one.numel() - length) < length]
    return fitting[0] if len(fitting) == 1 else result


def _shape(result: object) -> str:
    if isinstance(result, Tensor):
        return f"shape {list(result.shape)}"
    if isinstance(result, Mapping):
        return f"{len(result)} values ({', '.join(f'{name}: {_shape(part)}' for name, part in result.items())})"
    if isinstance(result, tuple | list):
        return f"{len(result)} values ({', '.join(_shape(part) for part in result[:4])})"
    return type(result).__name__
