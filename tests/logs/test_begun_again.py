"""A training that was stopped in its second epoch and begun again says epoch 1 twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.logs.lines.text import read_text
from cmgan_audit.logs.roles import RoleBook


def runs(tmp_path: Path, text: str) -> list[list[tuple[float, float]]]:
    path = tmp_path / "train.log"
    path.write_text(text)
    found = read_text(path, "train.log", RoleBook()).runs
    return [[(x, y) for s in run.series if s.role.measure == "pesq" for x, y, _ in s] for run in found]


def epochs(scores: list[float], line: str = "Epoch [{e}/50] loss: 0.{e}, PESQ: {v}\n") -> str:
    return "".join(line.format(e=e, v=v) for e, v in enumerate(scores, start=1))


@pytest.mark.parametrize("aborted", [[2.62], [2.62, 2.6], [2.62, 2.6, 2.7]])
def test_the_aborted_ones_are_runs_of_their_own(tmp_path: Path, aborted: list[float]) -> None:
    text = "".join(epochs([score]) + "Traceback (most recent call last):\nKeyboardInterrupt\n" for score in aborted)
    found = runs(tmp_path, text + epochs([1.71, 1.8, 1.85, 1.9]))
    assert found == [*[[(1, score)] for score in aborted], [(1, 1.71), (2, 1.8), (3, 1.85), (4, 1.9)]]


def test_two_values_in_every_epoch_are_no_beginnings(tmp_path: Path) -> None:
    text = "".join(f"Epoch {e}\nPESQ: 2.{e}\nPESQ: 3.{e}\n" for e in range(1, 6))
    assert len(runs(tmp_path, text)) == 1


def test_nor_are_the_batches_of_a_first_epoch(tmp_path: Path) -> None:
    text = "".join(f"Epoch 1\nPESQ: 2.{b}\n" for b in range(10, 40))
    assert len(runs(tmp_path, text + epochs([2.0, 2.1, 2.2, 2.3]))) == 1


def test_nor_are_scores_of_its_batches_beside_one_of_the_epoch(tmp_path: Path) -> None:
    text = "".join(f"Epoch 1, Step {s}, PESQ: 1.{s}\n" for s in (70, 80, 90))
    later = "".join(f"Epoch {e}, Step 70, PESQ: 1.9\nTEST loss: 0.2, PESQ: 2.{e}\n" for e in (2, 3, 4))
    assert len(runs(tmp_path, text + "TEST loss: 0.2, PESQ: 2.1\n" + later)) == 1


def test_the_parts_know_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "train.log"
    path.write_text(epochs([2.62]) + "aborted\n" + epochs([1.7, 1.8, 1.9]))
    found = read_text(path, "train.log", RoleBook()).runs
    assert [run.label for run in found] == ["run 1 of 2, from line 1", "run 2 of 2, from line 2"]


def test_an_evaluation_before_the_training_is_no_training(tmp_path: Path) -> None:
    assert len(runs(tmp_path, "Epoch [1/50] PESQ: 2.95\n" + epochs([2.5, 2.52, 2.51, 2.5]))) == 1
