"""Outputs of which nothing above 4 kHz is left, and outputs that only lose some of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import butter, istft, resample_poly, sosfiltfilt, stft

from cmgan_audit.evaluation.guards.bands import upper_band
from cmgan_audit.finding import Severity
from tests.evaluation.conftest import read, write
from tests.evaluation.helpers import compared, rules

RATE = 16_000


@pytest.fixture
def wide_set(small_set: Path) -> Path:
    """The small set with hiss in its speech: its voices have next to nothing above 4 kHz."""
    for path in sorted(small_set.glob("clean/*.wav")):
        clean, noisy = read(path), read(small_set / "noisy" / path.name)
        hiss = 0.2 * np.abs(clean) * np.random.default_rng(len(path.name)).normal(0.0, 1.0, clean.size)
        write(path, clean + hiss)
        write(small_set / "noisy" / path.name, noisy + hiss)
    return small_set


def through_8_khz(signal: np.ndarray) -> np.ndarray:
    back = resample_poly(resample_poly(signal, 1, 2), 2, 1)[: signal.size]
    return np.pad(back, (0, signal.size - back.size))


def low_passed(signal: np.ndarray) -> np.ndarray:
    return sosfiltfilt(butter(8, 4000, fs=RATE, output="sos"), signal)


def duller(signal: np.ndarray) -> np.ndarray:
    """12 dB less above 4 kHz, as a careful network may leave it."""
    _, _, spectrum = stft(signal, RATE, nperseg=512)
    spectrum[128:] *= 0.25
    return istft(spectrum, RATE, nperseg=512)[1][: signal.size]


@pytest.mark.parametrize("change", [through_8_khz, low_passed])
def test_outputs_that_went_through_8_khz(
    wide_set: Path, outputs: Callable[..., Path], change: Callable[[np.ndarray], np.ndarray]
) -> None:
    made = outputs(wide_set, "a", lambda name, clean, noisy: change(0.9 * clean + 0.1 * noisy))
    (finding,) = (one for one in compared(wide_set, made).findings if one.rule == "CMG721")
    assert finding.message.startswith("a: 3 of 3 outputs hold next to nothing of their references above 4 kHz")
    assert finding.severity is Severity.WARNING


@pytest.mark.parametrize("change", [duller, lambda signal: 0.01 * signal])
def test_outputs_that_keep_some_of_it(
    wide_set: Path, outputs: Callable[..., Path], change: Callable[[np.ndarray], np.ndarray]
) -> None:
    made = outputs(wide_set, "a", lambda name, clean, noisy: change(0.9 * clean + 0.1 * noisy))
    assert "CMG721" not in rules(compared(wide_set, made))


def test_a_single_narrow_output_is_an_utterance_of_its_own(wide_set: Path, outputs: Callable[..., Path]) -> None:
    def one_narrow(name: str, clean: np.ndarray, noisy: np.ndarray) -> np.ndarray:
        mixed = 0.9 * clean + 0.1 * noisy
        return low_passed(mixed) if name == "ada_001" else mixed

    assert "CMG721" not in rules(compared(wide_set, outputs(wide_set, "a", one_narrow)))


def test_what_the_noisy_recordings_lack_is_not_missed_in_outputs(wide_set: Path, outputs: Callable[..., Path]) -> None:
    for path in sorted(wide_set.glob("noisy/*.wav")):
        write(path, through_8_khz(read(path)))
    made = outputs(wide_set, "a", lambda name, clean, noisy: 0.5 * through_8_khz(clean) + 0.5 * noisy)
    assert "CMG721" not in rules(compared(wide_set, made))


def test_a_single_reference_above_4_khz_does_not_speak_for_a_set_below(
    wide_set: Path, outputs: Callable[..., Path]
) -> None:
    for path in sorted(wide_set.glob("clean/[bc]*.wav")):
        write(path, through_8_khz(read(path)))
    made = outputs(wide_set, "a", lambda name, clean, noisy: through_8_khz(0.9 * clean + 0.1 * noisy))
    assert "CMG721" not in rules(compared(wide_set, made))


def test_references_without_anything_above_say_nothing() -> None:
    speech = np.random.default_rng(0).normal(0.0, 0.1, 3 * RATE)
    narrow = low_passed(low_passed(speech))
    assert upper_band(narrow, narrow) is None
    assert upper_band(speech[:1000], speech[:1000]) is None
    assert upper_band(speech, np.zeros(speech.size)) is None
    assert upper_band(speech, low_passed(speech)) < -30.0
    assert abs(upper_band(speech, 0.1 * speech)) < 1e-6


def of_8_bits(signal: np.ndarray) -> np.ndarray:
    return np.round(signal * 128) / 128


def of_mu_law(signal: np.ndarray) -> np.ndarray:
    compressed = np.round(np.sign(signal) * np.log1p(255 * np.abs(signal)) / np.log(256) * 127) / 127
    return np.sign(compressed) * np.expm1(np.abs(compressed) * np.log(256)) / 255


def with_hiss(signal: np.ndarray) -> np.ndarray:
    return signal + 0.03 * signal.std() * np.random.default_rng(0).normal(0.0, 1.0, signal.size)


@pytest.mark.parametrize("kept", [of_8_bits, of_mu_law, with_hiss])
def test_what_lies_over_speech_at_8_khz_is_no_speech(voicebank: Path, kept: Callable[[np.ndarray], np.ndarray]) -> None:
    for path in sorted((voicebank / "clean").glob("*.wav"))[:5]:
        speech = through_8_khz(read(path))
        assert upper_band(kept(speech), speech) is None


def test_the_outputs_of_a_network_are_far_from_the_limit(voicebank: Path) -> None:
    levels = [
        upper_band(read(path), read(voicebank / side / path.name))
        for path in sorted((voicebank / "clean").glob("*.wav"))
        for side in ("enhanced_cmgan", "noisy")
    ]
    assert len(levels) == 28 and all(level is not None and abs(level) < 5.0 for level in levels)
