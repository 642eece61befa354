"""CMG101: the batch size is set where it is set, whatever kind of file that is."""

from __future__ import annotations

import pytest

LOOP = """\
import argparse
import json
import tomllib

import torch
import yaml
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser()
parser.add_argument("--batch_size", type=int, default=8)
args = parser.parse_args()
@SET@
model = torch.nn.Linear(4, 4)
optimizer = torch.optim.Adam(model.parameters())
train_loader = DataLoader(TensorDataset(torch.zeros(64, 4)), @GIVEN@)
for (batch,) in train_loader:
    loss = model(batch).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""


def program(given: str, setting: str = "") -> str:
    return LOOP.replace("@GIVEN@", given).replace("@SET@", setting)


PLACES = {
    "literal": ({"train.py": program("batch_size=1, shuffle=True")}, "train.py", "batch_size=4, shuffle=True"),
    "position": ({"train.py": program("1, True")}, "train.py", "TensorDataset(torch.zeros(64, 4)), 4, True)"),
    "not given": ({"train.py": program("shuffle=True")}, "train.py", "shuffle=True, batch_size=4)"),
    "name": ({"train.py": program("BATCH", "BATCH = 0x1  # small")}, "train.py", "BATCH = 4  # small"),
    "option": (
        {"train.py": program("args.batch_size").replace("default=8", "default=2")},
        "train.py",
        'parser.add_argument("--batch_size", type=int, default=4)',
    ),
    "launch line": (
        {"train.py": program("args.batch_size"), "run.sh": "set -e\npython train.py --batch_size 2 # GPU is small\n"},
        "run.sh",
        "python train.py --batch_size 4 # GPU is small",
    ),
    "launch line with =": (
        {"train.py": program("args.batch_size"), "run.sh": "python train.py --batch_size=2\n"},
        "run.sh",
        "python train.py --batch_size=4",
    ),
    "YAML": (
        {
            "train.py": program("config['data']['batch']", 'config = yaml.safe_load(open("conf/a.yaml"))'),
            "conf/a.yaml": "data:\r\n  batch: 1 # small\r\n  cut: 1\r\n",
        },
        "conf/a.yaml",
        "data:\r\n  batch: 4 # small\r\n  cut: 1\r\n",
    ),
    "JSON": (
        {
            "train.py": program("config['batch']", 'config = json.load(open("a.json"))'),
            "a.json": '{"cut" :1,"batch":  2}',
        },
        "a.json",
        '{"cut" :1,"batch":  4}',
    ),
    "TOML": (
        {
            "train.py": program("config['batch']", 'config = tomllib.load(open("a.toml", "rb"))'),
            "a.toml": "# 1 is small\nbatch = 1\n",
        },
        "a.toml",
        "# 1 is small\nbatch = 4\n",
    ),
}


@pytest.mark.parametrize("kind", PLACES)
def test_the_number_is_changed_where_it_is_set_and_nothing_else(fix, kind):
    files, path, expected = PLACES[kind]
    mended = fix("CMG101", files)
    assert [finding.rule for finding in mended.found] == ["CMG101"]
    assert mended.remaining == [], [finding.fix for finding in mended.remaining]
    assert list(mended.fixed.changes) == [path]
    assert expected in mended.text(path)
    assert len(mended.text(path).splitlines()) == len(files[path].splitlines())


def test_a_number_that_is_computed_stays_and_says_why(fix):
    mended = fix("CMG101", {"train.py": program("SIZE", "SIZE = int(6 / 2)")})
    assert len(mended.found) == 1 and not mended.fixed.changes
    assert mended.found[0].fix is not None and mended.found[0].fix.declined
