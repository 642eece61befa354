"""`cmgan-audit trend`: its words, documents and exit statuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from subprocess import CompletedProcess

import pytest

LOGS = Path(__file__).parents[2] / "fixtures" / "logs"
Trend = Callable[..., CompletedProcess[str]]


@pytest.fixture
def trend(command: Trend) -> Trend:
    return partial(command, "trend")


def test_noise_floor_from_the_table(trend: Trend) -> None:
    done = trend(LOGS / "quoted_decline.csv", "--utterances", 824, "--seconds", 2, "--format", "json")
    evidence = json.loads(done.stdout)["findings"][0]["evidence"]
    assert evidence["noise"] == pytest.approx(0.02, abs=0.001)
    assert evidence["noise_from"] == "table"


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["declining.log"], 1),
        (["declining.log", "--fail-on", "never"], 0),
        (["declining.log", "--fail-on-drop", "0.9"], 0),
        (["declining.log", "--fail-on-drop", "0.9", "--fail-on", "warning"], 1),
        (["declining.log", "--ignore", "metric-decline"], 0),
        (["healthy.csv"], 0),
        (["healthy.csv", "--fail-on", "note"], 1),
        (["resumed.jsonl"], 0),
        (["."], 1),
    ],
)
def test_exit_status(trend: Trend, arguments: list[str], status: int) -> None:
    done = trend(*arguments, cwd=LOGS)
    assert done.returncode == status, done.stdout


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["missing.log"], 2, "missing.log: no such file or folder"),
        (["healthy.csv", "--metric", "stoi"], 3, "no metric called stoi in 1 log"),
        (["healthy.csv", "--utterances", "824"], 2, "--utterances and --seconds go together"),
        (["healthy.csv", "--utterances", "824", "--seconds", "99"], 2, "99"),
        (["healthy.csv", "--fail-on", "sometimes"], 2, "not one of error, warning, note, never"),
        (["healthy.csv", "--fail-on-drop", "-1"], 2, "not a drop above 0"),
        (["healthy.csv", "--pattern", "(?P<pesq"], 2, "no regular expression"),
        (["healthy.csv", "--pattern", "(?P<epoch>1)"], 2, "names no series"),
        (["healthy.csv", "--role", "pesq"], 2, "not NAME=ROLE"),
        (["healthy.csv", "--role", "pesq=best friend"], 2, "not one of metric, loss"),
        (["healthy.csv", "--select", "CMG899"], 2, "CMG899"),
        (["healthy.csv", "--select", "CMG101"], 2, "CMG101 is for `cmgan-audit check`; `trend` has no such rule"),
        ([], 2, "LOG"),
    ],
)
def test_errors_say_what_is_wrong(trend: Trend, arguments: list[str], status: int, message: str) -> None:
    done = trend(*arguments, cwd=LOGS)
    assert done.returncode == status
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(("flags", "status"), [([], 0), (["--strict"], 3)])
def test_one_of_several_logs_that_is_empty_yet(trend: Trend, tmp_path: Path, flags: list[str], status: int) -> None:
    (tmp_path / "begun.log").touch()
    done = trend(tmp_path / "begun.log", LOGS / "healthy.csv", *flags)
    assert done.returncode == status
    assert "healthy" in done.stdout
    assert "begun.log: empty: nothing has been written to it" in done.stdout
    assert trend(tmp_path / "begun.log").returncode == 3
    assert trend(tmp_path / "begun.log", LOGS / "declining.log").returncode == 1


def test_a_fall_that_is_not_asked_for_is_not_healthy(trend: Trend) -> None:
    done = trend(LOGS / "declining.log", "--select", "CMG802", "--format", "json")
    document = json.loads(done.stdout)
    assert (done.returncode, document["verdict"]) == (0, "undecided")
    assert "CMG801" in document["summary"]
    assert (
        json.loads(trend(LOGS / "healthy.csv", "--select", "CMG802", "--format", "json").stdout)["verdict"] == "healthy"
    )


def test_settings_of_the_project_hold_and_flags_win(trend: Trend, tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text("epoch,pesq\n1,2.3\n2,2.6\n3,2.45\n4,2.45\n5,2.45\n")
    settings = tmp_path / "cmgan-audit.toml"

    def status(text: str, *flags: str) -> object:
        settings.write_text(text)
        return trend(log, *flags, cwd=tmp_path).returncode

    assert status("") == 0
    assert status('fail_on = "warning"') == 1
    assert status('fail_on = "warning"', "--fail-on", "error") == 0
    assert status("[per_rule.CMG801]\nerror_from = 0.12") == 1
    assert status('[per_rule.metric-decline]\nseverity = "error"') == 1
    assert status('fail_on = "warning"\nignore = ["CMG8"]') == 0
    assert status('fail_on = "warning"\nselect = ["CMG1"]') == 1
    assert status("[per_rule.CMG801]\nerrors_from = 0.12") == 2


def test_log_without_metrics(trend: Trend, tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    log.write_text("17:41:11,634 torch INFO Reducer buckets have been rebuilt in this iteration.\n" * 3)
    done = trend(log)
    assert done.returncode == 3
    assert "no metric and no loss in 1 log" in done.stderr
    log.write_text("Hello\n")
    assert "no metric and no loss in 1 log: " in (said := trend(log).stderr)
    assert "train.log" in said


def test_own_format_by_pattern_and_role(trend: Trend, tmp_path: Path) -> None:
    log = tmp_path / "own.log"
    log.write_text("".join(f"ep {e} mos {v} x\n" for e, v in enumerate([2.4, 2.64, 2.2, 2.2, 2.1])))
    done = trend(log, "--pattern", r"ep (?P<epoch>\d+) mos (?P<quality>[\d.]+)", "--role", "quality=pesq:eval")
    assert done.returncode == 1
    assert "quality fell from 2.64 (epoch 1) to 2.1 (epoch 4)" in done.stdout


def test_the_document_tells_why_the_status_is_1(trend: Trend, tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text("epoch,pesq,loss\n" + "".join(f"{e},{2 + e / 10},{'nan' if e > 2 else 0.1}\n" for e in range(6)))
    done = trend(log, "--format", "json")
    document = json.loads(done.stdout)
    assert (done.returncode, document["verdict"]) == (1, "healthy")
    assert (document["fail_on"], document["failing"]) == ("error", ["CMG805"])
    assert document["summary"] == "no metric fell and stayed down, but 1 error of another kind"
    done = trend(log, "--format", "json", "--fail-on", "never")
    assert (done.returncode, json.loads(done.stdout)["failing"]) == (0, [])


def test_a_list_of_systems_is_told_and_not_judged(trend: Trend, tmp_path: Path) -> None:
    systems = tmp_path / "results.txt"
    systems.write_text(
        "took 12.5 s\n"
        + "".join(
            f"Testing {n}\nPESQ: {v}\n"
            for n, v in (("SEGAN", 2.16), ("CMGAN", 3.41), ("DEMUCS", 3.07), ("Wiener", 2.2))
        )
    )
    done = trend(systems)
    assert (done.returncode, done.stdout) == (3, "")
    assert "no training in 1 log: " in done.stderr
    assert "values under different names" in done.stderr
    done = trend(systems, LOGS / "healthy.csv")
    assert done.returncode == 0
    assert f"{systems.as_posix()}:3: 4 values under different names" in done.stdout


def test_a_log_without_a_metric_has_a_document_too(trend: Trend, tmp_path: Path) -> None:
    losses, words = tmp_path / "loss.csv", tmp_path / "words.log"
    losses.write_text("epoch,train_loss,val_loss\n" + "".join(f"{e},{1 / e},{1.2 / e}\n" for e in range(1, 9)))
    words.write_text("Loading 17 files took 3.2 s\n" * 4)
    for log, names in ((losses, ["train_loss", "val_loss"]), (words, [])):
        done = trend(log, "--format", "json")
        document = json.loads(done.stdout)
        assert (done.returncode, document["verdict"]) == (3, "undecided")
        assert document["summary"] == "undecided: the logs hold no metric that could have fallen"
        assert [series["name"] for run in document["runs"] for series in run["series"]] == names
        assert "no metric" in done.stderr
    done = trend(losses)
    assert (done.returncode, done.stdout) == (3, "")
