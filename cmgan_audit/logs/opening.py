"""Opens logs: plain or gzip, UTF-8, UTF-32 or the UTF-16 that PowerShell writes; in blocks of whole lines."""

from __future__ import annotations

import codecs
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from cmgan_audit.errors import InputError

BLOCK = 1 << 20
# A line longer than this is cut: no log has one, and memory stays bounded.
LONGEST_LINE = 16 << 20
# UTF-16 or UTF-32 without its mark: so large a part of every second byte of the beginning is zero, and none of the
# others; or of three in every four.
_SAMPLE, _MOSTLY = 4096, 0.8
_ZEROS = bytes(16)


def open_bytes(path: Path, source: str) -> BinaryIO:
    """Open a file, unpacked if it is gzip.

    Raises:
        InputError: it cannot be opened.
    """
    try:
        raw = path.open("rb")
        if raw.read(2) != b"\x1f\x8b":
            raw.seek(0)
            return raw
        raw.close()
        return cast(BinaryIO, gzip.open(path, "rb"))
    except OSError as error:
        raise InputError(f"{source}: cannot be read: {error.strerror or error}") from error


def read_blocks(path: Path, source: str) -> Iterator[bytes]:
    """Blocks of whole lines in UTF-8, each ending with a newline except the last.

    Raises:
        InputError: the file cannot be read, or its compression is broken.
    """
    with open_bytes(path, source) as stream:
        data = _first(stream, BLOCK, source)
        decoder, mark = _decoder(data)
        rest, data = b"", data[mark:]
        while True:
            final = not data
            if decoder is not None:
                data = decoder.decode(data, final).encode("utf-8", errors="replace")
            rest += data
            if final:
                break
            end = rest.rfind(b"\n") + 1
            if not end and len(rest) >= LONGEST_LINE:
                end = len(rest)
            if end:
                yield rest[:end]
                rest = rest[end:]
            data = _read(stream, BLOCK, source)
        if rest:
            yield rest


def peek(path: Path, source: str, size: int) -> tuple[str, bool]:
    """The beginning of a file as text, whatever its encoding, and whether that is all of it.

    Raises:
        InputError: it cannot be read.
    """
    with open_bytes(path, source) as stream:
        data = _first(stream, size, source)
    decoder, mark = _decoder(data)
    text = data[mark:].decode("utf-8", errors="replace") if decoder is None else decoder.decode(data[mark:])
    return text, len(data) < size


def _read(stream: BinaryIO, size: int, source: str) -> bytes:
    try:
        return stream.read(size)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{source}: cannot be read to its end: {error}") from error


def _first(stream: BinaryIO, size: int, source: str) -> bytes:
    """The first data behind the zeros that a log begins with when it is emptied while a program still writes to it."""
    while data := _read(stream, size, source):
        if data.startswith(_ZEROS):
            data = data.lstrip(b"\0")
        if data:
            break
    return data


def _decoder(data: bytes) -> tuple[codecs.IncrementalDecoder | None, int]:
    """What makes text of a file that begins so (None: it is UTF-8), and the length of the mark in front of it."""
    if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):  # the former begins with UTF-16's mark
        return codecs.getincrementaldecoder("utf-32")(errors="replace"), 0
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return codecs.getincrementaldecoder("utf-16")(errors="replace"), 0
    if data.startswith(codecs.BOM_UTF8):
        return None, len(codecs.BOM_UTF8)
    head = data[:_SAMPLE]
    for zeros, others, encoding in ((head[1::2], head[::2], "utf-16-le"), (head[::2], head[1::2], "utf-16-be")):
        if zeros and zeros.count(0) > _MOSTLY * len(zeros) and others.count(0) == 0:
            return codecs.getincrementaldecoder(encoding)(errors="replace"), 0
    for first, encoding in ((0, "utf-32-le"), (3, "utf-32-be")):
        filler = b"".join(head[place::4] for place in range(4) if place != first)
        if filler and filler.count(0) > _MOSTLY * len(filler) and head[first::4].count(0) == 0:
            return codecs.getincrementaldecoder(encoding)(errors="replace"), 0
    return (None if data.isascii() else _older_encoding(data)), 0


def _older_encoding(data: bytes) -> codecs.IncrementalDecoder | None:
    """A decoder for text that is not UTF-8: Windows writes Chinese as GB 18030, and most else as code page 1252.

    A UTF-8 log with a few broken bytes (a cut-off write, another program's output) stays UTF-8.
    """
    text = codecs.getincrementaldecoder("utf-8")(errors="replace").decode(data)
    broken = text.count("\ufffd")
    if broken * 2 <= sum(not char.isascii() for char in text):
        return None
    try:
        chinese = codecs.getincrementaldecoder("gb18030")().decode(data)
    except UnicodeDecodeError:
        chinese = ""
    letters = [char for char in chinese if not char.isascii()]
    is_chinese = (
        letters and sum("\u3000" <= char <= "\u9fff" or char >= "\uff00" for char in letters) > len(letters) / 2
    )
    return codecs.getincrementaldecoder("gb18030" if is_chinese else "cp1252")(errors="replace")


def read_all(path: Path, source: str, limit: int) -> str:
    """The whole file as text; for formats that cannot be streamed.

    Raises:
        InputError: it cannot be read or is larger than `limit` bytes.
    """
    parts: list[bytes] = []
    size = 0
    for block in read_blocks(path, source):
        size += len(block)
        if size > limit:
            raise InputError(f"{source}: larger than {limit >> 20} MB, too large for its format; use JSONL or CSV")
        parts.append(block)
    return b"".join(parts).decode("utf-8", errors="replace")
