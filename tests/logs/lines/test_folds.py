"""Folds, seeds and trials below each other in one log are trainings of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.logs.lines.text import read_text
from cmgan_audit.logs.roles import RoleBook

FOLDS = [[2.0, 2.4, 2.6], [1.9, 2.2, 2.3], [1.7, 1.9, 2.0]]


def runs(tmp_path: Path, text: str) -> list[list[float]]:
    path = tmp_path / "train.log"
    path.write_text(text)
    found = read_text(path, "train.log", RoleBook()).runs
    return [list(s.ys) for run in found for s in run.series if s.role.measure == "pesq"]


@pytest.mark.parametrize(
    ("heading", "line"),
    [
        ("===== Fold {k}/3 =====\n", "loss: 0.{e}\nPESQ: {v}\n"),
        ("Starting fold {k} of 3 ...\n", "loss 0.{e}, val PESQ {v}\n"),
        ("Seed: {k}\n", "loss: 0.{e} PESQ: {v}\n"),
        ("[Trial {k}]\n", "Epoch {e}: PESQ {v}\n"),
        ("", "Fold {k} Epoch {e} loss 0.{e} val PESQ {v}\n"),
        ("", "Fold: {k} | Epoch: {e} | PESQ: {v}\n"),
        ("Test fold: {k}\nVal fold: {n}\n", "PESQ: {v}\n"),
    ],
)
def test_each_has_its_own_course(tmp_path: Path, heading: str, line: str) -> None:
    text = "".join(
        heading.format(k=k, n=k + 1) + "".join(line.format(k=k, e=e, v=v) for e, v in enumerate(fold, start=1))
        for k, fold in enumerate(FOLDS, start=1)
    )
    assert runs(tmp_path, text) == FOLDS


def test_the_labels_say_which_fold(tmp_path: Path) -> None:
    path = tmp_path / "train.log"
    path.write_text("".join(f"Fold {k}\nEpoch 1 PESQ: 2.{k}\nEpoch 2 PESQ: 2.{k}\n" for k in (1, 2)))
    found = read_text(path, "train.log", RoleBook()).runs
    assert [run.label for run in found] == ["run 1 of 2, fold 1, from line 2", "run 2 of 2, fold 2, from line 4"]


def test_the_results_of_all_folds_stay_one_list(tmp_path: Path) -> None:
    assert runs(tmp_path, "".join(f"Fold {k}: PESQ {fold[-1]}\n" for k, fold in enumerate(FOLDS))) == []


def test_a_fold_that_is_named_again_begins_nothing(tmp_path: Path) -> None:
    text = "".join(f"Fold {k}\nEpoch {e}\n" for e in (1, 2, 3) for k in (1, 2))
    assert len(runs(tmp_path, text + "Epoch 3 PESQ: 2.1\nFold 1\nEpoch 4 PESQ: 2.2\n")) == 1


ONE = [2.8, 2.6, 2.5, 2.3, 2.2]


@pytest.mark.parametrize(
    "line",
    [
        "Setting random seed {s}\nEpoch {e} loss 0.{e} PESQ {v}\n",
        "Epoch {e} seed {s} loss 0.{e} PESQ {v}\n",
        "Epoch {e} | loss 0.{e} | PESQ {v} | seed {s}\n",
        "Epoch {e}\nworker 0 seed {s}\nworker 1 seed 9{s}\nPESQ: {v}\n",
        "Epoch {e} loss 0.{e}\nTest fold 1\nSTOI: 0.91\nTest fold 2\nSTOI: 0.92\nPESQ: {v}\n",
    ],
)
def test_what_is_named_in_every_epoch_is_no_training(tmp_path: Path, line: str) -> None:
    text = "".join(line.format(e=e, s=100 + e, v=v) for e, v in enumerate(ONE, start=1))
    assert runs(tmp_path, text) == [ONE]


def test_a_resumed_training_may_have_another_seed(tmp_path: Path) -> None:
    first = "".join(f"Epoch {e} | PESQ {2 + e / 10}\n" for e in range(1, 7))
    later = "".join(f"Epoch {e} | PESQ {2 + e / 10}\n" for e in range(6, 10))
    text = f"Seed: 1690000000\n{first}Seed: 1690009999\nResuming from epoch 5\n{later}"
    assert runs(tmp_path, text) == [[2 + e / 10 for e in range(1, 10)]]
