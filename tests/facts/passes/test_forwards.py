"""The `forward` of a network is tried once for all calls that cannot be told apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.facts.passes.forwards import calls_on_parts
from cmgan_audit.facts.scene import look_at
from cmgan_audit.program.execution.sessions import interpreter_of
from cmgan_audit.program.launches.runs import execute
from cmgan_audit.source.tree import SourceTree

PROGRAM = """
import torch
class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fixed = torch.nn.BatchNorm1d(4)
        self.learned = torch.nn.Linear(4, 4)
    def forward(self, x, frozen=False):
        if frozen:
            self.fixed.eval()
        return self.learned(self.fixed(x))
net = Net()
optimizer = torch.optim.Adam(net.parameters())
for batch in torch.utils.data.DataLoader(range(4)):
    {runs}
    optimizer.step()
"""


def tried(folder: Path, runs: str) -> tuple[int, list[bool]]:
    """How many steps it takes to look into each run of a network, and whether a part is switched in it."""
    folder.mkdir()
    (folder / "train.py").write_text(PROGRAM.format(runs=runs), encoding="utf-8")
    run = next(iter(execute(SourceTree(folder))))
    scene = look_at(run)
    switched = []
    for use in scene.of("run"):
        assert use.on is not None
        inside = calls_on_parts(scene, use, use.on)
        assert any(call.callee.endswith(".__call__") for call in inside)
        switched.append(any(call.callee.endswith(".eval") for call in inside))
    return interpreter_of(run).probed_steps, switched


@pytest.mark.parametrize(("again", "times"), [("net(batch)", 1), ("net(batch, True)", 2)])
def test_calls_that_are_given_the_same_are_one(tmp_path: Path, again: str, times: int) -> None:
    once, _ = tried(tmp_path / "once", "net(batch).mean().backward()")
    twice, switched = tried(tmp_path / "twice", f"net(batch).mean().backward(); {again}.mean().backward()")
    assert (twice == once) is (times == 1)
    assert switched == ([False, False] if times == 1 else [False, True])
