"""Branches that a setting keeps off are tried where they load something; the run does not notice."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.program.domain.values import Const, Instance
from cmgan_audit.program.execution import supposing
from cmgan_audit.program.execution.probe import call_method
from cmgan_audit.program.execution.sessions import interpreter_of
from cmgan_audit.program.execution.supposing import MOST_TIMES
from cmgan_audit.program.execution.trace import CallEvent, Run
from cmgan_audit.program.launches.runs import execute
from cmgan_audit.source.tree import SourceTree

HEAD = """
import torch
from torch.utils.data import DataLoader
resume = False
state = "kept"
net = torch.nn.Linear(1, 1)
DataLoader(range(3))

def restore(path):
    global state
    state = "lost"
    net.load_state_dict(torch.load(path))
"""


def run_of(folder: Path, body: str) -> Run:
    (folder / "train.py").write_text(HEAD + body, encoding="utf-8")
    return next(iter(execute(SourceTree(folder))))


def calls(events) -> list[str]:
    return [event.callee for event in events if isinstance(event, CallEvent)]


BRANCHES = {
    "if": "if resume:\n    restore('a.pth')\n",
    "else": "if not resume:\n    pass\nelse:\n    restore('a.pth')\n",
    "early return": "def start():\n    if not resume:\n        return\n    restore('a.pth')\nstart()\n",
    "conditional": "start = restore('a.pth') if resume else 0\n",
    "inside try": "try:\n    if resume:\n        restore('a.pth')\nexcept OSError:\n    pass\n",
}


@pytest.mark.parametrize("body", BRANCHES.values(), ids=BRANCHES)
def test_what_is_off_is_tried_and_forgotten(tmp_path, body):
    run = run_of(tmp_path, f"{body}print(state)\n")
    (supposed,) = run.supposed
    assert "torch.load" in calls(supposed.events)
    assert "torch.nn.Linear.load_state_dict" in calls(supposed.events)
    assert "torch.load" not in calls(run.events)
    printed = next(event for event in run.events if isinstance(event, CallEvent) and event.callee == "builtins.print")
    assert printed.arguments.positional == (Const(value="kept", trail=printed.arguments.positional[0].trail),)
    assert "restore" not in {value.qualname for value in interpreter_of(run).executed.values()}


@pytest.mark.parametrize(
    "body", ["if resume:\n    restore('a.pth')\n    raise ValueError\n", "while resume:\n    pass\n"]
)
def test_a_branch_that_fails_leaves_what_was_seen(tmp_path, body):
    run = run_of(tmp_path, body)
    assert ["torch.load" in calls(supposed.events) for supposed in run.supposed] == [True] * ("restore" in body)
    assert interpreter_of(run).probing is False


def test_a_branch_without_a_load_is_not_tried(tmp_path):
    assert run_of(tmp_path, "if resume:\n    print(1)\n").supposed == []


def test_a_branch_in_a_loop_is_tried_a_few_times_only(tmp_path):
    run = run_of(tmp_path, "for number in [1, 2, 3, 4, 5, 6, 7, 8]:\n    if resume:\n        restore('a.pth')\n")
    assert 1 <= len(run.supposed) <= MOST_TIMES


def test_the_main_block_of_an_imported_script_is_no_branch_that_a_setting_keeps_off(tmp_path):
    (tmp_path / "other.py").write_text("import torch\nif __name__ == '__main__':\n    torch.load('a.pth')\n")
    assert run_of(tmp_path, "import other\n").supposed == []


def test_what_a_branch_would_ask_for_is_not_asked_for(tmp_path):
    run = run_of(tmp_path, "import yaml\nif resume:\n    restore(yaml.safe_load(open('gone.yaml')))\n")
    assert len(run.supposed) == 1
    assert interpreter_of(run).notes == {}


def test_all_that_is_tried_in_a_run_is_limited_and_the_limit_is_told(tmp_path, monkeypatch):
    body = "".join(f"if resume:\n    restore('{name}.pth')\n" for name in "abc")
    whole = run_of(tmp_path, body)
    assert len(whole.supposed) == 3
    monkeypatch.setattr(supposing, "MOST_SUPPOSED_IN_ALL", interpreter_of(whole).supposed_steps // 2)
    run = run_of(tmp_path, body)
    assert [each.condition for each in run.supposed] == [each.condition for each in whole.supposed[:2]]
    assert [step.note for step in run.limits] == [
        f"more than {supposing.MOST_SUPPOSED_IN_ALL} steps in branches that settings keep off"
    ]
    assert interpreter_of(run).steps == interpreter_of(whole).steps


def test_steps_of_attempts_and_of_what_is_tried_count_for_the_tree(tmp_path):
    plain = interpreter_of(run_of(tmp_path, "for _ in range(9):\n    print(state)\n"))
    assert plain.all_steps == plain.steps and not plain.supposed_steps and not plain.earlier_steps
    checked = interpreter_of(run_of(tmp_path, "if resume:\n    restore('a.pth')\nassert state == '', 'fill this in'\n"))
    assert checked.earlier_steps > checked.supposed_steps > 0
    assert checked.all_steps == checked.steps + checked.supposed_steps + checked.earlier_steps


def test_steps_of_a_method_that_is_tried_at_the_end_count_for_the_tree(tmp_path):
    body = "class Pairs:\n    def __getitem__(self, index):\n        return [index, 1, 2]\npairs = Pairs()\n"
    run = run_of(tmp_path, body)
    it = interpreter_of(run)
    before = it.all_steps
    call_method(run, it.environments[run.entry].names["pairs"], "__getitem__")
    assert it.all_steps == before + it.probed_steps > before
    assert it.steps == before


def test_what_a_branch_returns_that_is_off_is_forgotten(tmp_path):
    body = (
        "def loaders(both=True):\n"
        "    if both:\n"
        "        return DataLoader(range(8)), DataLoader(range(4))\n"
        "    return DataLoader(range(2))\n"
        "print(loaders(both=False))\n"
    )
    run = run_of(tmp_path, body)
    printed = next(event for event in run.events if isinstance(event, CallEvent) and event.callee == "builtins.print")
    (given,) = printed.arguments.positional
    assert isinstance(given, Instance)
    assert given.external_name == "torch.utils.data.DataLoader"


@pytest.mark.parametrize(
    ("check", "loads"),
    [
        ("args.rate and args.second is not None", True),
        ("second", True),
        ("given['second']", True),
        ("state == 'lost'", False),
        ("any(each.endswith('.pt') for each in [])", False),
    ],
)
def test_an_option_that_a_way_asks_for_is_given_where_it_is_tried(tmp_path, check, loads):
    body = (
        "import argparse\nparser = argparse.ArgumentParser()\nparser.add_argument('--rate', type=int, default=16000)\n"
        "for option in ('--first', '--second'):\n    parser.add_argument(option, default=None)\n"
        "args = parser.parse_args()\nsecond = args.second\ngiven = vars(args)\n"
        f"if args.first:\n    assert {check}\n    restore(args.first)\n"
    )
    (supposed,) = run_of(tmp_path, body).supposed
    assert ("torch.load" in calls(supposed.events)) is loads
