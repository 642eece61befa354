"""Scores of a test set's utterances in a file or a list that names and counts nothing: no training."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from cmgan_audit.logs.roles import RoleBook
from cmgan_audit.logs.search import Search, read_logs

DRAW = random.Random(7)
UTTERANCES = [round(2.6 + DRAW.gauss(0, 0.6), 3) for _ in range(120)]
TRAINING = [round(3 - 1.2 * math.exp(-i / 25) + DRAW.gauss(0, 0.03), 3) for i in range(120)]


def table(values: list[float], **more: list[float]) -> str:
    columns = {"pesq": values, **more}
    return (
        ",".join(columns)
        + "\n"
        + "".join(",".join(map(str, row)) + "\n" for row in zip(*columns.values(), strict=True))
    )


def records(values: list[float], **more: list[float]) -> str:
    rows = [dict(zip(("pesq", *more), row, strict=True)) for row in zip(values, *more.values(), strict=True)]
    return "".join(json.dumps(row) + "\n" for row in rows)


def lists(values: list[float], **more: list[float]) -> str:
    return json.dumps({"pesq": values, **more})


def read(tmp_path: Path, name: str, content: str) -> Search:
    path = tmp_path / name
    path.write_text(content)
    return read_logs([path], RoleBook())


FORMATS = pytest.mark.parametrize(("name", "write"), [("r.csv", table), ("r.json", lists), ("r.jsonl", records)])


@FORMATS
def test_utterances_are_no_training(tmp_path: Path, name: str, write: Callable[..., str]) -> None:
    found = read(tmp_path, name, write(UTTERANCES, stoi=[y / 4 for y in UTTERANCES]))
    assert (found.readings, [note.of_a_list for note in found.notes]) == ([], [True])
    assert "120 values that scatter as the scores of single utterances" in str(found.notes[0])


@FORMATS
def test_a_course_is_a_training(tmp_path: Path, name: str, write: Callable[..., str]) -> None:
    assert len(read(tmp_path, name, write(TRAINING)).readings) == 1


@FORMATS
@pytest.mark.parametrize("beside", ["loss", "epoch"])
def test_what_stands_beside_a_loss_or_an_epoch_is_a_training(
    tmp_path: Path, name: str, write: Callable[..., str], beside: str
) -> None:
    numbers = [float(i) for i in range(120)]
    assert len(read(tmp_path, name, write(UTTERANCES, **{beside: numbers})).readings) == 1


@pytest.mark.parametrize(("values", "is_history"), [(UTTERANCES[:12], False), (TRAINING[:12], True)])
def test_a_list_as_long_as_there_are_epochs(tmp_path: Path, values: list[float], is_history: bool) -> None:
    epochs = "".join(f"Epoch {e} loss: {1 / e:.3f}\n" for e in range(1, 13))
    found = read(tmp_path, "train.log", f"{epochs}PESQ of the test set = {values}\n")
    assert [s.role.measure for s in found.readings[0].runs[0].series] == ["", *["pesq"] * is_history]


def test_a_list_before_the_last_epoch_is_no_history_of_it(tmp_path: Path) -> None:
    epochs = [f"Epoch {e} loss: {1 / e:.3f}\n" for e in range(1, 13)]
    found = read(tmp_path, "train.log", "".join([*epochs[:6], f"PESQ: {TRAINING[:12]}\n", *epochs[6:]]))
    assert [s.role.measure for s in found.readings[0].runs[0].series] == [""]
