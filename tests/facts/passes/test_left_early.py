"""Evaluation loops over a shuffled loader that are left before it is through, and those that are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.facts.audit import collect
from cmgan_audit.facts.records import EVAL, Loader
from cmgan_audit.rules.record import Known, certainly

TRAIN = """
import torch
from torch.utils.data import DataLoader, TensorDataset

def evaluate(network, loader, whole=False, most=20):
    network.eval()
    total = seen = 0
    with torch.no_grad():
        for index, (batch,) in enumerate(loader):
            output = network(batch)
            {kept}
            seen += 1
            {leaves}
    return total / seen

network = torch.nn.Linear(4, 4)
optimizer = torch.optim.Adam(network.parameters())
train_loader = DataLoader(TensorDataset(torch.zeros(64, 4)), batch_size=8, shuffle=True)
valid_loader = DataLoader(TensorDataset(torch.zeros(64, 4)), batch_size=4, shuffle=True)
for epoch in range(3):
    network.train()
    for (batch,) in train_loader:
        optimizer.zero_grad()
        network(batch).mean().backward()
        optimizer.step()
    print(evaluate(network, valid_loader{given}))
"""
SUMS = "total += output.mean().item()"


@pytest.mark.parametrize(
    ("leaves", "given", "told"),
    [
        ("break", "", "after its first batch (train.py:13)"),
        ("if not whole: break", ", whole=False", "after its first batch (train.py:13)"),
        ("if not whole: break", ", whole=True", ""),
        ("if index >= 10: break", "", "where index >= 10 (train.py:13)"),
        ("if seen == most: break", ", most=20", "where seen == most (train.py:13)"),
        ("if not index < most: break", "", "where not index < most (train.py:13)"),
        ("if most is not None and seen >= most: break", "", "where seen >= most (train.py:13)"),
        ("if index >= most > 0: break", "", "where index >= most (train.py:13)"),
        ("if 0 < most <= index: break", "", "where most <= index (train.py:13)"),
        ("if seen >= most: return total / seen", "", "where seen >= most (train.py:13)"),
        ("if most and seen >= most: break", ", most=0", ""),
        ("if index >= most > 0: break", ", most=0", ""),
        ("if 10 > index: break", "", ""),
        ("if index == most: break", ", most=-1", ""),
        ("if index >= most: break", ", most=1000000000", ""),
        ("if whole and index >= most: break", "", ""),
        ("if index + 1 >= len(loader): break", "", ""),
        ("if output.isnan().any(): break", "", ""),
        ("if index < 10: continue", "", ""),
    ],
)
def test_where_it_is_left(tmp_path: Path, leaves: str, given: str, told: str) -> None:
    assert _left(tmp_path, kept=SUMS, leaves=leaves, given=given) == told


@pytest.mark.parametrize("kept", ["print(output)", "pictures += [output]", "seen += len(batch)"])
def test_examples_that_are_shown_are_no_scores(tmp_path: Path, kept: str) -> None:
    assert _left(tmp_path, kept=kept, leaves="break", given="") == ""


def test_a_meter_keeps_numbers(tmp_path: Path) -> None:
    assert _left(tmp_path, kept="meter.update('loss', output.mean().item(), 4)", leaves="break", given="") != ""
    assert _left(tmp_path, kept="bar.update(1)", leaves="break", given="") == ""
    assert _left(tmp_path, kept="statistics.update(output.mean(0))", leaves="break", given="") == ""


def test_items_are_counted_like_batches(tmp_path: Path) -> None:
    kept = SUMS + "; seen += batch.shape[0]"
    assert _left(tmp_path, kept=kept, leaves="if seen >= 16: break", given="") == "where seen >= 16 (train.py:13)"


def _left(folder: Path, **words: str) -> object:
    (folder / "train.py").write_text(TRAIN.format(**words), encoding="utf-8")
    loaders = [record for record in collect(folder).records if isinstance(record, Loader)]
    (found,) = (each.left_early for each in loaders if certainly(each.role, EVAL))
    assert isinstance(found, Known)
    return found.value
