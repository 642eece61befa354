"""What is called after a phase alone is a loss where the training brings it down, and nothing known elsewhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cmgan_audit.logs.roles import RoleBook
from cmgan_audit.logs.search import read_logs
from cmgan_audit.logs.series import Series

DOWN, UP = [0.5, 0.41, 0.33, 0.3, 0.28, 0.27], [0.61, 0.7, 0.74, 0.78, 0.81, 0.82]


def series(path: Path) -> dict[str, Series]:
    (reading,) = read_logs([path], RoleBook()).readings
    return {one.name: one for run in reading.runs for one in run.series}


@pytest.mark.parametrize(
    "line",
    [
        "epoch {e:03d}  train={t}  valid={v}  val_pesq=2.{e}  (9.1 min)",
        "Overall Summary | Epoch {e} | Train {t} | Valid {v} | Best 0.27 | Pesq 2.{e}",
    ],
)
def test_losses_of_a_text_log(tmp_path: Path, line: str) -> None:
    log = tmp_path / "train.log"
    log.write_text("".join(f"{line.format(e=e, t=t, v=t + 0.1)}\n" for e, t in enumerate(DOWN, start=1)))
    read = {name.lower(): one for name, one in series(log).items()}
    for name, phase in (("train", "train"), ("valid", "eval")):
        assert str(read[name].role) == f"{phase} loss"
        assert list(read[name].xs) == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(("train", "valid", "kind"), [(DOWN, DOWN, "loss"), (DOWN, UP, "loss"), (UP, DOWN, "other")])
def test_the_training_decides(tmp_path: Path, train: list[float], valid: list[float], kind: str) -> None:
    log = tmp_path / "history.json"
    log.write_text(json.dumps([{"train": t, "valid": v} for t, v in zip(train, valid, strict=True)]))
    assert {one.role.kind for one in series(log).values()} == {kind}


def test_a_key_of_some_records_stands_at_theirs(tmp_path: Path) -> None:
    log = tmp_path / "history.json"
    records = [{"train": t, **({"pesq": 2 + i / 10} if i % 2 else {})} for i, t in enumerate(DOWN)]
    log.write_text(json.dumps(records))
    assert (list(series(log)["pesq"].xs), list(series(log)["train"].xs)) == ([1, 3, 5], [0, 1, 2, 3, 4, 5])
