"""Checkpoints behind an enhancer as systems."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.evaluation.material.pairs import find_pairs
from cmgan_audit.evaluation.material.segments import Segment
from cmgan_audit.evaluation.models import ModelError
from cmgan_audit.evaluation.systems import model_system


class Failing:
    """An enhancer that cannot do any utterance."""

    identity = "failing"

    def describe(self):
        return {"model": "failing", "path": "epoch_3.pth"}

    def enhance(self, noisy):
        raise ModelError("out of ideas")


def test_a_model_that_fails_names_checkpoint_and_recording(small_set: Path) -> None:
    pair = find_pairs(small_set / "clean", small_set / "noisy").pairs[0]
    with pytest.raises(ModelError, match=r"^epoch_3: .*noisy.ada_001\.wav: out of ideas$"):
        model_system(Failing(), "epoch_3").estimate(pair, Segment(0, pair.samples, "full"))
