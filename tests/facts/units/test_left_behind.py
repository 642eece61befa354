"""What a followed script leaves behind is free at once: nothing of it holds itself and waits for a search."""

from __future__ import annotations

import gc
from dataclasses import replace
from pathlib import Path

import pytest

from cmgan_audit.facts.loading.declared import NO_ROLES
from cmgan_audit.facts.units.answer import Follower
from cmgan_audit.program.execution.depth import deep_recursion
from cmgan_audit.program.execution.trace import Launch
from cmgan_audit.program.launches import runs
from cmgan_audit.source.tree import SourceTree

TRAINING = """
import argparse
import torch
import yaml
from torch.utils.data import DataLoader

parser = argparse.ArgumentParser()
parser.add_argument("--config")
parser.add_argument("--kind", default=None)
args = parser.parse_args()
config = yaml.safe_load(open(args.config))


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(config["width"], 1)

    def forward(self, x):
        return self.layer(x)


def loss_of(clean, estimate):
    if torch.rand(1) > 0.5:
        raise ValueError("one way")
    else:
        raise KeyError("the other way")


def evaluate(net, loader):
    net.eval()
    total = 0.0
    with torch.no_grad():
        for noisy, clean in loader:
            total += 0.5 * torch.nn.functional.l1_loss(net(noisy), clean).item()
    return total / len(loader)


net = Net()
optimizer = torch.optim.Adam(net.parameters())
train = DataLoader([], batch_size=4, shuffle=True)
valid = DataLoader([], batch_size=4)
best = 1e9
for epoch in range(10):
    net.train()
    for noisy, clean in train:
        optimizer.zero_grad()
        try:
            loss = loss_of(clean, net(noisy))
        except (ValueError, KeyError):
            loss = torch.nn.functional.l1_loss(net(noisy), clean)
        loss.backward()
        optimizer.step()
    error = evaluate(net, valid)
    if error < best:
        best = error
        torch.save(net.state_dict(), "best.pt")
"""
# Classes, functions and parsers hold each other in circles of their own, a few dozen objects for each run. All that a
# run saw would be some thousands.
MOST_LEFT = 600


def test_a_script_leaves_next_to_nothing_for_a_search(tmp_path: Path) -> None:
    for name in ("first.py", "second.py"):
        (tmp_path / name).write_text(TRAINING)
    for number in range(4):
        (tmp_path / f"config{number}.yaml").write_text(f"width: {number + 1}\n")
    starts = [
        f"python {name} --config config{number}.yaml" for name in ("first.py", "second.py") for number in range(4)
    ]
    (tmp_path / "README.md").write_text("".join(f"    {start}\n" for start in starts))
    follower = Follower(SourceTree(tmp_path), NO_ROLES)
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        with deep_recursion():
            follower.follow("first.py")  # also loads what any script needs
            gc.collect()
            answer, _ = follower.follow("second.py")
        left = gc.collect()
    finally:
        if was_enabled:
            gc.enable()
    assert len(answer.seen) == 8
    assert left < MOST_LEFT


def test_two_launches_of_the_same_words_are_one_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "train.py").write_text(TRAINING)
    (tmp_path / "config.yaml").write_text("width: 1\n")
    (tmp_path / "README.md").write_text("    python train.py --config config.yaml\n")
    launches_of = runs.launches_of

    def twice(*words: object, **named: object) -> list[Launch]:
        found = launches_of(*words, **named)  # type: ignore[arg-type]
        return [*found, *(replace(launch, condition="another document") for launch in found)]

    monkeypatch.setattr(runs, "launches_of", twice)
    with deep_recursion():
        answer, _ = Follower(SourceTree(tmp_path), NO_ROLES).follow("train.py")
    assert len(answer.seen) == 2  # its two loaders
