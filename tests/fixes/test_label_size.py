"""CMG403: labels as long as the batch at hand."""

from __future__ import annotations

import pytest

PROGRAM = """\
import argparse
import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser()
parser.add_argument("--batch_size", type=int, default=4)
args = parser.parse_args()
device = "cpu"
critic = torch.nn.Linear(80, 1)
optimizer = torch.optim.Adam(critic.parameters())
loader = DataLoader(TensorDataset(torch.zeros(823, 80), torch.zeros(823, 80)), args.batch_size@LOADER@)


def update(found, label):
    loss = F.mse_loss(found.flatten(), label)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


"""
STEP = """\
def step(batch):
    clean = batch[0].to(device)
    label = torch.ones(args.batch_size).to(device)
    update(critic(clean), label)


for number, batch in enumerate(loader):
    step(batch)
"""
LOOP = """\
for clean, noisy in loader:
    update(critic(noisy.to(device)), torch.full(size=(args.batch_size,), fill_value=0.9))
"""


def program(steps: str, loader: str = "") -> dict[str, str]:
    return {"train.py": PROGRAM.replace("@LOADER@", loader) + steps}


@pytest.mark.parametrize(
    ("steps", "added"),
    [
        (STEP, "label = torch.ones(clean.size(0)).to(device)"),
        (STEP.replace("clean = batch[0].to", "clean, noisy = batch\n    clean = clean.to"), None),
        (STEP.replace("    step(batch)", "    step(batch=batch)"), None),
        (LOOP, "update(critic(noisy.to(device)), torch.full(size=(noisy.size(0),), fill_value=0.9))"),
        (STEP.replace("    update", "    clean = clean.T\n    update"), "label = torch.ones(clean.size(0)).to(device)"),
        (STEP.replace("number, batch in enumerate(loader)", "batch in loader"), None),
    ],
)
def test_the_label_follows_the_tensor_of_the_batch_that_is_in_scope(fix, steps, added):
    mended = fix("CMG403", program(steps))
    assert len(mended.found) == 1 and mended.remaining == []
    assert mended.found[0].fix.safety == "unsafe" and mended.found[0].fix.reason
    assert mended.added("train.py") == [added or "label = torch.ones(clean.size(0)).to(device)"]


@pytest.mark.parametrize(
    "steps",
    [
        STEP.replace("    label", "    clean = clean.T\n    label"),
        STEP.replace("    label", "    if device:\n        clean = clean[:1]\n    label"),
        STEP.replace("batch[0].to(device)", "torch.stack(list(batch)).flatten(0, 1)"),
        STEP.replace("    step(batch)", "    step([each[:2] for each in batch])"),
        "label = torch.ones(args.batch_size)\nfor clean, noisy in loader:\n    update(critic(clean.float()), label)\n",
        STEP.replace("    label", "    for clean in (1, 2):\n        pass\n    label").replace(
            "critic(clean)", "critic(batch[0])"
        ),
    ],
)
def test_without_a_tensor_that_surely_is_the_batch_nothing_changes(fix, steps):
    mended = fix("CMG403", program(steps))
    assert len(mended.found) == 1 and not mended.fixed.changes
    assert "no tensor of the batch is known by name" in mended.found[0].fix.declined


def test_what_a_collate_function_makes_may_have_another_first_axis(fix):
    mended = fix("CMG403", program(STEP, ", collate_fn=lambda items: torch.stack([each[0] for each in items], 1)"))
    assert len(mended.found) == 1 and not mended.fixed.changes
