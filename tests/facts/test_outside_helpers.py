"""Code that is not there may switch a network that it is handed; what a well-known library does leaves the mode."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.facts.audit import collect
from cmgan_audit.facts.records import Loader, Loop
from cmgan_audit.rules.record import Known, Unknown

TRAIN = """
import torch
import torchinfo
import toolkit
from torch.utils.data import DataLoader
from toolkit import evaluating

class Net(torch.nn.Module):
    def __init__(self, p=0.1):
        super().__init__()
        self.body = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.Dropout(p))
    def forward(self, x):
        return self.body(x)

DECORATOR
def validate(net, loader):
    BEFORE
    with torch.no_grad(), MANAGER:
        return sum(net(x).mean().item() for x in loader)

net = Net(SHARE)
SETUP
optimizer = torch.optim.Adam(net.parameters())
train, valid = DataLoader([1], 4, shuffle=True), DataLoader([1], 4)
for epoch in range(9):
    net.train()
    SWITCHED
    for x in train:
        optimizer.zero_grad()
        net(x).mean().backward()
        STEP
        optimizer.step()
    print(validate(net, valid))
"""


def loop_of(
    folder: Path,
    *,
    before: str = "pass",
    decorator: str = "",
    manager: str = "torch.no_grad()",
    setup: str = "",
    switched: str = "pass",
    step: str = "pass",
    share: str = "",
) -> Loop:
    text = (
        TRAIN.replace("DECORATOR", decorator)
        .replace("BEFORE", before)
        .replace("MANAGER", manager)
        .replace("SETUP", setup)
    )
    (folder / "train.py").write_text(
        text.replace("SWITCHED", switched).replace("STEP", step).replace("SHARE", share), encoding="utf-8"
    )
    loaders = (each for each in collect(folder).records if isinstance(each, Loader))
    return next(loop for loader in loaders for loop in loader.loops if loop.name == "validate()")


@pytest.mark.parametrize(
    "given",
    [
        {"before": "toolkit.quiet(net)"},
        {"before": "was = toolkit.eval_mode(net)"},
        {"manager": "evaluating(net)"},
        {"manager": "toolkit.Guard(module=net)"},
        {"manager": "toolkit.ema_scope(net)"},
        {"decorator": "@toolkit.eval_mode"},
        {"decorator": "@evaluating(toolkit)"},
    ],
)
def test_a_helper_that_is_not_there_leaves_the_mode_open(tmp_path: Path, given: dict[str, str]) -> None:
    assert isinstance(loop_of(tmp_path, **given).eval_mode, Unknown)


@pytest.mark.parametrize(
    "given",
    [
        {"before": "torchinfo.summary(net)"},  # a library that is known
        {"setup": "toolkit.evaluating(net)"},  # the training switches it back
        {"step": "toolkit.quiet(net)"},  # in another loop than the evaluation
        {"before": "toolkit.quiet(loader)"},
        {"before": "print(toolkit.trainable(net))"},  # it is called for its answer
        {"before": "toolkit.count_parameters(net)"},
        {"before": "toolkit.save_latest(net)"},
        {"before": "stop = toolkit.EarlyStopping(3)\n    stop(0.1, net)"},
        {"before": "average = toolkit.Mirror(net)"},
        {"manager": "toolkit.Profiler(net)"},
        {"decorator": "@toolkit.timed"},
        {"decorator": "@toolkit.log_evaluation_time"},
        {"decorator": "@torch.inference_mode()"},
        {"decorator": "@toolkit.eval_mode", "before": "net.train()"},
        {"switched": "toolkit.quiet(net)"},  # the training would be in eval mode as well
    ],
)
def test_other_calls_leave_the_mode(tmp_path: Path, given: dict[str, str]) -> None:
    mode = loop_of(tmp_path, **given).eval_mode
    assert isinstance(mode, Known) and mode.value is False


@pytest.mark.parametrize(("share", "layers"), [("0.1", "Dropout"), ("0.0", ""), ("p=0", "")])
def test_a_dropout_with_a_share_of_0_is_no_layer_that_eval_switches(tmp_path: Path, share: str, layers: str) -> None:
    assert loop_of(tmp_path, share=share).mode_layers == layers
