"""Writes event files byte by byte, as the TFRecord and protobuf formats say; for tests of the reader."""

from __future__ import annotations

import struct

from cmgan_audit.logs.formats.event_file import _masked_crc


def varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while True:
        byte, value = value & 0x7F, value >> 7
        out.append(byte | (0x80 if value else 0))
        if not value:
            return bytes(out)


def field(number: int, payload: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def scalar(tag: str, step: int, value: float, *, tensor: str = "") -> bytes:
    """An event with one scalar: simple_value, or a tensor with float_val ("float") or content ("content")."""
    if not tensor:
        body = varint(2 << 3 | 5) + struct.pack("<f", value)
    elif tensor == "float":
        body = field(8, varint(1 << 3) + varint(1) + field(5, struct.pack("<f", value)))
    else:
        body = field(8, varint(1 << 3) + varint(2) + field(4, struct.pack("<d", value)))
    summary = field(1, field(1, tag.encode()) + body)
    return varint(1 << 3 | 1) + struct.pack("<d", 1.7e9) + varint(2 << 3) + varint(step) + field(5, summary)


def frame(event: bytes) -> bytes:
    length = struct.pack("<Q", len(event))
    return length + struct.pack("<I", _masked_crc(length)) + event + struct.pack("<I", 0)
