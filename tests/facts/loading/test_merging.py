"""One record where the runs of a script agree, and the launch on what differs where they do not."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.gate.check import Auditor

TRAIN = """
import argparse
import random
import torch
from torch.utils.data import DataLoader, Dataset


class Speech(Dataset):
    def __init__(self, split):
        self.split = split

    def __len__(self):
        return 100

    def __getitem__(self, index):
        wav = torch.load(f"{index}.pt")
        if self.split:
            start = random.randint(0, wav.size(0) - 32000)
            wav = wav[start : start + 32000]
        return wav


parser = argparse.ArgumentParser()
parser.add_argument("--split", action="store_true")
args = parser.parse_args()
model = torch.nn.Conv1d(1, 1, 3)
optimizer = torch.optim.Adam(model.parameters())
train_loader = DataLoader(Speech(True), batch_size=8, shuffle=True)
valid_loader = DataLoader(Speech(args.split), batch_size=1)
for epoch in range(10):
    model.train()
    for wav in train_loader:
        optimizer.zero_grad()
        model(wav).mean().backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        print(sum(model(wav).mean() for wav in valid_loader))
"""


def test_a_cut_that_one_launch_makes_names_that_launch(auditor: Auditor, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(TRAIN, encoding="utf-8")
    (tmp_path / "plain.sh").write_text("python train.py\n", encoding="utf-8")
    (tmp_path / "segments.sh").write_text("python train.py --split\n", encoding="utf-8")
    audited = auditor.audit(tmp_path)
    (found,) = [finding for finding in audited.findings if finding.rule == "CMG201"]
    assert "segments.sh: --split" in found.trail[0].note


PROCESSES = """
import torch
import torch.multiprocessing as mp
from torch.utils.data import DataLoader, TensorDataset
from torch.utils.data.distributed import DistributedSampler


def train(rank, gpus):
    model = torch.nn.Linear(4, 4)
    optimizer = torch.optim.Adam(model.parameters())
    items = TensorDataset(torch.zeros(64, 4))
    sampler = DistributedSampler(items) if gpus > 1 else None
    batch = {batch}
    for (batch,) in DataLoader(items, batch, shuffle=sampler is None, sampler=sampler):
        optimizer.zero_grad()
        model(batch).mean().backward()
        optimizer.step()


if __name__ == "__main__":
    gpus = 2
    if gpus > torch.cuda.device_count():
        gpus = torch.cuda.device_count()
    if gpus > 1:
        mp.spawn(train, nprocs=gpus, args=(gpus,))
    else:
        train(0, gpus)
"""


@pytest.mark.parametrize(
    ("batch", "found"),
    [
        ("2 // gpus if gpus > 1 else 2", 1),
        ("4 // gpus if gpus > 1 else 4", 0),
        ("8 // gpus if gpus > 1 else 8", 0),
        ("4 if gpus > 1 else 1", 1),
    ],
)
def test_a_batch_that_is_small_on_machines_of_several_cards_alone_stays_open(
    auditor: Auditor, tmp_path: Path, batch: str, found: int
) -> None:
    (tmp_path / "train.py").write_text(PROCESSES.format(batch=batch), encoding="utf-8")
    audited = auditor.audit(tmp_path)
    assert [finding.rule for finding in audited.findings].count("CMG101") == found
