"""Wrappers that make other batches of what a loader gives: what is known of those, and what is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.facts.audit import collect
from cmgan_audit.facts.records import Loader
from cmgan_audit.rules.record import Known, Unknown

WRAPPED = """
import torch
from torch.utils.data import DataLoader, TensorDataset
from torch.utils.data.dataloader import default_collate

class Chunks:
    def __init__(self, dataset, size):
        {name} = size
        self.loader = DataLoader(dataset, batch_size=size // 2)
    def __iter__(self):
        for items in self.loader:
            yield default_collate(list(items)[: {name}])

net = torch.nn.Linear(4, 4)
for batch in Chunks(TensorDataset(torch.zeros(64, 4)), 6):
    net(batch).mean().backward()
"""


@pytest.mark.parametrize(("name", "batch"), [("self.batch_size", 6), ("self.together", None)])
def test_the_batch_of_a_wrapper(tmp_path: Path, name: str, batch: int | None) -> None:
    (tmp_path / "train.py").write_text(WRAPPED.format(name=name), encoding="utf-8")
    (loader,) = (record for record in collect(tmp_path).records if isinstance(record, Loader))
    found = loader.batch_size.value if isinstance(loader.batch_size, Known) else None
    assert found == batch
    assert isinstance(loader.drop_last, Unknown), "it may leave the last batch out, or not"


READY = """
import torch
from torch.utils.data import DataLoader, Dataset, random_split

class ReadyBatches(Dataset):
    def __init__(self, names, batch_size):
        self.batches = [names[at : at + batch_size] for at in range(0, len(names), batch_size)]
    def __len__(self):
        return len(self.batches)
    def __getitem__(self, index):
        return torch.stack([torch.load(name) for name in self.batches[index]])

def train(batch_size):
    torch.manual_seed(0)
    both = ReadyBatches(open("names.txt").read().split(), batch_size)
    train_set, valid_set = random_split(both, [len(both) - 10, 10])
    net = torch.nn.Linear(4, 4)
    optimizer = torch.optim.Adam(net.parameters())
    for batch in DataLoader(train_set, batch_size=1, shuffle=True):
        optimizer.zero_grad()
        net(batch[0]).mean().backward()
        optimizer.step()

train(8)
"""


def test_a_dataset_of_ready_batches_that_is_split(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(READY, encoding="utf-8")
    (loader,) = (record for record in collect(tmp_path).records if isinstance(record, Loader))
    assert isinstance(loader.batch_size, Known)
    assert loader.batch_size.value == 8
