"""Facts of one output signal that the guards judge: length, level, clipping, wrap-around, delay, what it is a copy of.

Facts say what a signal is; `guards.py` says what that means. They are kept in the store beside the scores, so that a
second run, which runs no model, still sees them.
"""

from __future__ import annotations

import hashlib
import math

import numpy as np

from cmgan_audit.evaluation.guards.bands import upper_band
from cmgan_audit.evaluation.guards.delays import lag_and_gain
from cmgan_audit.evaluation.material.audio import SAMPLE_RATE, Signal
from cmgan_audit.evaluation.metrics.scoring import si_sdr, unusable
from cmgan_audit.lazy_dataclasses import dataclass

FACTS_VERSION = 8
COPY_SI_SDR = 50.0  # dB: a copy up to its level; 16-bit rounding alone leaves about 60 dB on quiet speech
IDENTICAL = 200.0  # dB, more than double precision tells apart
FLAT_RUN = 3  # samples in a row at the extreme value: a cut-off peak, not a peak
# From one sample to the next, of a full range of 2.0, with a change of sign; loud sibilants reach 1.4 by themselves.
WRAP_JUMP = 1.5
FLOOR_FRAME = SAMPLE_RATE // 50


@dataclass(frozen=True, slots=True)
class SignalFacts:
    """What one output looks like beside its clean reference and its noisy input.

    Attributes:
        digest: of the samples as float32, for noticing identical outputs.
        samples: its length; `expected` is the reference's.
        peak: largest absolute value; full scale is 1.0.
        clipped: samples in flat runs at the extreme values, or beyond full scale.
        wraps: jumps through the full range, as int16 overflow makes them.
        lag: samples by which it is late against the reference (negative: early); None where it cannot be told.
        gain: of the reference in it, found at that lag; below 0 where it is upside down; None where `lag` is.
        offset: its mean, in units of the reference's effective value; None for a fault.
        values: how many different values its samples have; 0 for a fault.
        reference_values: the same of the clean reference.
        copy_of: "noisy" or "clean" where it is that signal up to a gain, else "".
        copy_margin: dB by which it is closer to that signal than noisy and clean are to each other; no more than 200,
            and 0 where they are one recording.
        upper_band_db: dB by which it has less (below 0) or more of the reference above 4 kHz than below (see `bands`).
        floor_db: level of its quietest tenth of frames against its whole level, in dB; None for silence.
        reference_floor_db: the same of the clean reference.
        fault: status that every metric gives this output ("length_mismatch", ...), "" for a usable one.
        fault_detail: the fault in words.
    """

    digest: str
    samples: int
    expected: int
    peak: float | None
    clipped: int
    wraps: int
    lag: int | None
    copy_of: str
    floor_db: float | None
    reference_floor_db: float | None
    gain: float | None = None
    offset: float | None = None
    values: int = 0
    reference_values: int = 0
    copy_margin: float = 0.0
    upper_band_db: float | None = None
    fault: str = ""
    fault_detail: str = ""


def signal_facts(clean: Signal, noisy: Signal, estimate: Signal) -> SignalFacts:
    """Collect the facts of an output; signals are float64 [samples] at 16 kHz, the output may be broken in any way."""
    digest = hashlib.sha256(estimate.astype(np.float32).tobytes()).hexdigest()
    fault = unusable(clean, estimate)
    if fault is not None:
        finite = estimate[np.isfinite(estimate)]
        return SignalFacts(
            digest=digest,
            samples=estimate.size,
            expected=clean.size,
            peak=float(np.abs(finite).max()) if finite.size else None,
            clipped=0,
            wraps=0,
            lag=None,
            copy_of="",
            floor_db=None,
            reference_floor_db=None,
            fault=fault.status.value,
            fault_detail=fault.detail,
        )
    lag, gain = lag_and_gain(clean, estimate)
    copy_of = _copy_of(clean, noisy, estimate)
    return SignalFacts(
        digest=digest,
        samples=estimate.size,
        expected=clean.size,
        peak=float(np.abs(estimate).max()),
        clipped=_clipped(estimate),
        wraps=_wraps(estimate),
        lag=lag,
        copy_of=copy_of,
        floor_db=_floor(estimate),
        reference_floor_db=_floor(clean),
        gain=gain,
        offset=float(estimate.mean()) / math.sqrt(float(np.mean(clean**2))),
        values=np.unique(estimate).size,
        reference_values=np.unique(clean).size,
        copy_margin=_copy_margin(clean, noisy, noisy if copy_of == "noisy" else clean, estimate) if copy_of else 0.0,
        upper_band_db=upper_band(clean, estimate),
    )


def _clipped(signal: Signal) -> int:
    beyond = int(np.count_nonzero(np.abs(signal) > 1.0))
    return max(beyond, sum(_in_flat_runs(signal, extreme) for extreme in (signal.max(), signal.min())))


def _in_flat_runs(signal: Signal, extreme: np.float64) -> int:
    """Samples in runs at an extreme value."""
    if abs(extreme) < 0.1:  # the largest steps of a quiet recording repeat by chance
        return 0
    at_extreme = np.concatenate(([False], signal == extreme, [False]))
    edges = np.flatnonzero(np.diff(at_extreme.astype(np.int8)))
    runs = edges[1::2] - edges[::2]
    return int(runs[runs >= FLAT_RUN].sum())


def _wraps(signal: Signal) -> int:
    # Of samples beyond full scale (a float file on the scale of int16) the range is what they reach.
    scaled = signal / max(1.0, float(np.abs(signal).max()))
    before, after = scaled[:-1], scaled[1:]
    jump = (np.abs(after - before) > WRAP_JUMP) & (np.minimum(np.abs(before), np.abs(after)) > WRAP_JUMP / 3)
    wraps = int(np.count_nonzero(jump & (before * after < 0)))
    # A loud signal that is cut off swings through the full range as well, but it stays at its limits for much longer;
    # one that wraps around does not stay there at all.
    flat = sum(_in_flat_runs(signal, extreme) for extreme in (signal.max(), signal.min())) if wraps else 0
    return wraps if wraps > flat else 0


def _copy_of(clean: Signal, noisy: Signal, estimate: Signal) -> str:
    # The clean side first: where noisy and clean are the same recording, the output is no better than its reference.
    for name, other in (("clean", clean), ("noisy", noisy)):
        if other.size == estimate.size and np.ptp(other) > 0 and si_sdr(other, estimate) >= COPY_SI_SDR:
            return name
    return ""


def _copy_margin(clean: Signal, noisy: Signal, original: Signal, estimate: Signal) -> float:
    between = si_sdr(clean, noisy) if noisy.size == clean.size and np.ptp(noisy) > 0 else -math.inf
    return 0.0 if between == math.inf else min(si_sdr(original, estimate) - between, IDENTICAL)


def _floor(signal: Signal) -> float | None:
    frames = signal[: signal.size - signal.size % FLOOR_FRAME].reshape(-1, FLOOR_FRAME)
    total = float(np.mean(signal**2))
    if not len(frames) or total == 0.0:
        return None
    quiet = float(np.quantile(np.mean(frames**2, axis=1), 0.1))
    return 10.0 * math.log10(max(quiet, 1e-12) / total)
