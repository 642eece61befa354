"""What a loop over many items leaves behind, where its body is followed a second time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cmgan_audit.facts.audit import collect
from cmgan_audit.facts.records import Loader
from cmgan_audit.rules.record import Known

TRAIN = """
import torch
from torch.utils.data import DataLoader, TensorDataset

class Block(torch.nn.Module):
    def __init__(self, channels, after, kernel):
        super().__init__()
        self.conv = torch.nn.Conv2d(channels, after, kernel)
        self.norm = torch.nn.BatchNorm2d(after)
    def forward(self, signal):
        return self.norm(self.conv(signal))

class Network(torch.nn.Module):
    def __init__(self, depth):
        super().__init__()
        channels, kernel = 1, 3
        self.blocks = torch.nn.ModuleList()
        for number in {numbers}:
            self.blocks.append(Block(channels, 2 * channels, kernel))
            channels = 2 * channels
            kernel = (kernel, 1)
    def forward(self, signal):
        for block in self.blocks:
            signal = block(signal)
        return signal

network = Network(int(open("depth.txt").read()))
optimizer = torch.optim.Adam(network.parameters())
for (batch,) in DataLoader(TensorDataset(torch.zeros(64, 1, 32, 32)), batch_size=2, shuffle=True):
    optimizer.zero_grad()
    network(batch).mean().backward()
    optimizer.step()
"""


@pytest.mark.parametrize("numbers", ["range(3)", "range(depth)"])
def test_layers_that_a_loop_of_unknown_length_builds_are_seen(tmp_path: Path, numbers: str) -> None:
    (tmp_path / "train.py").write_text(TRAIN.format(numbers=numbers), encoding="utf-8")
    (loader,) = (record for record in collect(tmp_path).records if isinstance(record, Loader))
    assert [norm.layer for norm in loader.norms] == ["BatchNorm2d"]


CYCLED = """
import torch
from torch.utils.data import DataLoader, TensorDataset
from tqdm import tqdm

def cycle(items):
    while True:
        for item in items:
            yield item

class Endless:
    def __init__(self, items):
        self.items = items
    def __iter__(self):
        while True:
            yield from self.items

items = TensorDataset(torch.zeros(64, 8))
loader, other = DataLoader(items, batch_size=2), DataLoader(items, batch_size=3)
network = torch.nn.Linear(8, 8)
optimizer = torch.optim.Adam(network.parameters())
for {names} in {iterated}:
    optimizer.zero_grad()
    network(batch[0]).mean().backward()
    optimizer.step()
"""


@pytest.mark.parametrize(
    ("names", "iterated", "drawn"),
    [
        ("step, batch", "zip(range(9), cycle(loader))", {2}),
        ("batch, step", "zip(cycle(loader), tqdm(range(9)))", {2}),
        ("step, (batch, extra)", "enumerate(zip(loader, cycle(other)))", {2, 3}),
        ("batch, extra", "zip(cycle(loader), cycle(other))", {2, 3}),
        ("batch, extra", "zip(tqdm(loader), Endless(other))", {2, 3}),
        ("batch, extra", "zip(loader, other)", {2, 3}),
    ],
)
def test_what_goes_on_beside_a_generator_is_drawn_too(
    tmp_path: Path, names: str, iterated: str, drawn: set[int]
) -> None:
    (tmp_path / "train.py").write_text(CYCLED.format(names=names, iterated=iterated), encoding="utf-8")
    loaders = [record for record in collect(tmp_path).records if isinstance(record, Loader)]
    sizes = {
        loader.batch_size.value for loader in loaders if isinstance(loader.iterated, Known) and loader.iterated.value
    }
    assert sizes == drawn


MERGED = """
import json
import torch
from torch.utils.data import DataLoader, TensorDataset

settings = {}
given = json.load(open("settings.json"))
MERGE
network = torch.nn.Linear(4, 4)
optimizer = torch.optim.Adam(network.parameters())
for (batch,) in DataLoader(TensorDataset(torch.zeros(64, 4)), batch_size=settings["batch"], shuffle=True):
    optimizer.zero_grad()
    network(batch).mean().backward()
    optimizer.step()
"""


@pytest.mark.parametrize(
    ("merge", "most"),
    [
        ("for key, value in given.items():\n    settings[key] = value", 256),
        ("for key in given:\n    settings[key] = given[key]", 256),
        ("for key in given.keys():\n    settings[key] = given[key]", 256),
        ("settings = {key: value for key, value in given.items()}", 256),
        ("for key, value in zip(list(given), list(given.values())):\n    settings[key] = value", 64),
        ("for part in (1, 2):\n    for key in given:\n        settings[key] = given[key]", 128),
        ("for part in given:\n    for key in given:\n        settings[key] = given[key]", 64),
    ],
)
def test_every_key_of_a_long_file_of_settings_is_gone_through(tmp_path: Path, merge: str, most: int) -> None:
    (tmp_path / "train.py").write_text(MERGED.replace("MERGE", merge), encoding="utf-8")
    batches = []
    for size in (most, most + 1):
        keys = {**{f"key{number}": number for number in range(size - 1)}, "batch": 2}
        (tmp_path / "settings.json").write_text(json.dumps(keys), encoding="utf-8")
        batches.append(next(loader.batch_size for loader in collect(tmp_path).records if isinstance(loader, Loader)))
    assert [batch.value if isinstance(batch, Known) else None for batch in batches] == [2, None]
