"""Whole models and settings of classes that are not here: their weights are read, their code is not run."""

from __future__ import annotations

import collections
import dataclasses
import datetime
import enum
import functools
import os
import pathlib
import pickle

import pytest
import torch
from torch import nn

from cmgan_audit.evaluation.checkpoints.errors import CheckpointError
from cmgan_audit.evaluation.checkpoints.inspection import inspect_file
from cmgan_audit.evaluation.checkpoints.reading import open_file
from cmgan_audit.evaluation.checkpoints.sets import state_dicts
from cmgan_audit.evaluation.checkpoints.weights import pick_weights

RAN: list[str] = []


class Layer(nn.Module):
    """A layer with everything that a module can hold."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.tensor([2.0, 3.0]))
        self.register_buffer("window", torch.ones(3))
        self.register_buffer("scratch", torch.ones(4), persistent=False)
        self.register_parameter("bias", None)
        self.register_buffer("absent", None)
        self.norm = nn.BatchNorm1d(2)
        self.act = functools.partial(torch.clamp, min=0.0)
        self.again = self.forward

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x

    def __setstate__(self, state: dict[str, object]) -> None:
        RAN.append("Layer.__setstate__")
        super().__setstate__(state)


class Network(nn.Module):
    """Layers in containers, one of them twice."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = torch.nn.utils.weight_norm(nn.Conv1d(1, 2, 3))
        self.layers = nn.ModuleList([Layer(), Layer()])
        self.more = nn.ModuleDict({"a": nn.Linear(2, 2)})
        self.each = nn.ParameterList([nn.Parameter(torch.ones(1))])
        self.head = nn.Linear(2, 2)
        self.head.weight = self.more["a"].weight


class Settings(dict):
    """A dictionary with attributes, as configuration libraries have them."""

    def __setstate__(self, state: dict[str, object]) -> None:
        RAN.append("Settings.__setstate__")


class Names(list):
    """A list."""


@dataclasses.dataclass
class Options:
    """Values."""

    rate: float = 0.5
    where: pathlib.PurePosixPath = dataclasses.field(default_factory=lambda: pathlib.PurePosixPath("/data"))


class Mode(enum.Enum):
    """A choice."""

    FAST = 1


class RunsACommand:
    """What an attacker puts into a pickle."""

    def __init__(self, marker: pathlib.Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {self.marker}",)


@pytest.fixture(autouse=True)
def _nothing_runs():
    RAN.clear()
    yield
    assert not RAN


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("wrap", [lambda net: net, nn.DataParallel, lambda net: {"epoch": 2, "model": net}])
def test_a_whole_model_has_the_weights_of_its_state_dict(tmp_path, wrap):
    content = wrap(Network())
    torch.save(content, tmp_path / "x.pth")
    whole = content["model"] if isinstance(content, dict) else content
    (found,) = state_dicts(open_file(tmp_path / "x.pth"))
    expected = whole.state_dict()
    assert list(found.tensors) == list(expected)
    assert all(torch.equal(found.tensors[name], value) for name, value in expected.items())
    (facts,) = inspect_file(tmp_path / "x.pth").weights
    assert facts.parameters > 0 and not facts.not_finite


@pytest.mark.filterwarnings("ignore")
def test_a_whole_average_beside_a_whole_model_is_taken_when_asked_for(tmp_path):
    network = Network()
    average = Network()
    with torch.no_grad():
        average.head.bias.add_(1.0)
    torch.save((7, {"model": network, "ema": average.half()}), tmp_path / "x.pth")
    file = open_file(tmp_path / "x.pth")
    assert pick_weights(file, "head.bias").name == "1.model"
    assert torch.equal(pick_weights(file, "head.bias", "ema").tensors["head.bias"], average.head.bias)


def test_settings_of_other_classes_are_values(tmp_path):
    content = {
        "state_dict": {"a.weight": torch.ones(2)},
        "hyper_parameters": Settings(rate=1, deep=Settings(size=2)),
        "names": Names(["a"]),
        "options": Options(),
        "mode": Mode.FAST,
        "losses": collections.defaultdict(list, {"train": [1.0]}),
        "last": collections.deque([1, 2], maxlen=2),
        "when": datetime.datetime(2024, 1, 1),
        "torch": torch.__version__,
        "class": Network,
        "epoch": 5,
    }
    torch.save(content, tmp_path / "x.pth")
    read = open_file(tmp_path / "x.pth")
    assert read.epoch == 5
    assert read.content["hyper_parameters"] == {"rate": 1, "deep": {"size": 2}}
    assert read.content["names"] == ["a"] and read.content["last"] == [1, 2]
    assert vars(read.content["options"]) == {"rate": 0.5, "where": "/data"}
    assert read.content["losses"] == {"train": [1.0]}
    assert read.content["torch"] == str(torch.__version__)
    assert [found.name for found in state_dicts(read)] == ["state_dict"]


def test_a_command_inside_a_whole_model_is_refused_by_name(tmp_path):
    network, marker = nn.Linear(2, 2), tmp_path / "ran"
    network.hook = RunsACommand(marker)
    torch.save(network, tmp_path / "x.pth")
    with pytest.raises(CheckpointError, match=r"it asks for posix\.system\. Loading such a file runs code"):
        open_file(tmp_path / "x.pth")
    assert not marker.exists()


@pytest.mark.parametrize("harmful", [eval, exec, pickle.loads, os.path.join])
def test_functions_of_python_are_refused_even_if_they_are_only_named(tmp_path, harmful):
    torch.save({"state_dict": {"a.weight": torch.ones(2)}, "hook": harmful}, tmp_path / "x.pth")
    with pytest.raises(CheckpointError, match="it asks for"):
        open_file(tmp_path / "x.pth")


def test_a_model_that_contains_itself_is_read_without_end(tmp_path):
    network = nn.Linear(2, 2)
    network._modules["self"] = network
    torch.save(network, tmp_path / "x.pth")
    (found,) = state_dicts(open_file(tmp_path / "x.pth"))
    assert torch.equal(found.tensors["weight"], network.weight)


@pytest.mark.filterwarnings("ignore")
def test_a_whole_model_of_an_old_pytorch_says_what_to_do(tmp_path):
    torch.save(Network(), tmp_path / "x.pth", _use_new_zipfile_serialization=False)
    with pytest.raises(
        CheckpointError, match=r"a whole model of class .*, saved before PyTorch 1\.6.*\.state_dict\(\)"
    ):
        open_file(tmp_path / "x.pth")
