"""LLR, WSS, segmental SNR and the composite measures of Hu and Loizou, on all frames of a pair at once.

Frames are 30 ms with 75 % overlap under a Hann window without its zero end points (Loizou, Speech Enhancement: Theory
and Practice, 2nd ed., ch. 11); the last frame that would fit is left out, as in the reference implementation. LLR and
WSS share one FFT per frame: the autocorrelation is the inverse transform of the power spectrum, exact because
the FFT is longer than the frame plus the highest lag.
"""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt

from cmgan_audit.evaluation.material.audio import SAMPLE_RATE, Signal
from cmgan_audit.lazy_dataclasses import dataclass

FRAME = 30 * SAMPLE_RATE // 1000
HOP = FRAME // 4
FFT = 1024  # the power of two at or above twice the frame
LPC_ORDER = 16  # for sampling rates of 10 kHz and more
KEPT_SHARE = 0.95  # the mean of LLR and WSS leaves out the 5 % worst frames
SSNR_LIMITS = (-10.0, 35.0)  # dB, per frame
ENERGY_FLOOR = 1e-10
KLATT_GLOBAL = 20.0  # weight constants of Klatt, ICASSP 1982, p. 1280
KLATT_LOCAL = 1.0
INT16_FULL_SCALE = 32768.0

# Centres and bandwidths in Hz of the 25 critical-band filters (Loizou, table of ch. 11; spacing after Klatt).
BAND_CENTRES = (
    *(50.0, 120.0, 190.0, 260.0, 330.0, 400.0, 470.0, 540.0, 617.372, 703.378, 798.717, 904.128, 1020.38),
    *(1148.30, 1288.72, 1442.54, 1610.70, 1794.16, 1993.93, 2211.08, 2446.71, 2701.97, 2978.04, 3276.17, 3597.63),
)
BAND_WIDTHS = (
    *(70.0, 70.0, 70.0, 70.0, 70.0, 70.0, 70.0, 77.3724, 86.0056, 95.3398, 105.411, 116.256, 127.914),
    *(140.423, 153.823, 168.154, 183.457, 199.776, 217.153, 235.631, 255.255, 276.072, 298.126, 321.465, 346.136),
)

Frames = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FrameMeasures:
    """Frame-based measures of a pair: mean LLR and mean WSS (both without the worst 5 %), segmental SNR in dB."""

    llr: float
    wss: float
    ssnr: float


def frame_measures(clean: Signal, estimate: Signal) -> FrameMeasures:
    """Compute LLR, WSS and segmental SNR of a pair of equal length, at the scale at which the signals come.

    Raises:
        ValueError: fewer than two frames.
    """
    frames_clean, frames_estimate = _windowed(clean), _windowed(estimate)
    if len(frames_clean) < 1:
        raise ValueError(f"{clean.size} samples are too few for frames of {FRAME}")
    power_clean, power_estimate = _power(frames_clean), _power(frames_estimate)
    return FrameMeasures(
        llr=_best_share_mean(_log_likelihood_ratio(power_clean, power_estimate)),
        wss=_best_share_mean(_weighted_spectral_slope(power_clean, power_estimate)),
        ssnr=float(np.mean(_frame_snr(frames_clean, frames_estimate))),
    )


def segmental_snr(clean: Signal, estimate: Signal) -> float:
    """Mean over frames of the SNR in dB, each frame limited to [-10, 35]."""
    return float(np.mean(_frame_snr(_windowed(clean), _windowed(estimate))))


def composite(measures: FrameMeasures, pesq: float) -> dict[str, float]:
    """CSIG, CBAK and COVL, limited to [1, 5] (Hu and Loizou 2008, regression coefficients of table VII)."""
    values = {
        "csig": 3.093 - 1.029 * measures.llr + 0.603 * pesq - 0.009 * measures.wss,
        "cbak": 1.634 + 0.478 * pesq - 0.007 * measures.wss + 0.063 * measures.ssnr,
        "covl": 1.594 + 0.805 * pesq - 0.512 * measures.llr - 0.007 * measures.wss,
    }
    return {name: float(min(5.0, max(1.0, value))) for name, value in values.items()}


