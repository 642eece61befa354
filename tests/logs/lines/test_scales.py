"""The scale beside a score is no value: `PESQ (0-1): 0.47`, `PESQ = 2.64/4.50`."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.logs.lines.text import read_text
from cmgan_audit.logs.roles import RoleBook
from cmgan_audit.logs.selection.choosing import chosen_series

PESQ = [2.64, 2.2, 2.07]


def judged(tmp_path: Path, line: str) -> dict[str, list[float]]:
    path = tmp_path / "train.log"
    path.write_text("".join(line.format(e=e, v=v) for e, v in enumerate(PESQ)), encoding="utf-8")
    (run,) = read_text(path, "train.log", RoleBook()).runs
    return {series.name: list(series.ys) for series in chosen_series(run, ())[0]}


@pytest.mark.parametrize(
    "line",
    [
        "Epoch {e} | loss 0.1{e} | PESQ (1-4.5): {v}\n",
        "Epoch {e} | loss 0.1{e} | PESQ [-0.5, 4.5] = {v}\n",
        "Epoch {e} | loss 0.1{e} | PESQ(-0.5 ~ 4.5): {v} | STOI (0-1): 0.9\n",
        "Epoch {e} | loss 0.1{e} | PESQ (1 to 4.64): {v}\n",
        "Epoch {e} | loss 0.1{e} | PESQ (1-4.5) {v}\n",
        "Epoch {e} loss 0.1{e} PESQ [-0.5, 4.5] {v} took 12.5 s\n",
    ],
)
def test_a_range_in_brackets_is_left_out(tmp_path: Path, line: str) -> None:
    assert judged(tmp_path, line) == {"PESQ": PESQ}


def test_a_span_of_epochs_is_no_range_of_a_score(tmp_path: Path) -> None:
    assert judged(tmp_path, "Epoch {e}, steps (1-400): PESQ {v}\n") == {"PESQ": PESQ}


@pytest.mark.parametrize("top", ["4.5", "4.50", "4.549", "4.64", "5.0"])
def test_the_top_of_the_scale_is_no_second_score(tmp_path: Path, top: str) -> None:
    assert judged(tmp_path, f"Epoch {{e}} done: loss = 0.1{{e}}, PESQ = {{v}}/{top} over 824 files\n") == {"PESQ": PESQ}


def test_so_it_is_not_behind_a_counter_of_batches(tmp_path: Path) -> None:
    assert judged(tmp_path, "Epoch {e} | 3/3 | PESQ {v}/4.5\n") == {"PESQ": PESQ}


def test_what_stands_behind_an_interval_and_is_no_score_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "train.log"
    path.write_text("".join(f"Epoch {e} PESQ: {v} (2.0-2.7) 824 files\n" for e, v in enumerate(PESQ)))
    (run,) = read_text(path, "train.log", RoleBook()).runs
    assert {s.name: list(s.ys) for s in chosen_series(run, ())[0]} == {"PESQ": PESQ}


def test_two_scores_behind_a_slash_stay_those_of_two_splits(tmp_path: Path) -> None:
    path = tmp_path / "train.log"
    path.write_text("".join(f"Epoch {e} loss=0.3/0.2 pesq=2.{e}/{v}\n" for e, v in enumerate(PESQ)))
    (run,) = read_text(path, "train.log", RoleBook()).runs
    assert {s.name: list(s.ys) for s in chosen_series(run, ())[0]} == {"pesq/val": PESQ}
