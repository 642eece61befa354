"""TensorBoard event files, decoded by hand: TFRecord frames around protobuf messages. Every scalar, no sampling.

Sources: TensorFlow's record format (length, masked CRC-32C of the length, data, masked CRC of the data; little
endian) and event.proto / summary.proto / tensor.proto, of which only the scalar fields are read.
"""

from __future__ import annotations

import functools
import heapq
import itertools
import struct
from array import array
from collections.abc import Iterator
from dataclasses import field
from pathlib import Path
from typing import BinaryIO

from cmgan_audit.errors import InputError
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.logs.formats.protobuf import CorruptError, skip, varint
from cmgan_audit.logs.opening import open_bytes
from cmgan_audit.logs.series import Note

_HEADER = struct.Struct("<QI")
_FLOAT = struct.Struct("<f")
_DOUBLE = struct.Struct("<d")
_LARGEST = 1 << 30
_BLOCK = 4 << 20
# Field numbers with their wire types, as the tag bytes of the messages.
_EVENT_STEP, _EVENT_VERSION, _EVENT_SUMMARY = (2 << 3), (3 << 3) | 2, (5 << 3) | 2
_SUMMARY_VALUE = (1 << 3) | 2
_VALUE_TAG, _VALUE_SIMPLE, _VALUE_TENSOR = (1 << 3) | 2, (2 << 3) | 5, (8 << 3) | 2
_TENSOR_DTYPE, _TENSOR_SHAPE, _TENSOR_CONTENT = (1 << 3), (2 << 3) | 2, (4 << 3) | 2
_TENSOR_FLOATS, _TENSOR_DOUBLES = (5 << 3) | 2, (6 << 3) | 2
_SCALAR_FORMATS = {1: "<f", 2: "<d", 3: "<i", 9: "<q"}


@dataclass(slots=True)
class Column:
    """The scalars of one tag in their order: steps, values, and the numbers of their records."""

    steps: array[int] = field(default_factory=lambda: array("q"))
    values: array[float] = field(default_factory=lambda: array("d"))
    places: array[int] = field(default_factory=lambda: array("q"))


@dataclass(slots=True)
class Scalars:
    """The scalars of one event file by their tags, in the order of the first of each, and what was wrong."""

    tags: dict[str, Column] = field(default_factory=dict)
    records: int = 0
    notes: list[Note] = field(default_factory=list)

    def add(self, tag: str, step: int, value: float) -> None:
        """One more scalar, of the record that is being read."""
        column = self.tags.get(tag)
        if column is None:
            column = self.tags[tag] = Column()
        column.steps.append(step)
        column.values.append(value)
        column.places.append(self.records)

    @property
    def points(self) -> Iterator[tuple[str, int, float, int]]:
        """Tag, step, value and number of the record of every scalar, in the order of the file."""
        columns = [zip(itertools.repeat(tag), one.steps, one.values, one.places) for tag, one in self.tags.items()]
        return heapq.merge(*columns, key=lambda point: point[3])


def read_scalars(path: Path, source: str) -> Scalars:
    """All scalars of an event file; a cut or broken tail is noted, what stands before it is kept.

    Raises:
        InputError: it cannot be opened, or its first record is no event.
    """
    out = Scalars()
    with open_bytes(path, source) as stream:
        for payload in _frames(stream, source, out):
            out.records += 1
            try:
                _event(payload, out)
            except (CorruptError, struct.error, IndexError) as error:
                if out.records == 1:
                    raise InputError(f"{source}: record 1 is no TensorBoard event") from error
                out.notes.append(
                    Note(source, 0, f"record {out.records} is broken; what follows it was not read", of_damage=True)
                )
                break
    if not out.records:
        why = out.notes[0].text if out.notes else "it is empty"
        raise InputError(f"{source}: no TensorBoard event file: {why}")
    return out


