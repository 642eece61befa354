"""What a setting decides of which nothing is known is not decided (CMG601, CMG205, CMG502)."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.gate.audited import Audited
from cmgan_audit.gate.check import Auditor

TRAIN = """
import torch
from experiments import settings
from torch.utils.data import DataLoader, TensorDataset

args = settings.of_this_run()
model = torch.nn.Linear(4, 4)
optimizer = torch.optim.Adam(model.parameters())
if {asked}:
    saved = torch.load(args.folder / "last.pt")
    model.load_state_dict(saved["model"])
    optimizer.load_state_dict(saved["optimizer"])
for epoch in range(9):
    for (batch,) in DataLoader(TensorDataset(torch.zeros(64, 4)), batch_size=8, shuffle=True):
        loss = model(batch).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""


def audit(auditor: Auditor, folder: Path, asked: str) -> Audited:
    (folder / "train.py").write_text(TRAIN.format(asked=asked), encoding="utf-8")
    return auditor.audit(folder)


def test_a_resume_that_an_unknown_setting_asks_for_is_left_open(auditor: Auditor, tmp_path: Path) -> None:
    for asked in ("args.continue_from", "args.resume is not None"):
        audited = audit(auditor, tmp_path, asked)
        assert "CMG601" not in {finding.rule for finding in audited.findings}
        (reason,) = [entry.reason for entry in audited.unresolved if entry.rule == "CMG601"]
        assert "it is not known whether args." in reason


