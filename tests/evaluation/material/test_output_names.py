"""Names of outputs that are not those of the test set: matched where nothing is left open, else refused."""

from __future__ import annotations

import shutil
import unicodedata
from pathlib import Path

import pytest

from cmgan_audit.errors import InputError
from cmgan_audit.evaluation.checkpoints.errors import CheckpointError
from cmgan_audit.evaluation.checkpoints.naming import expand_checkpoints
from cmgan_audit.evaluation.material.output_names import match_outputs
from cmgan_audit.evaluation.material.pairs import find_pairs
from cmgan_audit.evaluation.systems import open_folder
from tests.evaluation.helpers import compared

UTTERANCES = ["p232_001", "p232_002", "p257_001"]


def folder_of(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def named(form: str) -> list[str]:
    return [form.format(name) for name in UTTERANCES]


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ("{}.wav", ""),
        ("{}.WAV", ""),
        ("{}.flac", ""),
        ("{}_enhanced.wav", "outputs are named <utterance>_enhanced: p232_001_enhanced.wav is taken for p232_001"),
        ("{}-enhanced.wav", "outputs are named <utterance>-enhanced: p232_001-enhanced.wav is taken for p232_001"),
        ("enhanced_{}.wav", "outputs are named enhanced_<utterance>: enhanced_p232_001.wav is taken for p232_001"),
        ("{}_est.flac", "outputs are named <utterance>_est: p232_001_est.flac is taken for p232_001"),
        ("{}.wav.wav", "outputs are named <utterance>.wav: p232_001.wav.wav is taken for p232_001"),
        ("e7_{}_16k.wav", "outputs are named e7_<utterance>_16k: e7_p232_001_16k.wav is taken for p232_001"),
        ("wav/{}.wav", "outputs lie in folders of their own: wav/p232_001.wav is taken for p232_001"),
        ("{0}/{0}.wav", "outputs lie in folders of their own: p232_001/p232_001.wav is taken for p232_001"),
        ("a/b/{}_enh.wav", "outputs are named <utterance>_enh: a/b/p232_001_enh.wav is taken for p232_001"),
    ],
)
def test_every_utterance_finds_its_one_recording(tmp_path: Path, form: str, told: str) -> None:
    folder = folder_of(tmp_path / "enhanced", *named(form))
    found = match_outputs(folder, UTTERANCES)
    assert {name: path.relative_to(folder).as_posix() for name, path in found.files.items()} == dict(
        zip(UTTERANCES, named(form), strict=True)
    )
    assert found.how == told
    assert expand_checkpoints((str(folder),)) == [folder]


@pytest.mark.parametrize(
    ("names", "way"),
    [
        (["0000_p232_001.wav", "0001_p232_002.wav", "0002_p257_001.wav"], "#_<utterance>"),
        (["p232_001_snr2.5.wav", "p232_002_snr17.5.wav", "p257_001_snr7.5.wav"], "<utterance>_snr#"),
    ],
)
def test_a_number_beside_the_utterance_may_be_another_for_each(tmp_path: Path, names: list[str], way: str) -> None:
    found = match_outputs(folder_of(tmp_path / "enhanced", *names), UTTERANCES)
    assert {name: path.name for name, path in found.files.items()} == dict(zip(UTTERANCES, names, strict=True))
    assert found.how == f"outputs are named {way} (# is a number): {names[0]} is taken for p232_001"


def test_two_numbers_for_an_utterance_leave_it_open(tmp_path: Path) -> None:
    names = [f"{name}_epoch{2 * i + e}.wav" for i, name in enumerate(UTTERANCES[:2]) for e in (5, 6)]
    with pytest.raises(InputError, match="no recording has the name of a test utterance"):
        match_outputs(folder_of(tmp_path / "enhanced", *names, "p257_001_epoch9.wav"), UTTERANCES)


