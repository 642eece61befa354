"""Declared roles from the settings file to the finding."""

from __future__ import annotations

import datetime

from cmgan_audit.gate.check import Auditor
from cmgan_audit.gate.door import collect, load_kinds
from cmgan_audit.gate.settings import find_settings
from cmgan_audit.rules.catalogue import load_catalogue

PROGRAM = """\
import torch
from torch.utils.data import DataLoader, TensorDataset

items = DataLoader(TensorDataset(torch.zeros(9, 4)), batch_size=2, drop_last=True)
model = torch.nn.Linear(4, 4)
for (batch,) in items:
    print(model(batch))
model(torch.zeros(1, 4)).mean().backward()
"""


def findings(tmp_path, settings):
    (tmp_path / "program.py").write_text(PROGRAM)
    (tmp_path / "cmgan-audit.toml").write_text(settings)
    load_kinds()
    auditor = Auditor(load_catalogue(), find_settings(tmp_path), collect, datetime.date(2026, 1, 1))
    return {finding.rule: finding for finding in auditor.audit(tmp_path).findings}


def test_a_declared_evaluation_loader_is_judged_as_one(tmp_path):
    assert "CMG202" not in findings(tmp_path, "")
    found = findings(tmp_path, 'eval_loaders = ["items"]\n')["CMG202"]
    assert any("the settings declare it (items)" in step.note for step in found.trail)


def test_a_declaration_of_no_loader_is_a_finding_in_the_settings_file(tmp_path):
    found = findings(tmp_path, 'eval_loaders = ["itmes"]\n')["CMG907"]
    assert found.location is not None and found.location.path == "cmgan-audit.toml"
    assert "'itmes'" in found.message
