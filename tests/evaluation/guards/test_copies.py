"""Outputs that are the noisy input or the clean recording, all or some; and what only looks like a copy."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cmgan_audit.evaluation.material.segments import SegmentSpec
from cmgan_audit.finding import Severity
from tests.evaluation.conftest import read, write
from tests.evaluation.helpers import compared, half, rules


@pytest.mark.parametrize(("rule", "source"), [("CMG709", "noisy"), ("CMG714", "clean")])
def test_copies_among_the_outputs_are_told_by_name(
    test_set: Path, outputs: Callable[..., Path], rule: str, source: str
) -> None:
    def copying(*names: str) -> Callable[[str, np.ndarray, np.ndarray], np.ndarray]:
        return lambda name, clean, noisy: (
            {"noisy": noisy, "clean": clean}[source] if name in names else half(name, clean, noisy)
        )

    result = compared(test_set, outputs(test_set, "some", copying("ada_001", "ben_002")))
    (finding,) = (one for one in result.findings if one.rule == rule)
    assert finding.message.startswith("some: 2 of 12 outputs are the ")
    assert finding.message.endswith(" itself: ada_001, ben_002") and finding.severity is Severity.WARNING
    assert rule not in rules(compared(test_set, outputs(test_set, "one", copying("ada_001"))))


def test_noisy_recordings_that_are_clean_need_no_enhancement(test_set: Path, outputs: Callable[..., Path]) -> None:
    for name in ("ada_001", "ben_002"):
        shutil.copy(test_set / "clean" / f"{name}.wav", test_set / "noisy" / f"{name}.wav")
    assert not rules(compared(test_set, outputs(test_set, "a", half))) & {"CMG709", "CMG714"}


@pytest.mark.parametrize("share_left", [0.5, 0.1])
def test_enhancement_of_recordings_with_next_to_no_noise_is_no_copy(test_set: Path, outputs, share_left: float) -> None:
    for path in sorted((test_set / "noisy").iterdir()):
        speech, noise = read(test_set / "clean" / path.name), read(path)
        noise -= speech
        level = np.sqrt(np.sum(speech**2) / np.sum(noise**2)) * 10 ** (-47 / 20)
        write(path, speech + level * noise, subtype="FLOAT")

    def enhanced(name: str, clean: np.ndarray, noisy: np.ndarray) -> np.ndarray:
        return clean + share_left * (noisy - clean)

    assert not rules(compared(test_set, outputs(test_set, "a", enhanced, subtype="FLOAT"))) & {"CMG709", "CMG714"}
    untouched = outputs(test_set, "b", lambda name, clean, noisy: noisy, subtype="FLOAT")
    assert "CMG709" in rules(compared(test_set, untouched))


def test_segments_of_one_copied_output_are_one_output(test_set: Path, outputs) -> None:
    one = outputs(test_set, "one", lambda name, c, n: n if name == "ada_001" else half(name, c, n))
    assert "CMG709" not in rules(compared(test_set, one, segments=SegmentSpec(2, 1.0)))
