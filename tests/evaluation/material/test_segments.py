"""Fixed segments: forms of the flag, choice from content, the lock file."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from cmgan_audit.errors import InputError, UsageError
from cmgan_audit.evaluation.material.audio import read_audio
from cmgan_audit.evaluation.material.pairs import find_pairs
from cmgan_audit.evaluation.material.segments import (
    FULL,
    SegmentSpec,
    choose_segments,
    parse_spec,
    read_lock,
    speech_frames,
    write_lock,
)
from cmgan_audit.evaluation.metrics import CompositeScale, Status
from cmgan_audit.evaluation.metrics.scoring import score


def pairs_of(folder: Path):
    return find_pairs(folder / "clean", folder / "noisy").pairs


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("full", FULL),
        ("3x2s", SegmentSpec(3, 2.0)),
        ("center:2s", SegmentSpec(1, 2.0)),
        ("centre:1.5s", SegmentSpec(1, 1.5)),
        ("12x0.5s", SegmentSpec(12, 0.5)),
    ],
)
def test_forms(text: str, spec: SegmentSpec) -> None:
    assert parse_spec(text) == spec


@pytest.mark.parametrize("text", ["2s", "0x2s", "3x0.1s", "3x2", "no/such/file", "-1x2s", "3xNaNs"])
def test_wrong_forms_say_what_is_right(text: str) -> None:
    with pytest.raises(UsageError, match="--segments"):
        parse_spec(text)


def test_segments_are_inside_and_the_same_every_time(test_set: Path) -> None:
    pairs = pairs_of(test_set)
    chosen = choose_segments(pairs, SegmentSpec(3, 1.0))
    assert chosen == choose_segments(pairs, SegmentSpec(3, 1.0))
    for pair in pairs:
        assert len(chosen[pair.name]) == len({segment.start for segment in chosen[pair.name]}) >= 1
        for segment in chosen[pair.name]:
            assert segment.start >= 0 and segment.start + segment.length <= pair.samples


def test_an_utterance_shorter_than_a_segment_is_taken_whole(test_set: Path) -> None:
    pairs = pairs_of(test_set)
    for pair in pairs:
        assert [(one.start, one.length) for one in choose_segments([pair], SegmentSpec(3, 60.0))[pair.name]] == [
            (0, pair.samples)
        ]


@pytest.mark.parametrize("seconds", [0.5, 1.0])
def test_pesq_scores_every_chosen_segment(test_set: Path, seconds: float) -> None:
    pairs = pairs_of(test_set)[::3]
    for name, segments in choose_segments(pairs, SegmentSpec(3, seconds)).items():
        clean, noisy = read_audio(test_set / "clean" / f"{name}.wav"), read_audio(test_set / "noisy" / f"{name}.wav")
        for segment in segments:
            found = score(segment.cut(clean), segment.cut(noisy), ["pesq"], CompositeScale.INT16)
            assert found["pesq"].status is Status.OK, (name, segment)


def test_a_segment_moves_out_of_a_pause(tmp_path: Path, small_set: Path) -> None:
    import soundfile

    speech = read_audio(small_set / "clean" / "ada_001.wav")
    padded = np.concatenate([speech, np.zeros(speech.size), speech])
    for side in ("clean", "noisy"):
        (tmp_path / side).mkdir()
        soundfile.write(tmp_path / side / "a.wav", padded, 16_000, subtype="PCM_16")
    (segment,) = choose_segments(pairs_of(tmp_path), SegmentSpec(1, 1.0))["a"]
    assert speech_frames(segment.cut(padded)).sum() >= 40
    middle = speech_frames(padded)[(padded.size - 16_000) // 320 : (padded.size + 16_000) // 320]
    assert middle.sum() == 0  # the centre crop would have been silence


def test_lock_file_round_trip_and_its_refusals(tmp_path: Path, small_set: Path) -> None:
    pairs = pairs_of(small_set)
    spec = SegmentSpec(2, 1.0)
    chosen = choose_segments(pairs, spec)
    lock = tmp_path / "segments.json"
    write_lock(lock, spec, pairs, chosen)
    assert read_lock(lock).segments_of(pairs) == chosen
    assert parse_spec(str(lock)) == lock

    changed = small_set / "clean" / "ada_001.wav"
    shutil.copy(small_set / "clean" / "ben_001.wav", changed)
    shutil.copy(small_set / "noisy" / "ben_001.wav", small_set / "noisy" / "ada_001.wav")
    with pytest.raises(InputError, match="ada_001 was locked for another clean recording"):
        read_lock(lock).segments_of(pairs_of(small_set))

    shutil.copy(small_set / "clean" / "ben_001.wav", small_set / "clean" / "new.wav")
    shutil.copy(small_set / "noisy" / "ben_001.wav", small_set / "noisy" / "new.wav")
    with pytest.raises(InputError, match="no segments for new"):
        read_lock(lock).segments_of(pairs_of(small_set))


@pytest.mark.parametrize("break_it", [lambda d: d.update(schema="other"), lambda d: d.pop("utterances"), None])
def test_broken_lock_files_are_refused(tmp_path: Path, small_set: Path, break_it) -> None:
    pairs = pairs_of(small_set)
    lock = tmp_path / "segments.json"
    write_lock(lock, FULL, pairs, choose_segments(pairs, FULL))
    if break_it is None:
        lock.write_text("{")
    else:
        document = json.loads(lock.read_text())
        break_it(document)
        lock.write_text(json.dumps(document))
    with pytest.raises(InputError, match="lock file"):
        read_lock(lock)


def test_a_segment_beyond_the_recording_is_refused(tmp_path: Path, small_set: Path) -> None:
    pairs = pairs_of(small_set)
    lock = tmp_path / "segments.json"
    write_lock(lock, FULL, pairs, choose_segments(pairs, FULL))
    document = json.loads(lock.read_text())
    document["utterances"]["ada_001"]["segments"] = [[-5, 10]]
    lock.write_text(json.dumps(document))
    with pytest.raises(InputError, match="leaves its"):
        read_lock(lock).segments_of(pairs)
