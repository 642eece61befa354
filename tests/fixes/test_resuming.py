"""CMG601: resuming by itself."""

from __future__ import annotations

import pytest

TRAIN = """\
import argparse
import glob

import torch
import yaml
from torch.utils.data import DataLoader, TensorDataset

CONFIG = {"epochs": 100, "resume": True}  # goes on
settings = yaml.safe_load(open("settings.yaml"))
files = sorted(glob.glob("runs/model_*.pt"))
model = torch.nn.Linear(4, 4)
optimizer = torch.optim.Adam(model.parameters())
start = 0
if @ASKED@:
    state = torch.load("runs/last.pt")
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    start = state["epoch"] + 1
for epoch in range(start, 100):
    for (batch,) in DataLoader(TensorDataset(torch.zeros(64, 4)), batch_size=8, shuffle=True):
        loss = model(batch).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""


def program(asked: str) -> dict[str, str]:
    return {"train.py": TRAIN.replace("@ASKED@", asked), "settings.yaml": "epochs: 100\nresume: true # go on\n"}


@pytest.mark.parametrize(
    ("asked", "path", "after"),
    [
        ('settings["resume"]', "settings.yaml", "epochs: 100\nresume: false # go on\n"),
        ('CONFIG["resume"]', "train.py", 'CONFIG = {"epochs": 100, "resume": False}  # goes on\n'),
    ],
)
def test_the_setting_is_switched_off_where_it_is_set(fix, asked, path, after):
    mended = fix("CMG601", program(asked))
    assert len(mended.found) == 1 and mended.remaining == []
    assert list(mended.fixed.changes) == [path] and after in mended.text(path)


def test_a_file_that_is_looked_for_stays_and_the_finding_says_why(fix):
    mended = fix("CMG601", program("files"))
    assert len(mended.found) == 1 and not mended.fixed.changes
    assert mended.found[0].fix is not None and mended.found[0].fix.declined


def test_a_setting_that_may_also_keep_checkpoints_from_being_written_stays(fix):
    files = program('settings["checkpoint"]') | {"settings.yaml": "epochs: 100\ncheckpoint: true\n"}
    mended = fix("CMG601", files)
    assert len(mended.found) == 1 and not mended.fixed.changes
    assert "may also decide whether anything is saved" in mended.found[0].fix.declined


def test_an_option_is_named_by_the_call_that_declares_it(fix):
    option = 'parser.add_argument(\n    "--resume",\n    default=True,\n)\n'
    files = program("parser.parse_args().resume")
    files["train.py"] = files["train.py"].replace("files = ", f"parser = argparse.ArgumentParser()\n{option}files = ")
    mended = fix("CMG601", files)
    assert mended.found and mended.remaining == [] and mended.added("train.py") == ["default=False,"]
