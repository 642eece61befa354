"""Datasets whose code is not at hand, and what is said of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.facts.audit import collect
from cmgan_audit.facts.records import Loader
from cmgan_audit.rules.record import Unknown

TEST = """
import torch
from torch.utils.data import DataLoader
from data.noisy_test import Recordings

network = torch.nn.Linear(4, 4)
network.load_state_dict(torch.load("best.pt"))
network.eval()
with torch.no_grad():
    for batch in DataLoader(Recordings("test"), batch_size=1):
        print(network(batch).mean())
"""


@pytest.mark.parametrize(
    ("beside", "reason"),
    [
        ("data/noisy_train.py", "data.noisy_test.Recordings is not in this tree"),
        ("sets/noisy_train.py", "data.noisy_test.Recordings is a library's dataset"),
    ],
)
def test_a_dataset_of_a_file_that_is_missing(tmp_path: Path, beside: str, reason: str) -> None:
    (tmp_path / "test.py").write_text(TEST, encoding="utf-8")
    (tmp_path / beside).parent.mkdir()
    (tmp_path / beside).write_text("import torch\n", encoding="utf-8")
    (loader,) = (record for record in collect(tmp_path).records if isinstance(record, Loader))
    assert loader.dataset is not None
    assert isinstance(loader.dataset.random_crop, Unknown)
    assert loader.dataset.random_crop.reason == reason