def test_of_two_numbers_none_is_taken_for_the_utterance(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no recording has the name of a test utterance"):
        match_outputs(folder_of(tmp_path / "enhanced", "1_002.wav", "2_003.wav", "3_001.wav"), ["001", "002", "003"])


def test_capitals_and_the_coding_of_accents_tell_no_utterances_apart(tmp_path: Path) -> None:
    utterances = ["é_1", "B_1"]
    folder = folder_of(tmp_path, unicodedata.normalize("NFD", "é_1") + ".wav", "b_1.wav")
    found = match_outputs(folder, utterances)
    assert sorted(found.files) == sorted(utterances)
    assert found.how.startswith("2 outputs differ from their utterances in capitals or in the coding of accents")
    # where the test set itself has both, only the very name counts
    both = match_outputs(folder_of(tmp_path / "both", "a.wav", "A.wav"), ["a", "A"])
    assert {name: path.name for name, path in both.files.items()} == {"a": "a.wav", "A": "A.wav"}


def test_plain_names_come_first_and_may_be_incomplete(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "p232_001.wav", "p257_001.wav", *named("{}_noisy.wav"))
    found = match_outputs(folder, UTTERANCES)
    assert sorted(found.files) == ["p232_001", "p257_001"]  # p232_002_noisy.wav is no output of p232_002
    assert found.how == ""


def test_where_every_recording_is_told_an_utterance_may_be_without_one(tmp_path: Path) -> None:
    found = match_outputs(folder_of(tmp_path, *named("{}_enhanced.wav")[:2]), UTTERANCES)
    assert sorted(found.files) == UTTERANCES[:2] and found.unused == ()


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (
            [*named("{}_stage1.wav"), *named("{}_stage2.wav"), *named("{}_noisy.wav")],
            "more than one recording may be the output of an utterance: <utterance>_noisy, <utterance>_stage1, "
            "<utterance>_stage2; put",
        ),
        (
            [*named("{}_clean.wav"), *named("{}_noisy.wav")],
            "more than one recording may be the output of an utterance: <utterance>_clean, <utterance>_noisy; put",
        ),
        # a network that separates may call its output so
        (
            [*named("{}_clean.wav"), *named("{}_noise.wav")],
            "more than one recording may be the output of an utterance: <utterance>_clean, <utterance>_noise; put",
        ),
        # a stray recording with a plain name among the others
        (
            ["p232_001.wav", *named("{}_enhanced.wav")],
            "more than one recording may be the output of an utterance: <utterance>, <utterance>_enhanced; put",
        ),
        (
            [*named("{}_enhanced.wav")[:2], "p257-1_enhanced.wav"],
            r"recordings are named <utterance>_enhanced, but 1 of 3 utterances have none \(p257_001\)",
        ),
        (
            [*named("a/{}.wav"), *named("b/{}.wav")],
            "its folders a and b both hold a recording p232_001; name the one that is meant: .*/a",
        ),
        (["a/p232_001.wav", "a/p232_001.flac"], "a: p232_001.flac and p232_001.wav are the same utterance"),
        # `p232_0011` is another utterance, not `p232_001` with something after it
        (named("x{}.wav") + named("{}1.wav"), "no recording has the name of a test utterance: it holds p232_0011"),
        (["notes.txt"], "no .wav or .flac file in it"),
    ],
)
def test_what_leaves_something_open_is_refused(tmp_path: Path, names: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        match_outputs(folder_of(tmp_path / "enhanced", *names), UTTERANCES)


@pytest.mark.parametrize(
    "beside",
    [["{}_clean.wav"], ["{}_clean.wav", "{}_noisy.wav"], ["mixture_{}.wav", "reference_{}.wav"]],
)
def test_copies_of_the_test_set_beside_the_outputs_are_not_meant(tmp_path: Path, beside: list[str]) -> None:
    inputs = [name for pattern in beside for name in named(pattern)]
    found = match_outputs(folder_of(tmp_path, *named("{}_enhanced.wav"), *inputs), UTTERANCES)
    assert {name: path.name for name, path in found.files.items()} == {
        name: f"{name}_enhanced.wav" for name in UTTERANCES
    }
    assert found.unused == () and found.how.endswith("beside them are not scored")


@pytest.mark.parametrize("beside", [[], ["{}/clean.wav", "{}/noisy.wav"]])
def test_a_folder_for_each_utterance_names_its_output(tmp_path: Path, beside: list[str]) -> None:
    names = [*named("{}/est.wav"), *(name for pattern in beside for name in named(pattern))]
    found = match_outputs(folder_of(tmp_path, *names), UTTERANCES)
    assert {name: path.relative_to(tmp_path).as_posix() for name, path in found.files.items()} == {
        name: f"{name}/est.wav" for name in UTTERANCES
    }
    assert found.how.startswith("outputs are named <utterance>/est: p232_001/est.wav is taken for p232_001")


NOISY_NAMES = {name: (f"{name}_noisy", name) for name in UTTERANCES}


@pytest.mark.parametrize("beside", [["{}_noisy.wav"], ["{}_noisy.wav", "{}_clean.wav"]])
@pytest.mark.parametrize("form", ["{}_enhanced.wav", "{}_noisy_enhanced.wav", "est_{}.wav"])
def test_copies_with_the_names_of_the_noisy_recordings_are_no_outputs(
    tmp_path: Path, form: str, beside: list[str]
) -> None:
    names = [name for pattern in (form, *beside) for name in named(pattern)]
    found = match_outputs(folder_of(tmp_path, *names), UTTERANCES, NOISY_NAMES)
    assert {name: path.name for name, path in found.files.items()} == {name: form.format(name) for name in UTTERANCES}
    assert found.unused == ()


@pytest.mark.parametrize("beside", [[], ["{}_clean.wav"]])
def test_without_such_outputs_these_names_are_those_of_the_outputs(tmp_path: Path, beside: list[str]) -> None:
    names = [name for pattern in ("{}_noisy.wav", *beside) for name in named(pattern)]
    found = match_outputs(folder_of(tmp_path, *names), UTTERANCES, NOISY_NAMES)
    assert {path.name for path in found.files.values()} == {*named("{}_noisy.wav")}


def test_what_else_lies_beside_these_names_leaves_it_open(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, *named("{}_noisy.wav"), *named("{}_noisy_residual.wav"))
    with pytest.raises(InputError, match="more than one recording may be the output of an utterance"):
        match_outputs(folder, UTTERANCES, NOISY_NAMES)


def test_of_folders_for_each_utterance_the_recording_of_its_name_is_the_output(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, *(f"{name}/{part}.wav" for name in UTTERANCES for part in (name, "noise")))
    assert {name: path.stem for name, path in match_outputs(folder, UTTERANCES).files.items()} == {
        name: name for name in UTTERANCES
    }


def test_one_output_may_be_missing_among_complete_copies_of_the_test_set(tmp_path: Path) -> None:
    found = match_outputs(folder_of(tmp_path, *named("{}_enhanced.wav")[1:], *named("{}_noisy.wav")), UTTERANCES)
    assert sorted(found.files) == UTTERANCES[1:]


def test_few_plain_names_alone_are_taken(tmp_path: Path) -> None:
    assert sorted(match_outputs(folder_of(tmp_path, "p232_001.wav", "other.wav"), UTTERANCES).files) == ["p232_001"]


def test_numbers_as_utterances_are_not_found_inside_other_names(tmp_path: Path) -> None:
    utterances = [str(number) for number in range(1, 12)]
    folder = folder_of(tmp_path, *(f"part_{number}_of_11.wav" for number in utterances))
    found = match_outputs(folder, utterances)
    assert {name: path.name for name, path in found.files.items()} == {n: f"part_{n}_of_11.wav" for n in utterances}


def test_a_folder_of_neither_is_no_checkpoint(tmp_path: Path) -> None:
    folder_of(tmp_path / "empty" / "below", "notes.txt")
    with pytest.raises(CheckpointError, match="holds neither wav files nor checkpoints"):
        expand_checkpoints((str(tmp_path / "empty"),))


def test_recordings_in_formats_that_are_not_read_are_told(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "coded", "p232_001.MP3", "p232_002.ogg", "notes.txt")
    told = r"\.mp3, \.ogg files are not read, convert them to \.wav or \.flac"
    with pytest.raises(CheckpointError, match=told):
        expand_checkpoints((str(folder),))
    with pytest.raises(InputError, match=told):
        find_pairs(folder, folder)


def test_a_comparison_says_how_outputs_were_matched_and_scores_them_all_the_same(small_set: Path, outputs) -> None:
    plain = outputs(small_set, "plain", lambda name, clean, noisy: clean + 0.5 * (noisy - clean))
    other = plain.with_name("other")
    other.mkdir()
    for path in plain.iterdir():
        shutil.copy(path, other / f"enh_{path.name}")
    result = compared(small_set, plain, other, limit=2)
    assert {finding.rule for finding in result.findings} == {"CMG708"}  # the same samples
    assert result.notes == ["other: outputs are named enh_<utterance>: enh_ada_001.wav is taken for ada_001"]
    assert result.checkpoints[0].sha256 == result.checkpoints[1].sha256


@pytest.mark.parametrize("beside", ["{}_enhanced.wav", "out_{}.wav", "{}_g.wav"])
@pytest.mark.parametrize("copied", [{"ada_001", "ben_001", "cleo_001"}, {"ada_001"}])
def test_copies_of_the_test_set_with_its_names_are_no_outputs_where_others_lie_beside_them(
    small_set: Path, outputs, beside: str, copied: set[str]
) -> None:
    rounded = 2**-17
    folder = outputs(small_set, "out", lambda name, clean, noisy: (noisy if name in copied else clean) + rounded)
    plain = sorted(folder.iterdir())
    for path in plain:
        shutil.copy(small_set / "clean" / path.name, folder / beside.format(path.stem))
    shutil.copy(small_set / "clean" / "ada_001.wav", folder / "ada_001_clean.wav")
    among = find_pairs(small_set / "clean", small_set / "noisy")
    found = open_folder(folder, "out", among.pairs, among=among.matched)
    assert {path.name for path in found.files.values()} == {beside.format(path.stem) for path in plain}
    assert "; the copies of the test set beside them are not scored" in found.remark


@pytest.mark.parametrize("beside", ["{}_noise.wav", "{}_clean.wav", ""])
def test_copies_alone_are_the_outputs(small_set: Path, outputs, beside: str) -> None:
    folder = outputs(small_set, "out", lambda name, clean, noisy: noisy)
    plain = sorted(folder.iterdir())
    for path in plain if beside else ():
        shutil.copy(small_set / "clean" / path.name, folder / beside.format(path.stem))
    among = find_pairs(small_set / "clean", small_set / "noisy")
    assert sorted(open_folder(folder, "out", among.pairs, among=among.matched).files.values()) == plain


def test_what_is_no_copy_is_the_output(small_set: Path, outputs) -> None:
    folder = outputs(small_set, "out", lambda name, clean, noisy: noisy if name == "ada_001" else 0.5 * noisy)
    plain = sorted(folder.iterdir())
    for path in plain:
        shutil.copy(small_set / "clean" / path.name, folder / f"{path.stem}_enhanced.wav")
    among = find_pairs(small_set / "clean", small_set / "noisy")
    assert sorted(open_folder(folder, "out", among.pairs, among=among.matched).files.values()) == plain
