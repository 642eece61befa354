"""Where the two sides of a test set lie, and a comparison on one whose clean and noisy recordings differ in name."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cmgan_audit.errors import MissingPathError
from cmgan_audit.evaluation.material.sides import match_sides, sides_of
from cmgan_audit.evaluation.random_crops import CropOptions, score_random_crops
from tests.evaluation.helpers import Silent, compared


def folders(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).mkdir(parents=True)
    return root


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("clean", "noisy", "clean_x", "noisy_x"), ("clean", "noisy")),
        (("clean_testset_wav", "noisy_testset_wav", "txt"), ("clean_testset_wav", "noisy_testset_wav")),
        (("test-Clean", "test-noisy"), ("test-Clean", "test-noisy")),
        # two pairs: which one is meant is open
        (("clean_a", "noisy_a", "clean_b", "noisy_b"), ("clean", "noisy")),
        (("clean_a", "noisy_b"), ("clean", "noisy")),
    ],
)
def test_the_only_two_folders_that_differ_in_clean_and_noisy(
    tmp_path: Path, names: tuple[str, ...], expected: tuple[str, str]
) -> None:
    folders(tmp_path, *names)
    assert sides_of(tmp_path) == tuple(tmp_path / name for name in expected)


@pytest.mark.parametrize(("below", "found"), [("ada/book/chapter", True), ("home/ada/book/chapter", False)])
def test_where_both_sides_stand_together_a_whole_disc_is_not_listed(tmp_path: Path, below: str, found: bool) -> None:
    folder = folders(tmp_path, below) / below
    for name in ("x_clean.wav", "x_noisy.wav"):
        (folder / name).touch()
    assert (sides_of(tmp_path) == (tmp_path, tmp_path)) is found


def test_where_both_sides_stand_together_none_of_them_is_left_out(tmp_path: Path) -> None:
    for folder in (tmp_path / "ada", tmp_path / "ben/1/2/3/4"):
        folder.mkdir(parents=True)
        for side in ("clean", "noisy"):
            (folder / f"{folder.name}_{side}.wav").touch()
    assert len(match_sides(tmp_path, tmp_path).pairs) == 2


def test_several_pairs_of_folders_are_named(tmp_path: Path) -> None:
    folders(tmp_path, "clean_a", "noisy_a", "clean_b", "noisy_b")
    with pytest.raises(
        MissingPathError, match=r"no such folder \(clean recordings\).*there are .*clean_a, .*clean_b, .*noisy_a"
    ):
        match_sides(*sides_of(tmp_path))


@pytest.mark.parametrize(
    "forms", [("{}_clean.wav", "{}_noisy.wav"), ("{}.wav", "{}_noisy.wav"), ("{}/clean.wav", "{}/noisy.wav")]
)
def test_both_sides_may_stand_together(tmp_path: Path, forms: tuple[str, str]) -> None:
    for form in forms:
        for name in ("p232_001", "p232_002", "p257_001"):
            path = tmp_path / form.format(name)
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(b"")
    assert sides_of(tmp_path) == (tmp_path, tmp_path)
    matched = match_sides(tmp_path, tmp_path)
    assert {name: (c.stem, n.stem) for name, (c, n) in matched.pairs.items()} == {
        name: tuple(Path(form.format(name)).stem for form in forms) for name in ("p232_001", "p232_002", "p257_001")
    }


@pytest.mark.parametrize("beside", [[], ["p232_001_enhanced.wav"], ["p232_002.wav"], ["p232_001/est.wav"]])
def test_noisy_recordings_alone_are_no_test_set(tmp_path: Path, beside: list[str]) -> None:
    for name in ["p232_001_noisy.wav", *beside]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    assert sides_of(tmp_path) == (tmp_path / "clean", tmp_path / "noisy")


def dns(small_set: Path) -> Path:
    """The recordings named as the DNS challenge names them."""
    for number, path in enumerate(sorted((small_set / "clean").iterdir())):
        noisy = small_set / "noisy" / path.name
        noisy.rename(noisy.with_name(f"book_0{number}_reader_{number}_snr{number}_fileid_{number}.wav"))
        path.rename(path.with_name(f"clean_fileid_{number}.wav"))
    return small_set


@pytest.mark.parametrize(
    ("form", "told"),
    [
        (
            "{noisy}.wav",
            "outputs are named after the recordings: book_00_reader_0_snr0_fileid_0.wav is taken for fileid_0",
        ),
        ("enhanced_fileid_{number}.wav", "outputs are named enhanced_<utterance>: enhanced_fileid_0.wav is taken for"),
        ("{noisy}_enh.wav", "outputs are named <noisy recording>_enh: book_00_reader_0_snr0_fileid_0_enh.wav is taken"),
        (
            "clean_fileid_{number}.wav",
            "outputs are named after the recordings: clean_fileid_0.wav is taken for fileid_0",
        ),
        ("fileid_{number}.wav", None),
    ],
)
def test_outputs_of_a_dns_set_are_found_whatever_they_are_named_after(
    small_set: Path, tmp_path: Path, form: str, told: str | None
) -> None:
    data = dns(small_set)
    outputs = tmp_path / "enhanced"
    outputs.mkdir()
    for path in (data / "noisy").iterdir():
        shutil.copy(path, outputs / form.format(noisy=path.stem, number=path.stem[-1]))
    result = compared(data, outputs)
    assert result.utterances == ["fileid_0", "fileid_1", "fileid_2"]
    assert result.checkpoints[0].metrics["ssnr"].n == 3
    assert any(
        "clean_fileid_0 is taken for the clean side of book_00_reader_0_snr0_fileid_0" in note for note in result.notes
    )
    assert any(f"enhanced: {told}" in note for note in result.notes) if told else len(result.notes) == 1


def test_random_crops_say_how_pairs_were_made(small_set: Path) -> None:
    data = dns(small_set)
    options = CropOptions(data / "clean", data / "noisy", None, seconds=0.5, crops=2, jobs=1, cache=None)
    found = score_random_crops(options, Silent())
    assert found.utterances == 3 and "is taken for the clean side of" in found.remarks[0]


def test_outputs_of_a_set_in_folders_of_speakers(small_set: Path, tmp_path: Path) -> None:
    for side in ("clean", "noisy"):
        for path in list((small_set / side).glob("*.wav")):
            speaker, number = path.stem.split("_")
            (small_set / side / speaker).mkdir()
            path.rename(small_set / side / speaker / f"{number}.wav")
    flat = tmp_path / "flat"
    flat.mkdir()
    for path in (small_set / "noisy").rglob("*.wav"):
        shutil.copy(path, flat / f"{path.parent.name}_{path.name}")
    result = compared(small_set, small_set / "noisy", flat)
    assert result.utterances == ["ada/001", "ben/001", "cleo/001"]
    assert [one.metrics["ssnr"].n for one in result.checkpoints] == [3, 3]
