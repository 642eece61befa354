"""compare-ckpts as a user meets it: its documents, its exit status; the installed command where a process matters."""

from __future__ import annotations

import csv
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

COMMAND = str(Path(sys.executable).with_name("cmgan-audit"))
AUDIO = Path(__file__).parents[2] / "fixtures" / "audio"


Run = Callable[..., subprocess.CompletedProcess[str]]


def installed(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [COMMAND, "compare-ckpts", *map(str, arguments), "--no-cache"]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


@pytest.fixture
def run(command: Run) -> Run:
    def compare(*arguments: object, cache: Path | None = None) -> subprocess.CompletedProcess[str]:
        return command("compare-ckpts", *arguments, *(["--no-cache"] if cache is None else ["--cache", cache]))

    return compare


@pytest.fixture(scope="module")
def systems(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four systems made from the bundled pairs: mixtures `clean + share * (noisy - clean)`, later ones worse."""
    root = tmp_path_factory.mktemp("systems")
    for label, share in (("epoch_2", 0.2), ("epoch_7", 0.4), ("epoch_14", 0.8), ("epoch_20", 0.2)):
        (root / label).mkdir()
        for path in sorted((AUDIO / "clean").glob("*.wav")):
            clean, noisy = soundfile.read(path)[0], soundfile.read(AUDIO / "noisy" / path.name)[0]
            soundfile.write(root / label / path.name, clean + share * (noisy - clean), 16_000, subtype="PCM_16")
    return root


def test_a_decline_fails_and_is_told_in_one_sentence(systems: Path, tmp_path: Path) -> None:
    epochs = [systems / f"epoch_{epoch}" for epoch in (2, 7, 14)]
    done = installed(*epochs, "--data", AUDIO, "--out", tmp_path / "out", "--metrics", "pesq,ssnr")
    assert done.returncode == 1, done.stderr
    assert done.stdout.startswith("FAIL  epoch_14 scores worse than epoch_2: PESQ (wide band) -")
    assert "warning CMG701 measured-regression: epoch_7 scores worse than epoch_2" in done.stdout
    assert "error CMG701 measured-regression: epoch_14 scores worse than epoch_2" in done.stdout
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["schema"] == "cmgan-audit/compare/v1"
    assert summary["verdict"] == "fail"
    assert [entry["epoch"] for entry in summary["checkpoints"]] == [2, 7, 14]
    means = [entry["metrics"]["pesq"]["mean"] for entry in summary["checkpoints"]]
    assert means == sorted(means, reverse=True)
    families = {(one["candidate"], one["baseline"], one["family"]): one for one in summary["comparisons"]}
    assert families[("epoch_14", "epoch_2", "best")]["verdict"] == "regressed"
    assert ("epoch_14", "epoch_7", "previous") in families
    with (tmp_path / "out" / "scores.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 3 * 12 * 2
    assert {row["status"] for row in rows} == {"ok"}
    mine = [float(row["value"]) for row in rows if row["checkpoint"] == "epoch_7" and row["metric"] == "pesq"]
    assert np.mean(mine) == pytest.approx(means[1], abs=1e-9)
    assert (tmp_path / "out" / "trend.png").read_bytes().startswith(b"\x89PNG")


def test_gate_and_fail_on_decide_the_exit_status(run: Run, systems: Path, tmp_path: Path) -> None:
    epochs = [systems / f"epoch_{epoch}" for epoch in (2, 14, 20)]  # a decline that was made good again
    done = run(*epochs, "--data", AUDIO, "--metrics", "pesq", "--format", "json", "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    last = [one for one in document["comparisons"] if one["candidate"] == "epoch_20" and one["family"] == "best"]
    # epoch_20 is epoch_2 again: identical outputs are equivalent, without a p-value, and said
    assert [(one["verdict"], one["mean_difference"], one["p_value"]) for one in last] == [("equivalent", 0.0, None)]
    assert "CMG708" in {finding["rule"] for finding in document["findings"]}
    rows = ("--scores", tmp_path / "scores.csv")  # the same rows, judged again
    assert run(*rows).returncode == 0
    assert run(*rows, "--gate", "any").returncode == 1
    assert run(*rows, "--fail-on", "warning").returncode == 1
    assert run(*rows, "--gate", "any", "--fail-on", "never").returncode == 0
    assert run(*rows, "--baseline", "epoch_2").returncode == 0


def test_a_question_without_an_answer_does_not_pass(run: Run, systems: Path) -> None:
    """STOI needs more speech than a segment of 0.3 s holds: no finding is severe, and yet nothing is known."""
    for words in ((), ("--baseline", "noisy"), ("--fail-on", "never")):
        done = run(systems / "epoch_2", "--data", AUDIO, "--metrics", "stoi", "--segments", "2x0.3s", *words)
        assert done.returncode == 3, done.stderr
        assert done.stdout.startswith("FAIL  nothing was compared: ") and "error" not in done.stdout
        assert "epoch_2 has no stoi on any utterance (12 failed)" in done.stdout


def test_a_second_run_computes_nothing_and_gives_equal_bytes(run: Run, systems: Path, tmp_path: Path) -> None:
    arguments = (systems / "epoch_2", systems / "epoch_7", "--data", AUDIO, "--metrics", "pesq,estoi")
    first = run(*arguments, "--out", tmp_path / "a", cache=tmp_path / "cache")
    before = rows_in(tmp_path / "cache")
    second = run(*arguments, "--out", tmp_path / "b", cache=tmp_path / "cache")
    assert rows_in(tmp_path / "cache") == before > 0
    assert first.stdout.replace("/a/", "/b/") == second.stdout
    fresh = installed(*arguments, "--out", tmp_path / "c", "--jobs", "1")
    assert fresh.returncode == second.returncode
    for name in ("scores.csv", "summary.json", "trend.png"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "c" / name).read_bytes()


def test_one_new_checkpoint_among_old_ones_is_the_only_one_computed(run: Run, systems: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    run(systems / "epoch_2", systems / "epoch_7", "--data", AUDIO, "--metrics", "ssnr", cache=cache)
    before = rows_in(cache)
    run(
        systems / "epoch_2",
        systems / "epoch_7",
        systems / "epoch_14",
        "--data",
        AUDIO,
        "--metrics",
        "ssnr",
        cache=cache,
    )
    assert rows_in(cache) - before == 12


def rows_in(cache: Path) -> int:
    (file,) = cache.glob("*.sqlite")
    connection = sqlite3.connect(file)
    try:
        return int(connection.execute("SELECT count(*) FROM scores").fetchone()[0])
    finally:
        connection.close()


def killed(arguments: tuple[object, ...], cache: Path, after: float) -> None:
    """Start the command, kill it with SIGKILL after a time, and see that its workers end too."""
    command = [COMMAND, "compare-ckpts", *map(str, arguments), "--cache", str(cache)]
    marker = {**os.environ, "KILL_TEST": str(cache)}
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=marker, start_new_session=True
    )
    deadline = time.monotonic() + after
    while process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    deadline = time.monotonic() + 20
    while living := marked(str(cache)):
        assert time.monotonic() < deadline, f"workers live on after their parent was killed: {living}"
        time.sleep(0.05)


def marked(value: str) -> list[int]:
    """Processes that carry the marker in their environment."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                if f"KILL_TEST={value}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                    found.append(int(folder.name))
            except OSError:
                continue
    return found


def test_sigkill_half_way_loses_nothing(run: Run, systems: Path, tmp_path: Path) -> None:
    arguments = (systems / "epoch_2", systems / "epoch_14", "--data", AUDIO, "--metrics", "pesq,stoi", "-q")
    whole = run(*arguments, "--out", tmp_path / "whole")
    cache = tmp_path / "cache"
    command = [COMMAND, "compare-ckpts", *map(str, arguments), "--cache", str(cache), "--out", str(tmp_path / "x")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (list(cache.glob("*.sqlite")) and has_rows(cache, 8)):
        time.sleep(0.01)
    process.kill()
    process.wait()
    kept = rows_in(cache)
    assert 8 <= kept < 48
    again = run(*arguments, "--out", tmp_path / "again", cache=cache)
    assert again.returncode == whole.returncode == 1
    for name in ("scores.csv", "summary.json"):
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def has_rows(cache: Path, wanted: int) -> bool:
    try:
        return rows_in(cache) >= wanted
    except sqlite3.OperationalError:  # the tables are being made
        return False


@pytest.mark.slow
def test_sigkill_at_twenty_random_moments(run: Run, systems: Path, tmp_path: Path) -> None:
    epochs = [systems / f"epoch_{epoch}" for epoch in (2, 7, 14)]
    arguments = (*epochs, "--data", AUDIO, "--out", tmp_path / "again", "-q")
    whole = run(*epochs, "--data", AUDIO, "--out", tmp_path / "whole", "-q")
    moments = np.random.default_rng(0).uniform(0.3, 6.0, 20)
    for moment in moments:
        killed(arguments, tmp_path / "cache", float(moment))
    done = run(*arguments, cache=tmp_path / "cache")
    assert done.returncode == whole.returncode
    for name in ("scores.csv", "summary.json", "trend.png"):
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


@pytest.mark.slow
def test_two_runs_on_one_store_at_once(systems: Path, tmp_path: Path) -> None:
    epochs = [systems / f"epoch_{epoch}" for epoch in (2, 7, 14)]
    base = [COMMAND, "compare-ckpts", *map(str, epochs), "--data", str(AUDIO), "--cache", str(tmp_path / "cache"), "-q"]
    both = [
        subprocess.Popen([*base, "--out", str(tmp_path / name)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        for name in ("a", "b")
    ]
    said = [process.communicate(timeout=600)[1].decode() for process in both]  # a loaded machine takes minutes
    assert [process.returncode for process in both] == [1, 1], said
    for name in ("scores.csv", "summary.json", "trend.png"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_segments_limit_and_lock(run: Run, systems: Path, tmp_path: Path) -> None:
    lock = tmp_path / "segments.json"
    arguments = (systems / "epoch_2", "--data", AUDIO, "--baseline", "noisy", "--metrics", "pesq", "--format", "json")
    first = run(*arguments, "--segments", "2x1s", "--segment-lock", lock)
    assert first.returncode == 0, first.stderr
    document = json.loads(first.stdout)
    assert "|seg:2x1s|" in document["signature"]
    assert {one["n"] for one in document["comparisons"]} == {12}  # two segments of an utterance are one unit
    assert run(*arguments, "--segments", str(lock)).stdout == first.stdout
    other = run(*arguments, "--segments", "3x1s", "--segment-lock", lock)
    assert other.returncode == 2
    assert "holds --segments 2x1s, not 3x1s" in other.stderr
    limited = json.loads(run(*arguments, "--limit", "8").stdout)
    assert (limited["utterances"], limited["left_out_by_limit"]) == (8, 4)
    assert limited["comparisons"][0]["verdict"] == "undecided"  # below 10 pairs


def test_the_shared_set_reproduces_published_numbers(run: Run, tmp_path: Path) -> None:
    shared = os.environ.get("CMGAN_AUDIT_DATA")
    if not shared:
        pytest.skip("CMGAN_AUDIT_DATA (folder with voicebank/ and logs/) is not set")
    data = Path(shared) / "voicebank"
    done = run(data / "enhanced_cmgan", "--data", data, "--baseline", "noisy", "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "self-check: noisy PESQ equals the published VoiceBank+DEMAND values on 14 of 14" in done.stdout
    with (data / "published_noisy_metrics.csv").open() as stream:
        published = {row["utterance"]: float(row["pesq_wb"]) for row in csv.DictReader(stream)}
    with (tmp_path / "scores.csv").open() as stream:
        for row in csv.DictReader(stream):
            if row["checkpoint"] == "noisy" and row["metric"] == "pesq":
                assert float(row["value"]) == pytest.approx(published[row["utterance"]], abs=1e-4)
    summary = json.loads((tmp_path / "summary.json").read_text())
    (verdict,) = (one["verdict"] for one in summary["comparisons"] if one["metric"] == "pesq")
    assert verdict == "improved"
    assert summary["findings"] == []


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["{sys}/epoch_2"], 2, "where is the test set?"),
        (["{sys}/epoch_2", "--data", "{tmp}/absent"], 2, "no such folder"),
        (["{tmp}/absent.pth", "--data", "{audio}"], 2, "absent.pth"),
        (["{tmp}/absent*.pth", "--data", "{audio}"], 3, "no file matches"),
        (["{tmp}/text.pth", "--data", "{audio}"], 3, "text.pth"),
        (["{tmp}/empty", "--data", "{audio}"], 3, "empty"),
        (["{tmp}/other_names", "--data", "{audio}"], 3, "no recording has the name of a test utterance"),
        (["{tmp}/rate48", "--data", "{audio}"], 3, "48000 Hz where 16000 Hz is needed"),
        (["{sys}/epoch_2", "{sys}/epoch_2", "--data", "{audio}"], 2, "named twice"),
        (["{sys}/epoch_2", "--data", "{audio}", "--metrics", "pesk"], 2, "legal names: pesq"),
        (["{sys}/epoch_2", "--data", "{audio}", "--segments", "2s"], 2, "NxSs"),
        (["{sys}/epoch_2", "--data", "{audio}", "--floor", "-1"], 2, "positive"),
        (["{sys}/epoch_2", "--data", "{audio}", "--gate", "first"], 2, "last, any"),
        (["{sys}/epoch_2", "--data", "{audio}", "--strata", "{tmp}/text.pth"], 3, "column utterance"),
        (["{sys}/epoch_2", "--data", "{audio}", "--strata", "{tmp}/absent"], 2, "cannot be read: No such file"),
        (["--scores", "{tmp}/absent.csv"], 2, "cannot be read: No such file"),
        (["{sys}/epoch_2", "--data", "{audio}", "--train-data", "{tmp}/absent"], 2, "--train-data"),
        (["{sys}/epoch_2", "--data", "{audio}", "--baseline", "{tmp}/absent"], 2, "absent"),
        (["{sys}/epoch_2", "--data", "{audio}", "--out", "{tmp}/text.pth/x", "--metrics", "ssnr"], 2, "--out"),
    ],
)
def test_bad_input_has_a_message_and_no_traceback(run, systems, tmp_path, arguments, status, message) -> None:
    (tmp_path / "text.pth").write_text("not a checkpoint\n")
    (tmp_path / "empty").mkdir()
    for folder, name, rate in (("other_names", "zoe_001", 16_000), ("rate48", "ada_001", 48_000)):
        (tmp_path / folder).mkdir()
        soundfile.write(tmp_path / folder / f"{name}.wav", np.full(rate, 0.1), rate)
    filled = [entry.format(sys=systems, tmp=tmp_path, audio=AUDIO) for entry in arguments]
    done = run(*filled)
    assert (done.returncode, done.stdout) == (status, ""), done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_json_alone_on_stdout_and_output_file(run: Run, systems: Path, tmp_path: Path) -> None:
    done = installed(systems / "epoch_2", "--data", AUDIO, "--metrics", "ssnr", "--format", "json")
    assert json.loads(done.stdout)["verdict"] == "pass"
    assert done.stderr == ""
    to_file = run(
        systems / "epoch_2", "--data", AUDIO, "--metrics", "ssnr", "--format", "json", "--output", tmp_path / "d.json"
    )
    assert to_file.stdout == ""
    assert (tmp_path / "d.json").read_text() == done.stdout