def _frames(stream: BinaryIO, source: str, out: Scalars) -> Iterator[bytes]:
    buffer, position = stream.read(_BLOCK), 0
    offset = 0
    while True:
        if len(buffer) - position < 12:
            offset += position
            buffer, position = buffer[position:] + stream.read(_BLOCK), 0
            if len(buffer) < 12:
                if buffer:
                    text = f"cut off: {len(buffer)} bytes of a record at byte {offset}"
                    out.notes.append(Note(source, 0, text, of_damage=True))
                return
        length, crc = _HEADER.unpack_from(buffer, position)
        if crc != _masked_crc(buffer[position : position + 8]) or length > _LARGEST:
            text = f"no record at byte {offset + position}; what follows was not read"
            out.notes.append(Note(source, 0, text, of_damage=True))
            return
        end = position + 12 + length
        if end + 4 > len(buffer):
            offset += position
            buffer, position = buffer[position:] + stream.read(max(_BLOCK, length + 16)), 0
            end = 12 + length
            if end + 4 > len(buffer):
                text = f"cut off in the record at byte {offset}: the run was stopped"
                out.notes.append(Note(source, 0, text, of_damage=True))
                return
        yield buffer[position + 12 : end]
        position = end + 4


def _event(data: bytes, out: Scalars) -> None:
    position, end, step = 0, len(data), 0
    summaries: list[tuple[int, int]] = []
    while position < end:
        key = data[position]
        position += 1
        if key == _EVENT_STEP:
            step, position = varint(data, position)
        elif key == _EVENT_SUMMARY:
            size, position = varint(data, position)
            summaries.append((position, position + size))
            position += size
        else:
            if key >= 0x80:
                key, position = varint(data, position - 1)
            position = skip(data, position, key & 7)
    if position != end:
        raise CorruptError
    if step >= 1 << 63:
        step -= 1 << 64
    for start, stop in summaries:
        _summary(data, start, stop, step, out)


def _summary(data: bytes, position: int, end: int, step: int, out: Scalars) -> None:
    while position < end:
        key, position = varint(data, position)
        if key != _SUMMARY_VALUE:
            position = skip(data, position, key & 7)
            continue
        size, position = varint(data, position)
        _value(data, position, position + size, step, out)
        position += size


def _value(data: bytes, position: int, end: int, step: int, out: Scalars) -> None:
    tag = ""
    number: float | None = None
    while position < end:
        key = data[position]
        position += 1
        if key == _VALUE_TAG:
            size, position = varint(data, position)
            tag = data[position : position + size].decode("utf-8", errors="replace")
            position += size
        elif key == _VALUE_SIMPLE:
            number = _FLOAT.unpack_from(data, position)[0]
            position += 4
        elif key == _VALUE_TENSOR:
            size, position = varint(data, position)
            number = _tensor(data, position, position + size)
            position += size
        else:
            if key >= 0x80:
                key, position = varint(data, position - 1)
            position = skip(data, position, key & 7)
    if number is not None:
        out.add(tag, step, number)


def _tensor(data: bytes, position: int, end: int) -> float | None:
    """The number of a scalar tensor; None for tensors with dimensions and for other types."""
    dtype, shaped = 0, False
    content = b""
    number: float | None = None
    while position < end:
        key, position = varint(data, position)
        if key == _TENSOR_DTYPE:
            dtype, position = varint(data, position)
        elif key in (_TENSOR_SHAPE, _TENSOR_CONTENT, _TENSOR_FLOATS, _TENSOR_DOUBLES):
            size, position = varint(data, position)
            piece = data[position : position + size]
            position += size
            if key == _TENSOR_SHAPE:
                shaped = size > 0
            elif key == _TENSOR_CONTENT:
                content = piece
            elif key == _TENSOR_FLOATS and size == 4:
                number = _FLOAT.unpack(piece)[0]
            elif key == _TENSOR_DOUBLES and size == 8:
                number = _DOUBLE.unpack(piece)[0]
        elif key == (5 << 3) | 5:
            number = _FLOAT.unpack_from(data, position)[0]
            position += 4
        else:
            position = skip(data, position, key & 7)
    form = _SCALAR_FORMATS.get(dtype)
    if number is None and form is not None and len(content) == struct.calcsize(form):
        number = float(struct.unpack(form, content)[0])
    return None if shaped else number


def _table() -> tuple[int, ...]:
    """CRC-32C (Castagnoli), reflected polynomial 0x82F63B78, one entry per byte."""
    out = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
        out.append(crc)
    return tuple(out)


_CRC = _table()


@functools.lru_cache(maxsize=4096)  # of lengths, of which a file has few
def _masked_crc(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _CRC[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    crc ^= 0xFFFFFFFF
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF
