"""Undecided tests, and what later tests tell about the side that was taken."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.program.domain.facts import MOST_FACTS
from cmgan_audit.program.domain.values import Choice
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


PASSES = {
    "tested before it is made": """
a = b = None
for batch in lab.batches():
    if a is not None and b is not None:
        print(1)
    if lab.better():
        a = ReduceLROnPlateau(optimizer)
    else:
        a, b = None, ReduceLROnPlateau(optimizer)
""",
    "a pass that goes on early": """
a = b = None
for batch in lab.batches():
    if a is not None and b is not None:
        print(1)
    if lab.better():
        a = ReduceLROnPlateau(optimizer)
        continue
    b = ReduceLROnPlateau(optimizer)
""",
    "passes one by one": """
a = None
for number in [1, 2, 3]:
    if a is not None:
        print(1)
    if lab.better(number):
        a = ReduceLROnPlateau(optimizer)
        continue
    b = ReduceLROnPlateau(optimizer)
""",
    "a setting that makes a pass go on early": """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--mode")
args = parser.parse_args()
a = None
for number in [1, 2, 3]:
    if a is not None:
        print(1)
    if args.mode == lab.mode():
        a = ReduceLROnPlateau(optimizer)
        continue
""",
    "a comprehension": """
class Made:
    a = b = None
def make(made):
    if lab.better():
        made.a = ReduceLROnPlateau(optimizer)
    else:
        made.b = ReduceLROnPlateau(optimizer)
made = Made()
done = [make(made) for item in lab.items()]
if made.a is not None and made.b is not None:
    print(1)
""",
    "a function that is mapped": """
class Made:
    a = b = None
def make(item):
    if lab.better():
        Made.a = ReduceLROnPlateau(optimizer)
    else:
        Made.b = ReduceLROnPlateau(optimizer)
done = list(map(make, lab.items()))
if Made.a is not None and Made.b is not None:
    print(1)
""",
    "a framework's passes": """
from pytorch_lightning import LightningModule, Trainer
class Model(LightningModule):
    a = b = None
    def training_step(self, batch, number):
        if lab.better():
            self.a = ReduceLROnPlateau(optimizer)
        else:
            self.b = ReduceLROnPlateau(optimizer)
        return 1
    def on_train_epoch_end(self):
        if self.a is not None and self.b is not None:
            print(1)
Trainer().fit(Model(), DataLoader("data"))
""",
}


@pytest.mark.parametrize("made", PASSES.values(), ids=PASSES)
def test_what_one_pass_made_may_meet_what_another_one_made(tmp_path: Path, made: str) -> None:
    assert _printed(tmp_path, made, "")


def test_a_flag_of_hundreds_of_branches_carries_few_of_them(tmp_path: Path) -> None:
    numbers = list(range(20))
    loops = f"for a in {numbers}:\n    for b in {numbers}:\n"
    made = f"found = False\n{loops}        if lab.holds(a, b):\n            found = True"
    (found,) = _printed(tmp_path, made, "print(found)")
    assert isinstance(found, Choice)
    assert max(len(option.facts) for option in found.options) <= MOST_FACTS


def _printed(folder: Path, made: str, asked: str) -> list[object]:
    (folder / "train.py").write_text(MADE.format(made=made, asked=asked), encoding="utf-8")
    (run,) = execute(SourceTree(folder))
    calls = (event for event in run.events if isinstance(event, CallEvent) and event.callee == "builtins.print")
    return [event.arguments.positional[0] for event in calls]
