"""The number of accumulated batches: a key of a section counts only where nothing nearer is called so."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.gate.check import Auditor

TRAINING = """
import sys
import toml
import torch
from torch.utils.data import DataLoader

class Trainer:
    def __init__(self, config, given):
        self.{name} = given
        self.settings = config["trainer"]
        self.net = torch.nn.Linear(4, 4)
        self.opt = torch.optim.SGD(self.net.parameters(), lr=0.1)
    def fit(self):
        for epoch in range(10):
            for number, batch in enumerate(DataLoader(torch.zeros(64, 4), 4, shuffle=True), 1):
                self.net(batch).mean().backward()
                if number % {divisor} == 0:
                    self.opt.step()
                    self.opt.zero_grad()

Trainer(toml.load("settings.toml"), int(sys.stdin.read())).fit()
"""


@pytest.mark.parametrize(
    ("name", "divisor", "told"),
    [("given", 'self.settings["every"]', True), ("every", "self.every", False)],
)
def test_a_section_for_something_else_may_have_the_key(
    name: str, divisor: str, told: bool, auditor: Auditor, tmp_path: Path
) -> None:
    (tmp_path / "settings.toml").write_text("[trainer]\nevery = 4\n")
    (tmp_path / "train.py").write_text(TRAINING.format(name=name, divisor=divisor))
    assert ("CMG103" in {finding.rule for finding in auditor.audit(tmp_path).findings}) == told
