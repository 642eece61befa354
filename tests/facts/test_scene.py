"""The events of a run, asked for by the name of a call and by what it was handed."""

from __future__ import annotations

from pathlib import Path

from cmgan_audit.facts.scene import Scene, look_at
from cmgan_audit.program.launches.runs import execute
from cmgan_audit.source.tree import SourceTree

TRAINING = """
import torch
from torch.utils.data import DataLoader, TensorDataset
from prefetching import Prefetcher, watch

def make(batch):
    torch.manual_seed(0)
    return DataLoader(TensorDataset(torch.zeros(8, 4)), batch)

first, second = make(4), make(2)
torch.manual_seed(1)
watch(first)
batches = Prefetcher(loader=second)
watch(second, second)
"""


def _scene(tmp_path: Path) -> Scene:
    (tmp_path / "train.py").write_text(TRAINING, encoding="utf-8")
    return look_at(next(iter(execute(SourceTree(tmp_path)))))


def test_calls_are_found_by_name_in_the_order_of_the_program(tmp_path: Path) -> None:
    scene = _scene(tmp_path)
    meant = ("torch.manual_seed", "torch.utils.data.DataLoader")
    found = scene.named(meant.__contains__)
    assert [event.callee.rpartition(".")[2] for event in found] == [
        "manual_seed", "DataLoader", "manual_seed", "DataLoader", "manual_seed",
    ]  # fmt: skip
    assert scene.named(lambda name: name == "torch.seed") == []


def test_calls_are_found_by_the_object_that_they_are_handed(tmp_path: Path) -> None:
    scene = _scene(tmp_path)
    first, second = (made.loader for made in scene.made)
    assert [event.location.line for event in scene.handed(first)] == [12]
    assert [event.location.line for event in scene.handed(second)] == [13, 14]
