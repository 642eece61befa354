"""Averages without names get those of the weights beside them, where there is one way to do it, and else none."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch import nn

from cmgan_audit.evaluation.checkpoints.averages import AveragedList, named_after
from cmgan_audit.evaluation.checkpoints.errors import CheckpointError
from cmgan_audit.evaluation.checkpoints.named import Weights
from cmgan_audit.evaluation.checkpoints.reading import open_file
from cmgan_audit.evaluation.checkpoints.weights import passed_over, pick_weights


class Network(nn.Module):
    """Parameters, running statistics, another buffer, one frozen parameter, and one with two names."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(3, 4)
        self.norm = nn.BatchNorm1d(4)
        self.frequencies = nn.Parameter(torch.ones(7), requires_grad=False)
        self.register_buffer("window", torch.ones(5))
        self.second = nn.Linear(4, 3)
        self.tied = nn.Linear(4, 3, bias=False)
        self.tied.weight = self.second.weight


def averaged(parameters: Sequence[nn.Parameter]) -> list[torch.Tensor]:
    """What an average holds: other values of the same shapes."""
    return [value.detach() + 1.0 for value in parameters]


LISTS = {
    "all": lambda net: averaged(list(net.parameters())),
    "trained": lambda net: averaged([value for value in net.parameters() if value.requires_grad]),
}


@pytest.mark.parametrize("take", LISTS.values(), ids=LISTS.keys())
@pytest.mark.parametrize("prefix", ["", "module."])
def test_a_list_of_averages_is_a_second_set_of_weights(tmp_path, take, prefix):
    network = Network()
    weights = {prefix + name: value for name, value in network.state_dict().items()}
    ema = {"decay": 0.999, "num_updates": 3, "shadow_params": take(network), "collected_params": None}
    torch.save({"model": weights, "ema": ema}, tmp_path / "x.pth")
    file = open_file(tmp_path / "x.pth")
    plain, average = pick_weights(file, "first.weight"), pick_weights(file, "first.weight", "ema")
    assert passed_over(file, "first.weight", plain) == [average.name]
    assert average.name.startswith("ema.shadow_params")
    shift = 1.0 if len(ema["shadow_params"]) == len(list(network.parameters())) else 0.0
    expected = Network()
    expected.load_state_dict(
        {
            name: value + 1.0 if name.startswith(("first", "second", "tied", "norm.weight", "norm.bias")) else value
            for name, value in network.state_dict().items()
        }
        | {"frequencies": network.frequencies + shift}
    )
    assert average.tensors.keys() == expected.state_dict().keys()
    assert all(torch.equal(average.tensors[name], value) for name, value in expected.state_dict().items())


@pytest.mark.parametrize(
    "make",
    [
        lambda net: averaged(list(net.parameters()))[:3],  # somebody else's network
        lambda net: averaged([*net.parameters(), *nn.Linear(2, 2).parameters()]),  # of two networks
        lambda net: averaged(list(net.parameters()))[::-1],
    ],
)
def test_a_list_that_does_not_fit_is_told_and_not_taken(tmp_path, make):
    network = Network()
    torch.save({"model": network.state_dict(), "ema": {"shadow_params": make(network)}}, tmp_path / "x.pth")
    with pytest.raises(CheckpointError, match=r"no weights named 'ema'.*ema\.shadow_params is a list of \d+ averages"):
        pick_weights(open_file(tmp_path / "x.pth"), "first.weight", "ema")


def test_a_list_that_fits_in_two_ways_is_not_taken():
    found = Weights("model", {"a.weight": torch.zeros(2), "b.weight": torch.zeros(2), "c.weight": torch.zeros(3)})
    assert named_after(AveragedList("ema", [torch.ones(2), torch.ones(3)]), found) is None


def test_an_average_of_parameters_alone_has_its_buffers_from_the_network(tmp_path):
    network = Network()
    network.norm.running_mean.fill_(5.0)
    shadow = {name: value.detach() + 1.0 for name, value in network.named_parameters() if value.requires_grad}
    weights = {"module." + name: value for name, value in network.state_dict().items()}
    torch.save({"model": weights, "ema": {"shadow": shadow}}, tmp_path / "x.pth")
    average = pick_weights(open_file(tmp_path / "x.pth"), "first.weight", "ema")
    assert average.tensors.keys() == network.state_dict().keys()
    assert torch.equal(average.tensors["norm.running_mean"], network.norm.running_mean)
    assert torch.equal(average.tensors["first.weight"], network.first.weight + 1.0)
