"""Decided tests leave no condition behind; the settings that decided them are events with their trails."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.program.domain.values import Const, Unknown
from cmgan_audit.program.execution.trace import CallEvent, DecisionEvent
from cmgan_audit.program.launches.runs import execute
from cmgan_audit.source.tree import SourceTree

PROGRAM = """
import argparse
import os
from torch.utils.data import DataLoader

parser = argparse.ArgumentParser()
parser.add_argument("--resume", default=True)
parser.add_argument("--name", required=True)
args = parser.parse_args()
if {test}:
    print("taken")
DataLoader(range(4))
"""


def decisions(folder: Path, test: str) -> list[DecisionEvent]:
    (folder / "train.py").write_text(PROGRAM.format(test=test), encoding="utf-8")
    (run,) = execute(SourceTree(folder))
    return [event for event in run.events if isinstance(event, DecisionEvent)]


@pytest.mark.parametrize(
    "test",
    [
        "args.resume",
        "not args.resume",
        "args.resume is not None",
        "args.resume and os.path.exists('a')",
        "(1 if args.resume else 0)",
    ],
)
def test_the_setting_that_decides_is_kept_with_its_trail(tmp_path, test):
    (event,) = decisions(tmp_path, test)
    assert isinstance(event.value, Const)
    assert event.value.value is True
    assert [step.location.line for step in event.value.trail] == [7]
    assert event.location.line == 10


def test_an_open_setting_is_kept_too(tmp_path):
    (event,) = decisions(tmp_path, "args.name")
    assert isinstance(event.value, Unknown)


@pytest.mark.parametrize("test", ["1", "os.path.exists('a')", "len('abc') > 2"])
def test_what_is_no_setting_is_no_event(tmp_path, test):
    assert decisions(tmp_path, test) == []


GIVEN = """
import argparse
import torch
from torch.utils.data import DataLoader

def options(parser=None):
    if not parser:
        parser = argparse.ArgumentParser()
    parser.add_argument("--size", default="")
    return parser.parse_args()

size = 4
args = options({given})
if args.size == "":
    pass
else:
    size = eval(args.size)
DataLoader(range(4), batch_size=size)
"""


@pytest.mark.parametrize("given", ["argparse.ArgumentParser()", ""])
def test_an_object_without_a_length_is_true(tmp_path, given):
    (tmp_path / "train.py").write_text(GIVEN.format(given=given), encoding="utf-8")
    (run,) = execute(SourceTree(tmp_path))
    (loader,) = (event for event in run.events if isinstance(event, CallEvent) and event.callee.endswith("DataLoader"))
    size = loader.arguments.get("batch_size", 1)
    assert isinstance(size, Const)
    assert size.value == 4


@pytest.mark.parametrize(
    ("made", "decided"),
    [
        ("torch.optim.Adam([])", True),
        ("torch.optim.lr_scheduler.StepLR(torch.optim.Adam([]), 3)", True),
        ("torch.utils.tensorboard.SummaryWriter()", True),
        ("torch.Generator()", True),
        ("numpy.random.default_rng()", True),
        ("random.Random(0)", True),
        ("torch.zeros(1)", False),
        ("torch.nn.Sequential()", False),
    ],
)
def test_which_objects_of_libraries_are_true(tmp_path, made, decided):
    imports = "import random\nimport numpy\nimport torch\nimport torch.utils.tensorboard\n"
    script = f"{imports}made = {made}\nif made:\n    print(1)\nelse:\n    print(2)\n"
    (tmp_path / "train.py").write_text(script + "torch.utils.data.DataLoader(made)\n", encoding="utf-8")
    (run,) = execute(SourceTree(tmp_path))
    printed = [event for event in run.events if isinstance(event, CallEvent) and event.callee.endswith("print")]
    assert len(printed) == (1 if decided else 2)


@pytest.mark.parametrize(
    ("test", "taken"),
    [
        ("len(os.environ) > 3 or args.resume", True),
        ("len(os.environ) > 3 and not args.resume", False),
        ("not (len(os.environ) > 3 or args.resume)", False),
        ("os.environ['A'] == 'b' and not args.resume", False),
        ("len(os.environ) > 3 and args.resume", None),
        ("os.getpid() and not args.resume", False),
        ("(os.getpid() or len(os.environ) > 3) or args.resume", True),
        ("args.name or args.resume", True),
        ("[each for each in 'a' if os.getpid() and not args.resume]", False),
    ],
)
def test_one_known_side_may_decide_whatever_the_other_is(tmp_path, test, taken):
    (tmp_path / "train.py").write_text(PROGRAM.format(test=test), encoding="utf-8")
    (run,) = execute(SourceTree(tmp_path))
    printed = [event for event in run.events if isinstance(event, CallEvent) and event.callee == "builtins.print"]
    assert bool(printed) is (taken is not False)
    assert all(bool(event.context.conditions) is (taken is None) for event in printed)


@pytest.mark.parametrize(
    ("made", "decided"),
    [
        ("x = os.environ['A'] or 4", True),
        ("x = (os.environ['A'] or os.environ['B']) or 4", True),
        ("x = os.environ['A'] and 4", False),
        ("x = str(os.environ['A'] and 4)", False),
        ("x = (os.environ['A'] or 4) if len(os.environ) > 3 else (os.environ['A'] and 4)", False),
        ("x = (os.environ['A'] or 4) - 4", False),
        ("x = os.getpid() or 4", False),
    ],
)
def test_what_a_test_has_told_of_a_value_holds_for_that_value_alone(tmp_path, made, decided):
    script = f"import os\nimport torch\n{made}\nif x:\n    print(1)\nelse:\n    print(2)\n"
    (tmp_path / "train.py").write_text(script + "torch.utils.data.DataLoader(x)\n", encoding="utf-8")
    (run,) = execute(SourceTree(tmp_path))
    printed = [event for event in run.events if isinstance(event, CallEvent) and event.callee.endswith("print")]
    assert len(printed) == (1 if decided else 2)
