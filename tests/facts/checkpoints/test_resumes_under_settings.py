"""Resumes of a training that is started with a file of settings, which names its folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.gate.check import Auditor

TRAINING = """
import argparse
import json
import os
from pathlib import Path
import torch
from torch.utils.data import DataLoader

class Trainer:
    def __init__(self, config, resume):
        self.net = torch.nn.Linear(4, 4)
        self.opt = torch.optim.Adam(self.net.parameters())
        self.start = 0
        self.folder = Path(config["root"]) / config["name"]
        if {asked}:
            self.restore()

    def restore(self):
        path = self.folder / "latest_model.tar"
        assert path.exists(), "nothing to go on from"
        state = torch.load(path)
        self.net.load_state_dict(state["net"])
        self.opt.load_state_dict(state["opt"])
        self.start = state["epoch"] + 1

    def train(self):
        for epoch in range(self.start, 10):
            for batch in DataLoader(torch.zeros(64, 4), 4, shuffle=True):
                self.opt.zero_grad()
                self.net(batch).mean().backward()
                self.opt.step()

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("-C", "--config", required=True)
    parser.add_argument("-R", "--resume", action="{action}")
    args = parser.parse_args()
    config = json.load(open(args.config))
    config["name"] = os.path.splitext(os.path.basename(args.config))[0]
    Trainer(config, args.resume).train()
"""


@pytest.mark.parametrize(
    ("asked", "action", "told"),
    [
        ("resume", "store_true", False),
        ("resume", "store_false", True),
        ("resume or (self.folder / 'latest_model.tar').exists()", "store_true", True),
        ("resume and (self.folder / 'latest_model.tar').exists()", "store_true", False),
    ],
)
def test_the_file_of_settings_gives_no_checkpoint(
    asked: str, action: str, told: bool, auditor: Auditor, tmp_path: Path
) -> None:
    (tmp_path / "train.py").write_text(TRAINING.format(asked=asked, action=action))
    (tmp_path / "small.json").write_text('{"root": "runs"}')
    assert ("CMG601" in {finding.rule for finding in auditor.audit(tmp_path).findings}) == told
