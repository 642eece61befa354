"""Outputs that come early or late; and outputs in which no speech is heard that could be late."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.evaluation.conftest import read
from tests.evaluation.helpers import compared, half, rules


@pytest.mark.parametrize(
    ("samples", "severity"), [(1, "note"), (-7, "note"), (8, "warning"), (1000, "warning"), (8000, "warning")]
)
def test_a_delay_that_pesq_does_not_notice_is_a_note(
    small_set: Path, outputs: Callable[..., Path], samples: int, severity: str
) -> None:
    made = outputs(small_set, "a", lambda name, clean, noisy: np.roll(half(name, clean, noisy), samples))
    (finding,) = (one for one in compared(small_set, made).findings if one.rule == "CMG704")
    assert finding.severity.value == severity
    assert f"outputs are {abs(samples)} sample" in finding.message
    assert ("early" if samples < 0 else "late") in finding.message


@pytest.mark.parametrize("samples", [20_000, -20_000, 28_000])
def test_a_delay_of_more_than_a_second_cuts_most_of_the_speech_off(
    small_set: Path, outputs: Callable[..., Path], samples: int
) -> None:
    def late(name: str, clean: np.ndarray, noisy: np.ndarray) -> np.ndarray:
        whole = -0.5 * half(name, clean, noisy)
        kept = whole[: clean.size - samples] if samples > 0 else whole[-samples:]
        silence = np.zeros(abs(samples))
        return np.concatenate((silence, kept) if samples > 0 else (kept, silence))

    findings = {one.rule: one for one in compared(small_set, outputs(small_set, "a", late)).findings}
    assert f"outputs are {abs(samples)} samples" in findings["CMG704"].message
    assert findings["CMG704"].message.endswith("(3 of 3)")
    assert "6.0 dB quieter" in findings["CMG716"].message and "sign" in findings["CMG716"].message


def test_no_delay_is_told_of_speech_that_is_not_heard(test_set: Path, outputs: Callable[..., Path]) -> None:
    speech = [read(path) for path in sorted((test_set / "clean").iterdir())]
    noise, other = np.random.default_rng(0), iter([*speech[1:], speech[0]])
    for label, change in (
        ("noise", lambda name, clean, noisy: 0.1 * noise.standard_normal(clean.size)),
        ("brown", lambda name, clean, noisy: 1e-3 * np.cumsum(noise.standard_normal(clean.size))),
        ("others", lambda name, clean, noisy: np.resize(next(other), clean.size)),
        (
            "one",
            lambda name, clean, noisy: (
                np.roll(clean, 900) if name == "ada_001" else 0.1 * np.sin(np.arange(clean.size))
            ),
        ),
    ):
        assert "CMG704" not in rules(compared(test_set, outputs(test_set, label, change))), label
