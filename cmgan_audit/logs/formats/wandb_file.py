"""W&B's own file of a run, `run-*.wandb`: the history that `wandb.log` wrote, decoded by hand.

Sources: W&B's datastore (a header, then LevelDB's log format: blocks of 32 kB with pieces of records, each with its
checksum) and wandb_internal.proto, of which only HistoryRecord is read.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

from cmgan_audit.errors import InputError
from cmgan_audit.finding import JsonValue
from cmgan_audit.logs.formats.protobuf import CorruptError, fields
from cmgan_audit.logs.formats.records import Records
from cmgan_audit.logs.opening import open_bytes
from cmgan_audit.logs.roles import RoleBook
from cmgan_audit.logs.series import Note, Reading

_HEADER = b":W&B\xe1\xbe\x00"
_BLOCK = 1 << 15
_PIECE = struct.Struct("<IHB")
_WHOLE, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4
# Field numbers.
_HISTORY, _ITEM, _KEY, _NESTED_KEY, _VALUE = 2, 1, 1, 2, 16


def read_wandb(path: Path, source: str, book: RoleBook) -> Reading:
    """Read the history of a run; a cut or broken tail is noted, what stands before it is kept.

    Raises:
        InputError: it cannot be opened, or is no W&B file.
    """
    records = Records(source, book)
    notes: list[Note] = []
    with open_bytes(path, source) as stream:
        data = stream.read()
    if not data.startswith(_HEADER):
        raise InputError(f"{source}: no file of a W&B run: it does not begin as one")
    number = 0
    for record in _records(data, source, notes):
        number += 1
        try:
            rows = [dict(_items(body)) for field, body in fields(record) if field == _HISTORY]
        except (CorruptError, IndexError, UnicodeDecodeError):
            notes.append(Note(source, 0, f"record {number} is broken and was left out"))
            continue
        for row in rows:
            records.add(row, number)
    return Reading(source, "wandb", records.builder.finish(), notes)


def _items(history: bytes) -> Iterator[tuple[str, JsonValue]]:
    """What one call of `wandb.log` gave: name and value."""
    for field, item in fields(history):
        if field != _ITEM:
            continue
        parts: list[str] = []
        key = value = ""
        for inner, text in fields(item):
            if inner == _KEY:
                key = text.decode()
            elif inner == _NESTED_KEY:
                parts.append(text.decode())
            elif inner == _VALUE:
                value = text.decode()
        try:
            yield key or "/".join(parts), json.loads(value)
        except (ValueError, RecursionError):
            continue


def _records(data: bytes, source: str, notes: list[Note]) -> Iterator[bytes]:
    """Whole records, put together from their pieces; a block's last bytes, too few for a piece, are padding."""
    position = len(_HEADER)
    parts: list[bytes] = []
    while position < len(data):
        left = _BLOCK - position % _BLOCK
        if left < _PIECE.size:
            position += left
            continue
        if position + _PIECE.size > len(data):
            break
        checksum, size, kind = _PIECE.unpack_from(data, position)
        piece = data[position + _PIECE.size : position + _PIECE.size + size]
        if len(piece) < size:
            break
        if checksum == 0 and size == 0:  # zeros up to the end of the block
            position += left
            continue
        if zlib.crc32(piece, zlib.crc32(bytes([kind]))) != checksum:
            notes.append(Note(source, 0, f"no record at byte {position}; what follows was not read", of_damage=True))
            return
        position += _PIECE.size + size
        parts = [piece] if kind in (_WHOLE, _FIRST) else [*parts, piece]
        if kind in (_WHOLE, _LAST):
            yield b"".join(parts)
            parts = []
    if position < len(data) or parts:
        notes.append(Note(source, 0, f"cut off in the record at byte {position}: the run was stopped", of_damage=True))
