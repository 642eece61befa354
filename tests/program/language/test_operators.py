"""Operators on values that depend on the way on which they were set."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.program.domain.values import Const, options_of
from cmgan_audit.program.execution.trace import CallEvent
from cmgan_audit.program.launches.runs import execute
from cmgan_audit.source.tree import SourceTree

COUNTED = """
import torch
from torch.utils.data import DataLoader
many = torch.cuda.device_count()
if many > 0:
    many = 2
DataLoader({expression})
"""


@pytest.mark.parametrize(
    ("expression", "values"),
    [
        ("8 // many", [4]),  # without a device it raises, and makes no loader
        ("'%d' % 2", ["2"]),
        ("'%d' % many", ["2", None]),
    ],
)
def test_a_division_by_nothing_is_left_out_where_it_is_one(
    tmp_path: Path, expression: str, values: list[object]
) -> None:
    (tmp_path / "train.py").write_text(COUNTED.format(expression=expression))
    (run,) = execute(SourceTree(tmp_path))
    (made,) = (event for event in run.events if isinstance(event, CallEvent) and event.callee.endswith(".DataLoader"))
    found = [option.value for option in options_of(made.arguments.positional[0])]
    assert [value.value if isinstance(value, Const) else None for value in found] == values


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("device == 'cuda'", False),
        ("'cpu' != device", True),
        ("device in ('cuda', 'mps')", False),
        ("device.type == 'cuda'", None),
        ("device in (torch.device('cuda'), 'mps')", None),
        ("pathlib.Path('data') == 'data'", False),
    ],
)
def test_no_device_and_no_path_equals_a_text(tmp_path: Path, expression: str, value: object) -> None:
    device = "torch.device('cuda' if torch.cuda.is_available() else 'cpu')"
    text = f"import pathlib\nimport torch\ndevice = {device}\ntorch.utils.data.DataLoader({expression})\n"
    (tmp_path / "train.py").write_text(text)
    (run,) = execute(SourceTree(tmp_path))
    (made,) = (event for event in run.events if isinstance(event, CallEvent) and event.callee.endswith(".DataLoader"))
    found = made.arguments.positional[0]
    assert (found.value if isinstance(found, Const) else None) is value


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("'%s/%s.yaml' % ('conf', name)", "conf/small.yaml"),
        ("'%s-%02d' % (name, 3)", "small-03"),
        ("'%s/%s' % (name, open('x').read())", None),
        ("'%s/%s' % [name, name]", None),
        ("'%s' % (name, 3)", None),
        ("'%9999s%s' % (name, 3)", None),
    ],
)
def test_a_text_is_filled_in_with_several_values(tmp_path: Path, expression: str, value: object) -> None:
    text = f"import torch\nname = 'small'\ntorch.utils.data.DataLoader({expression})\n"
    (tmp_path / "train.py").write_text(text)
    (run,) = execute(SourceTree(tmp_path))
    (made,) = (event for event in run.events if isinstance(event, CallEvent) and event.callee.endswith(".DataLoader"))
    found = made.arguments.positional[0]
    assert (found.value if isinstance(found, Const) else None) == value
