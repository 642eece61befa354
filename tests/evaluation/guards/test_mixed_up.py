"""Outputs that stand under names of other utterances are told; outputs that are only bad are not taken for such."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cmgan_audit.evaluation.guards import mixed_up
from cmgan_audit.finding import Finding
from tests.evaluation.conftest import read, write
from tests.evaluation.helpers import compared, half, rules

Change = Callable[[str, np.ndarray, np.ndarray], np.ndarray]


def found(data: Path, made: Path, **options) -> list[Finding]:
    return [finding for finding in compared(data, made, **options).findings if finding.rule == "CMG718"]


def exchanged(data: Path, folder: Path, *, by: int = 1, keep_length: bool = True) -> dict[str, str]:
    """Write sound outputs of every utterance under the name `by` places on; tells which one stands where."""
    names = sorted(path.stem for path in (data / "clean").iterdir())
    holds = {name: names[(place + by) % len(names)] for place, name in enumerate(names)}
    for name, other in holds.items():
        clean, noisy = (read(data / side / f"{other}.wav") for side in ("clean", "noisy"))
        output = half(other, clean, noisy)
        size = len(read(data / "clean" / f"{name}.wav"))
        write(folder / f"{name}.wav", np.resize(output, size) if keep_length else np.append(output, np.zeros(160)))
    return holds


@pytest.mark.parametrize("keep_length", [True, False])
def test_outputs_that_are_off_by_one_are_told_with_what_they_hold(
    test_set: Path, tmp_path: Path, keep_length: bool
) -> None:
    made = tmp_path / "made"
    holds = exchanged(test_set, made, keep_length=keep_length)
    (finding,) = found(test_set, made)
    assert finding.evidence["holds"] == holds
    assert finding.evidence["looked_at"] == finding.evidence["unlike_their_reference"] == len(holds)
    assert "12 of the 12 outputs" in finding.message and "ada_001 holds ada_002" in finding.message


def test_two_exchanged_outputs_are_enough(test_set: Path, outputs: Callable[..., Path]) -> None:
    made = outputs(test_set, "made", half)
    one, other = made / "ada_001.wav", made / "ben_002.wav"
    kept = read(one)
    shutil.copy(other, one)
    write(other, kept)
    (finding,) = found(test_set, made)
    assert finding.evidence["holds"] == {"ada_001": "ben_002", "ben_002": "ada_001"}


@pytest.mark.parametrize(
    "change",
    [
        lambda name, clean, noisy: np.zeros_like(clean),
        lambda name, clean, noisy: np.full_like(clean, 0.2),
        lambda name, clean, noisy: 0.1 * np.random.default_rng(0).normal(size=clean.size),
        lambda name, clean, noisy: 0.3 * np.sin(2 * np.pi * 50 * np.arange(clean.size) / 16_000) + 0.1,
        lambda name, clean, noisy: noisy - clean,
        lambda name, clean, noisy: clean[::-1],
        lambda name, clean, noisy: clean[:-400],
        lambda name, clean, noisy: np.roll(half(name, clean, noisy), 3000),
        lambda name, clean, noisy: np.where(np.arange(clean.size) == 900, np.nan, clean),
    ],
    ids=["silent", "constant", "noise", "hum", "residual", "reversed", "short", "late", "nan"],
)
def test_outputs_that_are_only_bad(test_set: Path, outputs: Callable[..., Path], change: Change) -> None:
    assert not found(test_set, outputs(test_set, "made", change, subtype="FLOAT"))


def test_a_second_speaker_of_the_set_that_was_kept(test_set: Path, tmp_path: Path) -> None:
    made = tmp_path / "made"
    for name, other in exchanged(test_set, made, by=5).items():
        clean = read(test_set / "clean" / f"{name}.wav")
        speaker = np.resize(read(test_set / "clean" / f"{other}.wav"), clean.size)
        write(test_set / "noisy" / f"{name}.wav", 0.5 * (clean + speaker))
    assert not found(test_set, made)


def test_noisy_versions_of_one_recording_are_not_told_apart(small_set: Path, outputs: Callable[..., Path]) -> None:
    for side in ("clean", "noisy"):
        shutil.copy(small_set / side / "ada_001.wav", small_set / side / "ada_001_again.wav")
    assert not found(small_set, outputs(small_set, "made", lambda name, clean, noisy: half(name, clean, noisy)[:-160]))


def test_outputs_of_utterances_that_are_not_scored_are_recognised(test_set: Path, tmp_path: Path) -> None:
    made = tmp_path / "made"
    holds = exchanged(test_set, made, by=6)
    (finding,) = found(test_set, made, limit=4)
    held = finding.evidence["holds"]
    assert isinstance(held, dict) and len(held) == 4 and held.items() <= holds.items()


def test_nothing_is_read_again_of_outputs_that_are_in_order(
    small_set: Path, outputs: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mixed_up, "read_audio", lambda path, **options: pytest.fail(f"{path} is read"))
    assert "CMG718" not in rules(compared(small_set, outputs(small_set, "made", half)))


def test_the_search_is_bounded(test_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mixed_up, "MOST_OUTPUTS", 3)
    monkeypatch.setattr(mixed_up, "MOST_RECORDINGS", 4)
    made = tmp_path / "made"
    exchanged(test_set, made)
    (finding,) = found(test_set, made)
    assert finding.evidence["holds"] == {"ada_001": "ada_002", "ada_002": "ada_003", "ada_003": "ben_001"}
    assert finding.evidence["unlike_their_reference"] == 12


def test_real_outputs_in_another_order(voicebank: Path, tmp_path: Path) -> None:
    names = sorted(path.stem for path in (voicebank / "clean").iterdir())
    made = tmp_path / "made"
    holds = dict(zip(names, [*names[3:], *names[:3]], strict=True))
    for name, other in holds.items():
        size = len(read(voicebank / "clean" / f"{name}.wav"))
        enhanced = read(voicebank / "enhanced_cmgan" / f"{other}.wav")
        write(made / f"{name}.wav", np.append(enhanced, np.zeros(size))[:size])
    (finding,) = found(voicebank, made)
    assert finding.evidence["holds"] == holds
    assert not found(voicebank, voicebank / "enhanced_cmgan")
