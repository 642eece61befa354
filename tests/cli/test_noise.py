"""The installed `cmgan-audit noise`, as a user meets it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

COMMAND = Path(sys.executable).parent / "cmgan-audit"
HEAVY = ("numpy", "scipy", "pandas", "matplotlib", "torch", "pesq", "soundfile")


ROOT = Path(__file__).resolve().parents[2]


Noise = Callable[..., str]


@pytest.fixture
def noise(command: Callable[..., subprocess.CompletedProcess[str]]) -> Noise:
    def run(*arguments: object, status: int = 0) -> str:
        done = command("noise", *arguments)
        assert done.returncode == status, done.stderr
        return done.stdout if status == 0 else done.stderr

    return run


def test_the_quoted_fall_is_not_crop_noise() -> None:
    command = [COMMAND, "noise", "--from", "2.64", "--to", "2.20", "--n", "824", "--seconds", "2"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert text.startswith("2.64 -> 2.20: beyond crop noise")
    assert "0.0197  95% half-width" in text
    assert "Assumed: the score of one random 2 s crop" in text and "14 utterances" in text


def test_a_small_change_is_inside_and_ten_utterances_cannot_tell(noise: Noise) -> None:
    assert "2.2148 -> 2.2043: inside crop noise" in noise("--from", 2.2148, "--to", 2.2043, "--n", 824)
    assert "cannot be told" in noise("--from", 2.64, "--to", 2.20, "--n", 10)


def test_the_json_document(noise: Noise) -> None:
    document = json.loads(noise("--from", 2.64, "--to", 2.20, "--n", 824, "--format", "json"))
    assert document["schema"] == "cmgan-audit/noise/v1"
    assert (document["verdict"], document["change"], document["noise_from"]) == ("beyond", -0.44, "table")
    assert document["half_width"] == pytest.approx(0.02, abs=0.002)
    alone = json.loads(noise("--n", 100, "--seconds", 1.5, "--format", "json"))
    assert alone["verdict"] is None and alone["change"] is None
    assert "interpolated" in alone["assumption"]


def test_measured_from_scores(noise: Noise, tmp_path: Path) -> None:
    rows = [f"u{index},{2 + index / 10 + 0.1 * (k % 2)}" for index in range(20) for k in range(4)]
    (tmp_path / "crops.csv").write_text("utterance,pesq\n" + "\n".join(rows) + "\n")
    document = json.loads(noise("--scores", tmp_path / "crops.csv", "--n", 824, "--format", "json"))
    assert document["noise_from"] == "measured"
    assert document["sd_of_crop"] == pytest.approx(0.1 / 3**0.5)
    assert document["seconds"] is None
    assert json.loads(noise("--scores", tmp_path / "crops.csv", "--format", "json"))["n"] == 20


def test_measured_on_recordings(noise: Noise) -> None:
    audio = ROOT / "fixtures" / "audio"
    arguments = ("--data", audio, "--enhanced", audio / "noisy", "--seconds", 1, "--crops", 3, "--format", "json")
    first = noise(*arguments)
    document = json.loads(first)
    assert (document["noise_from"], document["n"], document["test_set"]) == ("measured", 12, 12)
    assert 0.01 < document["sd_of_crop"] < 1.5
    assert document["half_width"] == pytest.approx(1.95996 * (2 / 12) ** 0.5 * document["sd_of_crop"], rel=1e-4)
    assert noise(*arguments) == first  # the same crops again, from the store
    assert "no utterance is longer" in noise("--data", audio, "--seconds", 60, status=2)


def test_it_imports_nothing_heavy() -> None:
    command = [sys.executable, "-X", "importtime", "-m", "cmgan_audit", "noise", "--n", "824"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert "json" in imported
    assert not imported.intersection(HEAVY)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--from", 2.64, "--to", 2.2], "--n is missing"),
        (["--from", 2.64, "--n", 10], "--from and --to go together"),
        (["--from", "nan", "--to", 2.2, "--n", 10], "--from nan: not a finite score"),
        (["--n", 10, "--seconds", 4], "crops of 4 s: the crop-noise table was measured from 0.3 to 2 s"),
        (["--n", 10, "--format", "yaml"], "--format yaml: not one of text, json"),
        (["--n", 10, "--metric", "stoi"], "--where and --metric choose rows of --scores"),
        (["--n", 10, "--where", "a=b"], "--where and --metric choose rows of --scores"),
        (["--n", 10, "--enhanced", "x"], "--enhanced goes with --data"),
        (["--data", "x", "--scores", "y"], "--scores and --data exclude each other"),
        (["--data", "x", "--seconds", 0.1], "PESQ needs at least 0.25 s"),
        (["--scores", "x.csv", "--seconds", 2], "--seconds chooses a row of the table"),
        (["--scores", "x.csv", "--where", "a"], "--where a: not of the form COLUMN=VALUE"),
        (["--n", 0], "--n"),
        (["--n", "many"], "--n"),
    ],
)
def test_wrong_usage(noise: Noise, arguments: list[object], message: str) -> None:
    assert message in noise(*arguments, status=2)


def test_a_score_file_that_is_not_there(noise: Noise, tmp_path: Path) -> None:
    assert "cannot be read" in noise("--scores", tmp_path / "none.csv", status=3)


def test_enhanced_recordings_that_are_not_there(noise: Noise, tmp_path: Path) -> None:
    data, absent = ROOT / "fixtures" / "audio", tmp_path / "nix"
    arguments = ("--data", data, "--enhanced", absent, "--seconds", 1, "--crops", 2)
    assert noise(*arguments, status=3) == (f"cmgan-audit: {absent}: cannot be read: No such file or directory\n")


def test_the_document_goes_to_a_file(noise: Noise, tmp_path: Path) -> None:
    assert noise("--n", 824, "--format", "json", "--output", tmp_path / "noise.json") == ""
    assert json.loads((tmp_path / "noise.json").read_text())["n"] == 824


def test_help_has_an_example(noise: Noise) -> None:
    assert "cmgan-audit noise --from 2.64 --to 2.20 --n 824 --seconds 2" in noise("--help")


@pytest.mark.parametrize("score", [0.47, 7])
def test_a_score_that_is_no_pesq_is_refused(noise: Noise, score: float) -> None:
    error = noise("--from", score, "--to", 2.2, "--n", 824, status=2)
    assert f"--from {score}: no mean PESQ, which lies between 1 and 4.65" in error


def test_an_evaluation_is_no_larger_than_the_test_set(noise: Noise) -> None:
    assert "--n 900: an evaluation scores 900" in noise("--n", 900, "--test-set", 824, status=2)
