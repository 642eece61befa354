"""Two trainings that print into one file without a name, each at steps of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.logs.lines.reading import read

FIRST = [2.1, 2.35, 2.5, 2.58, 2.61, 2.6, 2.63, 2.64]
SECOND = [1.6, 1.8, 1.9, 1.85, 1.7, 1.6, 1.5, 1.4]
LINE = "step {}: loss 0.3\nstep {}: val_pesq {}\n"


def of(scores: list[float], first: int) -> list[str]:
    return [LINE.format(step, step, y) for step, y in zip(range(first, 10**6, 1000), scores, strict=False)]


def courses(tmp_path: Path, log: list[str]) -> list[list[float]]:
    return [list(s.ys) for run in read(tmp_path, "".join(log)).runs for s in run.series if s.name == "val_pesq"]


@pytest.mark.parametrize("other", [500, 900])
def test_each_is_a_run_where_they_take_turns(tmp_path: Path, other: int) -> None:
    log = [line for pair in zip(of(FIRST, 1000), of(SECOND, other), strict=True) for line in pair]
    assert courses(tmp_path, log) == [FIRST, SECOND]


def test_the_one_that_began_later_prints_to_the_end(tmp_path: Path) -> None:
    first, second = of(FIRST, 1000), of(SECOND, 1000)
    log = [*first[:3], *(line for pair in zip(first[3:], second, strict=False) for line in pair), *second[5:]]
    assert courses(tmp_path, log) == [FIRST, SECOND]


def test_a_training_that_was_restarted_is_one(tmp_path: Path) -> None:
    log = [*of(FIRST[:4], 1000), *of(FIRST[2:], 3000), *of(FIRST[4:], 5000)]
    assert courses(tmp_path, log) == [FIRST]


def test_steps_of_no_equal_size_are_left_as_they_are(tmp_path: Path) -> None:
    steps = [100, 90, 300, 200, 310, 230, 700, 650, 900, 800, 1500, 910, 1600, 950]
    log = "".join(f"step {step}: val_pesq {y}\n" for step, y in zip(steps, [*FIRST, *SECOND], strict=False))
    assert all("job" not in run.label for run in read(tmp_path, log).runs)


@pytest.mark.parametrize(("printed", "lost"), [(4, 2), (5, 2), (5, 3), (3, 2)])
def test_a_training_that_was_stopped_again_and_again_is_no_two_jobs(tmp_path: Path, printed: int, lost: int) -> None:
    starts = range(1, 40, printed - lost)
    log = "".join(f"step {100 * (first + i)}: val_pesq 2.{first + i:02}\n" for first in starts for i in range(printed))
    assert all("job" not in run.label for run in read(tmp_path, log).runs)


@pytest.mark.parametrize("behind", [0, 1, 2, 20])
def test_each_may_print_twice_in_turn(tmp_path: Path, behind: int) -> None:
    first = [f"step {1000 * (i + behind) + 500}: val_pesq 2.{i + 10}\n" for i in range(12)]
    second = [f"step {1000 * i}: val_pesq 1.{i + 10}\n" for i in range(12)]
    log = [line for i in range(0, 12, 2) for line in (*first[i : i + 2], *second[i : i + 2])]
    assert [ys[-1] for ys in courses(tmp_path, log)] == [2.21, 1.21]
