"""What a network from outside of the tree is called in a finding."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.facts.audit import collect
from cmgan_audit.facts.records import TRAIN, Loop
from cmgan_audit.rules.record import Known, certainly

PROGRAM = """
import sys
import segmentation_models_pytorch as smp
import torch
from torch.utils.data import DataLoader, TensorDataset

network = {made}
optimizer = torch.optim.Adam(network.parameters())
train_loader = DataLoader(TensorDataset(torch.zeros(64, 4)), batch_size=8, shuffle=True)
valid_loader = DataLoader(TensorDataset(torch.zeros(64, 4)), batch_size=8)
network.train()
for epoch in range(3):
    for (batch,) in train_loader:
        optimizer.zero_grad()
        network(batch).mean().backward()
        optimizer.step()
    network.eval()
    with torch.no_grad():
        for (batch,) in valid_loader:
            print(network(batch).mean())
"""


@pytest.mark.parametrize(
    ("made", "name"),
    [
        ("smp.Unet(in_channels=1)", "Unet"),
        ("torch.hub.load('someone/some', 'net')", "torch.hub.load"),
        ("eval(sys.argv[1])(3)", "what eval gives"),
        ("__import__(sys.argv[1]).build(3)", "what build gives"),
        ("getattr(sys.modules[sys.argv[1]], 'make')(3)", "what make gives"),
    ],
)
def test_it_is_called_by_its_class_or_by_what_gives_it(tmp_path: Path, made: str, name: str) -> None:
    (tmp_path / "train.py").write_text(PROGRAM.format(made=made))
    loops = [each for each in collect(tmp_path).records if isinstance(each, Loop) and certainly(each.role, TRAIN)]
    assert name in {loop.unseen for loop in loops}
    notes = [step.note for loop in loops if isinstance(loop.train_mode, Known) for step in loop.train_mode.trail]
    assert f"{name} is switched to eval mode here, and nothing switches it back" in notes
