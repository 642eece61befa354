"""Undecided tests, and what later tests tell about the side that was taken."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.program.execution.trace import CallEvent
from cmgan_audit.program.launches.runs import execute
from cmgan_audit.source.tree import SourceTree

MADE = """
import lab, torch
from torch.optim.lr_scheduler import ReduceLROnPlateau
from torch.utils.data import DataLoader

optimizer = torch.optim.Adam([torch.zeros(1)])
DataLoader("data")
{made}
{asked}
"""
SCHEDULER = """
if lab.settings().decays:
    scheduler = ReduceLROnPlateau(optimizer)
else:
    scheduler = None
"""
EARLY = """
def made(settings):
    if settings.decays:
        return ReduceLROnPlateau(optimizer)
    return None

scheduler = made(lab.settings())
"""


@pytest.mark.parametrize("made", [SCHEDULER, EARLY])
@pytest.mark.parametrize(
    ("asked", "reached"),
    [
        ("if scheduler is not None:\n    if scheduler is None:\n        print(1)", False),
        ("if scheduler is None:\n    if scheduler is not None:\n        print(1)", False),
        ("if scheduler is not None:\n    if not isinstance(scheduler, ReduceLROnPlateau):\n        print(1)", False),
        ("if scheduler is not None:\n    if isinstance(scheduler, ReduceLROnPlateau):\n        print(1)", True),
        ("if lab.settings().decays:\n    if scheduler is None:\n        print(1)", True),
    ],
)
def test_what_one_side_made_is_not_there_on_the_other(tmp_path: Path, made: str, asked: str, reached: bool) -> None:
    assert bool(_printed(tmp_path, made, asked)) is reached


def test_a_loop_whose_test_comes_out_anew_in_every_pass_excludes_nothing(tmp_path: Path) -> None:
    made = "best = None\nfor epoch in range(9):\n    if lab.better():\n        best = ReduceLROnPlateau(optimizer)"
    asked = "    if best is not None and lab.worse():\n        print(best)\n    else:\n        print(best)"
    assert len(_printed(tmp_path, made, asked)) >= 2


def _printed(folder: Path, made: str, asked: str) -> list[object]:
    (folder / "train.py").write_text(MADE.format(made=made, asked=asked), encoding="utf-8")
    (run,) = execute(SourceTree(folder))
    calls = (event for event in run.events if isinstance(event, CallEvent) and event.callee == "builtins.print")
    return [event.arguments.positional[0] for event in calls]
