"""Checkpoints behind an enhancer as systems."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from cmgan_audit.evaluation.material.audio import AudioError
from cmgan_audit.evaluation.material.pairs import find_pairs
from cmgan_audit.evaluation.material.segments import Segment
from cmgan_audit.evaluation.models import ModelError
from cmgan_audit.evaluation.systems import model_system, open_folder


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


def opened(folder: Path, small_set: Path, *, strict: bool = False):
    found = find_pairs(small_set / "clean", small_set / "noisy")
    return open_folder(folder, "epoch_3", found.pairs, among=found.matched, strict=strict)


def test_a_broken_recording_among_others_counts_as_missing(small_set: Path) -> None:
    pairs = find_pairs(small_set / "clean", small_set / "noisy").pairs
    folder = Path(shutil.copytree(small_set / "noisy", small_set / "epoch_3"))
    (folder / "ben_001.wav").write_bytes(b"")
    system = opened(folder, small_set)
    assert system.missing(pairs) == ["ben_001"]
    assert system.remark.startswith("epoch_3: 1 recording cannot be used, counted as missing (")
    assert "ben_001.wav: not readable as audio" in system.remark
    with pytest.raises(AudioError, match=r"ben_001\.wav"):
        opened(folder, small_set, strict=True)
    (folder / "ada_001.wav").write_bytes(b"no audio")
    with pytest.raises(
        AudioError, match=r"epoch_3: 2 of 3 recordings cannot be used \(.*ada_001\.wav: not readable as"
    ):
        opened(folder, small_set)


def test_a_folder_tells_what_of_it_is_not_scored_and_which_recordings_hold_one_signal_twice(small_set: Path) -> None:
    folder = small_set / "noisy"
    assert opened(folder, small_set).remark == ""
    outputs = small_set / "epoch_3"
    outputs.mkdir()
    for path in folder.iterdir():
        samples, rate = soundfile.read(path)
        soundfile.write(outputs / path.name, np.stack([samples] * 2, axis=1) if "ada" in path.name else samples, rate)
    soundfile.write(outputs / "dan_009.wav", samples, rate)

    assert opened(outputs, small_set).remark == (
        "epoch_3: not of the test set, and not scored: dan_009; "
        "1 of 3 recordings have several channels, the same sample by sample; the first is scored"
    )
