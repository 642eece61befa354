"""What is tried on a scratch state may take so many steps, and all that is tried of one run together too."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.program.domain.values import Instance, Unknown
from cmgan_audit.program.execution import probe
from cmgan_audit.program.execution.sessions import interpreter_of
from cmgan_audit.program.execution.trace import CallEvent, Run
from cmgan_audit.program.launches.runs import execute
from cmgan_audit.source.tree import SourceTree

PROGRAM = """
import torch
class Net(torch.nn.Module):
    def forward(self, x):
        for layer in range(20):
            x = torch.relu(x)
        return x
net = Net()
torch.optim.Adam(net.parameters())
for batch in torch.utils.data.DataLoader(range(4)):
    net(batch).backward()
"""


def the_run(tmp_path: Path) -> tuple[Run, Instance]:
    (tmp_path / "train.py").write_text(PROGRAM, encoding="utf-8")
    run = next(iter(execute(SourceTree(tmp_path))))
    calls = (event for event in run.events if isinstance(event, CallEvent))
    return run, next(each.result for each in calls if isinstance(each.result, Instance) and each.callee.endswith("Net"))


def layers_seen(run: Run, network: Instance) -> int:
    events, _ = probe.call_method(run, network, "forward", [Unknown(reason="what is fed")])
    return sum(isinstance(event, CallEvent) and event.callee == "torch.relu" for event in events)


def test_what_is_tried_late_is_tried_in_brief_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, network = the_run(tmp_path)
    whole = layers_seen(run, network)
    once = interpreter_of(run).probed_steps
    monkeypatch.setattr(probe, "MOST_PROBED_STEPS", 2 * once + 1)
    monkeypatch.setattr(probe, "FEW_PROBE_STEPS", once // 2)
    before = len(run.limits)
    assert layers_seen(run, network) == whole
    assert len(run.limits) == before
    briefly = [layers_seen(run, network) for _ in range(3)]
    assert all(0 < seen < whole for seen in briefly)
    told = [step.note for step in run.limits[before:]]
    assert told == [f"more than {2 * once + 1} steps in what is tried: the rest is tried in brief"]
