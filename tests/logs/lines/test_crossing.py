"""Trainings whose lines stand among each other are runs of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.logs.lines.text import read_text
from cmgan_audit.logs.roles import RoleBook
from cmgan_audit.logs.series import Run

FALLING, RISING = [2.0, 2.64, 2.4, 2.2, 2.1, 2.07], [1.8, 1.9, 2.0, 2.1, 2.2, 2.3]


def runs(tmp_path: Path, lines: list[str]) -> list[Run]:
    path = tmp_path / "train.log"
    path.write_text("".join(f"{line}\n" for line in lines))
    return read_text(path, "train.log", RoleBook()).runs


def courses(found: list[Run]) -> list[list[float]]:
    return [list(s.ys) for run in found for s in run.series if s.role.measure == "pesq"]


@pytest.mark.parametrize("names", [("[fold 1]", "[fold 2]"), ("[a1b2c3d4]", "[9f8e7d6c]"), ("seed 7 |", "seed 43 |")])
@pytest.mark.parametrize("turns", ["ab" * 6, "aab" * 3 + "bbb", "abbabaabbaab"])
def test_trainings_that_take_turns_are_parted(tmp_path: Path, names: tuple[str, str], turns: str) -> None:
    at = {"a": iter(enumerate(FALLING, 1)), "b": iter(enumerate(RISING, 1))}
    lines = []
    for turn in turns:
        epoch, score = next(at[turn])
        lines.append(f"{names[turn == 'b']} epoch {epoch} loss 0.{epoch} val PESQ {score}")
    found = runs(tmp_path, lines)
    assert sorted(courses(found)) == [RISING, FALLING]
    assert all(run.restarts == [] and run.superseded == 0 for run in found)
    assert [len(run.series) for run in found] == [2, 2]


@pytest.mark.parametrize(
    ("names", "apart"),
    [(("cmgan-small", "cmgan-base"), True), (("a", "b"), True), (("gen", "disc"), False), (("rank0", "rank1"), False)],
)
def test_trainings_with_their_names_in_brackets(tmp_path: Path, names: tuple[str, str], apart: bool) -> None:
    lines = [
        f"[{name}] epoch {e} loss 0.{e} pesq {scores[e - 1]}"
        for e in range(1, 7)
        for name, scores in zip(names, (FALLING, RISING), strict=True)
    ]
    found = [run.named for run in runs(tmp_path, lines)]
    assert found == (sorted(names) if apart else [""])


def test_test_sets_with_their_names_in_brackets_are_of_one_training(tmp_path: Path) -> None:
    lines = []
    for e in range(1, 7):
        lines += [
            f"Epoch {e} loss 0.{e}",
            f"[seen] epoch {e} pesq {RISING[e - 1]}",
            f"[new] epoch {e} pesq {FALLING[e - 1]}",
        ]
    assert len(runs(tmp_path, lines)) == 1


def test_what_is_of_no_training_stays(tmp_path: Path) -> None:
    lines = [
        line
        for e, (a, b) in enumerate(zip(FALLING, RISING, strict=True))
        for line in (f"Epoch {e} loss 0.{e}", f"epoch {e} fold 1 PESQ {a}", f"epoch {e} fold 2 PESQ {b}")
    ]
    found = runs(tmp_path, lines)
    assert sorted(courses(found)) == [RISING, FALLING]
    assert sum(s.role.kind == "loss" for run in found for s in run.series) >= 1


def test_a_hash_of_training_and_another_of_evaluation_part_nothing(tmp_path: Path) -> None:
    lines = [
        line
        for e, score in enumerate(FALLING)
        for line in (f"a1b2c3d4 epoch {e} train loss 0.{e}", f"9f8e7d6c epoch {e} val PESQ {score}")
    ]
    assert courses(runs(tmp_path, lines)) == [FALLING]
    assert len(runs(tmp_path, lines)) == 1


def test_a_job_whose_folds_take_turns(tmp_path: Path) -> None:
    lines = [
        f"a1b2c3d4 epoch {e} fold {fold} PESQ {score}"
        for e, both in enumerate(zip(FALLING, RISING, strict=True))
        for fold, score in enumerate(both)
    ]
    assert sorted(courses(runs(tmp_path, lines))) == [RISING, FALLING]


@pytest.mark.parametrize("said", ["| {hash} |", "seed {seed}", "val fold {seed}"])
def test_one_training_that_says_something_else_in_turn_stays_one(tmp_path: Path, said: str) -> None:
    scores = [*FALLING, *RISING]
    lines = [
        f"epoch {e} {said.format(hash=('a1b2c3d4', '9f8e7d6c', '77aa88bb')[e % 3], seed=e % 3)} PESQ {score}"
        for e, score in enumerate(scores)
    ]
    assert courses(runs(tmp_path, lines)) == [scores]


def test_folds_that_are_restarted_together(tmp_path: Path) -> None:
    lines = [
        f"[fold {fold}] epoch {e} PESQ {scores[e]}"
        for e in (0, 1, 2, 3, 2, 3, 4, 5)
        for fold, scores in enumerate((FALLING, RISING))
    ]
    found = runs(tmp_path, lines)
    assert sorted(courses(found)) == [RISING, FALLING]
    assert [[restart.x for restart in run.restarts] for run in found] == [[2.0], [2.0]]


def test_folds_that_begin_anew_are_not_parted(tmp_path: Path) -> None:
    lines = [f"fold {i % 2} epoch {e} PESQ {FALLING[e]}" for i in range(6) for e in range(6)]
    assert all(len(set(course)) == len(course) for course in courses(runs(tmp_path, lines)))


@pytest.mark.parametrize("head", ["Fold {n}", "--- seed {n} ---", "== Trial {n} =="])
@pytest.mark.parametrize("line", ["epoch {e} PESQ {v}", "a1b2c3d4 epoch {e} loss 0.{e}\nPESQ: {v}"])
def test_trainings_that_are_named_above_their_lines(tmp_path: Path, head: str, line: str) -> None:
    lines = [
        text
        for e, both in enumerate(zip(FALLING, [v + 0.01 for v in RISING], strict=True))
        for n, v in enumerate(both, start=1)
        for text in (head.format(n=n), line.format(e=e, v=v))
    ]
    assert sorted(courses(runs(tmp_path, lines))) == [[v + 0.01 for v in RISING], FALLING]


def test_a_seed_that_is_set_in_every_epoch_names_no_training(tmp_path: Path) -> None:
    lines = [text for e, v in enumerate(FALLING) for text in (f"seed {42 + e % 2}", f"epoch {e} PESQ {v}")]
    assert courses(runs(tmp_path, lines)) == [FALLING]
