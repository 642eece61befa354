"""Plain values of checkpoint files, read without torch and without running anything; strangers' files do no harm."""

from __future__ import annotations

import argparse
import os
import pickle
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cmgan_audit.source.checkpoints.container import read_checkpoint
from cmgan_audit.source.checkpoints.embedded import embedded_values, holds_weights
from cmgan_audit.source.checkpoints.machine import PickleError, Thing
from cmgan_audit.source.checkpoints.pickled import read_pickle

ZIP_AND_LEGACY = pytest.mark.parametrize("is_zip", [True, False], ids=["zip", "legacy"])


class Settings(dict):
    """A configuration class as projects have them: items that are attributes too."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.__dict__ = self


def written(tmp_path: Path, content: object, *, is_zip: bool = True) -> Path:
    path = tmp_path / "model.pt"
    torch.save(content, path, _use_new_zipfile_serialization=is_zip)
    return path


def settings_in(path: Path) -> dict[str, object]:
    held = read_checkpoint(path)
    assert held is not None
    return {".".join(each.place): each.value for each in embedded_values(held.value)}


@ZIP_AND_LEGACY
def test_a_whole_training_state(tmp_path: Path, *, is_zip: bool) -> None:
    network = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.BatchNorm1d(4))
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    network(torch.zeros(3, 4)).sum().backward()
    optimizer.step()
    content = {
        "epoch": 7,
        "model": network.state_dict(),
        "optimizer": optimizer.state_dict(),
        "args": argparse.Namespace(batch_size=1, lr=5e-4, name="run"),
        "config": {"stft": {"n_fft": 400, "hop_length": 100}, "resume": None, "amp": True},
    }
    assert settings_in(written(tmp_path, content, is_zip=is_zip)) == {
        "epoch": 7,
        "args.batch_size": 1,
        "args.lr": 5e-4,
        "args.name": "run",
        "config.stft.n_fft": 400,
        "config.stft.hop_length": 100,
        "config.resume": None,
        "config.amp": True,
    }


@ZIP_AND_LEGACY
@pytest.mark.parametrize(
    "config",
    [
        {"batch_size": 2},
        OrderedDict(batch_size=2),
        argparse.Namespace(batch_size=2),
        SimpleNamespace(batch_size=2),
        Settings(batch_size=2),
    ],
    ids=["dict", "OrderedDict", "Namespace", "SimpleNamespace", "a class of the project"],
)
def test_kinds_of_configuration(tmp_path: Path, config: object, *, is_zip: bool) -> None:
    assert settings_in(written(tmp_path, {"cfg": config}, is_zip=is_zip)) == {"cfg.batch_size": 2}


def test_nodes_of_omegaconf() -> None:
    node = Thing("omegaconf.nodes.AnyNode", {"_metadata": Thing("?"), "_val": 4})
    inner = Thing("omegaconf.dictconfig.DictConfig", {"_content": {"batch_size": node}})
    whole = Thing("omegaconf.dictconfig.DictConfig", {"_content": {"train": inner}})
    assert [(each.place, each.value) for each in embedded_values({"cfg": whole})] == [
        (("cfg", "train", "batch_size"), 4)
    ]


@pytest.mark.parametrize("protocol", range(2, 6))
def test_every_protocol_of_pickles_with_tensors(tmp_path: Path, protocol: int) -> None:
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps({"batch_size": 3, "weights": torch.zeros(2), "long": 2**70}, protocol))
    assert settings_in(path)["batch_size"] == 3


def test_metadata_of_safetensors(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    path = tmp_path / "model.safetensors"
    save_file({"w": torch.zeros(3)}, path, {"config": '{"batch_size": 8}', "author": "someone"})
    assert settings_in(path) == {"config.batch_size": 8, "author": "someone"}


def test_weights_alone_are_a_checkpoint_without_settings(tmp_path: Path) -> None:
    assert settings_in(written(tmp_path, torch.nn.Linear(3, 3).state_dict())) == {}


@pytest.mark.parametrize(
    "content",
    [b"", b"PK\x03\x04", b"\x80", b"\x80\x04.", b"RIFF....WAVE", pickle.dumps({"batch_size": 1}), os.urandom(5000)],
    ids=["empty", "a zip's first bytes", "one byte", "an empty pickle", "wav", "a pickle without tensors", "noise"],
)
def test_other_files_are_no_checkpoints(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.pt"
    path.write_bytes(content)
    assert read_checkpoint(path) is None


def test_a_zip_of_something_else_is_no_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("docs/readme.txt", "hello")
    assert read_checkpoint(path) is None


def test_folders_pipes_and_missing_files_are_no_checkpoints(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.pt")
    for path in (tmp_path, tmp_path / "pipe.pt", tmp_path / "missing.pt"):
        assert read_checkpoint(path) is None


class Runs:
    """What a hostile file holds: unpickled, it would write a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.path,)


@ZIP_AND_LEGACY
def test_nothing_of_a_file_is_run(tmp_path: Path, *, is_zip: bool) -> None:
    touched = tmp_path / "touched"
    path = written(tmp_path, {"config": {"batch_size": 1}, "trap": Runs(touched)}, is_zip=is_zip)
    assert settings_in(path)["config.batch_size"] == 1
    assert not touched.exists()
    torch.load(path, weights_only=False)
    assert touched.exists(), "the trap would have worked"


