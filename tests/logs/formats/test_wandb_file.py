"""W&B's file of a run: written here as its datastore does, read back, cut, broken."""

from __future__ import annotations

import json
import struct
import zlib
from pathlib import Path

import pytest

from cmgan_audit.errors import InputError
from cmgan_audit.logs.formats.wandb_file import read_wandb
from cmgan_audit.logs.roles import RoleBook
from cmgan_audit.logs.search import read_logs
from cmgan_audit.logs.series import Reading

BLOCK = 1 << 15
HEADER = b":W&B\xe1\xbe\x00"


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def field(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


def history(row: dict[str, object], nested: tuple[str, ...] = ()) -> bytes:
    """A record of `wandb.log(row)`; names in `nested` are written as lists of their parts."""
    items = b""
    for name, value in row.items():
        parts = name.split("/") if name in nested else []
        key = b"".join(field(2, part.encode()) for part in parts) if parts else field(1, name.encode())
        items += field(1, key + field(16, json.dumps(value).encode()))
    return varint(1 << 3) + varint(7) + field(2, items)


def datastore(records: list[bytes]) -> bytes:
    """LevelDB's log format behind W&B's header."""
    data = bytearray(HEADER)
    for record in records:
        rest, first = record, True
        while first or rest:
            left = BLOCK - len(data) % BLOCK
            if left < 7:
                data += b"\0" * left
                left = BLOCK
            piece, rest = rest[: left - 7], rest[left - 7 :]
            kind = (1 if first else 4) if not rest else (2 if first else 3)
            data += struct.pack("<IHB", zlib.crc32(piece, zlib.crc32(bytes([kind]))), len(piece), kind) + piece
            first = False
    return bytes(data)


OTHER = field(4, b"x" * 40_000)  # what the program printed: longer than a block


def read(tmp_path: Path, content: bytes) -> Reading:
    path = tmp_path / "run-ab12.wandb"
    path.write_bytes(content)
    return read_wandb(path, path.name, RoleBook())


def rows(n: int) -> list[bytes]:
    return [history({"epoch": e, "val/pesq": 2 + e / 10, "_step": 50 * e, "_runtime": 1.5}) for e in range(n)]


def test_reads_every_row_across_blocks(tmp_path: Path) -> None:
    mixed = [part for row in rows(2000) for part in (row, field(4, b"line"))]
    reading = read(tmp_path, datastore([OTHER, *mixed, OTHER]))
    (series,) = reading.runs[0].series
    assert (series.name, series.x_kind, len(series)) == ("val/pesq", "epoch", 2000)
    assert series.ys[1999] == pytest.approx(201.9)
    assert reading.notes == []


def test_nested_names_and_steps(tmp_path: Path) -> None:
    records = [
        history({"val/pesq": 2.5, "_step": s, "image": {"_type": "image-file"}}, ("val/pesq",)) for s in (10, 20)
    ]
    (series,) = read(tmp_path, datastore(records)).runs[0].series
    assert (series.name, series.x_kind, list(series.xs)) == ("val/pesq", "step", [10, 20])


def test_a_run_that_was_killed_keeps_what_it_wrote(tmp_path: Path) -> None:
    whole = datastore(rows(5))
    reading = read(tmp_path, whole[:-4])
    assert len(reading.runs[0].series[0]) == 4
    assert "cut off in the record at byte" in str(reading.notes[0])
    broken = bytearray(whole)
    broken[len(whole) // 2] ^= 0xFF
    reading = read(tmp_path, bytes(broken))
    assert 0 < len(reading.runs[0].series[0]) < 5
    assert "what follows was not read" in str(reading.notes[0])


def test_a_file_of_another_kind(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no file of a W&B run"):
        read(tmp_path, b"epoch,pesq\n1,2.0\n")


def test_a_folder_of_runs_is_searched_without_their_internal_logs(tmp_path: Path) -> None:
    run = tmp_path / "wandb" / "run-1-ab12"
    (run / "logs").mkdir(parents=True)
    (run / "run-ab12.wandb").write_bytes(datastore(rows(3)))
    (run / "logs" / "debug-internal.log").write_text("HandlerThread pesq: 3.0\n")
    found = read_logs([tmp_path], RoleBook())
    assert [Path(reading.path).name for reading in found.readings] == ["run-ab12.wandb"]
