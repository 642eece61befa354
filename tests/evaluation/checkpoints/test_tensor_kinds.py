"""Tensors that are not the plain ones of torch: subclasses and quantised ones, read where the file has their values."""

from __future__ import annotations

import warnings
from collections import OrderedDict

import pytest
import torch

from cmgan_audit.evaluation.checkpoints.errors import CheckpointError
from cmgan_audit.evaluation.checkpoints.inspection import inspect_file
from cmgan_audit.evaluation.checkpoints.reading import open_file
from cmgan_audit.evaluation.checkpoints.sets import state_dicts


class Named(torch.Tensor):
    """A tensor with a name of its own and nothing else."""


class Wrapper(torch.Tensor):
    """A tensor whose values lie in another one, as those of sharded and of quantised networks do."""

    @staticmethod
    def __new__(cls, inner):
        return torch.Tensor._make_wrapper_subclass(cls, inner.shape, dtype=inner.dtype)

    def __init__(self, inner):
        self.inner = inner

    @classmethod
    def __torch_dispatch__(cls, function, types, arguments=(), keywords=None):
        raise NotImplementedError(function)


def test_a_subclass_that_is_a_name_is_read_as_the_tensor_that_it_is(tmp_path):
    kernel = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    named = kernel.as_subclass(Named)
    named.unit = "Hz"
    torch.save({"a.weight": named, "a.bias": torch.zeros(2)}, tmp_path / "x.pth")

    [weights] = state_dicts(open_file(tmp_path / "x.pth"))

    assert torch.equal(weights.tensors["a.weight"], kernel)
    assert type(weights.tensors["a.weight"] * 1) is torch.Tensor
    assert inspect_file(tmp_path / "x.pth").weights[0].largest == ("a.weight", 4.0)


def test_a_subclass_that_keeps_its_values_elsewhere_is_refused_by_its_name(tmp_path):
    torch.save({"a.weight": Wrapper(torch.ones(2, 2))}, tmp_path / "x.pth")

    with pytest.raises(CheckpointError, match=r"holds tensors of the class .*\.Wrapper, .*save plain tensors"):
        open_file(tmp_path / "x.pth")


class CalledWithSizes:
    """Asks for a tensor of a subclass that is as large as it says."""

    def __reduce__(self):
        return Named, (10**9,)


def test_a_subclass_makes_no_tensor_of_its_own(tmp_path):
    torch.save([torch.ones(2).as_subclass(Named), CalledWithSizes()], tmp_path / "x.pth")

    with pytest.raises(CheckpointError, match="makes a tensor of its own"):
        open_file(tmp_path / "x.pth")


class Quantised:
    """A tensor of four channels with a zero point of one's choice, as a damaged file may have it."""

    def __init__(self, zero_point):
        self.zero_points = torch.full((4,), zero_point)

    def __reduce__(self):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch will drop them; files have them
            whole = torch.quantize_per_channel(torch.ones(4, 3), torch.ones(4), torch.zeros(4), 0, torch.qint8)
        storage = torch.storage.TypedStorage(wrap_storage=whole.untyped_storage(), dtype=torch.qint8, _internal=True)
        channels = (torch.per_channel_affine, torch.ones(4, dtype=torch.float64), self.zero_points, 0)
        return torch._utils._rebuild_qtensor, (storage, 0, (4, 3), (3, 1), channels, False, OrderedDict())


def test_a_quantised_tensor_has_values(tmp_path):
    torch.save({"a.weight": Quantised(0), "a.bias": torch.zeros(4)}, tmp_path / "x.pth")

    assert inspect_file(tmp_path / "x.pth").weights[0].dtypes == {"qint8": 1, "float32": 1}


def test_a_damaged_quantised_tensor_is_named(tmp_path):
    torch.save({"a.weight": Quantised(10**12), "a.bias": torch.zeros(4)}, tmp_path / "x.pth")

    with pytest.raises(CheckpointError, match=r"x\.pth: damaged: the quantised tensor a\.weight has no values"):
        inspect_file(tmp_path / "x.pth")
