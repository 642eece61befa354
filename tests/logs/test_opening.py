"""Files as they lie on disks: other encodings, zeros in front, binary data; and logs that come through pipes."""

from __future__ import annotations

import io
import os
import random
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from cmgan_audit.errors import InputError, UsageError
from cmgan_audit.logs.piped import on_disk
from cmgan_audit.logs.roles import RoleBook
from cmgan_audit.logs.search import format_of, read_logs

LOG = "".join(f"Epoch {e} PESQ: {2 + e / 10}\r\n" for e in range(1, 9))
TABLE = "epoch,pesq\n" + "".join(f"{e},{2 + e / 10}\n" for e in range(1, 9))


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"]
)
@pytest.mark.parametrize(("name", "text"), [("train.log", LOG), ("table.csv", TABLE), ("table.txt", TABLE)])
def test_encodings(tmp_path: Path, encoding: str, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    (reading,) = read_logs([path], RoleBook()).readings
    assert (reading.format, len(reading.runs[0].series[0])) == ("text" if name == "train.log" else "csv", 8)


def test_zeros_in_front_of_a_log_that_was_emptied(tmp_path: Path) -> None:
    path = tmp_path / "train.log"
    path.write_bytes(bytes(3 << 20) + LOG.encode())
    (reading,) = read_logs([path], RoleBook()).readings
    assert list(reading.runs[0].series[0].xs) == list(range(1, 9))


@pytest.mark.parametrize("content", [random.Random(3).randbytes(5000), b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9])
def test_binary_data_is_no_log(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "train.log"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"train\.log: binary data, no log"):
        format_of(path, "train.log")


def test_only_zeros_are_empty(tmp_path: Path) -> None:
    path = tmp_path / "train.log"
    path.write_bytes(bytes(5000))
    with pytest.raises(InputError, match=r"train\.log: empty"):
        format_of(path, "train.log")


def terminal(content: bytes, is_terminal: bool = False) -> SimpleNamespace:
    return SimpleNamespace(buffer=io.BytesIO(content), isatty=lambda: is_terminal)


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", terminal(LOG.encode()))
    with on_disk([Path("-")]) as paths:
        (reading,) = read_logs(paths, RoleBook()).readings
    assert (reading.path, len(reading.runs[0].series[0])) == ("standard input", 8)
    assert not any(path.exists() for path in paths)


def test_nobody_waits_at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", terminal(b"", is_terminal=True))
    with pytest.raises(UsageError, match="pipe a log into it"), on_disk([Path("-")]):
        pass


def test_standard_input_that_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(UsageError, match="standard input is closed"), on_disk([Path("-")]):
        pass


def test_standard_input_is_one_log_however_often_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", terminal(LOG.encode()))
    with on_disk([Path("-"), Path("-")]) as paths:
        assert [len(reading.runs[0].series[0]) for reading in read_logs(paths, RoleBook()).readings] == [8]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_read_once(tmp_path: Path) -> None:
    path, plain = tmp_path / "pipe", tmp_path / "plain.log"
    os.mkfifo(path)
    plain.write_text(LOG)
    writer = threading.Thread(target=path.write_text, args=(LOG,))
    writer.start()
    with on_disk([path, plain]) as paths:
        found = read_logs(paths, RoleBook())
    writer.join()
    assert [reading.path for reading in found.readings] == [str(path), plain.as_posix()]
