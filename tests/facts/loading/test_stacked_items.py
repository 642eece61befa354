"""Items that are several segments, of a number that depends on the recording: the batch is left open (CMG101)."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from cmgan_audit.gate.check import Auditor
from cmgan_audit.gate.door import collect, load_kinds
from cmgan_audit.gate.settings import Settings
from cmgan_audit.rules.catalogue import load_catalogue

TRAIN = """
import torch
from torch.utils.data import DataLoader, Dataset

class Segments(Dataset):
    def __init__(self, names):
        self.names = names
    def __len__(self):
        return len(self.names)
    def __getitem__(self, index):
        speech = torch.load(self.names[index])
        return {{"speech": {made}}}

net = torch.nn.Linear(4, 4)
optimizer = torch.optim.Adam(net.parameters())
for batch in DataLoader(Segments(["a.pt", "b.pt"]), batch_size=1, shuffle=True):
    speech = {taken}
    optimizer.zero_grad()
    net(speech).abs().mean().backward()
    optimizer.step()
"""
TAKEN = 'batch["speech"][0].cuda()'


@pytest.mark.parametrize(
    ("made", "taken", "verdict"),
    [
        ("speech.unfold(0, 16000, 8000)", TAKEN, "open"),
        ("torch.stack(speech.split(16000)[:-1])", TAKEN, "open"),
        ("torch.stack(speech.split(16000)[:-1])", 'batch["speech"].cuda()', "found"),
        ("torch.stack(speech.chunk(2))", TAKEN, "found"),  # two channels, as likely
        ("speech", TAKEN, "found"),
    ],
)
def test_a_recording_that_is_cut_into_segments(tmp_path: Path, made: str, taken: str, verdict: str) -> None:
    load_kinds()
    (tmp_path / "train.py").write_text(TRAIN.format(made=made, taken=taken), encoding="utf-8")
    audited = Auditor(load_catalogue(), Settings(), collect, datetime.date(2026, 1, 1)).audit(tmp_path)
    found = "CMG101" in {finding.rule for finding in audited.findings}
    left_open = "CMG101" in {entry.rule for entry in audited.unresolved}
    assert (found, left_open) == (verdict == "found", verdict == "open")
