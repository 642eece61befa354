"""Rows of a table between progress bars and messages, and lines that only a head above them tells apart."""

from __future__ import annotations

import math
import time
from pathlib import Path

import pytest

from cmgan_audit.logs.lines.tables import cells_of_row
from cmgan_audit.logs.lines.text import read_text
from cmgan_audit.logs.roles import RoleBook
from cmgan_audit.logs.series import Run

PESQ = [2.1, 2.35, 2.5, 2.58]


def runs(tmp_path: Path, content: str) -> list[Run]:
    path = tmp_path / "train.log"
    path.write_text(content, encoding="utf-8")
    return read_text(path, "train.log", RoleBook()).runs


def points(run: Run) -> dict[str, list[tuple[float, float]]]:
    return {series.name: list(zip(series.xs, series.ys, strict=True)) for series in run.series}


EPOCHS = list(enumerate(PESQ))


@pytest.mark.parametrize(
    ("head", "row"),
    [
        (
            "epoch     train_loss  valid_loss  pesq      time    \n",
            "{e}         0.31{e}000    0.29{e}000    {v}     00:12 \n",
        ),
        ("| Epoch | Train Loss | PESQ |\n|-------|-----------|------|\n", "|   {e}/9 |  0.31{e}  | {v} |\n"),
        ("epoch,train_loss,pesq\n", "{e},0.31{e},{v}\n"),
        ("Epoch  Train Loss  Val Loss  PESQ\n", "{e}  0.31  --  {v}\n"),
        ("   epoch  train_loss   pesq\n", "{e}      {e}      0.3100  {v}\n"),
        (" Epoch | TrainLoss |  PESQ |  Time\n---------\n", "   {e} |  0.31  |  {v} |  19.{e}s  ← best\n"),
        ("Epoch  Train Loss  PESQ  Time\n", "{e}  0.31  {v}  1m{e}s *\n"),
        ("Epoch  Train Loss  PESQ\n", "{e}  0.31  {v} - best so far\n"),
        ("Epoch  Train Loss  PESQ  Val STOI\n", "{e}  0.31  {v}  --\n"),
    ],
)
@pytest.mark.parametrize(
    "between", ["", " 45%|####5     | 41/90 [00:10<00:12]\n", "saving to model.pth\nGPU memory 10 GB\n"]
)
def test_rows_with_other_lines_between_them(tmp_path: Path, head: str, row: str, between: str) -> None:
    lines = "".join(between + row.format(e=e, v=v) for e, v in EPOCHS)
    (run,) = runs(tmp_path, f"loading data\n{head}{lines}done\n")
    read = points(run)
    assert next(read[name] for name in read if name.lower() == "pesq") == EPOCHS
    assert len(read) == (3 if "valid_loss" in head else 2)


def test_a_row_counts_on_or_belongs_to_something_else(tmp_path: Path) -> None:
    head = "epoch  loss  pesq\n"
    (run,) = runs(
        tmp_path, f"{head}0  0.3  2.1\nweights of the layers\n0.5  0.3  2.1\n0  0.2  9\n1  nan  2.3\n1 2 3 4\n"
    )
    read = points(run)
    assert read["pesq"] == [(0, 2.1), (1, 2.3)]
    assert math.isnan(read["loss"][1][1])


HEADS_OF_MEASURES = ["CSIG  CBAK  COVL  PESQ  STOI\n", "| CSIG | CBAK | COVL | PESQ | STOI |\n|---|---|---|---|---|\n"]


@pytest.mark.parametrize("head", HEADS_OF_MEASURES)
@pytest.mark.parametrize("row", ["  3.9   3.1   3.3   {v}   0.94\n", "| 3.9 | 3.1 | 3.3 | {v} | 0.94 |\n"])
def test_a_row_of_numbers_right_below_the_names_of_measures(tmp_path: Path, head: str, row: str) -> None:
    text = "".join(f"Epoch: {e}\n{head}{row.format(v=v)}" for e, v in EPOCHS)
    (run,) = runs(tmp_path, text)
    assert points(run)["PESQ"] == EPOCHS
    assert {name: len(found) for name, found in points(run).items()} == dict.fromkeys(points(run), len(PESQ))
    others = "".join(f"Epoch: {e}\n{head}2 files\nlast: none\n{row.format(v=v)}" for e, v in EPOCHS)
    assert not [s for run in runs(tmp_path, others) for s in run.series]


def test_a_table_without_a_counter_or_a_score_is_none(tmp_path: Path) -> None:
    assert runs(tmp_path, "mean  loss  pesq\n1  0.3  2.1\n2  0.2  2.2\n") == []
    assert runs(tmp_path, "epoch  memory  speed\n1  0.3  2.1\n2  0.2  2.2\n") == []


def test_lines_alike_belong_to_the_phase_that_is_announced(tmp_path: Path) -> None:
    content = "".join(
        f"Start training from epoch {e}\n"
        f"<epoch: {e}, iter: 50, loss: {0.3 / e:.3f}>\n<epoch: {e}, loss: {0.2 / e:.3f}>\n"
        f"Start Validation from epoch {e}\n<epoch: {e}, loss: {0.4 / e:.3f}>\n"
        for e in range(1, 5)
    )
    (run,) = runs(tmp_path, content)
    losses = {series.role.phase: list(series.ys) for series in run.series if "batch" not in series.name}
    assert losses["eval"] == [0.4, 0.2, 0.133, 0.1]
    assert losses["train"][-1] == 0.05


@pytest.mark.parametrize(
    "epoch",
    [
        "Training: 100%|###| 9/9\nValidation: 100%|###| 9/9\nEpoch {e} | loss: 0.3 | PESQ: {v}\n",
        "Validation: 100%|###| 9/9\nEpoch {e} | loss: 0.3 | PESQ: {v}\nTraining set shuffled\n",
        "Start training\nEpoch {e} | loss: 0.3 | PESQ: {v}\n",
    ],
)
def test_one_line_per_epoch_is_of_no_announced_phase(tmp_path: Path, epoch: str) -> None:
    (run,) = runs(tmp_path, "".join(epoch.format(e=e, v=v) for e, v in EPOCHS))
    assert [(series.name, series.role.phase) for series in run.series] == [("loss", ""), ("PESQ", "")]


def test_a_long_line_of_words_and_a_number_is_no_row_and_takes_no_time(tmp_path: Path) -> None:
    began = time.process_time()
    assert cells_of_row("word is here " * 800 + "\0 end", 0) == ()
    assert time.process_time() - began < 1.0
