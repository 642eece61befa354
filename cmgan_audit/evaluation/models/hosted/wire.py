"""Messages between this process and the one that runs a user's code: a JSON header, and float32 samples if any.

A frame is the header's length (4 bytes), the payload's length (8 bytes), the header (JSON, UTF-8), the payload.
"""

from __future__ import annotations

import json
import struct
from typing import BinaryIO

import numpy as np

from cmgan_audit.evaluation.models.enhancer import Samples
from cmgan_audit.finding import JsonValue

Header = dict[str, JsonValue]

_LENGTHS = struct.Struct("<IQ")
_LARGEST_HEADER = 1 << 24
_LARGEST_PAYLOAD = 1 << 32


class WireError(Exception):
    """The stream does not hold frames: the other side is broken."""


def pack(header: Header, samples: Samples | None = None) -> bytes:
    """A frame."""
    payload = b"" if samples is None else np.ascontiguousarray(samples, dtype="<f4").tobytes()
    text = json.dumps(header).encode()
    return _LENGTHS.pack(len(text), len(payload)) + text + payload


def lengths(prefix: bytes) -> tuple[int, int]:
    """Lengths of header and payload from a frame's first bytes.

    Raises:
        WireError: they are impossible.
    """
    header, payload = _LENGTHS.unpack(prefix)
    if header > _LARGEST_HEADER or payload > _LARGEST_PAYLOAD:
        raise WireError(f"a frame claims {header} and {payload} bytes")
    return header, payload


PREFIX_SIZE = _LENGTHS.size


def read_frame(stream: BinaryIO) -> tuple[Header, Samples] | None:
    """The next frame of a stream as header and flat samples; None at its end.

    Raises:
        WireError: the stream ends inside a frame or holds something else.
    """
    prefix = stream.read(PREFIX_SIZE)
    if not prefix:
        return None
    if len(prefix) < PREFIX_SIZE:
        raise WireError("the stream ends inside a frame")
    header_size, payload_size = lengths(prefix)
    text, payload = stream.read(header_size), stream.read(payload_size)
    return unpack(text, payload)


def unpack(text: bytes, payload: bytes) -> tuple[Header, Samples]:
    """Header and flat samples of a frame's two parts.

    Raises:
        WireError: the header is not a JSON object, or the payload is not whole samples.
    """
    try:
        header = json.loads(text)
    except ValueError as error:
        raise WireError(f"a frame's header is not JSON: {error}") from error
    if not isinstance(header, dict) or len(payload) % 4:
        raise WireError("a frame is malformed")
    return header, np.frombuffer(payload, dtype="<f4").astype(np.float32)
