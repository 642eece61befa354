"""The metrics of MLflow runs, a file for each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from cmgan_audit.finding import Severity
from cmgan_audit.logs.judging import judge
from cmgan_audit.logs.roles import RoleBook
from cmgan_audit.logs.search import Search, read_logs
from cmgan_audit.logs.selection.judged import Question
from cmgan_audit.rules.catalogue import load_catalogue

CATALOGUE = load_catalogue()
EVERY = frozenset(rule.id for rule in CATALOGUE if rule.door == "trend")
RISING = [2.0, 2.2, 2.35, 2.45, 2.52, 2.57, 2.6, 2.62, 2.64, 2.65]
FALLING = [*RISING[:6], 2.4, 2.3, 2.25, 2.2]
START = 1_700_000_000_000


def run_of(folder: Path, metrics: dict[str, Sequence[str]]) -> None:
    """A run in MLflow's file store; each metric with the ends of its lines, `value step`, a minute apart."""
    for name, ends in metrics.items():
        path = folder / "metrics" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{START + 60_000 * i} {end}\n" for i, end in enumerate(ends)))
    for name, value in (("params/lr", "0.0005"), ("tags/mlflow.user", "ann")):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(value)
    (folder / "meta.yaml").write_text("lifecycle_stage: active\n")


def stepped(values: Sequence[float], every: int = 1) -> list[str]:
    return [f"{value} {i * every}" for i, value in enumerate(values)]


def read(folder: Path) -> Search:
    return read_logs([folder], RoleBook())


def verdict(found: Search) -> str:
    return judge(found.readings, Question(), CATALOGUE, EVERY).verdict(Severity.ERROR)


@pytest.mark.parametrize(("scores", "said"), [(RISING, "healthy"), (FALLING, "degraded")])
@pytest.mark.parametrize("name", ["val_pesq", "val/pesq", "val.pesq"])
def test_a_run_is_read_whole(tmp_path: Path, name: str, scores: list[float], said: str) -> None:
    losses = [0.3 - i / 100 for i in range(10)]
    run_of(tmp_path / "mlruns" / "0" / "ab12", {name: stepped(scores, 100), "train_loss": stepped(losses, 100)})
    found = read(tmp_path)
    (reading,) = found.readings
    (run,) = reading.runs
    assert {series.name: list(series.ys) for series in run.series} == {name: scores, "train_loss": losses}
    assert list(run.series[0].xs) == [100.0 * i for i in range(10)]
    assert (reading.path, verdict(found)) == (f"{tmp_path.as_posix()}/mlruns/0/ab12/metrics", said)


def test_each_run_is_one_of_its_own_and_no_other_file_is_a_metric(tmp_path: Path) -> None:
    for name, scores in (("ab12", RISING), ("cd34", FALLING)):
        run_of(tmp_path / name, {"pesq": stepped(scores)})
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics" / "pesq").write_text("1700000000000 2.5 1\n")
    assert [len(reading.runs) for reading in read(tmp_path).readings] == [1, 1]


def test_steps_and_epochs_of_lightning(tmp_path: Path) -> None:
    run_of(tmp_path, {"epoch": stepped(range(10), 100), "val_pesq": stepped(FALLING, 100)})
    (series,) = read(tmp_path).readings[0].runs[0].series
    assert (series.x_kind, list(series.xs)) == ("epoch", [float(i) for i in range(10)])


@pytest.mark.parametrize("end", ["{} 0", "{}"])
def test_who_gives_no_step_is_read_in_the_order_of_time(tmp_path: Path, end: str) -> None:
    run_of(tmp_path, {"val_pesq": [end.format(score) for score in FALLING]})
    found = read(tmp_path)
    assert list(found.readings[0].runs[0].series[0].ys) == FALLING
    assert verdict(found) == "degraded"


def test_a_broken_line_is_told_and_nan_is_a_value(tmp_path: Path) -> None:
    run_of(tmp_path, {"val_pesq": [*stepped(RISING), "nan 10", "nothing 11", "2.6 12"]})
    (reading,) = read(tmp_path).readings
    assert len(reading.runs[0].series[0]) == len(RISING) + 2
    assert [note.text for note in reading.notes] == ["1 line without a time and a value, left out"]
