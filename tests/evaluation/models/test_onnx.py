"""ONNX graphs as models."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from cmgan_audit.evaluation.models import ModelError
from cmgan_audit.evaluation.models.sources import ModelOptions, model_source

NOISY = np.random.default_rng(1).normal(0, 0.1, 3210).astype(np.float32)


def graph(path, shape, result_shape=None, kind=TensorProto.FLOAT, inputs=1):
    """A file that doubles its input."""
    names = [f"x{i}" for i in range(inputs)]
    two = helper.make_tensor("two", kind, [1], [2])
    node = helper.make_node("Mul", [names[0], "two"], ["y"])
    made = helper.make_graph(
        [node],
        "double",
        [helper.make_tensor_value_info(name, kind, shape) for name in names],
        [helper.make_tensor_value_info("y", kind, result_shape or shape)],
        [two],
    )
    onnx.save(helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def opened(path):
    return model_source(ModelOptions(model="onnx")).open(path)


def test_a_waveform_graph(tmp_path):
    enhancer = opened(graph(tmp_path / "double_epoch_4.onnx", ["batch", "samples"]))
    assert np.array_equal(enhancer.enhance(NOISY), 2 * NOISY)
    assert enhancer.describe()["epoch"] == 4


def test_a_spectral_graph(tmp_path):
    enhancer = opened(graph(tmp_path / "x.onnx", ["batch", 2, "time", 201]))
    assert np.abs(enhancer.enhance(NOISY) - 2 ** (1 / 0.3) * NOISY).max() < 1e-4


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: path.write_bytes(b"nonsense"), "Protobuf parsing failed|INVALID_PROTOBUF"),
        (lambda path: graph(path, ["b", "n"], kind=TensorProto.DOUBLE), "must have one float input"),
        (lambda path: graph(path, ["b", "n"], inputs=2), "must have one float input"),
        (lambda path: graph(path, ["b", 1, "n"]), "must have one float input"),
        (lambda path: graph(path, ["b", 16]), "Got: 3210 Expected: 16"),
    ],
)
def test_graphs_that_do_not_fit(tmp_path, make, said):
    path = tmp_path / "x.onnx"
    make(path)
    with pytest.raises(ModelError, match=said):
        opened(path).enhance(NOISY)


def test_a_device_that_onnxruntime_does_not_have(tmp_path):
    path = graph(tmp_path / "x.onnx", ["b", "n"])
    with pytest.raises(ModelError, match="--device gpu: not a device; use cpu, cuda or cuda:N"):
        model_source(ModelOptions(model="onnx", device="gpu")).open(path)
