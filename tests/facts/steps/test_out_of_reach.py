"""Code that sets gradients back and may be reached on a way that is not followed: nothing is said then."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from cmgan_audit.gate.check import Auditor
from cmgan_audit.gate.door import collect, load_kinds
from cmgan_audit.gate.settings import Settings
from cmgan_audit.rules.catalogue import load_catalogue

HOOKS = """
import torch
def reset(optimiser):
    optimiser.zero_grad()
def make():
    return torch.nn.Linear(4, 4)
"""
TRAINING = """
import inspect
import sys
import framework
import torch
from torch.utils.data import DataLoader
import hooks
from hooks import reset as clean
{before}
net = hooks.make()
opt = torch.optim.SGD(net.parameters(), lr=0.1)
call = {call}
for epoch in range(10):
    for batch in DataLoader(torch.zeros(64, 4), 4, shuffle=True):
        net(batch).mean().backward()
        opt.step()
        framework.after_batch(call, opt)
"""


@pytest.fixture(scope="module")
def auditor() -> Auditor:
    load_kinds()
    return Auditor(load_catalogue(), Settings(), collect, datetime.date(2026, 1, 1))


@pytest.mark.parametrize(
    ("before", "call", "told"),
    [
        ("", "print", True),
        ("", "clean", False),
        ("", "lambda: hooks.reset(opt)", False),
        ("", "[getattr(hooks, name) for name in framework.names()]", False),
        ("", 'getattr(hooks, "make")', True),
        ("", "getattr(torch.nn.functional, framework.name())", True),
        ("", "[each for _, each in inspect.getmembers(hooks)]", False),
        ("", "eval(framework.name())", False),
        ("class Table:\n    hook = clean", "Table", False),
        ("def after(batch, hook=clean):\n    pass", "after", False),
        ("def after(opt):\n    clean(opt)", "after", False),
        ("def after(opt):\n    clean(opt)", "print", True),
        ("class Hook:\n    def after(self, opt):\n        clean(opt)", "framework.make(Hook)", False),
        ("class Base:\n    def __init_subclass__(cls):\n        framework.add(cls)", "Base", True),
    ],
)
def test_what_may_call_a_function_that_is_not_followed(
    before: str, call: str, told: bool, auditor: Auditor, tmp_path: Path
) -> None:
    (tmp_path / "hooks.py").write_text(HOOKS)
    (tmp_path / "train.py").write_text(TRAINING.format(before=before, call=call))
    audited = auditor.audit(tmp_path)
    assert ("CMG103" in {finding.rule for finding in audited.findings}) == told
    assert ("CMG103" in {entry.rule for entry in audited.unresolved}) != told


def test_classes_that_their_base_class_keeps(auditor: Auditor, tmp_path: Path) -> None:
    before = """
class Base:
    def __init_subclass__(cls):
        framework.add(cls)
class Careful(Base):
    def after(self, opt):
        opt.zero_grad()
"""
    (tmp_path / "hooks.py").write_text(HOOKS)
    (tmp_path / "train.py").write_text(TRAINING.format(before=before, call="print"))
    assert "CMG103" not in {finding.rule for finding in auditor.audit(tmp_path).findings}
