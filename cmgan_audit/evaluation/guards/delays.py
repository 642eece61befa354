"""How late an output is against its clean reference, and how loud the reference is in it."""

from __future__ import annotations

import math

import numpy as np

from cmgan_audit.evaluation.material.audio import SAMPLE_RATE, Signal

MAX_LAG = SAMPLE_RATE // 4  # delays are looked for up to 250 ms
# Where none is found, up to a second: a buffer that was not taken off. Of so many places some fit better by chance.
FAR_LAG = SAMPLE_RATE
HEARD, HEARD_FAR = 0.3, 0.5  # correlation below which the place of the maximum says nothing about a delay
# Last at any distance at which so much of both is left to compare. Measured on 14 utterances of a speaker: at its own
# place speech reached 0.79 and more with a noisy recording 1.1 to 3 s late, elsewhere speech of others 0.31 at most.
LEAST_OVERLAP = SAMPLE_RATE
LEAST_SHARE = 0.1  # of the energy of either: pauses resemble each other
LOWEST_HZ = 200.0  # hum, rumble and offsets are alike in recordings of different speech


def lag_and_gain(clean: Signal, estimate: Signal) -> tuple[int, float] | tuple[None, None]:
    """Samples by which an output is late (negative: early), and the gain of the reference in it; None: not heard.

    Args:
        clean: the reference, not silent.
        estimate: an output of the same length, not silent.
    """
    from scipy.fft import irfft, next_fast_len, rfft

    energy = math.sqrt(float(np.dot(clean, clean)) * float(np.dot(estimate, estimate)))
    for longest, least in ((MAX_LAG, HEARD), (FAR_LAG, HEARD_FAR)):
        size = next_fast_len(clean.size + longest, real=True)
        correlation = irfft(rfft(estimate, size) * np.conj(rfft(clean, size)), size)
        reach = min(longest, clean.size - 1)
        window = np.concatenate((correlation[-reach:], correlation[: reach + 1]))
        best = int(np.argmax(np.abs(window)))
        if abs(window[best]) > least * energy:
            return best - reach, float(window[best]) / float(np.dot(clean, clean))
    return _far_apart(clean, estimate)


def _far_apart(clean: Signal, estimate: Signal) -> tuple[int, float] | tuple[None, None]:
    """The same at any distance, judged by the stretches that lie upon each other: most of the speech may be cut off."""
    from scipy.fft import irfft, next_fast_len, rfft

    length = clean.size
    reach = length - LEAST_OVERLAP
    if reach <= FAR_LAG:
        return None, None
    size = next_fast_len(2 * length, real=True)
    spectra = [rfft(signal, size) for signal in (clean, estimate)]
    for spectrum in spectra:
        spectrum[: math.ceil(LOWEST_HZ * size / SAMPLE_RATE)] = 0.0
    ours, theirs = (np.concatenate(([0.0], np.cumsum(irfft(spectrum, size)[:length] ** 2))) for spectrum in spectra)
    if not (ours[-1] > 0.0 and theirs[-1] > 0.0):
        return None, None
    correlation = irfft(spectra[1] * np.conj(spectra[0]), size)
    lags = np.arange(-reach, reach + 1)
    away = np.abs(lags)
    # Late: the beginning of the reference lies upon the end of the output; early: the other way round.
    own = np.where(lags > 0, ours[length - away], ours[-1] - ours[away])
    other = np.where(lags > 0, theirs[-1] - theirs[away], theirs[length - away])
    common = np.maximum(own, LEAST_SHARE * ours[-1]) * np.maximum(other, LEAST_SHARE * theirs[-1])
    alike = np.abs(correlation[lags]) / np.sqrt(common)
    best = int(np.argmax(alike))
    if alike[best] <= HEARD_FAR:
        return None, None
    return int(lags[best]), float(correlation[lags[best]] / own[best])
