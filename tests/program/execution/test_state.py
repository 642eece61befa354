"""The names of a call that has ended are no part of the state; functions that it made read them all the same."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from cmgan_audit.program.domain.joins import Branch
from cmgan_audit.program.domain.values import Const, options_of
from cmgan_audit.program.execution.state import Journal, Snapshot
from cmgan_audit.program.execution.trace import CallEvent
from cmgan_audit.program.launches.runs import execute
from cmgan_audit.source.tree import SourceTree

HEAD = """
import os
from torch.utils.data import DataLoader

loader = DataLoader(range(3))
flag = os.environ.get("FLAG")

def plain(number):
    passing = number + 1
    passing = passing * 2
    return passing

def lists(number):
    return [each + number for each in (1, 2)]
"""

CALLED = {
    "branch": "if flag:\n    got = plain(1)\nelse:\n    got = plain(1)\nprint(got)",
    "comprehension in a branch": "got = []\nif flag:\n    got = lists(1)\nelse:\n    got = lists(1)\nprint(got[0] + 2)",
    "loop": "got = 4\nfor batch in loader:\n    got = plain(1)\nprint(got)",
}

# What is printed, as all the numbers that it may be.
CAPTURED = {
    "closure": (
        "def outer():\n    kept = 1\n    def inner():\n        return kept\n    if flag:\n        kept = 2\n"
        "    return inner\nprint(outer()())",
        {1, 2},
    ),
    "closure of a branch": (
        "def outer(number):\n    kept = number\n    return lambda: kept\n"
        "if flag:\n    made = outer(1)\nelse:\n    made = outer(2)\nprint(made())",
        {1, 2},
    ),
    "method of a local class": (
        "def outer():\n    kept = 1\n    class Inner:\n        def get(self):\n            return kept\n"
        "    if flag:\n        kept = 2\n    return Inner()\nprint(outer().get())",
        {1, 2},
    ),
    "locals()": (
        "def outer():\n    kept = 1\n    if flag:\n        kept = 2\n    return locals()\nprint(outer()['kept'])",
        {1, 2},
    ),
    "lambda in a comprehension": (
        "def outer(number):\n    return [lambda: each + number for each in (1,)]\n"
        "if flag:\n    made = outer(1)\nelse:\n    made = outer(2)\nprint(made[0]())",
        {2, 3},
    ),
    "a function that changes what it captured": (
        "def outer():\n    kept = False\n    def change():\n        nonlocal kept\n        kept = True\n"
        "    def inner():\n        return kept\n    return change, inner\n"
        "change, inner = outer()\nif flag:\n    change()\nprint(inner())",
        {False, True},
    ),
    "a loop over a generator is left": (
        "def numbers():\n    here = 1\n    here = 2\n    here = 3\n    yield here\n"
        "def first():\n    found = False\n    for each in numbers():\n        found = True\n        if flag:\n"
        "            break\n        found = None\n    return found\nprint(first())",
        {False, True, None},
    ),
}


def printed(folder: Path, body: str) -> set[object]:
    """The constants that the one `print` of a script may show."""
    (folder / "train.py").write_text(f"{HEAD}\n{body}\n", encoding="utf-8")
    run = next(iter(execute(SourceTree(folder))))
    (value,) = [
        event.arguments.positional[0]
        for event in run.events
        if isinstance(event, CallEvent) and event.callee == "builtins.print"
    ]
    return {option.value.value for option in options_of(value) if isinstance(option.value, Const)}


@pytest.mark.parametrize("body", CALLED.values(), ids=CALLED)
def test_names_of_ended_calls_are_not_joined(tmp_path, body, monkeypatch):
    joined: list[object] = []
    merge = Journal.merge

    def watched(journal: Journal, sides: Sequence[tuple[Snapshot, Branch]], *rest: Any) -> None:
        joined.extend(change.key for snapshot, _ in sides for change in snapshot.values())
        merge(journal, sides, *rest)

    monkeypatch.setattr(Journal, "merge", watched)
    assert printed(tmp_path, body) == {4}
    assert "got" in joined
    assert not {"passing", "each"} & set(joined)


@pytest.mark.parametrize(("body", "expected"), CAPTURED.values(), ids=CAPTURED)
def test_what_can_still_be_read_is_kept(tmp_path, body, expected):
    assert printed(tmp_path, body) == expected


def test_other_cells_of_a_call_that_is_abandoned_can_be_taken_back():
    journal, names, elsewhere = Journal(), {}, {}
    journal.set(names, "before", Const(value=0))
    mark = journal.mark()
    journal.set(names, "x", Const(value=1))
    journal.set(elsewhere, "y", Const(value=2))
    journal.abandon(names, mark)
    assert [change.key for change in journal.written_since(mark).values()] == ["y"]
    journal.rollback(0)
    assert (names, elsewhere) == ({"x": Const(value=1)}, {})
