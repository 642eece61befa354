"""Outputs whose length is not that of their reference: what that tells, and the rounding of other rates."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy.signal import resample_poly

from tests.evaluation.conftest import read, write
from tests.evaluation.helpers import compared, half, rules


@pytest.mark.parametrize(
    ("repeat", "told"),
    [(3, ": as if samples at 48000 Hz were taken for samples at 16000 Hz)"), (None, "the reference 45461)")],
)
def test_a_length_that_is_another_rate_is_told(
    small_set: Path, outputs: Callable[..., Path], repeat: int | None, told: str
) -> None:
    made = outputs(
        small_set,
        "a",
        lambda name, clean, noisy: noisy[: -400 - noisy.size % 97] if repeat is None else np.repeat(noisy, repeat),
    )
    (finding,) = (one for one in compared(small_set, made).findings if one.rule == "CMG703")
    reference = soundfile.info(small_set / "clean" / "ada_001.wav").frames
    assert finding.message.endswith(told.replace("45461", str(reference)))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda noisy: np.concatenate((np.zeros(200), noisy, np.zeros(200))), "400 samples (25.0 ms) longer)"),
        (lambda noisy: noisy[1:], "1 sample (0.1 ms) shorter)"),
        (lambda noisy: noisy[: noisy.size // 256 * 256], "of whole frames of 256 samples)"),
    ],
)
def test_what_other_lengths_have_in_common_is_told(
    small_set: Path, outputs: Callable[..., Path], change: Callable[[np.ndarray], np.ndarray], told: str
) -> None:
    made = outputs(small_set, "a", lambda name, clean, noisy: change(half(name, clean, noisy)))
    (finding,) = (one for one in compared(small_set, made).findings if one.rule == "CMG703")
    assert finding.message.endswith(f": each is {told}")


def test_one_output_of_half_the_length_was_cut_short(small_set: Path, outputs: Callable[..., Path]) -> None:
    made = outputs(
        small_set,
        "a",
        lambda name, clean, noisy: half(name, clean, noisy)[: noisy.size // 2 if name == "ada_001" else None],
    )
    (finding,) = (one for one in compared(small_set, made).findings if one.rule == "CMG703")
    assert "1 of 3" in finding.message and "Hz" not in finding.message


@pytest.mark.parametrize(
    ("rate", "up", "down"), [(8_000, 1, 2), (11_025, 441, 640), (44_100, 441, 160), (48_000, 3, 1)]
)
@pytest.mark.parametrize("cut", [0, 1])
def test_outputs_at_another_rate_are_as_long_as_their_reference_but_for_rounding(
    small_set: Path, outputs: Callable[..., Path], rate: int, up: int, down: int, cut: int
) -> None:
    """Some programs round a length that is no whole number of samples up, and others down."""

    def resampled(name: str, clean: np.ndarray, noisy: np.ndarray) -> np.ndarray:
        return resample_poly(half(name, clean, noisy), up, down)[: clean.size * up // down + (1 - cut)]

    for path in small_set.glob("*/ada_001.wav"):
        write(path, read(path)[: read(path).size // 2 * 2 - 1])  # an odd number of samples
    result = compared(small_set, outputs(small_set, "a", resampled, rate=rate), resample=True)
    expected = {"CMG721"} if rate == 8_000 else set()  # where nothing is above 4 kHz, that is told
    assert rules(result) == expected, [finding.message for finding in result.findings]
    assert result.checkpoints[0].metrics["ssnr"].n == 3


@pytest.mark.parametrize("cut", [2, 400])
def test_outputs_at_another_rate_that_are_cut_have_another_length(
    small_set: Path, outputs: Callable[..., Path], cut: int
) -> None:
    made = outputs(small_set, "a", lambda name, clean, noisy: half(name, clean, noisy)[: -2 * cut : 2], rate=8_000)
    assert "CMG703" in rules(compared(small_set, made, resample=True))
