"""Every guard is provoked by an input that has the fault, and silent on inputs that look alike."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from cmgan_audit.errors import InputError, MissingPathError
from cmgan_audit.evaluation.guards.leakage import check_leakage
from cmgan_audit.evaluation.material.pairs import find_pairs
from cmgan_audit.evaluation.result import Outcome
from cmgan_audit.finding import Severity
from tests.evaluation.conftest import read, write
from tests.evaluation.helpers import compared, half, rules


def test_a_sound_comparison_has_no_finding(small_set: Path, outputs: Callable[..., Path]) -> None:
    result = compared(small_set, outputs(small_set, "a", half), baseline="noisy")
    assert rules(result) == set()
    assert result.outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("CMG703", lambda name, clean, noisy: half(name, clean, noisy)[:-400]),
        ("CMG703", lambda name, clean, noisy: noisy[:0]),
        ("CMG704", lambda name, clean, noisy: np.roll(half(name, clean, noisy), 400)),
        ("CMG704", lambda name, clean, noisy: np.roll(half(name, clean, noisy), -16)),
        ("CMG705", lambda name, clean, noisy: np.clip(4.0 * half(name, clean, noisy), -1.0, 1.0)),
        ("CMG705", lambda name, clean, noisy: (4.0 * half(name, clean, noisy) + 1.0) % 2.0 - 1.0),
        ("CMG706", lambda name, clean, noisy: 0.0 * noisy),
        ("CMG706", lambda name, clean, noisy: np.full_like(noisy, 0.25)),
        ("CMG709", lambda name, clean, noisy: noisy),
        ("CMG709", lambda name, clean, noisy: 0.8 * noisy),
        ("CMG714", lambda name, clean, noisy: clean),
        ("CMG716", lambda name, clean, noisy: 0.5 * half(name, clean, noisy)),
        ("CMG716", lambda name, clean, noisy: -half(name, clean, noisy)),
        ("CMG716", lambda name, clean, noisy: np.roll(-half(name, clean, noisy), 200)),
        ("CMG716", lambda name, clean, noisy: half(name, clean, noisy) + 0.05),
        ("CMG713", lambda name, clean, noisy: None if name == "ada_001" else half(name, clean, noisy)),
    ],
)
def test_outputs(small_set: Path, outputs: Callable[..., Path], rule: str, change) -> None:
    result = compared(small_set, outputs(small_set, "a", change), baseline="noisy")
    assert rule in rules(result), [finding.message for finding in result.findings]
    assert "{" not in "".join(finding.message for finding in result.findings)


def test_nan_in_a_float_file(small_set: Path, outputs: Callable[..., Path]) -> None:
    def broken(name: str, clean: np.ndarray, noisy: np.ndarray) -> np.ndarray:
        return np.where(np.arange(noisy.size) == 99, np.nan, noisy)

    result = compared(small_set, outputs(small_set, "a", broken, subtype="FLOAT"), baseline="noisy")
    (finding,) = (one for one in result.findings if one.rule == "CMG706")
    assert "1 of" in finding.message and "NaN" in finding.message
    assert result.outcome is Outcome.FAIL


@pytest.mark.parametrize(
    "change",
    [
        lambda name, clean, noisy: np.roll(half(name, clean, noisy), 3 if name == "ada_001" else 0),  # one of three
        lambda name, clean, noisy: 1.9 * clean / np.abs(clean).max() * 0.5 + 0.05 * noisy,  # loud, not clipped
        lambda name, clean, noisy: 0.98 * noisy + 0.02 * clean,  # weak enhancement is not a copy
    ],
)
def test_neighbours_that_are_right(small_set: Path, outputs: Callable[..., Path], change) -> None:
    assert not rules(compared(small_set, outputs(small_set, "a", change), baseline="noisy")) & {
        "CMG704",
        "CMG705",
        "CMG709",
        "CMG714",
    }


def test_identical_outputs_of_two_checkpoints(small_set: Path, outputs: Callable[..., Path]) -> None:
    first = outputs(small_set, "a", half)
    second = Path(shutil.copytree(first, first.with_name("b")))
    (finding,) = (one for one in compared(small_set, first, second).findings if one.rule == "CMG708")
    assert finding.message == "b and a give identical outputs on all 3 segments"


def test_outputs_that_are_all_dead_are_not_called_identical(small_set: Path, outputs: Callable[..., Path]) -> None:
    dead = outputs(small_set, "a", lambda name, clean, noisy: 0.0 * noisy)
    found = rules(compared(small_set, dead, Path(shutil.copytree(dead, dead.with_name("b")))))
    assert "CMG706" in found and "CMG708" not in found


def test_failures_on_one_side_only(small_set: Path, outputs: Callable[..., Path]) -> None:
    good = outputs(small_set, "good", half)
    bad = outputs(small_set, "bad", lambda name, clean, noisy: half(name, clean, noisy) * (name != "ben_001"))
    findings = {one.rule: one for one in compared(small_set, good, bad).findings}
    assert "bad: no ssnr on 1 of the utterances" in findings["CMG702"].message
    assert findings["CMG706"].severity is Severity.ERROR
    alone = rules(compared(small_set, bad, baseline="noisy"))
    assert "CMG702" in alone and "CMG715" not in alone  # the noisy recording has a score
    both = compared(small_set, bad, Path(shutil.copytree(bad, bad.with_name("bad2"))))
    assert "CMG715" in rules(both) and "CMG702" not in rules(both)


def test_swapped_folders(small_set: Path, outputs: Callable[..., Path]) -> None:
    made = outputs(small_set, "a", half)
    assert "CMG707" in rules(compared(small_set, made, clean=small_set / "noisy", noisy=small_set / "clean"))


def test_one_folder_for_both_sides(small_set: Path, outputs: Callable[..., Path]) -> None:
    made = outputs(small_set, "a", half)
    copy = Path(shutil.copytree(small_set / "clean", small_set / "copy"))
    for noisy in (small_set / "clean", copy):
        (finding,) = (one for one in compared(small_set, made, noisy=noisy).findings if one.rule == "CMG707")
        assert finding.message == (
            "in 3 of 3 pairs the noisy recording is the clean one itself: one folder seems to stand for both"
        )


def test_recordings_of_different_speech_under_one_name(test_set: Path, outputs) -> None:
    made = outputs(test_set, "made", half)
    assert "CMG717" not in rules(compared(test_set, made))
    clean = sorted((test_set / "clean").iterdir())
    speech = [read(path) for path in clean]
    for path, other in zip(clean, [*speech[1:], speech[0]], strict=True):
        write(path, np.resize(other, read(path).size))
    (finding,) = [one for one in compared(test_set, made).findings if one.rule == "CMG717"]
    assert f"in {len(clean)} of {len(clean)} pairs" in finding.message and finding.severity is Severity.WARNING


def test_noisy_recordings_that_begin_later_are_no_other_speech(test_set: Path, outputs) -> None:
    for path in sorted((test_set / "noisy").iterdir()):
        write(path, np.roll(read(path), 8_000))
    (finding,) = [one for one in compared(test_set, outputs(test_set, "made", half)).findings if one.rule == "CMG717"]
    assert "more than 250 ms from its place" in finding.message and "different recordings" not in finding.message


def test_much_noise_is_no_other_speech(test_set: Path, outputs) -> None:
    for path in sorted((test_set / "clean").iterdir()):
        speech, noisy = read(path), read(test_set / "noisy" / path.name)
        noise = noisy - speech
        level = np.sqrt(np.sum(speech**2) / np.sum(noise**2)) * 10 ** (5 / 20)  # 5 dB above the speech
        write(test_set / "noisy" / path.name, 0.3 * (speech + level * noise))
    assert "CMG717" not in rules(compared(test_set, outputs(test_set, "made", half)))


def test_unpaired_recordings_and_strict(small_set: Path, outputs: Callable[..., Path]) -> None:
    made = outputs(small_set, "a", half)
    (small_set / "noisy" / "ada_001.wav").unlink()
    result = compared(small_set, made)
    (finding,) = (one for one in result.findings if one.rule == "CMG712")
    assert "1 only in the clean folder (ada_001); 2 pairs were used" in finding.message
    with pytest.raises(InputError, match="--strict"):
        compared(small_set, made, strict=True)


def test_leakage_by_bytes_under_another_name(small_set: Path, tmp_path: Path) -> None:
    pairs = find_pairs(small_set / "clean", small_set / "noisy").pairs
    train = tmp_path / "train" / "deep"
    train.mkdir(parents=True)
    soundfile.write(train / "x.wav", np.zeros(4000), 16_000)
    assert check_leakage(pairs, tmp_path / "train") == []
    shutil.copy(small_set / "clean" / "ben_001.wav", train / "utt_77.wav")
    (finding,) = check_leakage(pairs, tmp_path / "train")
    assert finding.rule == "CMG710"
    assert "ben_001 as deep/utt_77.wav" in finding.message
    assert check_leakage(pairs, small_set) == []  # the test set itself is no copy
    with pytest.raises(MissingPathError, match="no such folder"):
        check_leakage(pairs, tmp_path / "absent")
