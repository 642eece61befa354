"""Checkpoint files of every form, and files that are none."""

from __future__ import annotations

import argparse
import io
import os
import pathlib
import pickle
import resource
import struct
import zipfile
from functools import lru_cache

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from cmgan_audit.evaluation.checkpoints.errors import CheckpointError
from cmgan_audit.evaluation.checkpoints.reading import open_file
from cmgan_audit.evaluation.checkpoints.weights import pick_weights
from cmgan_audit.evaluation.models.cmgan.sizes import MARKER


class RunsACommand:
    """What an attacker puts into a pickle."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return (os.system, (f"touch {self.marker}",))


def saved(path, content, legacy=False):
    torch.save(content, path, _use_new_zipfile_serialization=not legacy)
    return path


def rewritten(source, target, replace):
    """A copy of a torch zip file with bytes of its pickle replaced."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for info in old.infolist():
            data = old.read(info)
            if info.filename.endswith("data.pkl"):
                assert replace[0] in data
                data = data.replace(*replace)
            new.writestr(info.filename, data)
    return target


@pytest.mark.parametrize("legacy", [False, True])
def test_both_pytorch_formats(tmp_path, weights, legacy):
    checkpoint = open_file(saved(tmp_path / "x.pth", {"epoch": 7, "model_state_dict": weights}, legacy))
    assert checkpoint.form == ("torch legacy" if legacy else "torch zip")
    assert (checkpoint.epoch, checkpoint.epoch_from) == (7, "content")
    assert pick_weights(checkpoint, MARKER).tensors.keys() == weights.keys()


def test_weights_that_are_not_those_that_were_written(tmp_path):
    path = saved(tmp_path / "x.pth", {"a.weight": torch.randn(1000), "b.weight": torch.randn(1000)})
    body = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        at = next(info.header_offset for info in archive.infolist() if info.filename.endswith("data/1"))
    body[at + 1000] ^= 0x10  # one bit, which PyTorch does not notice
    path.write_bytes(body)
    torch.load(path, weights_only=True)
    with pytest.raises(CheckpointError, match=r"damaged or cut short: Bad CRC-32 for file 'x/data/1'"):
        open_file(path)


def test_a_file_without_checksums(tmp_path):
    torch.serialization.set_crc32_options(False)
    try:
        path = saved(tmp_path / "x.pth", {"a.weight": torch.ones(10)})
    finally:
        torch.serialization.set_crc32_options(True)
    assert torch.equal(open_file(path).content["a.weight"], torch.ones(10))


def test_safetensors_with_metadata(tmp_path, weights):
    path = tmp_path / "model.safetensors"
    save_file({name: tensor.contiguous() for name, tensor in weights.items()}, path, metadata={"epoch": "12"})
    checkpoint = open_file(path)
    assert (checkpoint.form, checkpoint.epoch) == ("safetensors", 12)
    assert pick_weights(checkpoint, MARKER).tensors.keys() == weights.keys()


def test_the_epoch_comes_from_the_name_when_the_content_is_silent(tmp_path, weights):
    checkpoint = open_file(saved(tmp_path / "CMGAN_epoch_7_0.105", weights))
    assert (checkpoint.epoch, checkpoint.epoch_from) == (7, "name")


@pytest.mark.parametrize("legacy", [False, True])
def test_numpy_arrays_beside_the_weights_are_passed_over(tmp_path, weights, legacy):
    content = {
        "model": weights,
        "losses": np.arange(5.0),
        "rng": np.random.RandomState(1).get_state(),
        "epoch": torch.tensor(4),
    }
    path = tmp_path / "x.pth"
    torch.save(content, path, _use_new_zipfile_serialization=not legacy)
    opened = open_file(path)
    assert opened.epoch == 4
    assert opened.content["model"].keys() == weights.keys()


@pytest.mark.parametrize("legacy", [False, True])
def test_numpy_scalars_paths_and_arguments_are_values(tmp_path, weights, legacy):
    extra = {"epoch": np.int64(3), "pesq_score": np.float64(2.5), "loss": np.float32(0.25), "ok": np.bool_(True)}
    extra["args"] = argparse.Namespace(lr=5e-4, data=pathlib.PurePosixPath("/data/demand"))
    content = open_file(saved(tmp_path / "x.pth", {"state_dict": weights, **extra}, legacy)).content
    assert content["epoch"] == 3 and content["pesq_score"] == 2.5 and content["loss"] == 0.25 and content["ok"] is True
    assert vars(content["args"]) == {"lr": 5e-4, "data": "/data/demand"}
    assert type(content["args"]) is not argparse.Namespace


@pytest.mark.parametrize("module", [b"pathlib", b"pathlib._local"])
def test_paths_are_values_whichever_python_wrote_them(tmp_path, weights, module):
    path = saved(tmp_path / "x.pth", {"state_dict": weights, "data": pathlib.PurePosixPath("/data/demand")}, True)
    written = path.read_bytes().replace(b"cpathlib._local\n", b"cpathlib\n")
    assert written.count(b"cpathlib\n") == 1
    path.write_bytes(written.replace(b"cpathlib\n", b"c" + module + b"\n"))
    assert open_file(path).content["data"] == "/data/demand"


@pytest.mark.parametrize("legacy", [False, True])
def test_a_pickle_that_runs_a_command_is_refused_by_name(tmp_path, weights, legacy, marker):
    path = saved(tmp_path / "evil.pth", {"model": weights, "hook": RunsACommand(marker)}, legacy)
    with pytest.raises(CheckpointError, match=r"it asks for posix\.system\. Loading such a file runs code"):
        open_file(path)


