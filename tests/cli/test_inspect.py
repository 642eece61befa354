"""`cmgan-audit inspect` as a user meets it."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import torch

COMMAND = Path(sys.executable).with_name("cmgan-audit")


@pytest.fixture
def run(command):
    return partial(command, "inspect")


@pytest.fixture
def ckpt(tmp_path):
    """A file with a bit of everything; `epoch_2.pth` and a later `epoch_10.pth`."""
    torch.manual_seed(0)
    weights = {
        "module.conv.weight": torch.randn(4, 3),
        "module.conv.bias": torch.zeros(4),
        "module.bad.weight": torch.tensor([1.0, math.nan, math.inf]),
        "module.fresh.running_mean": torch.zeros(4),
        "module.fresh.running_var": torch.ones(4),
        "module.fresh.num_batches_tracked": torch.tensor(0),
        "module.blown.running_mean": torch.zeros(4),
        "module.blown.running_var": torch.full((4,), 1e9),
        "module.head.weight": torch.ones(2, dtype=torch.float16),
    }
    state = {
        "epoch": 2,
        "model_state_dict": weights,
        "pesq_score": math.nan,
        "config": {"lr": 5e-4, "loss": [0.1, 0.9]},
    }
    torch.save(state, tmp_path / "epoch_2.pth")
    later = {**weights, "module.conv.weight": 2 * weights["module.conv.weight"], "module.new.weight": torch.ones(1)}
    del later["module.head.weight"]
    torch.save({"model_state_dict": later}, tmp_path / "epoch_10.pth")
    return tmp_path


def test_everything_inside_is_told(run, ckpt):
    done = run(ckpt / "epoch_2.pth", "--format", "json")
    assert (done.returncode, done.stderr) == (0, "")
    document = json.loads(done.stdout)
    assert document["schema"] == "cmgan-audit/inspect/v1"
    (file,) = document["checkpoints"]
    assert (file["form"], file["epoch"], file["epoch_from"]) == ("torch zip", 2, "content")
    assert file["values"] == {"epoch": 2, "pesq_score": "nan", "config.lr": 5e-4, "config.loss": [0.1, 0.9]}
    (weights,) = file["weights"]
    assert (weights["name"], weights["tensors"]) == ("model_state_dict", 9)
    assert weights["parameters"] == 12 + 4 + 3 + 2
    assert weights["dtypes"] == {"float32": 7, "int64": 1, "float16": 1}
    assert weights["not_finite"] == {"module.bad.weight": 2}
    assert weights["all_zero"] == ["module.conv.bias"]
    conditions = {state["layer"]: state["condition"] for state in weights["batch_norms"]}
    assert conditions == {"module.fresh": "untouched", "module.blown": "exploded"}


def test_two_checkpoints_are_compared_layer_by_layer(run, ckpt):
    document = json.loads(run(ckpt, "--format", "json").stdout)
    assert [Path(file["path"]).name for file in document["checkpoints"]] == ["epoch_2.pth", "epoch_10.pth"]
    (change,) = document["changes"]
    layers = {layer["layer"]: layer for layer in change["layers"]}
    moved = layers["module.conv"]
    assert moved["relative"] == pytest.approx(1.0) and (moved["tensors_changed"], moved["tensors"]) == (1, 2)
    assert layers["module.blown"]["relative"] == 0.0
    assert layers["module.bad"]["relative"] is None
    assert (change["added"], change["removed"]) == (["module.new.weight"], ["module.head.weight"])


def test_the_text_says_the_same(ckpt):
    done = subprocess.run(
        [COMMAND, "inspect", ckpt / "epoch_2.pth", ckpt / "epoch_10.pth"], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    text = done.stdout
    for line in (
        "epoch     2 (from the content)",
        "epoch     10 (from the name)",
        "config.lr = 0.0005",
        "NaN or Inf in 1 tensors: module.bad.weight (2)",
        "zero everywhere in 1 tensors: module.conv.bias",
        "batch norm: 2 layers, running statistics: 0 trained, 1 untouched, 1 exploded",
        "only in the later: 1 tensors: module.new.weight",
    ):
        assert line in text


def test_equal_weights_are_noticed_in_another_form(run, tmp_path):
    weights = {"a.weight": torch.ones(2), "b.weight": torch.zeros(3)}
    wrapped = {f"module.net.{name}": tensor for name, tensor in weights.items()}
    others = {"a.weight": torch.zeros(2), "b.weight": torch.zeros(3)}
    torch.save(weights, tmp_path / "1.pth")
    torch.save({"epoch": 1, "state_dict": weights}, tmp_path / "2.pth", _use_new_zipfile_serialization=False)
    torch.save({"model": wrapped}, tmp_path / "3.pth")
    torch.save(others, tmp_path / "4.pth")
    document = json.loads(run(tmp_path, "--format", "json").stdout)
    assert [[Path(path).name for path in group] for group in document["duplicates"]] == [["1.pth", "2.pth", "3.pth"]]


def test_unreadable_files_do_not_hide_the_others(run, ckpt):
    (ckpt / "epoch_3.pth").write_bytes(b"nonsense")
    done = run(ckpt, "--format", "json")
    assert done.returncode == 0 and "epoch_3.pth: not a checkpoint" in done.stderr
    document = json.loads(done.stdout)
    assert len(document["checkpoints"]) == 2
    assert [Path(entry["path"]).name for entry in document["failed"]] == ["epoch_3.pth"]
    strict = run(ckpt, "--strict")
    assert strict.returncode == 3 and "1 of 3 files could not be read" in strict.stderr


def test_nothing_to_read_is_status_3_without_a_traceback(run, tmp_path):
    (tmp_path / "nonsense.pth").write_bytes(b"nonsense")
    (tmp_path / "empty.pth").write_bytes(b"")
    done = run(tmp_path / "nonsense.pth", tmp_path / "empty.pth")
    assert (done.returncode, done.stdout) == (3, "")
    assert "nonsense.pth: not a checkpoint" in done.stderr and "empty.pth: an empty file" in done.stderr
    assert "Traceback" not in done.stderr


def test_wrong_usage_is_status_2(run, ckpt, tmp_path):
    missing = run(tmp_path / "none.pth")
    assert missing.returncode == 2 and "none.pth: there is no such file" in missing.stderr
    assert run().returncode == 2
    assert "not one of text, json" in run(ckpt, "--format", "yaml").stderr


def test_help_shows_an_example(run):
    assert "cmgan-audit inspect ckpt/CMGAN_epoch_7_0.105" in run("--help").stdout
