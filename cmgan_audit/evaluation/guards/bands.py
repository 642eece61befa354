"""What of the band above 4 kHz, where speech at 8 kHz ends, an output has kept of its reference."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from cmgan_audit.evaluation.material.audio import SAMPLE_RATE, Signal

FRAME = 1024
FREQUENCIES = np.fft.rfftfreq(FRAME, 1.0 / SAMPLE_RATE)
BELOW = (2800.0, 3600.0)
# From 5 kHz on: a short resampling filter leaves images just above 4 kHz, and not more than these.
ABOVE = tuple((low, low + 500.0) for low in (5000.0, 5500.0, 6000.0, 6500.0, 7000.0))
# Of the reference's energy; a band with less holds no speech that could be missing. The strongest of these bands of 14
# utterances has 1e-4 to 5e-3. In speech that ended at 4 kHz what 8 bits a sample or mu-law add has 1e-5 to 8e-5.
HEARD = 1e-4
NOTHING = 1e-20

Spectrum = npt.NDArray[np.float64]


def upper_band(clean: Signal, estimate: Signal) -> float | None:
    """By how many dB an output has more of its reference above 5 kHz than it has from 2.8 to 3.6 kHz.

    Of bands of 500 Hz that counts which is kept best. Outputs of networks, and noisy recordings, stay within some dB of
    0; what went through a sample rate of 8 kHz is 25 dB below and less. None where the reference has nothing there.
    """
    if clean.size < FRAME:
        return None
    reference, output = _spectrum(clean), _spectrum(estimate)
    heard = [band for band in ABOVE if _energy(reference, band) > HEARD * float(reference.sum())]
    between = _share(reference, output, BELOW)
    if not heard or between < NOTHING:
        return None
    kept = max(_share(reference, output, band) for band in heard)
    return 10.0 * math.log10(max(kept, NOTHING) / between)


def _spectrum(signal: Signal) -> Spectrum:
    frames = signal[: signal.size - signal.size % FRAME].reshape(-1, FRAME)
    total = np.zeros(FREQUENCIES.size)
    for part in np.array_split(frames, -(-len(frames) // FRAME)):  # a recording of an hour, too, in little memory
        total += np.sum(np.abs(np.fft.rfft(part * np.hanning(FRAME), axis=1)) ** 2, axis=0)
    return total


def _energy(spectrum: Spectrum, band: tuple[float, float]) -> float:
    return float(spectrum[(band[0] <= FREQUENCIES) & (band[1] > FREQUENCIES)].sum())


def _share(reference: Spectrum, output: Spectrum, band: tuple[float, float]) -> float:
    energy = _energy(reference, band)
    return _energy(output, band) / energy if energy > 0.0 else 0.0