def test_settings_are_known_by_the_last_word_of_their_name(auditor: Auditor, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(
        TRAIN.format(asked="training_args.resume").replace("args = ", "training_args = args = "), encoding="utf-8"
    )
    audited = auditor.audit(tmp_path)
    assert "CMG601" not in {finding.rule for finding in audited.findings}
    (reason,) = [entry.reason for entry in audited.unresolved if entry.rule == "CMG601"]
    assert "it is not known whether training_args." in reason


def test_a_resume_that_nothing_asks_for_is_found(auditor: Auditor, tmp_path: Path) -> None:
    audited = audit(auditor, tmp_path, '(args.folder / "last.pt").exists()')
    assert "CMG601" in {finding.rule for finding in audited.findings}


def test_a_path_that_some_ways_leave_out_is_left_open(auditor: Auditor, tmp_path: Path) -> None:
    chosen = 'checkpoint = None\nif args.epoch > 0:\n    checkpoint = Path("runs/7.pt")\nif checkpoint:'
    program = TRAIN.replace("if {asked}:", chosen).replace('args.folder / "last.pt"', "checkpoint")
    (tmp_path / "train.py").write_text("from pathlib import Path\n" + program, encoding="utf-8")
    audited = auditor.audit(tmp_path)
    assert "CMG601" not in {finding.rule for finding in audited.findings}
    (reason,) = [entry.reason for entry in audited.unresolved if entry.rule == "CMG601"]
    assert "it is not known whether checkpoint is given" in reason


def test_a_resume_that_a_missing_file_of_settings_asks_for_is_left_open(auditor: Auditor, tmp_path: Path) -> None:
    found = 'resume = json.load(open("settings.json"))["resume"]\nif resume:'
    program = TRAIN.replace("if {asked}:", found).replace('args.folder / "last.pt"', 'sorted(glob("runs/*.pt"))[-1]')
    (tmp_path / "train.py").write_text("import json\nfrom glob import glob\n" + program, encoding="utf-8")
    audited = auditor.audit(tmp_path)
    assert "CMG601" not in {finding.rule for finding in audited.findings}
    (reason,) = [entry.reason for entry in audited.unresolved if entry.rule == "CMG601"]
    assert "it is not known whether resume is given" in reason
    (tmp_path / "settings.json").write_text('{"resume": true}', encoding="utf-8")
    audited = auditor.audit(tmp_path)
    assert "CMG601" in {finding.rule for finding in audited.findings}


TUNE = """
import torch
from torch.utils.data import DataLoader

class Tuning:
    def __init__(self, data, resume):
        self.data, self.resume = data, resume
        self.net = torch.nn.Linear(4, 4)
        self.optimizer = torch.optim.Adam(self.net.parameters())
        if {asked}:
            state = torch.load({path})
            self.net.load_state_dict(state["net"])
            self.optimizer.load_state_dict(state["optimizer"])

    def train(self):
        for x in DataLoader(self.data, batch_size=8, shuffle=True):
            self.optimizer.zero_grad()
            self.net(x).mean().backward()
            self.optimizer.step()
"""


@pytest.mark.parametrize(
    ("asked", "path", "wanted"),
    [("self.resume", '"last.pt"', "self.resume"), ("True", "self.resume", "the path"), ("True", '"last.pt"', "")],
)
def test_what_callers_of_unreached_code_give_is_left_open(
    auditor: Auditor, tmp_path: Path, asked: str, path: str, wanted: str
) -> None:
    (tmp_path / "tune.py").write_text(TUNE.format(asked=asked, path=path), encoding="utf-8")
    audited = auditor.audit(tmp_path)
    assert ("CMG601" in {finding.rule for finding in audited.findings}) is (not wanted)
    reasons = [entry.reason for entry in audited.unresolved if entry.rule == "CMG601"]
    assert bool(reasons) is bool(wanted)
    assert all(f"it is not known whether {wanted} is given" in reason for reason in reasons)


PAIRS = """
import json
import numpy as np
import soundfile as sf
import torch
from torch.utils.data import DataLoader, Dataset

class Pairs(Dataset):
    def __init__(self, names, anywhere=False):
        self.names = names
        self.anywhere = anywhere
    def __len__(self):
        return len(self.names)
    def cut(self, wav):
        start = 0
        if self.anywhere and len(wav) > 32000:
            start = np.random.randint(0, len(wav) - 32000)
        return wav[start:start + 32000]
    def __getitem__(self, index):
        clean, _ = sf.read("clean/" + self.names[index])
        noisy, _ = sf.read("noisy/" + self.names[index])
        return self.cut(noisy), self.cut(clean)

model = torch.nn.Linear(4, 4)
optimizer = torch.optim.Adam(model.parameters())
for noisy, clean in DataLoader(Pairs(["a.wav"], {anywhere}), batch_size=8, shuffle=True):
    loss = (model(noisy) - clean).abs().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""


def audit_pairs(auditor: Auditor, folder: Path, anywhere: str) -> Audited:
    (folder / "train.py").write_text(PAIRS.replace("{anywhere}", anywhere), encoding="utf-8")
    return auditor.audit(folder)


def test_pairs_that_are_cut_at_random_only_where_a_setting_says_so(auditor: Auditor, tmp_path: Path) -> None:
    audited = audit_pairs(auditor, tmp_path, 'json.load(open("settings.json"))["anywhere"]')
    assert "CMG205" not in {finding.rule for finding in audited.findings}
    (entry,) = [each for each in audited.unresolved if each.rule == "CMG205"]
    assert "depending on self.anywhere" in entry.reason


def test_pairs_that_are_cut_at_random_by_their_own_default_or_call(auditor: Auditor, tmp_path: Path) -> None:
    assert "CMG205" in {finding.rule for finding in audit_pairs(auditor, tmp_path, "True").findings}
    assert "CMG205" not in {finding.rule for finding in audit_pairs(auditor, tmp_path, "False").findings}


DISTRIBUTED = """
import argparse
import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser()
parser.add_argument("--gpu", type=int)
args = parser.parse_args()
dist.init_process_group("nccl")
{chosen}
model = DistributedDataParallel(torch.nn.Linear(4, 4).cuda())
optimizer = torch.optim.Adam(model.parameters())
for epoch in range(9):
    for (batch,) in DataLoader(TensorDataset(torch.zeros(64, 4)), batch_size=8, shuffle=True):
        loss = model(batch.cuda()).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""


def test_a_device_that_waits_for_an_option_is_left_open(auditor: Auditor, tmp_path: Path) -> None:
    for chosen, is_open in (("args.gpu", True), ("0", False)):
        line = f"if args.gpu is not None:\n    torch.cuda.set_device({chosen})"
        (tmp_path / "train.py").write_text(DISTRIBUTED.format(chosen=line), encoding="utf-8")
        audited = auditor.audit(tmp_path)
        assert ("CMG502" in {finding.rule for finding in audited.findings}) is not is_open
        reasons = [entry.reason for entry in audited.unresolved if entry.rule == "CMG502"]
        assert bool(reasons) is is_open
        assert all("only where args.gpu is not None" in reason for reason in reasons)
