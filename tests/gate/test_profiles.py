"""Profiles and the settings of a project together."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from cmgan_audit.errors import UsageError
from cmgan_audit.finding import Severity
from cmgan_audit.gate.audited import Audited
from cmgan_audit.gate.check import Auditor
from cmgan_audit.gate.door import collect, load_kinds
from cmgan_audit.gate.settings import Settings, find_settings
from cmgan_audit.rules.catalogue import load_catalogue

PROGRAM = """
import torch
from torch.utils.data import DataLoader, TensorDataset

net = torch.nn.Linear(4, 4)
optimizer = torch.optim.AdamW(net.parameters(), lr=1e-4)
for epoch in range(9):
    for (batch,) in DataLoader(TensorDataset(torch.zeros(64, 4)), batch_size=4, shuffle=True):
        optimizer.zero_grad()
        net(batch).mean().backward()
        optimizer.step()
"""
LAB = "name: lab\nvalues:\n  generator_lr: {value: 0.0005, source: notes}\nrules:\n  CMG101: {min_batch_size: 8}\n"


def audit(root: Path, settings: Settings) -> Audited:
    load_kinds()
    return Auditor(load_catalogue(), settings, collect, datetime.date(2026, 1, 1)).audit(root)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "train.py").write_text(PROGRAM, encoding="utf-8")
    (tmp_path / "lab.yaml").write_text(LAB, encoding="utf-8")
    return tmp_path


def rules(audited: Audited) -> set[str]:
    return {finding.rule for finding in audited.findings} & {"CMG101", "CMG102"}


def test_without_a_profile_nothing_is_compared(project: Path) -> None:
    audited = audit(project, Settings())
    assert rules(audited) == set()
    assert not [each for each in (*audited.passed, *audited.unresolved) if each.rule == "CMG102"]


def test_a_profile_compares_what_it_names_and_sets_parameters_of_rules(project: Path) -> None:
    (project / "cmgan-audit.toml").write_text('profile = "lab.yaml"\n', encoding="utf-8")
    audited = audit(project, find_settings(project))
    assert rules(audited) == {"CMG101", "CMG102"}
    (drift,) = [finding for finding in audited.findings if finding.rule == "CMG102"]
    assert drift.message == "the learning rate of Linear is 0.0001; the profile lab has 0.0005: notes"
    assert drift.severity is Severity.NOTE


def test_the_projects_own_parameters_win_over_those_of_the_profile(project: Path) -> None:
    settings = Settings(profile=str(project / "lab.yaml"), per_rule={"CMG101": {"min_batch_size": 2}})
    assert rules(audit(project, settings)) == {"CMG102"}


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("CMG999: {size: 1}", "lab.yaml: rules.CMG999: unknown rule 'CMG999'"),
        ("CMG101: {size: 1}", "lab.yaml: rules.CMG101: unknown key 'size'"),
        ("CMG101: {min_batch_size: many}", "lab.yaml: rules.CMG101.min_batch_size: 'many' is not of the type"),
        ("CMG101: {severity: note}", "lab.yaml: rules.CMG101.severity: a profile sets parameters"),
    ],
)
def test_wrong_parameters_are_told(project: Path, rule: str, message: str) -> None:
    (project / "lab.yaml").write_text(f"name: lab\nvalues: {{}}\nrules:\n  {rule}\n", encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        audit(project, Settings(profile=str(project / "lab.yaml")))
    assert message in str(caught.value)
