"""Code that sets gradients back and may be reached on a way that is not followed: nothing is said then."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.gate.check import Auditor

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


A_HOOK = """
import torch
import framework
from torch.utils.data import DataLoader
class Plain:
    pass
class Trainer({base}):
    def __init__(self, every=1):
        self.every = every
        self.net = torch.nn.Linear(4, 4)
        self.opt = torch.optim.SGD(self.net.parameters(), lr=0.1)
    {decorated}
    def on_batch(self):
        self.opt.zero_grad()
    def fit(self):
        for epoch in range(10):
            for batch in DataLoader(torch.zeros(64, 4), 4, shuffle=True):
                if self.every > 1:
                    self.on_batch()
                self.net(batch).mean().backward()
                self.opt.step()
Trainer().fit()
"""


@pytest.mark.parametrize(
    ("base", "decorated", "told"),
    [("Plain", "", True), ("framework.Engine", "", False), ("object", "@framework.before_batch", False)],
)
def test_a_method_that_others_may_call(base: str, decorated: str, told: bool, auditor: Auditor, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(A_HOOK.format(base=base, decorated=decorated))
    assert ("CMG103" in {finding.rule for finding in auditor.audit(tmp_path).findings}) == told


TWO_NETWORKS = """
import os
import torch
from torch.utils.data import DataLoader
class Plain(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(4, 4)
        self.optimizer = torch.optim.SGD(self.layer.parameters(), lr=0.1)
    def train_epoch(self, loader):
        for batch in loader:
            self.layer(batch).mean().backward()
            self.optimizer.step()
class Critic(torch.nn.Module):
    def __init__(self{given}):
        super().__init__()
        self.layer = torch.nn.Linear(4, 4)
        {holds}
    def train_epoch(self, loader):
        for batch in loader:
            self.{name}.zero_grad()
            self.layer(batch).mean().backward()
            self.{name}.step()
if {kind} == "plain":
    net = Plain()
else:
    net = Critic()
{after}
for epoch in range(10):
    net.train_epoch(DataLoader(torch.zeros(64, 4), 4, shuffle=True))
"""


@pytest.mark.parametrize(
    ("given", "holds", "after", "told"),
    [
        (", own=None", "self.own = own", "other = [each(net.optimizer) for each in Critic.__subclasses__()]", False),
        (", own=None", "self.own = own", "from kinds import KINDS; KINDS['a'] = Critic; KINDS['b'](net)", False),
        ("", "self.own = torch.optim.SGD(self.parameters(), lr=0.1)", "", True),
        ("", "self.own = torch.optim.SGD(self.parameters(), lr=0.1)", "other = Critic()", True),
        (", own=None", "self.own = own", "other = Critic(net.optimizer)", False),
        (", own=None", "self.own = os.environ.get('X') or own", "other = Critic(net.optimizer)", False),
    ],
)
def test_the_optimiser_of_another_network(
    given: str, holds: str, after: str, told: bool, auditor: Auditor, tmp_path: Path
) -> None:
    text = TWO_NETWORKS.format(given=given, holds=holds, after=after, name="own", kind='"plain"')
    (tmp_path / "train.py").write_text(text)
    assert ("CMG103" in {finding.rule for finding in auditor.audit(tmp_path).findings}) == told
