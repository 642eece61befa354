"""Every guard is provoked by an input that has the fault, and silent on inputs that look alike."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy.signal import resample_poly

from cmgan_audit.errors import InputError, MissingPathError
from cmgan_audit.evaluation.guards.leakage import check_leakage
from cmgan_audit.evaluation.guards.published import (
    check_published,
    is_published_set,
    published_rows,
    rows_to_check,
    self_check,
)
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


@pytest.mark.parametrize(
    ("repeat", "told"),
    [(3, ": as if samples at 48000 Hz were taken for samples at 16000 Hz)"), (None, "the reference 45461)")],
)
def test_a_length_that_is_another_rate_is_told(
    small_set: Path, outputs: Callable[..., Path], repeat: int | None, told: str
) -> None:
    made = outputs(
        small_set,
        "a",
        lambda name, clean, noisy: noisy[: -400 - noisy.size % 97] if repeat is None else np.repeat(noisy, repeat),
    )
    (finding,) = (one for one in compared(small_set, made).findings if one.rule == "CMG703")
    reference = soundfile.info(small_set / "clean" / "ada_001.wav").frames
    assert finding.message.endswith(told.replace("45461", str(reference)))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda noisy: np.concatenate((np.zeros(200), noisy, np.zeros(200))), "400 samples (25.0 ms) longer)"),
        (lambda noisy: noisy[1:], "1 sample (0.1 ms) shorter)"),
        (lambda noisy: noisy[: noisy.size // 256 * 256], "of whole frames of 256 samples)"),
    ],
)
def test_what_other_lengths_have_in_common_is_told(
    small_set: Path, outputs: Callable[..., Path], change: Callable[[np.ndarray], np.ndarray], told: str
) -> None:
    made = outputs(small_set, "a", lambda name, clean, noisy: change(half(name, clean, noisy)))
    (finding,) = (one for one in compared(small_set, made).findings if one.rule == "CMG703")
    assert finding.message.endswith(f": each is {told}")


def test_one_output_of_half_the_length_was_cut_short(small_set: Path, outputs: Callable[..., Path]) -> None:
    made = outputs(
        small_set,
        "a",
        lambda name, clean, noisy: half(name, clean, noisy)[: noisy.size // 2 if name == "ada_001" else None],
    )
    (finding,) = (one for one in compared(small_set, made).findings if one.rule == "CMG703")
    assert "1 of 3" in finding.message and "Hz" not in finding.message


@pytest.mark.parametrize(
    ("rate", "up", "down"), [(8_000, 1, 2), (11_025, 441, 640), (44_100, 441, 160), (48_000, 3, 1)]
)
@pytest.mark.parametrize("cut", [0, 1])
def test_outputs_at_another_rate_are_as_long_as_their_reference_but_for_rounding(
    small_set: Path, outputs: Callable[..., Path], rate: int, up: int, down: int, cut: int
) -> None:
    """Some programs round a length that is no whole number of samples up, and others down."""

    def resampled(name: str, clean: np.ndarray, noisy: np.ndarray) -> np.ndarray:
        return resample_poly(half(name, clean, noisy), up, down)[: clean.size * up // down + (1 - cut)]

    for path in small_set.glob("*/ada_001.wav"):
        write(path, read(path)[: read(path).size // 2 * 2 - 1])  # an odd number of samples
    result = compared(small_set, outputs(small_set, "a", resampled, rate=rate), resample=True)
    expected = {"CMG721"} if rate == 8_000 else set()  # where nothing is above 4 kHz, that is told
    assert rules(result) == expected, [finding.message for finding in result.findings]
    assert result.checkpoints[0].metrics["ssnr"].n == 3


@pytest.mark.parametrize("cut", [2, 400])
def test_outputs_at_another_rate_that_are_cut_have_another_length(
    small_set: Path, outputs: Callable[..., Path], cut: int
) -> None:
    made = outputs(small_set, "a", lambda name, clean, noisy: half(name, clean, noisy)[: -2 * cut : 2], rate=8_000)
    assert "CMG703" in rules(compared(small_set, made, resample=True))


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


def test_self_check_tells_exact_close_and_different() -> None:
    published = {name: row["pesq"] for name, row in list(published_rows().items())[:20]}
    assert self_check(published).result == "exact"
    assert check_published(self_check(published)) == []
    close = self_check({name: value + 0.01 for name, value in published.items()})
    assert close.result == "close"
    assert [finding.severity for finding in check_published(close)] == [Severity.NOTE]
    different = check_published(self_check({name: value + 0.6 for name, value in published.items()}))
    assert [finding.severity for finding in different] == [Severity.WARNING]
    assert self_check({"other": 2.0}) is None


def test_only_names_of_the_set_are_taken_for_the_set() -> None:
    names = list(published_rows())
    assert is_published_set(names)
    assert is_published_set(names[:14])
    assert not is_published_set(["p232_001", *(f"mine_{index}" for index in range(20))])
    assert not is_published_set([])
    assert len(rows_to_check(names)) == 24
    assert {name[:4] for name in rows_to_check(names)} == {"p232", "p257"}


def test_other_recordings_under_published_names(small_set: Path, outputs: Callable[..., Path]) -> None:
    for side in ("clean", "noisy"):
        for path, name in zip(sorted((small_set / side).iterdir()), ("p232_001", "p232_002", "p257_003"), strict=True):
            path.rename(path.with_name(f"{name}.wav"))
    result = compared(small_set, outputs(small_set, "a", half))
    assert "CMG711" in rules(result)
    assert result.self_check is not None and result.self_check.result == "different"
