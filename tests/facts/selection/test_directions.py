"""Searches that begin with a number as good as infinity, of values that are not known."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from cmgan_audit.gate.check import Auditor
from cmgan_audit.gate.door import collect, load_kinds
from cmgan_audit.gate.settings import Settings
from cmgan_audit.rules.catalogue import load_catalogue

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
def test_what_grows_without_end_gets_there(name: str, told: bool, tmp_path: Path) -> None:
    load_kinds()
    (tmp_path / "train.py").write_text(TRAINING.format(name=name))
    auditor = Auditor(load_catalogue(), Settings(), collect, datetime.date(2026, 1, 1))
    assert ("CMG607" in {finding.rule for finding in auditor.audit(tmp_path).findings}) == told
