"""Searches for the best number that a function answers: `if self.is_best(loss):`."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.gate.check import Auditor

TRAINING = """
import numpy as np
import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader

class Trainer:
    def __init__(self, higher):
        self.higher = higher
        self.best = {start}
        self.net = torch.nn.Linear(4, 4)
        self.opt = torch.optim.Adam(self.net.parameters())

    def is_best(self, value, other):
{asked}

    def train(self):
        for epoch in range(10):
            for batch in DataLoader(torch.zeros(64, 4), 4, shuffle=True):
                self.opt.zero_grad()
                loss = F.l1_loss(self.net(batch), batch)
                loss.backward()
                self.opt.step()
            score = self.evaluate()
            if {question}:
                {then}
                torch.save(self.net.state_dict(), "best.pt")

    def evaluate(self):
        total = 0.0
        with torch.no_grad():
            for batch in DataLoader(torch.zeros(64, 4), 1):
                total += F.l1_loss(self.net(batch), batch).item()
        return total / 64

Trainer(higher={higher}).train()
"""
KEEPS = """
        if other and value {more} self.best:
            self.best = value
            return True
        elif not other and value {less} self.best:
            self.best = value
            return True
        return False
"""
START = "-np.inf if self.higher else np.inf"
ASKED = "self.is_best(score, other=self.higher)"


def test_a_function_that_keeps_the_number(auditor: Auditor, tmp_path: Path) -> None:
    right = {"asked": KEEPS.format(more=">=", less="<="), "start": START, "question": ASKED, "then": "pass"}
    assert _told(auditor, tmp_path / "right", right, higher=False) == []
    assert _told(auditor, tmp_path / "scores", right, higher=True) == [
        "which model is kept is decided as if a higher value were the better one"
    ]
    turned = {**right, "asked": KEEPS.format(more="<=", less=">="), "start": "0.0"}
    assert _told(auditor, tmp_path / "turned", turned, higher=False) == [
        "which model is kept is decided as if a higher value were the better one"
    ]
    start = {**right, "start": "np.inf if self.higher else -np.inf"}
    (told,) = _told(auditor, tmp_path / "start", start, higher=False)
    assert told.startswith("the search for the best model begins with -np.inf")


@pytest.mark.parametrize(("compares", "wrong"), [("<", False), (">", True)])
def test_a_function_that_only_compares(compares: str, wrong: bool, auditor: Auditor, tmp_path: Path) -> None:
    parts = {
        "asked": f"        return value {compares} self.best",
        "start": "100.0",
        "question": "self.is_best(score, self.higher)",
        "then": "self.best = score",
    }
    assert bool(_told(auditor, tmp_path, parts, higher=False)) == wrong


@pytest.mark.parametrize(("compares", "wrong"), [("<", False), (">", True)])
def test_a_function_that_compares_two_numbers(compares: str, wrong: bool, auditor: Auditor, tmp_path: Path) -> None:
    parts = {
        "asked": f"        return value {compares} other",
        "start": "100.0",
        "question": "self.is_best(score, self.best)",
        "then": "self.best = score",
    }
    assert bool(_told(auditor, tmp_path, parts, higher=False)) == wrong


def test_a_function_that_is_told_both_ways_by_an_open_setting(auditor: Auditor, tmp_path: Path) -> None:
    parts = {"asked": KEEPS.format(more=">=", less="<="), "start": START, "question": ASKED, "then": "pass"}
    assert _told(auditor, tmp_path, parts, higher="input() == 'y'") == []


def _told(auditor: Auditor, folder: Path, parts: dict[str, str], *, higher: object) -> list[str]:
    folder.mkdir(exist_ok=True)
    (folder / "train.py").write_text(TRAINING.format(higher=higher, **parts))
    found = [each.message for each in auditor.audit(folder).findings if each.rule == "CMG607"]
    return [message.partition(",")[0] for message in found]
