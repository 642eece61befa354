"""Items that a loop cuts into pieces: along the first dimension they may be batches, along time they are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.gate.audited import Audited
from cmgan_audit.gate.check import Auditor

TRAIN = """
import argparse
import torch
import tqdm
from einops import rearrange
from torch.utils.data import DataLoader, Dataset

class Recordings(Dataset):
    def __len__(self):
        return 100

    def __getitem__(self, index):
        return torch.load(f"{index}.pt")

model, size = torch.nn.Linear(4, 4), 16
parser = argparse.ArgumentParser()
parser.add_argument("--seconds", type=float)
parser.add_argument("--sample_rate", type=float)
args = parser.parse_args()
optimizer = torch.optim.Adam(model.parameters())

def learn(batch):
    loss = model(batch).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

def learn_in_pieces(recording):
    for batch in torch.split(recording, size):
        learn(batch)

def pieces_of(recording, size):
    recording = recording.squeeze(0)
    for start in range(0, len(recording), size):
        yield recording[start : start + size]

def windows(recording):
    return recording.unfold(1, 400, 200)[0]

def frame_loss(recording):
    return recording.unfold(1, 400, 200).mean()

class Pieces:
    def __init__(self, loader, size):
        self.loader, self.size = loader, size

    def __iter__(self):
        for item in self.loader:
            for start in range(0, len(item[0]), self.size):
                yield item[0][start : start + self.size]

class Moved:
    def __init__(self, loader):
        self.loader = loader

    def __iter__(self):
        for item in self.loader:
            yield item.to("cuda")

def learn_with(batch, weights):
    for number in range(0, 9, 3):
        print(weights[number : number + 3])
        learn(batch)

loader = DataLoader(Recordings(), 1, shuffle=True)
for epoch in range(9):
    for item in loader:
"""
PIECES = {
    "split": "for batch in item.squeeze(0).split(size):\n    learn(batch)",
    "two that go along": "for batch, _ in zip(torch.split(item[0], size, dim=0), item):\n    learn(batch)",
    "slices": "whole = item[0]\nfor i in range(0, len(whole), size):\n    learn(whole[i : i + size])",
    "slices of a dimension": "for i in range(0, item.shape[1], 4):\n    learn(item[0][i : i + 4, :])",
    "in a function": "learn_in_pieces(item.flatten(0, 1))",
    "chunks": "for batch in torch.chunk(item[0], chunks=4):\n    learn(batch)",
    "the size by its name": "for batch in item[0].split(split_size=16):\n    learn(batch)",
    "kept first": "pieces = item[0].split(size)\nfor batch in tqdm.tqdm(list(pieces)):\n    learn(batch)",
    "from a generator": "for batch in pieces_of(item, size):\n    learn(batch)",
    "windows": "windows = item.unfold(-1, 400, 200).reshape(-1, 400)\nlearn(windows)",
    "named windows": "frames = item.unfold(-1, 400, 200)[0]\nprint(frames.std())\nlearn(frames)",
    "windows of a function": "learn(windows(item))",
    "windows by einops": "learn(rearrange(item, 'b (n t) -> (b n) t', t=400))",
    "listed": "for batch in [item[0][i : i + 8] for i in range(0, 64, 8)]:\n    learn(batch)",
    "multiples": "for i in range(len(item[0]) // 16):\n    learn(item[0][i * 16 : (i + 1) * 16])",
    "while": "i, whole = 0, item[0]\nwhile i < len(whole):\n    learn(whole[i : i + 16])\n    i += 16",
    "in an order that is drawn": "whole = item[0]\norder = torch.randperm(len(whole))\n"
    "for i in range(0, len(whole), 16):\n    learn(whole[order[i : i + 16]])",
}
SMALL = {
    "whole": "learn(item)",
    "along time": "for piece in item.split(100, dim=-1):\n    learn(piece)",
    "slices along time": "for i in range(0, item.shape[-1], 100):\n    learn(item[..., i : i + 100])",
    "samples": "for piece in item[0].split(16000):\n    learn(piece)",
    "several times": "for i in range(0, 30, 3):\n    learn(item)",
    "what is no part of it": "for number in range(0, 9, 3):\n    print([1, 2][number : number + 3])\n    learn(item)",
    "pieces and the whole": "for piece in item[0].split(size):\n    learn(piece)\nlearn(item)",
    "a text": "for word in str(item).split(' '):\n    learn(item)",
    "a text at a name": "comma = ','\nfor word in str(item).split(comma):\n    learn(item)",
    "one at a time": "for piece in item[0].split(1):\n    learn(piece)",
    "batches of one": "for i in range(0, 8000, 400):\n    learn(item[0][i : i + 400].unsqueeze(0))",
    "named batches of one": "for piece in item[0].split(400):\n    batch = piece[None]\n    learn(batch)",
    "what a function is handed beside it": "learn_with(item, torch.zeros(9))",
    "seconds": "length = int(args.seconds * args.sample_rate)\nfor piece in item[0].split(length):\n    learn(piece)",
    "seconds at 16 kHz": "for i in range(0, 8, int(args.seconds * 16000)):\n"
    "    learn(item[0][i : i + int(args.seconds * 16000)])",
    "frames in a loss": "learn(item)\nprint(frame_loss(item))",
    "energies": "energies = item.unfold(-1, 400, 200).pow(2).mean(-1)\nlearn(item / energies.max())",
    "named frames": "frames = item.unfold(-1, 400, 200)\nprint(frames.std(), frames.abs().max())\nlearn(item)",
    "channels by einops": "learn(rearrange(item, 'b c t -> (b c) t'))",
    "another pass": "for piece in item[0].split(size):\n    learn(piece)\nfor item in loader:\n    learn(item)",
}


def audited(auditor: Auditor, folder: Path, body: str) -> Audited:
    lines = "".join(f"        {line}\n" for line in body.splitlines())
    (folder / "train.py").write_text(TRAIN + lines, encoding="utf-8")
    return auditor.audit(folder)


@pytest.mark.parametrize("body", PIECES.values(), ids=PIECES)
def test_pieces_may_be_batches(auditor, tmp_path, body):
    found = audited(auditor, tmp_path, body)
    assert "CMG101" not in {finding.rule for finding in found.findings}
    assert [entry.reason for entry in found.unresolved if entry.rule == "CMG101"] == [
        "batch_size: the loop cuts each item into pieces: these may be its batches"
    ]


@pytest.mark.parametrize("body", SMALL.values(), ids=SMALL)
def test_a_single_item_stays_one(auditor, tmp_path, body):
    assert "CMG101" in {finding.rule for finding in audited(auditor, tmp_path, body).findings}


@pytest.mark.parametrize(("made", "told"), [("Pieces(loader, size)", False), ("Moved(loader)", True)])
def test_pieces_that_an_object_draws_may_be_batches(auditor, tmp_path, made, told):
    text = TRAIN.replace("    for item in loader:\n", f"    for batch in {made}:\n        learn(batch)\n")
    (tmp_path / "train.py").write_text(text, encoding="utf-8")
    assert ("CMG101" in {finding.rule for finding in auditor.audit(tmp_path).findings}) == told
