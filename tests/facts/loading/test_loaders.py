"""Where the settings of a loader come from, and where their way ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.facts.audit import collect
from cmgan_audit.facts.records import Loader
from cmgan_audit.finding import Trail
from cmgan_audit.rules.record import OneOf

TRAIN = """
import argparse
import torch
from torch.utils.data import DataLoader

parser = argparse.ArgumentParser()
parser.add_argument("--order", action="store_true")
args = parser.parse_args()
network = torch.nn.Linear(1, 1)
optimizer = torch.optim.Adam(network.parameters())
{given}
loader = DataLoader([1, 2, 3], 1, shuffle=order, drop_last=order)
for batch in loader:
    network(batch).sum().backward()
    optimizer.step()
"""


@pytest.mark.parametrize(
    ("given", "first"),
    [
        ("order = args.order", 7),
        ("order = bool(args.order)", 7),
        ("import lab\nif lab.tidy():\n    order = True\nelse:\n    order = args.order", 7),
        ("order = True", 11),
    ],
)
def test_the_way_of_a_setting_begins_where_it_is_given_and_ends_at_the_loader(
    tmp_path: Path, given: str, first: int
) -> None:
    text = TRAIN.format(given=given)
    (tmp_path / "train.py").write_text(text, encoding="utf-8")
    (loader,) = (record for record in collect(tmp_path).records if isinstance(record, Loader))
    made = next(number for number, line in enumerate(text.splitlines(), 1) if "DataLoader(" in line)
    for fact in (loader.shuffle, loader.drop_last):
        ways: list[Trail] = [option.trail for option in fact.options] if isinstance(fact, OneOf) else [fact.trail]
        lines = [[step.location.line for step in way] for way in ways]
        assert any(way[0] == first for way in lines)
        assert all(way[-1] == made for way in lines)


def test_the_way_of_a_setting_that_stands_in_the_call_is_the_call(tmp_path: Path) -> None:
    text = TRAIN.format(given="").replace("shuffle=order, drop_last=order", "shuffle=True")
    (tmp_path / "train.py").write_text(text, encoding="utf-8")
    (loader,) = (record for record in collect(tmp_path).records if isinstance(record, Loader))
    assert [step.location.line for step in loader.shuffle.trail] == [loader.location.line]
    assert loader.drop_last.trail == ()
