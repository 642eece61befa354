"""Metrics: against published rows, against plain re-derivations, and their typed failures."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pytest
from scipy.linalg import solve_toeplitz, toeplitz

from cmgan_audit.errors import UsageError
from cmgan_audit.evaluation.material.audio import read_audio
from cmgan_audit.evaluation.metrics import DEFAULT_METRICS, METRICS, CompositeScale, Status, parse_metrics
from cmgan_audit.evaluation.metrics import composite as module
from cmgan_audit.evaluation.metrics.scoring import score, si_sdr

AUDIO = Path(__file__).parents[2] / "fixtures" / "audio"
PUBLISHED = {"pesq": "pesq_wb", "csig": "csig", "cbak": "cbak", "covl": "covl", "ssnr": "ssnr_db", "stoi": "stoi"}


@pytest.fixture(scope="module")
def pair() -> tuple[np.ndarray, np.ndarray]:
    return read_audio(AUDIO / "clean" / "ada_001.wav"), read_audio(AUDIO / "noisy" / "ada_001.wav")


def test_published_rows_are_reproduced(voicebank: Path) -> None:
    with (voicebank / "published_noisy_metrics.csv").open() as stream:
        published = {row["utterance"]: row for row in csv.DictReader(stream)}
    stoi = []
    for path in sorted((voicebank / "clean").glob("*.wav")):
        scores = score(read_audio(path), read_audio(voicebank / "noisy" / path.name), PUBLISHED, CompositeScale.INT16)
        for metric, column in PUBLISHED.items():
            difference = abs(scores[metric].value - float(published[path.stem][column]))
            if metric == "stoi":
                stoi.append(difference)
            else:
                assert difference < 1e-4, (path.stem, metric)
    assert np.mean(stoi) < 1e-3
    assert sum(difference < 1e-3 for difference in stoi) >= 13
    assert max(stoi) < 5e-3


def test_shipped_published_rows_equal_the_shared_ones(voicebank: Path) -> None:
    from cmgan_audit.evaluation.guards.published import published_rows

    with (voicebank / "published_noisy_metrics.csv").open() as stream:
        for row in csv.DictReader(stream):
            assert published_rows()[row["utterance"]]["pesq"] == float(row["pesq_wb"])
    assert len(published_rows()) == 824


def test_all_metrics_lie_in_their_range(pair) -> None:
    scores = score(*pair, METRICS, CompositeScale.INT16)
    for name, metric in METRICS.items():
        assert scores[name].status is Status.OK
        assert metric.low is None or metric.low <= scores[name].value
        assert metric.high is None or scores[name].value <= metric.high


def test_metrics_do_not_depend_on_what_else_is_asked_for(pair) -> None:
    together = score(*pair, METRICS, CompositeScale.INT16)
    for name in METRICS:
        assert score(*pair, [name], CompositeScale.INT16) == {name: together[name]}


def test_llr_equals_its_definition_frame_by_frame(pair) -> None:
    dither = np.random.default_rng(0).normal(0, 1e-4, pair[0].size)  # digital silence has no predictor
    clean, noisy = ((signal + dither) * 32768.0 for signal in pair)
    window = np.hanning(module.FRAME + 2)[1:-1]
    expected = []
    for start in range(0, (clean.size - module.FRAME) // module.HOP * module.HOP, module.HOP):
        lags, predictors = [], []
        for signal in (clean, noisy):
            frame = signal[start : start + module.FRAME] * window
            r = np.correlate(frame, frame, "full")[module.FRAME - 1 :][: module.LPC_ORDER + 1]
            lags.append(toeplitz(r))
            predictors.append(np.concatenate(([1.0], -solve_toeplitz(r[:-1], r[1:]))))
        a_clean, a_noisy = predictors
        expected.append(np.log((a_noisy @ lags[0] @ a_noisy) / (a_clean @ lags[0] @ a_clean)))
    kept = np.sort(expected)[: round(len(expected) * 0.95)]
    assert module.frame_measures(clean, noisy).llr == pytest.approx(np.mean(kept), abs=1e-8)


def test_nearest_peak_follows_rises_and_falls() -> None:
    energy = np.array([[1.0, 3.0, 2.0, 1.0, 4.0, 5.0]])
    slope = np.diff(energy, axis=1)
    # rise to band 1; fall from it twice; rise to the end (the reference takes the band before the end of a rise)
    assert module._nearest_peak(energy, slope).tolist() == [[1.0, 3.0, 3.0, 4.0, 4.0]]


def test_float_scale_inflates_the_composites_and_leaves_the_rest(pair) -> None:
    int16 = score(*pair, METRICS, CompositeScale.INT16)
    floats = score(*pair, METRICS, CompositeScale.FLOAT)
    assert floats["cbak"].value > int16["cbak"].value
    assert all(floats[name].value >= int16[name].value for name in ("csig", "covl"))  # cut off at 1
    for name in ("pesq", "pesq_nb", "stoi", "estoi", "si_sdr"):
        assert floats[name] == int16[name]
    assert METRICS["csig"].signature(CompositeScale.FLOAT) != METRICS["csig"].signature(CompositeScale.INT16)


def test_a_gain_on_the_output_leaves_pesq(pair) -> None:
    clean, noisy = pair
    plain = score(clean, noisy, ["pesq", "si_sdr"], CompositeScale.INT16)
    louder = score(clean, noisy * 0.5, ["pesq", "si_sdr"], CompositeScale.INT16)
    assert louder["pesq"].value == pytest.approx(plain["pesq"].value, abs=1e-3)
    assert louder["si_sdr"].value == pytest.approx(plain["si_sdr"].value, abs=1e-9)


def test_si_sdr_of_orthogonal_noise() -> None:
    time = np.arange(16_000) / 16_000
    clean, noise = np.sin(2 * np.pi * 100 * time), 0.1 * np.sin(2 * np.pi * 200 * time)
    assert si_sdr(clean, 3.0 * (clean + noise)) == pytest.approx(20.0, abs=1e-6)
    assert si_sdr(clean, clean) == math.inf


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (lambda noisy: noisy[:-100], Status.LENGTH_MISMATCH),
        (lambda noisy: np.concatenate([noisy, [0.0]]), Status.LENGTH_MISMATCH),
        (lambda noisy: noisy[:0], Status.LENGTH_MISMATCH),
        (lambda noisy: noisy * 0.0, Status.DEAD_OUTPUT),
        (lambda noisy: np.full_like(noisy, 0.3), Status.DEAD_OUTPUT),
        (lambda noisy: np.where(np.arange(noisy.size) == 7, np.nan, noisy), Status.NOT_FINITE),
        (lambda noisy: np.where(np.arange(noisy.size) == 7, np.inf, noisy), Status.NOT_FINITE),
    ],
)
def test_broken_outputs_have_a_status_and_no_number(pair, change, status) -> None:
    clean, noisy = pair
    for found in score(clean, change(noisy), METRICS, CompositeScale.INT16).values():
        assert found.status is status
        assert found.value is None
        assert found.detail


def test_short_and_speechless_references(pair) -> None:
    clean, noisy = pair
    short = score(clean[8000:11_000], noisy[8000:11_000], ["pesq", "csig", "stoi"], CompositeScale.INT16)
    assert {found.status for found in short.values()} == {Status.TOO_SHORT}
    tiny = score(clean[8000:8300], noisy[8000:8300], ["ssnr", "csig"], CompositeScale.INT16)
    assert {found.status for found in tiny.values()} == {Status.TOO_SHORT}
    snippet = np.zeros(16_000)
    snippet[8000:8800] = clean[20_000:20_800]  # 50 ms of speech
    assert score(snippet, noisy[:16_000], ["pesq"], CompositeScale.INT16)["pesq"].status is Status.NO_UTTERANCES
    silent = score(clean * 0, noisy, METRICS, CompositeScale.INT16)
    assert {found.status for found in silent.values()} == {Status.NO_UTTERANCES}


def test_a_perfect_copy_has_no_finite_si_sdr(pair) -> None:
    found = score(pair[0], pair[0], ["si_sdr", "pesq"], CompositeScale.INT16)
    assert found["si_sdr"].status is Status.NOT_FINITE
    assert found["pesq"].value == pytest.approx(4.6439, abs=1e-3)


def test_digital_silence_inside_an_utterance_has_composites(pair) -> None:
    clean, noisy = (signal.copy() for signal in pair)
    clean[4000:9000] = 0.0
    noisy[4000:9000] = 0.0
    found = score(clean, noisy, ["csig", "ssnr"], CompositeScale.INT16)
    assert {entry.status for entry in found.values()} == {Status.OK}


def test_names_of_metrics() -> None:
    assert parse_metrics("pesq, stoi") == ("pesq", "stoi")
    assert parse_metrics("all") == tuple(METRICS)
    assert set(DEFAULT_METRICS) <= set(METRICS)
    for wrong in ("pesk", "", "pesq,pesq"):
        with pytest.raises(UsageError, match="metrics"):
            parse_metrics(wrong)
