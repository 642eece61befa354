"""CMG202 and CMG203: flags of evaluation loaders."""

from __future__ import annotations

import pytest

TRAIN = """\
import torch
import yaml
from torch.utils.data import DataLoader, TensorDataset


def make(data, train):
    return DataLoader(data, 8, @MAKE@)


config = yaml.safe_load(open("conf.yaml"))
model = torch.nn.Linear(4, 4)
optimizer = torch.optim.Adam(model.parameters())
train_set, test_set = TensorDataset(torch.zeros(64, 4)), TensorDataset(torch.zeros(9, 4))
train_loader = @TRAIN@
test_loader = @TEST@
for epoch in range(10):
    model.train()
    for (batch,) in train_loader:
        loss = model(batch).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        for (batch,) in test_loader:
            print(model(batch).mean())
"""


def files(test: str, train: str = "DataLoader(train_set, 8, shuffle=True, drop_last=True)", make: str = "") -> dict:
    text = TRAIN.replace("@TRAIN@", train).replace("@TEST@", test).replace("@MAKE@", make)
    return {"train.py": text, "conf.yaml": "keep: Yes\ndrop: true\n"}


@pytest.mark.parametrize(
    ("rule", "flags", "after", "safety"),
    [
        ("CMG202", "drop_last=True", "drop_last=False", "unsafe"),
        ("CMG203", "shuffle=True", "shuffle=False", "safe"),
        ("CMG203", "True", "False", "safe"),
        ("CMG203", "shuffle=True, drop_last=True", "shuffle=False, drop_last=True", "unsafe"),
    ],
)
def test_a_flag_in_the_call(fix, rule, flags, after, safety):
    mended = fix(rule, files(f"DataLoader(test_set, 8, {flags})"))
    assert [finding.fix.safety for finding in mended.found] == [safety]
    assert mended.remaining == []
    assert mended.added("train.py") == [f"test_loader = DataLoader(test_set, 8, {after})"]


def test_the_safe_one_is_made_without_being_asked_for_unsafe_ones(fix):
    mended = fix("CMG203", files("DataLoader(test_set, 8, shuffle=True)"), unsafe=False)
    assert mended.remaining == [] and len(mended.fixed.audited.fixed) == 1


def test_a_flag_in_a_configuration_file_keeps_its_spelling(fix):
    mended = fix("CMG202", files('DataLoader(test_set, 8, drop_last=config["drop"])'))
    assert mended.remaining == [] and mended.text("conf.yaml") == "keep: Yes\ndrop: false\n"


def test_one_call_for_both_loaders_takes_the_flag_that_tells_them_apart(fix):
    made = files("make(test_set, False)", "make(train_set, True)", "shuffle=train, drop_last=True")
    mended = fix("CMG202", made)
    assert mended.remaining == []
    assert mended.added("train.py") == ["return DataLoader(data, 8, shuffle=train, drop_last=train)"]


def test_a_flag_that_training_shares_stays_and_says_why(fix):
    made = files("make(test_set, False)", "make(train_set, True)", "drop_last=True")
    mended = fix("CMG202", made)
    assert not mended.fixed.changes
    assert "also reaches the train loader" in mended.found[0].fix.declined
