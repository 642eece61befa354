"""Checkpoint files as containers: the plain values inside, whatever the file is called, and never a weight.

Read are what `torch.save` writes (a zip archive since PyTorch 1.6, pickles one behind the other before), pickles that
hold tensors, and the metadata of safetensors. Only the beginning of a file is read: pickles stand before the weights.
A file of another kind, damaged or hostile, is simply no checkpoint.
"""

from __future__ import annotations

import json
import stat
import struct
from pathlib import Path
from typing import BinaryIO

from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.source.checkpoints.embedded import holds_weights
from cmgan_audit.source.checkpoints.machine import PickleError
from cmgan_audit.source.checkpoints.pickled import Steps, read_pickle

# Bytes of a file that are read: a beginning that tells what it is, one that holds most pickles whole, and the most.
PARTS = (64_000, 1_000_000, 16_000_000)

_MAGIC = 0x1950A86A20F9469CFC6C  # first pickle of torch.save before PyTorch 1.6
_ZIP_ENTRY = struct.Struct("<4s5H3I2H")
_ENTRIES_SEARCHED = 64


@dataclass(frozen=True, slots=True, eq=False)
class HeldValues:
    """The plain values of a checkpoint file.

    Attributes:
        value: dictionaries, lists, texts and numbers; objects as `machine.Thing`.
        weights: whether it holds the weights of a network.
    """

    value: object
    weights: bool


class _NoCheckpointError(Exception):
    """The file is something else."""


def read_checkpoint(path: Path, steps: Steps | None = None) -> HeldValues | None:
    """The plain values of a checkpoint file; None for every other file, and for one that cannot be read.

    Args:
        path: the file.
        steps: the opcodes that may be followed over all files; what this one takes is taken off.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return None
        with path.open("rb") as file:
            return _read(file, steps)
    except (OSError, _NoCheckpointError):
        return None


def _read(file: BinaryIO, steps: Steps | None) -> HeldValues:
    data = b""
    for size in PARTS:
        data += file.read(size - len(data))
        try:
            return _values(data, steps)
        except PickleError:
            if len(data) < size:
                break
    raise _NoCheckpointError


def _values(data: bytes, steps: Steps | None) -> HeldValues:
    """What the beginning of a file holds.

    Raises:
        PickleError: more of it may tell more.
        _NoCheckpointError: it is of no kind that is read.
    """
    if data.startswith(b"PK\x03\x04"):
        return _held(read_pickle(data, _pickle_in_zip(data), steps).value)
    if data[5:9] == b"\0\0\0{":  # the length of a header may begin like a pickle
        return HeldValues(_safetensors_metadata(data), weights=True)
    if data[:1] == b"\x80":
        return _legacy(data, steps)
    raise _NoCheckpointError


def _held(value: object) -> HeldValues:
    return HeldValues(value, holds_weights(value))


def _pickle_in_zip(data: bytes) -> int:
    """The offset of `NAME/data.pkl`; torch.save writes it first and compresses nothing."""
    offset = 0
    for _ in range(_ENTRIES_SEARCHED):
        head = data[offset : offset + _ZIP_ENTRY.size]
        if len(head) < _ZIP_ENTRY.size:
            raise PickleError("cut short")
        signature, _, flags, packing, *_, size, _, name_length, extra_length = _ZIP_ENTRY.unpack(head)
        start: int = offset + _ZIP_ENTRY.size
        name = data[start : start + name_length]
        start += name_length + extra_length
        if signature != b"PK\x03\x04" or packing:
            raise _NoCheckpointError
        if name.endswith(b"/data.pkl") and name.count(b"/") == 1:
            return start
        if flags & 8 and not size:  # its size stands behind it: nobody knows where the next entry begins
            raise _NoCheckpointError
        offset = start + size
    raise _NoCheckpointError


def _legacy(data: bytes, steps: Steps | None) -> HeldValues:
    first = read_pickle(data, 0, steps)
    if first.value != _MAGIC:
        if not (first.storages or any(name.startswith("torch.") for name in first.names)):
            raise _NoCheckpointError
        return _held(first.value)
    end = first.end
    for _ in range(2):  # protocol, and the sizes of the machine's types
        end = read_pickle(data, end, steps).end
    return _held(read_pickle(data, end, steps).value)


def _safetensors_metadata(data: bytes) -> object:
    length = int.from_bytes(data[:8], "little")
    if length > len(data) - 8:
        raise PickleError("cut short")
    try:
        header = json.loads(data[8 : 8 + length])
    except (ValueError, RecursionError):
        raise _NoCheckpointError from None
    metadata = header.get("__metadata__") if isinstance(header, dict) else None
    return {key: _spelled(text) for key, text in metadata.items()} if isinstance(metadata, dict) else {}


def _spelled(text: object) -> object:
    """A metadata text as the value that it spells, if it is JSON."""
    try:
        return json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return text
