"""Wrappers that are handed through: `model.module` of a network is the network, unless its class has a `module`."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.program.domain.values import Instance, Unknown
from cmgan_audit.program.execution.probe import call_method
from cmgan_audit.program.execution.sessions import interpreter_of
from cmgan_audit.program.execution.trace import CallEvent, Run
from cmgan_audit.program.launches.runs import execute
from cmgan_audit.source.tree import SourceTree

WRAPPING = """
import torch
from torch import nn
class Normalised(nn.Module):
    def __init__(self, module):
        super().__init__()
        self.{name} = module
    def forward(self, x):
        return self.{name}.forward(x)
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = Normalised(nn.Linear(1, 1))
        self.second = Normalised(nn.Linear(1, 1))
    def forward(self, x):
        return self.second(self.first(x))
net = Net()
torch.optim.Adam(net.parameters())
for batch in torch.utils.data.DataLoader(range(4)):
    net(batch).backward()
"""


def run_of(folder: Path, text: str) -> Run:
    folder.mkdir(exist_ok=True)
    (folder / "train.py").write_text(text, encoding="utf-8")
    return next(iter(execute(SourceTree(folder))))


def test_a_layer_that_wraps_another_one_does_not_run_inside_itself(tmp_path):
    """The constructor of its second object is not followed; what it holds is not known, and it is not the object."""
    steps = []
    for name in ("module", "layer"):
        run = run_of(tmp_path / name, WRAPPING.format(name=name))
        networks = (event.receiver for event in run.events if isinstance(event, CallEvent))
        network = next(each for each in networks if isinstance(each, Instance) and "second" in each.attrs)
        call_method(run, network, "forward", [Unknown(reason="what is fed")])
        steps.append(interpreter_of(run).probed_steps)
    assert steps[0] == steps[1] > 0


@pytest.mark.parametrize("network", ["nn.Linear(1, 1)", "Net()"])
def test_a_network_without_a_module_is_what_its_wrapper_holds(tmp_path, network):
    text = WRAPPING.format(name="layer") + f"print(({network}).module)\n"
    events = run_of(tmp_path / "tree", text).events
    shown = next(event for event in events if isinstance(event, CallEvent) and event.callee == "builtins.print")
    assert isinstance(shown.arguments.positional[0], Instance)
