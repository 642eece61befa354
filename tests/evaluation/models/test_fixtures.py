"""The committed fixtures are what their scripts say: speech pairs, and checkpoints that got worse by training."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
from pesq import pesq

from cmgan_audit.evaluation.checkpoints.naming import expand_checkpoints
from cmgan_audit.evaluation.checkpoints.reading import open_file
from cmgan_audit.evaluation.models import open_checkpoint

FIXTURES = Path(__file__).parents[3] / "fixtures"
SCORED = 16_000  # samples of an utterance: the networks take seconds for each
NAMES = sorted(path.name for path in (FIXTURES / "audio" / "clean").glob("*.wav"))


def read(kind, name):
    samples, rate = soundfile.read(FIXTURES / "audio" / kind / name, dtype="float32")
    assert rate == 16_000 and samples.ndim == 1
    return samples


def checkpoints():
    return [path for path in expand_checkpoints([str(FIXTURES / "checkpoints")]) if path.name.startswith("CMGAN")]


def test_twelve_pairs_of_two_to_four_seconds():
    assert len(NAMES) == 12 and sorted(path.name for path in (FIXTURES / "audio" / "noisy").glob("*.wav")) == NAMES
    for name in NAMES:
        clean, noisy = read("clean", name), read("noisy", name)
        assert len(clean) == len(noisy) and 2.0 <= len(clean) / 16_000 <= 4.0
        assert soundfile.info(FIXTURES / "audio" / "clean" / name).subtype == "PCM_16"
    assert sum(path.stat().st_size for path in (FIXTURES / "audio").rglob("*.wav")) < 3e6


@pytest.mark.parametrize("name", NAMES)
def test_every_pair_can_be_scored(name):
    score = pesq(16_000, read("clean", name), read("noisy", name), "wb")
    assert 1.02 < score < 3.5


def test_three_small_checkpoints_in_order_of_epochs():
    files = checkpoints()
    assert len(files) == 3 and all(path.stat().st_size < 1e6 for path in files)
    epochs = [open_file(path).epoch for path in files]
    assert epochs == sorted(set(epochs))


def test_the_log_tells_the_embedded_scores():
    log = (FIXTURES / "checkpoints" / "train.log").read_text()
    scores = {int(epoch): float(score) for epoch, score in re.findall(r"Epoch (\d+), Test Gen.*PESQ: ([\d.]+)", log)}
    contents = [open_file(path).content for path in checkpoints()]
    for content in contents:
        assert scores[content["epoch"]] == pytest.approx(content["pesq_score"], abs=1e-4)
    assert contents[0]["pesq_score"] > contents[-1]["pesq_score"] + 0.15


def test_the_last_checkpoint_scores_lower_than_the_first():
    first, *_, last = [open_checkpoint(path) for path in checkpoints()]
    falls = []
    for name in NAMES[::6]:
        clean, noisy = (read(kind, name)[:SCORED] for kind in ("clean", "noisy"))
        before, after = (pesq(16_000, clean, enhancer.enhance(noisy), "wb") for enhancer in (first, last))
        falls.append(before - after)
    assert np.mean(falls) > 0.1
