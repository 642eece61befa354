"""How many launches of a script are followed, and that those which are left out are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.program.execution.sessions import interpreter_of
from cmgan_audit.program.execution.trace import Run
from cmgan_audit.program.launches.runs import MOST_LAUNCHES, Program
from cmgan_audit.program.launches.spending import FIRST_ONLY
from cmgan_audit.source.tree import SourceTree

OPTIONS = """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--size", type=int, default=1)
args = parser.parse_args()
for _ in range(args.size):
    print(args.size)
"""
CONFIGURED = """
import sys
import yaml
config = yaml.safe_load(open(sys.argv[1]))
for _ in range(config["size"]):
    print(config)
"""


def sizes(runs: list[Run]) -> list[str]:
    return [" ".join(run.launch.argv) for run in runs]


def told(runs: list[Run]) -> list[str]:
    noted = dict.fromkeys(step for run in runs for step in run.limits)
    return [f"{step.location.path}:{step.location.line}: {step.note}" for step in noted]


def steps(run: Run) -> int:
    return interpreter_of(run).all_steps


@pytest.fixture
def launched(tmp_path: Path) -> Program:
    lines = "".join(f"python train.py --size {size}\n" for size in (2, 3, 4))
    (tmp_path / "run.sh").write_text(lines, encoding="utf-8")
    (tmp_path / "train.py").write_text(OPTIONS, encoding="utf-8")
    return Program(SourceTree(tmp_path))


def test_launches_are_begun_while_steps_are_left(launched: Program) -> None:
    whole = launched.runs_of("train.py")
    assert sizes(whole) == ["", "--size 2", "--size 3", "--size 4"] and told(whole) == []
    two = steps(whole[0]) + steps(whole[1])
    cut = launched.runs_of("train.py", two - 1)
    assert sizes(cut) == ["", "--size 2"]
    why = f"more than {two - 1} steps: launches of train.py that are not followed, from this one on: 2"
    assert told(cut) == [f"run.sh:2: {why}"]
    assert all(run.limits == cut[0].limits for run in cut)  # those of runs that make no loader are not looked at
    assert sizes(launched.runs_of("train.py", two)) == ["", "--size 2", "--size 3"]


def test_the_first_launch_is_followed_whatever_it_takes(launched: Program) -> None:
    cut = launched.runs_of("train.py", FIRST_ONLY)
    assert sizes(cut) == [""]
    assert told(cut) == [
        "run.sh:1: the tree is too large: launches of train.py that are not followed, from this one on: 3"
    ]


def test_what_lacks_its_configuration_is_no_first_launch(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(CONFIGURED, encoding="utf-8")
    for name in "abc":
        (tmp_path / f"{name}.yaml").write_text("size: 4\n", encoding="utf-8")
    beside = Program(SourceTree(tmp_path))
    assert sizes(beside.runs_of("train.py")) == ["a.yaml", "b.yaml", "c.yaml"]
    cut = beside.runs_of("train.py", FIRST_ONLY)
    assert sizes(cut) == ["a.yaml"]
    assert told(cut) == [
        "b.yaml:1: the tree is too large: launches of train.py that are not followed, from this one on: 2"
    ]
    (tmp_path / "run.sh").write_text("python train.py c.yaml\npython train.py b.yaml\n", encoding="utf-8")
    shipped = Program(SourceTree(tmp_path))
    assert sizes(shipped.runs_of("train.py")) == ["c.yaml", "b.yaml"]
    assert sizes(shipped.runs_of("train.py", FIRST_ONLY)) == ["c.yaml"]


def test_launches_that_are_too_many_are_told(tmp_path: Path) -> None:
    lines = "".join(f"python train.py --size {size}\n" for size in range(1, 31))
    (tmp_path / "run.sh").write_text(lines, encoding="utf-8")
    (tmp_path / "train.py").write_text(OPTIONS, encoding="utf-8")
    found = Program(SourceTree(tmp_path)).runs_of("train.py")
    assert len(found) == 1 + MOST_LAUNCHES
    assert told(found) == [
        "run.sh:25: more than 24 ways to start it: launches of train.py that are not followed, from this one on: 6"
    ]


def test_processes_that_a_script_starts_count_among_its_launches(tmp_path: Path) -> None:
    text = OPTIONS.replace(
        "for _", "import subprocess, sys\nsubprocess.run([sys.executable, 'train.py', '--size', '7'])\nfor _"
    )
    (tmp_path / "train.py").write_text(text, encoding="utf-8")
    program = Program(SourceTree(tmp_path))
    assert sizes(program.runs_of("train.py")) == ["", "--size 7"]
    assert sizes(program.runs_of("train.py", FIRST_ONLY)) == [""]


NUMBERED = """
import os
from torch.utils.data import DataLoader, DistributedSampler
many = int(os.environ.get("WORLD_SIZE", 1))
sampler = DistributedSampler([1]) if many > 1 else None
loader = DataLoader([1], sampler=sampler)
"""


@pytest.mark.parametrize(
    ("most", "followed"), [(1, ["", "in several processes"]), (FIRST_ONLY, [""])], ids=["few steps", "first only"]
)
def test_the_start_in_several_processes_is_followed_though_the_others_took_all_steps(
    tmp_path: Path, most: int, followed: list[str]
) -> None:
    lines = "".join(f"python train.py --size {size}\n" for size in (2, 3, 4))
    (tmp_path / "run.sh").write_text(lines, encoding="utf-8")
    (tmp_path / "train.py").write_text(OPTIONS + NUMBERED, encoding="utf-8")
    runs = Program(SourceTree(tmp_path)).runs_of("train.py", most)
    assert [run.launch.condition for run in runs] == followed
