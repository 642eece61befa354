"""Outputs of another level, sign, offset or scale, and those that are cut off or overflow."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cmgan_audit.finding import Severity
from tests.evaluation.helpers import compared, half, rules


@pytest.mark.parametrize(
    "change",
    [
        lambda name, clean, noisy: 0.75 * half(name, clean, noisy),  # some speech is taken with the noise
        lambda name, clean, noisy: half(name, clean, noisy) * (0.3 if name == "ada_001" else 1.0),  # one of three
        lambda name, clean, noisy: half(name, clean, noisy) + 0.001,
    ],
)
def test_levels_that_are_right(small_set: Path, outputs: Callable[..., Path], change) -> None:
    assert "CMG716" not in rules(compared(small_set, outputs(small_set, "a", change)))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda signal: 0.5 * signal, "a: outputs are 6.0 dB quieter than the reference (3 of 3)"),
        (lambda signal: 2.0 * signal, "a: outputs are 6.0 dB louder than the reference (3 of 3)"),
        (
            lambda signal: -0.25 * signal,
            "a: outputs are 12.0 dB quieter than the reference (3 of 3) and have the sign of the reference turned "
            "(3 of 3)",
        ),
        (
            lambda signal: signal - signal.mean() + 0.5 * np.sqrt(np.mean(signal**2)),
            "a: outputs have an offset of +50 % of the reference's effective value (3 of 3)",
        ),
        (
            # so far off that no correlation with the reference is left, and no level to be told
            lambda signal: signal - signal.mean() + 5.0 * np.sqrt(np.mean(signal**2)),
            "a: outputs have an offset of +500 % of the reference's effective value (3 of 3)",
        ),
    ],
)
def test_level_sign_and_offset_are_told_apart(
    small_set: Path, outputs: Callable[..., Path], change: Callable[[np.ndarray], np.ndarray], told: str
) -> None:
    made = outputs(small_set, "a", lambda name, clean, noisy: change(clean), subtype="FLOAT")
    (finding,) = (one for one in compared(small_set, made).findings if one.rule == "CMG716")
    assert finding.message == told
    assert finding.severity is Severity.WARNING


@pytest.mark.parametrize(
    ("change", "severity"),
    [
        # loud and cut off: it swings from one limit to the other within a sample, which is no overflow
        (lambda signal: np.clip(40.0 * signal, -1.0, 1.0), "warning"),
        # less loud: it also swings between values that are no limits, in one sample as often as to and from them
        (lambda signal: np.clip(5.0 * signal, -1.0, 1.0), "warning"),
        (lambda signal: np.clip(12.0 * signal, -1.0, 1.0), "warning"),
        (lambda signal: (4.0 * signal + 1.0) % 2.0 - 1.0, "error"),
        (lambda signal: (1.1 * signal / np.abs(signal).max() + 1.0) % 2.0 - 1.0, "error"),  # only the loudest peaks
    ],
)
def test_cut_off_is_told_from_overflow(
    small_set: Path, outputs: Callable[..., Path], change: Callable[[np.ndarray], np.ndarray], severity: str
) -> None:
    made = outputs(small_set, "a", lambda name, clean, noisy: change(half(name, clean, noisy)))
    (finding,) = (one for one in compared(small_set, made).findings if one.rule == "CMG705")
    assert finding.severity.value == severity, finding.message


def test_samples_on_the_scale_of_int16_are_no_overflow(small_set: Path, outputs: Callable[..., Path]) -> None:
    made = outputs(small_set, "a", lambda name, clean, noisy: 32768.0 * half(name, clean, noisy), subtype="FLOAT")
    findings = {one.rule: one for one in compared(small_set, made).findings}
    assert set(findings) == {"CMG705", "CMG716"}
    assert findings["CMG705"].severity is Severity.WARNING and "overflow" not in findings["CMG705"].message
    assert "as samples on the scale of int16 are" in findings["CMG716"].message
    assert "offset" not in findings["CMG716"].message
    shifted = outputs(
        small_set,
        "c",
        lambda name, clean, noisy: 32768.0 * (half(name, clean, noisy) + (0.05 if name == "ada_001" else 2.0)),
        subtype="FLOAT",
    )
    (told,) = (one for one in compared(small_set, shifted).findings if one.rule == "CMG716")
    offset = float(told.message.partition("an offset of ")[2].partition(" %")[0])
    assert 10.0 < offset < 10_000.0  # also of those whose gain the offset hides
    wrapped = outputs(
        small_set, "b", lambda name, clean, noisy: 32768.0 * ((4.0 * clean + 1.0) % 2.0 - 1.0), subtype="FLOAT"
    )
    assert "overflow" in {one.rule: one for one in compared(small_set, wrapped).findings}["CMG705"].message
