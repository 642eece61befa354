"""What a dataset of a library does with the processes of a training is left open (CMG214)."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.gate.check import Auditor

TRAIN = """
import torch
import torch.distributed as dist
from torch.utils.data import DataLoader
{imported}

dist.init_process_group("nccl")
model = torch.nn.parallel.DistributedDataParallel(torch.nn.Linear(4, 4))
optimizer = torch.optim.Adam(model.parameters())
for batch in DataLoader({dataset}, batch_size=8, shuffle=True):
    loss = model(batch).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""


@pytest.mark.parametrize(
    ("imported", "dataset", "verdict"),
    [
        ("from streams import Shards", "Shards('train.jsonl', partition=True).map(len)", "open"),
        ("from torch.utils.data import TensorDataset", "TensorDataset(torch.zeros(64, 4))", "found"),
        ("from torchaudio.datasets import YESNO", "YESNO('data')", "found"),
    ],
)
def test_who_splits_the_items_of_a_dataset_of_a_library(
    auditor: Auditor, tmp_path: Path, imported: str, dataset: str, verdict: str
) -> None:
    (tmp_path / "train.py").write_text(TRAIN.format(imported=imported, dataset=dataset), encoding="utf-8")
    audited = auditor.audit(tmp_path)
    found = "CMG214" in {finding.rule for finding in audited.findings}
    left_open = [entry.reason for entry in audited.unresolved if entry.rule == "CMG214"]
    assert (found, bool(left_open)) == (verdict == "found", verdict == "open")
    assert all("streams makes the dataset" in reason for reason in left_open)
