"""Of callables between which something chose, only those are followed that can take the arguments."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.program.execution.trace import CallEvent
from cmgan_audit.program.launches.runs import execute
from cmgan_audit.source.tree import SourceTree

CHOSEN = """
from dataclasses import dataclass
import torch
from library import Transform
from registry import mark

class Plain:
    def __init__(self, rate):
        pass
    def __call__(self, estimate, clean, mask=None):
        return 0

class Spectral(torch.nn.Module):
    def __init__(self):
        super().__init__()
    def forward(self, real, imag, clean_real, clean_imag):
        return 0

class Joined:
    def __call__(self, *signals, **options):
        return 0

@mark
def marked(real, imag, clean_real, clean_imag):
    return 0

def weighted(estimate, clean, *, weight):
    return 0

class Filter:
    def __init__(self, size, taps):
        self.size = size

class Switched(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.forward = self.of_pair
    def of_pair(self, estimate, clean):
        return 0
    def forward(self, estimate):
        return 0

class Shifted(Transform):
    def forward(self, estimate):
        return 0

class Root:
    def __init__(self):
        pass

@dataclass
class Fields(Root):
    size: int
    taps: int

class Given(Fields):
    pass

class Shared(type):
    def __call__(cls, *given):
        return super().__call__()

class Single(metaclass=Shared):
    def __init__(self):
        pass

one, two, left, right = range(4)
if input():
    chosen = {first}
else:
    chosen = {second}
chosen({arguments})
torch.utils.data.DataLoader([])
"""


@pytest.mark.parametrize(
    ("first", "second", "arguments", "followed"),
    [
        ("Plain(8)", "Spectral()", "one, two", ["Plain"]),
        ("Plain(8)", "Spectral()", "one, two, left, right", ["Spectral"]),
        ("Plain(8)", "Spectral()", "one, two, mask=left", ["Plain"]),
        ("Plain(8)", "Spectral()", "one, two, clean_real=left, clean_imag=right", ["Spectral"]),
        ("Plain(8)", "Joined()", "one, two", ["Plain", "Joined"]),
        ("Plain(8)", "weighted", "one, two", ["Plain"]),
        ("Plain(8)", "weighted", "one, two, weight=3", ["weighted"]),
        ("Plain(8)", "Filter", "one, two", ["Plain", "Filter"]),
        ("Spectral()", "Filter", "one, two, left", ["Spectral", "Filter"]),  # nothing tells which was meant
        ("Plain(8)", "marked", "one, two", ["Plain", "marked"]),  # what a decorator makes may take anything
        ("Plain(8)", "Spectral()", "*input().split()", ["Plain", "Spectral"]),
        ("Plain(8)", "Switched()", "one, two", ["Plain", "Switched"]),  # its forward is another one by then
        ("Plain(8)", "Shifted()", "one, two", ["Plain", "Shifted"]),  # the library calls forward as it likes
        ("Plain(8)", "Given", "one, two", ["Plain", "Given"]),  # a dataclass writes its constructor
        ("Plain(8)", "Single", "one, two", ["Plain", "Single"]),  # a metaclass is called first
    ],
)
def test_the_number_and_names_of_arguments_tell_which_callable_is_meant(
    tmp_path: Path, first: str, second: str, arguments: str, followed: list[str]
) -> None:
    (tmp_path / "train.py").write_text(CHOSEN.format(first=first, second=second, arguments=arguments))
    (run,) = execute(SourceTree(tmp_path))
    names = {"Plain.__call__", "Spectral.__call__", "Joined.__call__", "Switched.__call__", "Shifted.__call__"}
    names |= {"Filter", "Given", "Single", "marked", "weighted"}
    called = [e.callee.removeprefix("train.") for e in run.events if isinstance(e, CallEvent)]
    assert [name.removesuffix(".__call__") for name in called if name in names] == followed
