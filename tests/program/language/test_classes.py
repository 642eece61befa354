"""Objects of the tree's own classes."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.program.execution.trace import CallEvent
from cmgan_audit.program.launches.runs import execute
from cmgan_audit.source.tree import SourceTree

DICTIONARY = """
from torch.utils.data import DataLoader

class Settings(dict):
    def __init__(self, left, given):
        super().__init__(Settings(left - 1, given) if left else given)

DataLoader("data", **Settings({depth}, {{"batch_size": 8}}))
"""


@pytest.mark.parametrize(("depth", "known"), [(1, True), (9, False)])
def test_a_dictionary_whose_constructor_is_not_followed_is_not_empty(tmp_path: Path, depth: int, known: bool) -> None:
    (tmp_path / "train.py").write_text(DICTIONARY.format(depth=depth))
    (run,) = execute(SourceTree(tmp_path))
    (made,) = (event for event in run.events if isinstance(event, CallEvent) and event.callee.endswith(".DataLoader"))
    assert ("batch_size" in made.arguments.keywords, not made.arguments.open_kwargs) == (known, known)