@ZIP_AND_LEGACY
def test_every_cut_of_a_file_is_survived(tmp_path: Path, *, is_zip: bool) -> None:
    path = written(tmp_path, {"args": argparse.Namespace(batch_size=1), "w": torch.zeros(2)}, is_zip=is_zip)
    whole = path.read_bytes()
    for size in range(0, len(whole), 7):
        path.write_bytes(whole[:size])
        held = read_checkpoint(path)
        assert held is None or list(embedded_values(held.value))


@ZIP_AND_LEGACY
@given(places=st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), min_size=1, max_size=20))
def test_damaged_bytes_are_survived(
    tmp_path_factory: pytest.TempPathFactory, places: list[tuple[int, int]], *, is_zip: bool
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    path = written(folder, {"args": argparse.Namespace(batch_size=1), "w": torch.zeros(2)}, is_zip=is_zip)
    content = bytearray(path.read_bytes())
    for place, value in places:
        content[place % len(content)] = value
    path.write_bytes(content)
    held = read_checkpoint(path)
    if held is not None:
        list(embedded_values(held.value))


@given(st.binary(max_size=300))
def test_any_bytes_are_a_pickle_or_an_error(data: bytes) -> None:
    try:
        pickled = read_pickle(data)
    except PickleError:
        return
    list(embedded_values(pickled.value))


_plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**200), 2**200) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4) | st.tuples(inner, inner),
    max_leaves=20,
)


@given(_plain, st.integers(2, 5))
def test_plain_values_are_read_as_python_reads_them(value: object, protocol: int) -> None:
    assert read_pickle(pickle.dumps(value, protocol)).value == value


def hostile(many: int) -> dict[str, bytes]:
    """Pickles that ask for more work than their bytes, with so many repetitions."""
    return {
        "a memo that doubles": b"\x80\x02]q\x00" + b"".join(b"]q%c(h%ch%ce" % (n + 1, n, n) for n in range(60)) + b".",
        "tuples that double": b"\x80\x02)" + b"2\x86" * 400 + b".",
        "a tuple that doubles as a key": b"\x80\x02})" + b"2\x86" * 60 + b"K\x01s.",
        "deep lists": b"\x80\x02" + b"]" * many + b"a" * (many - 1) + b".",
        "a list in itself": b"\x80\x02]q\x00h\x00a.",
        "a dictionary in itself": b"\x80\x02}q\x00X\x01\x00\x00\x00ah\x00s.",
        "a text of 4 GB": b"\x80\x02X\xff\xff\xff\xffabc.",
        "bytes of 2**63": b"\x80\x05\x8e" + struct.pack("<Q", 2**63) + b"abc.",
        "a bytearray of 2**60": b"\x80\x05\x96" + struct.pack("<Q", 2**60) + b"abc.",
        "a memo index of 4 billion": b"\x80\x02]r\xff\xff\xff\xff.",
        "a number of a million digits": b"\x80\x02I" + b"9" * 1_000_000 + b"\n.",
        "a long of a megabyte": b"\x80\x02\x8b" + struct.pack("<I", 1_000_000) + b"\xff" * 1_000_000 + b".",
        "pops of nothing": b"\x80\x02000000.",
        "marks alone": b"\x80\x02" + b"(" * many + b".",
        "too many opcodes": b"\x80\x02" + b"N0" * 5 * many + b"N.",
        "a long name, asked for again and again": b"\x80\x04X\x40\x42\x0f\x00"
        + b"n" * 1_000_000
        + b"\x94"
        + b"h\x00h\x00\x930" * many
        + b"N.",
        "a long key, set again and again": b"\x80\x02X\x40\x42\x0f\x00"
        + b"k" * 1_000_000
        + b"q\x000]("
        + b"}h\x00K\x01s" * many
        + b"e.",
        "many objects with one state": (
            b"\x80\x02}("
            + b"".join(b"X\x05\x00\x00\x00%05dK\x01" % n for n in range(many // 4))
            + b"uq\x010}q\x02("
            + b"".join(b"X\x05\x00\x00\x00%05dc__main__\nA\n)\x81h\x01b" % n for n in range(many // 4))
            + b"u."
        ),
        "an extension": b"\x80\x02\x82\x01.",
    }


OPCODES = 50_000


@pytest.mark.parametrize("data", hostile(10_000).values(), ids=hostile(1))
def test_hostile_pickles_take_work_in_proportion(
    monkeypatch: pytest.MonkeyPatch, calls_of: Callable[..., int], data: bytes
) -> None:
    monkeypatch.setattr("cmgan_audit.source.checkpoints.pickled.MOST_OPCODES", OPCODES)
    monkeypatch.setattr("cmgan_audit.source.checkpoints.embedded._MOST_KEYS", OPCODES // 5)
    assert calls_of(lambda: read_all(data)) < 10 * OPCODES


@pytest.mark.slow
@pytest.mark.parametrize("data", hostile(200_000).values(), ids=hostile(1))
def test_large_hostile_pickles_end(data: bytes) -> None:
    read_all(data)


def read_all(data: bytes) -> None:
    with suppress(PickleError):
        content = {"x": read_pickle(data).value}
        list(embedded_values(content))
        holds_weights(content)


def test_what_is_long_is_not_put_together_again_and_again() -> None:
    data = hostile(10)
    (name,) = read_pickle(data["a long name, asked for again and again"]).names
    assert len(name) < 1_000
    assert list(embedded_values(read_pickle(data["a long key, set again and again"]).value)) == []
