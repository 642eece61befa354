"""The wire format of protobuf messages, as far as logs need it: numbers, lengths and fields."""

from __future__ import annotations

from collections.abc import Iterator


class CorruptError(Exception):
    """A message is not what it should be; the readers tell of it in their own words."""


def varint(data: bytes, position: int) -> tuple[int, int]:
    """A number of variable length, and the position behind it.

    Raises:
        CorruptError: it is longer than 64 bits.
        IndexError: the data ends in it.
    """
    byte = data[position]
    position += 1
    if byte < 0x80:
        return byte, position
    value, shift = byte & 0x7F, 7
    while True:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
        if shift > 63:
            raise CorruptError


def skip(data: bytes, position: int, wire: int) -> int:
    """The position behind a field of this wire type.

    Raises:
        CorruptError: there is no such wire type.
    """
    if wire == 0:
        return varint(data, position)[1]
    if wire == 1:
        return position + 8
    if wire == 2:
        size, position = varint(data, position)
        return position + size
    if wire == 5:
        return position + 4
    raise CorruptError


def fields(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The fields of a message that have a length (texts, messages), with their numbers; all others are passed over.

    Raises:
        CorruptError: this is no message.
        IndexError: it is cut off.
    """
    position = 0
    while position < len(data):
        key, position = varint(data, position)
        if key & 7 != 2:
            position = skip(data, position, key & 7)
            continue
        size, position = varint(data, position)
        if position + size > len(data):
            raise CorruptError
        yield key >> 3, data[position : position + size]
        position += size