def _windowed(signal: Signal) -> Frames:
    count = max(0, (signal.size - FRAME) // HOP)
    window = 0.5 * (1.0 - np.cos(2.0 * np.pi * np.arange(1, FRAME + 1) / (FRAME + 1)))
    if count == 0:
        return np.empty((0, FRAME))
    frames: Frames = np.lib.stride_tricks.sliding_window_view(signal, FRAME)[::HOP][:count] * window
    return frames


def _power(frames: Frames) -> Frames:
    spectrum = np.fft.rfft(frames, FFT, axis=1)
    power: Frames = spectrum.real**2 + spectrum.imag**2
    return power


def _best_share_mean(values: Frames) -> float:
    kept = round(values.size * KEPT_SHARE)
    return float(np.mean(np.sort(values)[:kept]))


def _frame_snr(clean: Frames, estimate: Frames) -> Frames:
    eps = float(np.spacing(1.0))
    signal = np.einsum("ij,ij->i", clean, clean)
    difference = clean - estimate
    noise = np.einsum("ij,ij->i", difference, difference)
    limited: Frames = np.clip(10.0 * np.log10(signal / (noise + eps) + eps), *SSNR_LIMITS)
    return limited


def _log_likelihood_ratio(power_clean: Frames, power_estimate: Frames) -> Frames:
    """log(a_e R_c a_e / a_c R_c a_c) per frame: how much worse the estimate's predictor fits the clean frame."""
    lags_clean, lags_estimate = _autocorrelation(power_clean), _autocorrelation(power_estimate)
    error_estimate = _prediction_error(_predictor(lags_estimate), lags_clean)
    error_clean = _prediction_error(_predictor(lags_clean), lags_clean)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio: Frames = np.log(error_estimate / error_clean)
    return ratio


def _autocorrelation(power: Frames) -> Frames:
    lags: Frames = np.fft.irfft(power, FFT, axis=1)[:, : LPC_ORDER + 1]
    return lags


def _predictor(lags: Frames) -> Frames:
    """Levinson-Durbin recursion on all frames at once; returns [frames, LPC_ORDER + 1] with a leading one."""
    frames = lags.shape[0]
    coefficients = np.zeros((frames, LPC_ORDER + 1))
    coefficients[:, 0] = 1.0
    error = lags[:, 0].copy()
    with np.errstate(divide="ignore", invalid="ignore"):
        for order in range(1, LPC_ORDER + 1):
            past = coefficients[:, :order]
            reflection = -np.einsum("ij,ij->i", past, lags[:, order:0:-1]) / error
            coefficients[:, 1 : order + 1] += reflection[:, None] * past[:, ::-1]
            error = error * (1.0 - reflection**2)
    return coefficients


def _prediction_error(predictor: Frames, lags: Frames) -> Frames:
    """The quadratic form a R a of a Toeplitz matrix given by its lags."""
    indices = np.abs(np.subtract.outer(np.arange(LPC_ORDER + 1), np.arange(LPC_ORDER + 1)))
    rows = np.matmul(predictor[:, None, :], lags[:, indices])[:, 0, :]
    form: Frames = np.einsum("ij,ij->i", rows, predictor)
    return form


@functools.cache
def _critical_bands() -> Frames:
    """Gaussian filters on the bins 0 .. FFT/2 - 1, each cut below -30 dB; shape [25, FFT / 2]."""
    bins = FFT // 2
    centres = np.floor(np.array(BAND_CENTRES) / (SAMPLE_RATE / 2) * bins)
    widths = np.array(BAND_WIDTHS) / (SAMPLE_RATE / 2) * bins
    normalisation = np.log(BAND_WIDTHS[0] / np.array(BAND_WIDTHS))
    exponent = -11.0 * ((np.arange(bins) - centres[:, None]) / widths[:, None]) ** 2 + normalisation[:, None]
    bands = np.exp(exponent)
    bands[bands <= np.exp(-30.0 / (2.0 * 2.303))] = 0.0
    return bands


def _band_energies(power: Frames) -> Frames:
    energy = (power[:, : FFT // 2] / INT16_FULL_SCALE**2) @ _critical_bands().T
    decibel: Frames = 10.0 * np.log10(np.maximum(energy, ENERGY_FLOOR))
    return decibel


def _nearest_peak(energy: Frames, slope: Frames) -> Frames:
    """Energy of the peak next to each band: to the right where the spectrum rises, to the left where it falls."""
    bands = slope.shape[1]
    rises = slope > 0
    right = np.empty(slope.shape, dtype=np.intp)
    left = np.empty(slope.shape, dtype=np.intp)
    ahead = np.full(slope.shape[0], bands)
    for band in range(bands - 1, -1, -1):
        ahead = np.where(rises[:, band], ahead, band)
        right[:, band] = ahead
    behind = np.full(slope.shape[0], -1)
    for band in range(bands):
        behind = np.where(rises[:, band], band, behind)
        left[:, band] = behind
    # The reference implementation takes the band before the end of a rise and the band after the end of a fall.
    return np.take_along_axis(energy, np.where(rises, right - 1, left + 1), axis=1)


def _slope_weights(energy: Frames, slope: Frames) -> Frames:
    """Klatt's weights: near 1 at spectral peaks, small in valleys."""
    bands = energy[:, :-1]
    highest = energy.max(axis=1, keepdims=True)
    weights: Frames = (KLATT_GLOBAL / (KLATT_GLOBAL + highest - bands)) * (
        KLATT_LOCAL / (KLATT_LOCAL + _nearest_peak(energy, slope) - bands)
    )
    return weights


def _weighted_spectral_slope(power_clean: Frames, power_estimate: Frames) -> Frames:
    energy_clean, energy_estimate = _band_energies(power_clean), _band_energies(power_estimate)
    slope_clean, slope_estimate = np.diff(energy_clean, axis=1), np.diff(energy_estimate, axis=1)
    weights = (_slope_weights(energy_clean, slope_clean) + _slope_weights(energy_estimate, slope_estimate)) / 2.0
    distance: Frames = np.einsum("ij,ij->i", weights, (slope_clean - slope_estimate) ** 2) / weights.sum(axis=1)
    return distance