def test_a_plain_pickle_is_refused_by_name(tmp_path, marker):
    path = tmp_path / "evil.pkl"
    path.write_bytes(pickle.dumps(RunsACommand(marker)))
    with pytest.raises(CheckpointError, match=r"plain pickle that asks for posix\.system.*it was not run"):
        open_file(path)


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.999])
def test_a_truncated_file(tmp_path, weights, legacy, share):
    path = saved(tmp_path / "x.pth", weights, legacy)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(CheckpointError, match=r"x\.pth: damaged"):
        open_file(path)


def test_a_storage_that_claims_more_than_the_file_holds(tmp_path):
    source = saved(tmp_path / "x.pth", {"w": torch.zeros(1000)})
    path = rewritten(source, tmp_path / "claim.pth", (b"M\xe8\x03", b"J" + struct.pack("<i", 2_000_000_000)))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(CheckpointError, match=r"storage 0 claims 8,000,000,000 bytes, the file holds 4,000"):
        open_file(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 500_000  # kB


def test_a_tensor_that_claims_more_than_its_storage(tmp_path):
    source = saved(tmp_path / "x.pth", {"w": torch.zeros(4)})
    path = rewritten(source, tmp_path / "view.pth", (b"K\x04\x85", b"J\x00\x00\x00\x70\x85"))
    with pytest.raises(CheckpointError, match=r"shape \[1879048192\] is claimed to lie in storage 0"):
        open_file(path)


def test_a_legacy_file_whose_tensors_claim_ten_gigabytes(tmp_path):
    path = saved(tmp_path / "x.pth", {"w": torch.zeros(1000)}, legacy=True)
    data = path.read_bytes().replace(b"M\xe8\x03", b"J" + struct.pack("<i", 2_000_000_000))
    path.write_bytes(data)
    with pytest.raises(CheckpointError, match="claim"):
        open_file(path)


@pytest.mark.parametrize(
    ("start", "said"),
    [
        (struct.pack("<Q", 10_000_000_000) + b'{"a"', "header claims 10,000,000,000 bytes, the file has 12"),
        (struct.pack("<Q", 2) + b"{}" + b"\0" * 9, "damaged"),
        (b"\1", "header claims"),
    ],
)
def test_damaged_safetensors(tmp_path, start, said):
    path = tmp_path / "x.safetensors"
    path.write_bytes(start)
    with pytest.raises(CheckpointError, match=said):
        open_file(path)


def test_a_zip_bomb(tmp_path):
    path = tmp_path / "bomb.pth"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/data.pkl", b"\0" * 50_000_000)
    with pytest.raises(CheckpointError, match=r"unpacks to 50,000,000 bytes"):
        open_file(path)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "an empty file"),
        (b"hello world", "not a checkpoint"),
        (b"RIFF\0\0\0\0WAVE", "it is a wav file"),
        (b"p232_001 /data/enhanced/p232_001.wav\np232_002 /data/enhanced/p232_002.wav\n", "it lists recordings"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (b"<!DOCTYPE html>", "a failed download"),
        (b"PK\x03\x04 and nothing more", "damaged"),
        (b"\x80\x02r\xff\xff\xff\x7f.", "damaged"),  # a memo index that would take 16 GB
        (b"\x80\x05\x96" + struct.pack("<Q", 10**10) + b".", "bytearray"),
        (b"\x80\x02" + b"(" * 1000, "damaged"),
    ],
)
def test_what_is_no_checkpoint(tmp_path, data, said):
    path = tmp_path / "x.pth"
    path.write_bytes(data)
    with pytest.raises(CheckpointError, match=said) as caught:
        open_file(path)
    assert "x.pth" in str(caught.value)


def test_an_exported_graph_is_told_how_it_is_run(tmp_path):
    (tmp_path / "net.onnx").write_bytes(b"\x08\x07\x12\x07pytorch")
    with pytest.raises(CheckpointError, match=r"neither a PyTorch .* \(an exported graph .* --model onnx\)"):
        open_file(tmp_path / "net.onnx")


def test_torchscript_is_code(tmp_path):
    path = tmp_path / "script.pt"
    torch.jit.script(torch.nn.Linear(2, 2)).save(str(path))
    with pytest.raises(CheckpointError, match="TorchScript"):
        open_file(path)


def test_a_folder_and_a_missing_file(tmp_path):
    with pytest.raises(CheckpointError, match="a folder"):
        open_file(tmp_path)
    with pytest.raises(CheckpointError, match="No such file"):
        open_file(tmp_path / "none.pth")


def test_a_directory_that_points_before_the_file_is_damage(tmp_path):
    buffer = io.BytesIO()
    torch.save({"a.weight": torch.zeros(3)}, buffer)
    damaged = bytearray(buffer.getvalue())
    damaged[-50] = 0xFF  # zip64: where the archive says that its directory begins
    (tmp_path / "x.pth").write_bytes(bytes(damaged))
    with pytest.raises(CheckpointError, match=r"x\.pth: damaged"):
        open_file(tmp_path / "x.pth")


@lru_cache
def one_file(*, legacy: bool) -> bytes:
    """One and the same file each time: the older format holds addresses, which differ in length."""
    buffer = io.BytesIO()
    content = {"epoch": 3, "state_dict": {"a.weight": torch.zeros(3, 2), "a.bias": torch.ones(2)}}
    torch.save(content, buffer, _use_new_zipfile_serialization=not legacy)
    return buffer.getvalue()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), legacy=st.booleans())
def test_no_damage_ends_in_anything_but_a_message(tmp_path, data, legacy):
    damaged = bytearray(one_file(legacy=legacy))
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / "x.pth"
    path.write_bytes(bytes(damaged))
    try:
        open_file(path)
    except CheckpointError as error:
        assert "x.pth" in str(error)
