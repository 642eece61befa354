"""Several metrics on one pair of signals, each with a value or a typed failure. Runs inside the metric workers."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable

import numpy as np

from cmgan_audit.evaluation.material.audio import SAMPLE_RATE, Signal
from cmgan_audit.evaluation.metrics.registry import CompositeScale, MetricScore, Status

INT16_FULL_SCALE = 32768.0
DECIMALS = 9
COMPOSITES = ("csig", "cbak", "covl")
# An output that moves by less than two steps of 16-bit audio holds no speech.
DEAD_PEAK_TO_PEAK = 2.0 / INT16_FULL_SCALE


def unusable(clean: Signal, estimate: Signal) -> MetricScore | None:
    """Why a pair can be scored by no metric, or None: length, NaN / Inf, silence. Checked before any number."""
    if estimate.size != clean.size:
        detail = f"the output has {estimate.size} samples, the reference {clean.size}"
        return MetricScore(Status.LENGTH_MISMATCH, detail=detail)
    broken = int(np.count_nonzero(~np.isfinite(estimate)))
    if broken:
        return MetricScore(Status.NOT_FINITE, detail=f"{broken} of {estimate.size} samples are NaN or infinite")
    if float(np.ptp(estimate)) < DEAD_PEAK_TO_PEAK:
        return MetricScore(Status.DEAD_OUTPUT, detail="the output is constant or silent")
    if float(np.ptp(clean)) < DEAD_PEAK_TO_PEAK:
        return MetricScore(Status.NO_UTTERANCES, detail="the clean reference is constant or silent")
    return None


def score(clean: Signal, estimate: Signal, metrics: Iterable[str], scale: CompositeScale) -> dict[str, MetricScore]:
    """Score an estimate against its clean reference.

    Args:
        clean: reference, float64 [samples] in [-1, 1] at 16 kHz.
        estimate: what is judged, same form; a different length is a status, not an error.
        metrics: names of the registry.
        scale: scale of the samples for the composite measures and segmental SNR.

    Returns:
        A score for every metric that was asked for.
    """
    wanted = tuple(metrics)
    failure = unusable(clean, estimate)
    if failure is not None:
        return dict.fromkeys(wanted, failure)
    scores: dict[str, MetricScore] = {}
    need_pesq = "pesq" in wanted or any(name in COMPOSITES for name in wanted)
    pesq = _pesq(clean, estimate, "wb") if need_pesq else None
    if pesq is not None and "pesq" in wanted:
        scores["pesq"] = pesq
    if "pesq_nb" in wanted:
        scores["pesq_nb"] = _pesq(clean, estimate, "nb")
    scores.update(_frame_based(clean, estimate, wanted, pesq, scale))
    if "stoi" in wanted:
        scores["stoi"] = _stoi(clean, estimate, extended=False)
    if "estoi" in wanted:
        scores["estoi"] = _stoi(clean, estimate, extended=True)
    if "si_sdr" in wanted:
        scores["si_sdr"] = _checked(si_sdr(clean, estimate), "the output is a scaled copy of the reference")
    return {name: scores[name] for name in wanted}


def si_sdr(clean: Signal, estimate: Signal) -> float:
    """Scale-invariant signal-to-distortion ratio in dB (Le Roux et al. 2019, eq. 5), means removed.

    Infinite for a scaled copy of the reference, minus infinite for an output without any of it.
    """
    reference = clean - clean.mean()
    output = estimate - estimate.mean()
    target = (np.dot(output, reference) / np.dot(reference, reference)) * reference
    residual = output - target
    signal, distortion = float(np.dot(target, target)), float(np.dot(residual, residual))
    if distortion == 0.0:
        return math.inf
    return 10.0 * math.log10(signal / distortion) if signal > 0.0 else -math.inf


def _frame_based(
    clean: Signal, estimate: Signal, wanted: tuple[str, ...], pesq: MetricScore | None, scale: CompositeScale
) -> dict[str, MetricScore]:
    from cmgan_audit.evaluation.metrics.composite import FRAME, HOP, composite, frame_measures, segmental_snr

    names = [name for name in wanted if name == "ssnr" or name in COMPOSITES]
    if not names:
        return {}
    if clean.size < FRAME + HOP:
        return dict.fromkeys(
            names, MetricScore(Status.TOO_SHORT, detail=f"{clean.size} samples; one frame has {FRAME}")
        )
    # Adding the machine epsilon, as the reference implementation does, gives frames of digital silence a spectrum.
    factor = INT16_FULL_SCALE if scale is CompositeScale.INT16 else 1.0
    eps = float(np.spacing(1.0))
    scaled_clean, scaled_estimate = clean * factor + eps, estimate * factor + eps
    if names == ["ssnr"]:
        return {"ssnr": _checked(segmental_snr(scaled_clean, scaled_estimate), "")}
    measures = frame_measures(scaled_clean, scaled_estimate)
    scores: dict[str, MetricScore] = {}
    if "ssnr" in names:
        scores["ssnr"] = _checked(measures.ssnr, "")
    composites = [name for name in names if name in COMPOSITES]
    if composites and pesq is not None:
        if pesq.value is None:
            scores.update(dict.fromkeys(composites, pesq))
        elif not math.isfinite(measures.llr) or not math.isfinite(measures.wss):
            detail = "LLR is undefined on this pair (linear prediction failed on some frame)"
            scores.update(dict.fromkeys(composites, MetricScore(Status.METRIC_CRASH, detail=detail)))
        else:
            values = composite(measures, pesq.value)
            scores.update({name: _checked(values[name], "") for name in composites})
    return scores


def _pesq(clean: Signal, estimate: Signal, mode: str) -> MetricScore:
    from pesq import BufferTooShortError, NoUtterancesError, PesqError, pesq

    try:
        value = float(pesq(SAMPLE_RATE, clean * INT16_FULL_SCALE, estimate * INT16_FULL_SCALE, mode))
    except NoUtterancesError:
        return MetricScore(Status.NO_UTTERANCES, detail="PESQ found no speech in the reference")
    except BufferTooShortError:
        return MetricScore(Status.TOO_SHORT, detail=f"{clean.size} samples; PESQ needs a quarter of a second")
    except (PesqError, ValueError, RuntimeError, MemoryError, ZeroDivisionError) as error:
        return MetricScore(Status.METRIC_CRASH, detail=f"pesq: {type(error).__name__}: {_text(error)}")
    return _checked(value, "PESQ gave no number")


def _stoi(clean: Signal, estimate: Signal, *, extended: bool) -> MetricScore:
    from pystoi import stoi

    # pystoi adds random numbers of the size of the machine epsilon in its extended form: seeded, the score is the same
    # in every run even where a band is silent.
    random_state = np.random.get_state()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        np.random.seed(0)
        try:
            value = float(stoi(clean, estimate, SAMPLE_RATE, extended=extended))
        except (ValueError, IndexError, ZeroDivisionError) as error:
            return MetricScore(Status.METRIC_CRASH, detail=f"pystoi: {type(error).__name__}: {_text(error)}")
        finally:
            np.random.set_state(random_state)
    # pystoi returns 1e-5 with a warning where it cannot compute: that number must not become a score.
    if any("Not enough STFT frames" in str(entry.message) for entry in caught):
        return MetricScore(Status.TOO_SHORT, detail="less than 0.4 s of speech; STOI needs 30 frames")
    return _checked(value, "STOI gave no number")


def _checked(value: float, why: str) -> MetricScore:
    if math.isfinite(value):
        # The last bits of a sum depend on the processor's vector units; scores are the same numbers everywhere.
        return MetricScore(Status.OK, round(value, DECIMALS))
    return MetricScore(Status.NOT_FINITE, detail=why or f"the metric gave {value}")


def _text(error: Exception) -> str:
    first = error.args[0] if error.args else ""
    return first.decode(errors="replace") if isinstance(first, bytes) else str(first)
