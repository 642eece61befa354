"""The spectral pipeline around CMGAN: level, power-compressed spectrum, network, and back (arXiv:2209.11112, III).

The steps and their constants are those of the published evaluation, so that scores can be compared with it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict

import torch
from torch import Tensor
from torch.nn import functional as F

from cmgan_audit.evaluation.models.enhancer import SAMPLE_RATE
from cmgan_audit.finding import JsonValue
from cmgan_audit.lazy_dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SpectralSettings:
    """What decides the pipeline's output, besides the network.

    Attributes:
        n_fft: window and transform length in samples.
        hop: step between frames in samples.
        compression: exponent of the magnitude.
        chunk_samples: cut longer inputs into equal pieces that do not see each other, as the published evaluation
            does above 16 s; None enhances every input whole.
    """

    n_fft: int = 400
    hop: int = 100
    compression: float = 0.3
    chunk_samples: int | None = None

    def as_json(self) -> dict[str, JsonValue]:
        """The settings by name."""
        return asdict(self)


OFFICIAL_CHUNK_SAMPLES = 16 * SAMPLE_RATE


def compress(spectrum: Tensor, exponent: float) -> Tensor:
    """Complex [batch, frequency, time] -> real [batch, 2, time, frequency] with magnitudes to the given power."""
    magnitude = spectrum.abs()
    # x * |x|^(p - 1) has magnitude |x|^p and the phase of x; at 0 it is 0.
    gain = torch.where(magnitude > 0, magnitude.clamp_min(torch.finfo(magnitude.dtype).tiny) ** (exponent - 1), 0.0)
    return torch.view_as_real(spectrum * gain).permute(0, 3, 2, 1)


def expand(spectrum: Tensor, exponent: float) -> Tensor:
    """Undo `compress`: real [batch, 2, time, frequency] -> complex [batch, frequency, time]."""
    values = torch.view_as_complex(spectrum.permute(0, 3, 2, 1).contiguous())
    return values * values.abs() ** (1 / exponent - 1)


def chunk_count(samples: int, settings: SpectralSettings) -> int:
    """Into how many equal pieces an input of whole hops is cut: a divisor of the hop, as published."""
    if settings.chunk_samples is None or samples <= settings.chunk_samples:
        return 1
    count = math.ceil(samples / settings.chunk_samples)
    divided = settings.hop if count <= settings.hop else samples
    while divided % count:
        count += 1
    return count


def enhance_waveform(network: Callable[[Tensor], Tensor], noisy: Tensor, settings: SpectralSettings) -> Tensor:
    """Enhance waveforms of equal length with a network on compressed spectra.

    Args:
        network: [batch, 2, time, frequency] -> the same shape.
        noisy: [batch, samples] at 16 kHz; less than half a window is filled up with silence.
        settings: of the transform.

    Returns:
        [batch, samples] at the level of the input: each utterance is scaled to unit power for the network, and back.
    """
    batch, length = noisy.shape
    shortest = settings.n_fft // 2 + 1  # the transform mirrors half a window at both ends
    if length < shortest:
        return enhance_waveform(network, F.pad(noisy, (0, shortest - length)), settings)[:, :length]
    power = noisy.square().mean(dim=1, keepdim=True)
    gain = torch.where(power > 0, power.rsqrt(), 1.0)
    padding = -length % settings.hop
    scaled = noisy * gain
    scaled = torch.cat([scaled, scaled[:, :padding]], dim=1)  # filled up with its own beginning, as published
    pieces = chunk_count(scaled.shape[1], settings)
    scaled = scaled.reshape(batch * pieces, -1)

    window = torch.hamming_window(settings.n_fft, device=noisy.device)
    spectrum = torch.stft(scaled, settings.n_fft, settings.hop, window=window, return_complex=True)
    enhanced = expand(network(compress(spectrum, settings.compression)), settings.compression)
    samples = torch.istft(enhanced, settings.n_fft, settings.hop, window=window, length=scaled.shape[1])
    return samples.reshape(batch, -1)[:, :length] / gain
