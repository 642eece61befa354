"""Searches that begin with a number as good as infinity, of values that are not known."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.gate.check import Auditor

TRAINING = """
import torch
from torch.utils.data import DataLoader
from elsewhere import make, state
net = make()
opt = torch.optim.Adam(net.parameters())
best = 1000000000
for epoch in range(10):
    for batch in DataLoader(torch.zeros(64, 4), 4, shuffle=True):
        opt.zero_grad()
        net(batch).mean().backward()
        opt.step()
    if state.{name} > best:
        best = state.{name}
        torch.save(net.state_dict(), "best.pt")
"""


@pytest.mark.parametrize(
    ("name", "told"), [("quality", True), ("criterion", True), ("samples", False), ("time", False)]
)
def test_what_grows_without_end_gets_there(name: str, told: bool, auditor: Auditor, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(TRAINING.format(name=name))
    assert ("CMG607" in {finding.rule for finding in auditor.audit(tmp_path).findings}) == told


CALLBACKS = """
import pytorch_lightning as pl
import torch
import torch.nn.functional as F
import yaml
from pytorch_lightning.callbacks import EarlyStopping, ModelCheckpoint
from torch.utils.data import DataLoader, TensorDataset

class Enhancer(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = torch.nn.Linear(4, 4)
    def training_step(self, batch, index):
        return F.l1_loss(self.net(batch[0]), batch[1])
    def validation_step(self, batch, index):
        self.log("loss", F.l1_loss(self.net(batch[0]), batch[1]))
    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters())

settings = yaml.safe_load(open("settings.yaml"))
kinds = {"keep": ModelCheckpoint, "stop": EarlyStopping}
callbacks = [kinds[name](monitor="loss", **each) for name, each in settings.items()]
data = TensorDataset(torch.zeros(64, 4), torch.zeros(64, 4))
pl.Trainer(callbacks=callbacks).fit(Enhancer(), DataLoader(data, 8, shuffle=True), DataLoader(data, 8))
"""


def test_a_mode_out_of_a_file_of_settings_is_told_there(auditor: Auditor, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(CALLBACKS)
    (tmp_path / "settings.yaml").write_text("keep:\n  mode: max\nstop:\n  patience: 9\n  mode: max\n")
    found = [finding for finding in auditor.audit(tmp_path).findings if finding.rule == "CMG607"]
    assert [(each.location.path, each.location.line) for each in found] == [("settings.yaml", 2), ("settings.yaml", 5)]
