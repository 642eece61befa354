"""Looking for functional dropouts costs little where there are none, whatever a network is made of."""

from __future__ import annotations

from pathlib import Path

from cmgan_audit.facts.classes import values_within
from cmgan_audit.facts.passes import functional_dropout
from cmgan_audit.facts.passes.functional_dropout import drops_by_mode, untold_dropout
from cmgan_audit.facts.scene import look_at
from cmgan_audit.program.domain.values import Instance
from cmgan_audit.program.execution.trace import CallEvent
from cmgan_audit.program.launches.runs import execute
from cmgan_audit.source.tree import SourceTree

NETWORK = """
import torch
class Layer(torch.nn.Module):
    def __init__(self, number):
        super().__init__()
        self.dropout = torch.nn.Dropout(0.1)  # a layer: no dropout that is a function
    def forward(self, x):
        return self.dropout(x)
class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = torch.nn.ModuleList([Layer(number) for number in range(12)])
    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x
net = Net()
net.eval()
for batch in torch.utils.data.DataLoader(range(4)):
    net(batch)
"""


class Counting:
    def __init__(self) -> None:
        self.texts: list[str] = []
        self._pattern = functional_dropout._MENTIONED

    def search(self, text: str) -> object:
        self.texts.append(text)
        return self._pattern.search(text)


def test_every_file_is_searched_once(tmp_path: Path, monkeypatch):
    counting = Counting()
    monkeypatch.setattr(functional_dropout, "_MENTIONED", counting)
    (tmp_path / "train.py").write_text(NETWORK, encoding="utf-8")
    run = next(iter(execute(SourceTree(tmp_path))))
    scene = look_at(run)
    calls = (event for event in run.events if isinstance(event, CallEvent))
    network = next(event.receiver for event in calls if isinstance(event.receiver, Instance) and event.receiver.attrs)
    assert isinstance(network, Instance)
    for _ in range(5):
        assert untold_dropout(scene, network) is None
    assert counting.texts == [NETWORK]


def test_a_forward_is_followed_once_a_run(tmp_path: Path, monkeypatch):
    followed = []
    follow = functional_dropout.call_value
    monkeypatch.setattr(functional_dropout, "call_value", lambda *given: followed.append(given) or follow(*given))
    text = NETWORK.replace("return self.dropout(x)", "return torch.nn.functional.dropout(x, 0.1, self.training)")
    (tmp_path / "train.py").write_text(text, encoding="utf-8")
    run = next(iter(execute(SourceTree(tmp_path))))
    scene = look_at(run)
    calls = (event for event in run.events if isinstance(event, CallEvent))
    network = next(event.receiver for event in calls if isinstance(event.receiver, Instance) and event.receiver.attrs)
    for _ in range(3):
        assert drops_by_mode(scene, values_within(network, 10))
    asked = len(followed)
    for _ in range(3):
        assert untold_dropout(scene, network) is None
    assert 0 < asked <= len(followed) == len({id(part) for _, _, _, part in followed})
