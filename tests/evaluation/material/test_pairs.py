"""Pairing by name, and every way in which recordings can be unusable."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from cmgan_audit.errors import InputError, MissingPathError
from cmgan_audit.evaluation.material.audio import AudioError, SampleRateError, read_audio
from cmgan_audit.evaluation.material.evaluation_set import EvaluationSet
from cmgan_audit.evaluation.material.pairs import find_pairs, set_digest
from cmgan_audit.evaluation.material.strata import Strata


def test_names_that_match_are_paired_and_the_others_listed(small_set: Path) -> None:
    (small_set / "clean" / "ada_001.wav").rename(small_set / "clean" / "eve_001.wav")
    found = find_pairs(small_set / "clean", small_set / "noisy")
    assert [pair.name for pair in found.pairs] == ["ben_001", "cleo_001"]
    assert (found.only_clean, found.only_noisy, found.complete) == (("eve_001",), ("ada_001",), False)


def test_no_name_in_common(small_set: Path) -> None:
    for path in (small_set / "clean").iterdir():
        path.rename(path.with_name(f"x{path.name}"))
    with pytest.raises(InputError, match=r"no clean file has a noisy file of the same name: .*xada_001.*ada_001"):
        find_pairs(small_set / "clean", small_set / "noisy")


def test_recordings_in_folders_of_speakers_are_paired_by_name(small_set: Path) -> None:
    folder = small_set / "clean" / "speaker_1"
    folder.mkdir()
    for path in (small_set / "clean").glob("*.wav"):
        path.rename(folder / path.name)
    found = find_pairs(small_set / "clean", small_set / "noisy")
    assert [pair.name for pair in found.pairs] == ["ada_001", "ben_001", "cleo_001"]
    assert found.complete and found.pairs[0].clean == folder / "ada_001.wav"


def test_folders_that_repeat_names_tell_utterances_apart(small_set: Path) -> None:
    for side in ("clean", "noisy"):
        for path in list((small_set / side).glob("*.wav")):
            speaker, number = path.stem.split("_")
            (small_set / side / speaker).mkdir()
            path.rename(small_set / side / speaker / f"{number}.wav")
    found = find_pairs(small_set / "clean", small_set / "noisy")
    assert [pair.name for pair in found.pairs] == ["ada/001", "ben/001", "cleo/001"]


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: path.write_bytes(b"RIFF not really"), "not readable as audio"),
        (lambda path: path.write_bytes(b""), "not readable as audio: an empty file"),
        (lambda path: path.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid"), "with `git lfs pull`"),
        (lambda path: path.write_bytes(b"<!DOCTYPE html><html>"), "perhaps a failed download"),
        (lambda path: soundfile.write(path, np.zeros(0), 16_000), "no samples"),
        (lambda path: soundfile.write(path, np.eye(9000, 2), 16_000), "2 channels that differ"),
        (lambda path: soundfile.write(path, np.zeros(9000), 16_000), "; cut both to the same stretch"),
    ],
)
def test_a_bad_recording_costs_its_pair_and_says_why(small_set: Path, make, reason: str) -> None:
    make(small_set / "noisy" / "ada_001.wav")
    found = find_pairs(small_set / "clean", small_set / "noisy")
    assert [pair.name for pair in found.pairs] == ["ben_001", "cleo_001"]
    ((name, why),) = found.unusable
    assert name == "ada_001"
    assert reason in why and "ada_001.wav" in why


def test_a_recording_that_nobody_may_read_is_called_so(small_set: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = small_set / "noisy" / "ada_001.wav"
    path.write_bytes(b"no audio")

    def denied(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)
    with pytest.raises(AudioError, match="not readable as audio: Permission denied"):
        read_audio(path)


@pytest.mark.parametrize("suffix", ["wav", "flac"])
def test_channels_that_are_the_same_are_one(small_set: Path, suffix: str) -> None:
    mono = small_set / "noisy" / "ada_001.wav"
    samples, _ = soundfile.read(mono)
    mono.unlink()
    stereo = mono.with_suffix(f".{suffix}")
    soundfile.write(stereo, np.stack([samples, samples], axis=1), 16_000)

    found = find_pairs(small_set / "clean", small_set / "noisy")

    assert [(pair.name, pair.channels) for pair in found.pairs] == [("ada_001", 2), ("ben_001", 1), ("cleo_001", 1)]
    assert np.array_equal(read_audio(stereo), samples)


def test_another_sample_rate_ends_the_run_unless_resampling_is_asked_for(small_set: Path) -> None:
    samples, _ = soundfile.read(small_set / "noisy" / "ada_001.wav")
    for side in ("clean", "noisy"):
        soundfile.write(small_set / side / "ada_001.wav", np.repeat(samples, 3), 48_000)
    with pytest.raises(SampleRateError, match=r"ada_001.wav: 48000 Hz .* --resample"):
        find_pairs(small_set / "clean", small_set / "noisy")
    found = find_pairs(small_set / "clean", small_set / "noisy", resample=True)
    assert found.complete
    assert found.pairs[0].samples == samples.size == read_audio(small_set / "clean" / "ada_001.wav", resample=True).size


@pytest.mark.parametrize(("rate", "told"), [(8_000, ["2 of 3 utterances were recorded at 8000 Hz"]), (16_000, [])])
def test_recordings_of_the_narrow_band_are_told(small_set: Path, rate: int, told: list[str]) -> None:
    for side in ("clean", "noisy"):
        for path in sorted((small_set / side).glob("*.wav"))[:2]:
            samples, _ = soundfile.read(path)
            soundfile.write(path, samples[::2] if rate == 8_000 else samples, rate)
    pairs = find_pairs(small_set / "clean", small_set / "noisy", resample=True)
    found = EvaluationSet(pairs, pairs.pairs[:3], {}, "full", Strata()).remarks
    assert len(found) == len(told)
    assert all(
        note.startswith(start) and "nothing above 4 kHz" in note for note, start in zip(found, told, strict=True)
    )


def test_missing_and_empty_folders(tmp_path: Path) -> None:
    with pytest.raises(MissingPathError, match="no such folder"):
        find_pairs(tmp_path / "clean", tmp_path / "noisy")
    (tmp_path / "clean").mkdir()
    with pytest.raises(InputError, match=r"no \.wav or \.flac file"):
        find_pairs(tmp_path / "clean", tmp_path / "noisy")


def test_a_test_set_one_folder_deeper_or_under_longer_names_is_pointed_out(small_set: Path) -> None:
    above = small_set.parent
    with pytest.raises(MissingPathError, match=rf"--clean and --noisy \(in {small_set} there are both\)$"):
        find_pairs(above / "clean", above / "noisy")
    for side in ("clean", "noisy"):
        (small_set / side).rename(small_set / f"{side}_testset_wav")
    said = rf"\(there are {small_set}/clean_testset_wav, {small_set}/noisy_testset_wav\)$"
    with pytest.raises(MissingPathError, match=said):
        find_pairs(small_set / "clean", small_set / "noisy")


def test_the_same_utterance_twice(small_set: Path) -> None:
    samples, rate = soundfile.read(small_set / "clean" / "ada_001.wav")
    soundfile.write(small_set / "clean" / "ada_001.flac", samples, rate)
    with pytest.raises(AudioError, match="same utterance"):
        find_pairs(small_set / "clean", small_set / "noisy")


def test_set_digest_does_not_depend_on_order() -> None:
    assert set_digest([("a", "1"), ("b", "2")]) == set_digest([("b", "2"), ("a", "1")])
    assert set_digest([("a", "12")]) != set_digest([("a1", "2")])
