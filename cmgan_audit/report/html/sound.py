"""Audio and spectrograms as `data:` addresses."""

from __future__ import annotations

import base64
import io

import numpy as np

from cmgan_audit.evaluation.material.audio import SAMPLE_RATE, Signal

WINDOW = 512
WIDTH, HEIGHT = 360, 128  # pixels of a spectrogram
RANGE_DB = 70.0
SHADES = 48


def flac(signal: Signal) -> str:
    """The signal as 16-bit FLAC; what lies beyond full scale is clipped, as a player would."""
    import soundfile

    stream = io.BytesIO()
    samples = np.clip(np.round(signal * 32768.0), -32768, 32767).astype(np.int16)
    soundfile.write(stream, samples, SAMPLE_RATE, format="FLAC", subtype="PCM_16")
    return _address("audio/flac", stream.getvalue())


def spectrum_peak(signal: Signal) -> float:
    """The highest level in a signal's spectrogram, in dB: the upper end of the scale that its pictures share."""
    return float(_levels(signal).max())


def spectrogram(signal: Signal, samples: int, peak: float) -> str:
    """A picture of a signal: time to the right, 0 to 8 kHz upwards, the 70 dB below `peak` from dark to light.

    Args:
        signal: at 16 kHz.
        samples: length that the width of the picture stands for; a shorter signal leaves the rest dark.
        peak: level that is lightest, in dB.
    """
    from matplotlib import colormaps
    from PIL import Image

    levels = _levels(np.pad(signal, (0, max(0, samples - signal.size)))[:samples])
    # The mean of the power over the cells that fall on a pixel, not one of them: noise looks like noise.
    power = _shrunk(_shrunk(10.0 ** (levels / 10.0), HEIGHT, axis=0), WIDTH, axis=1)
    scaled = (10.0 * np.log10(power) - peak + RANGE_DB) / RANGE_DB
    shades = np.clip(np.round(scaled * (SHADES - 1)), 0, SHADES - 1).astype(np.uint8)[::-1]
    picture = Image.fromarray(shades)
    palette = np.round(255 * np.asarray(colormaps["magma"](np.linspace(0, 1, SHADES)))[:, :3]).astype(np.uint8)
    picture.putpalette(palette.tobytes())
    stream = io.BytesIO()
    picture.save(stream, format="PNG", optimize=True)
    return _address("image/png", stream.getvalue())


def _levels(signal: Signal) -> Signal:
    """Power in dB, shape [WINDOW / 2, frames]: Hann windows, half overlapped twice."""
    hop = max(WINDOW // 4, 1)
    padded = np.pad(signal, (WINDOW // 2, WINDOW))
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::hop] * np.hanning(WINDOW)
    power = np.abs(np.fft.rfft(frames, axis=1)[:, 1:].T) ** 2
    levels: Signal = 10.0 * np.log10(np.maximum(power, 1e-12))
    return levels


def _shrunk(values: Signal, size: int, axis: int) -> Signal:
    """The mean over `size` equal parts along an axis; an axis that is not longer is stretched by repeating."""
    edges = np.linspace(0, values.shape[axis], size + 1)
    begins = np.minimum(edges[:-1].astype(np.intp), values.shape[axis] - 1)
    if values.shape[axis] <= size:
        repeated: Signal = np.take(values, begins, axis=axis)
        return repeated
    sizes = np.diff(np.append(begins, values.shape[axis]))
    sums = np.add.reduceat(values, begins, axis=axis)
    shape = [1, 1]
    shape[axis] = size
    means: Signal = sums / sizes.reshape(shape)
    return means


def _address(kind: str, body: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(body).decode()}"
