"""A block of a log as a terminal would show it: without colours, and with what was drawn last on every line."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from cmgan_audit.lazy_regex import regex

# The minus sign of typesetting (U+2212), as NumPy-styled tables and plots write it.
_MINUS = b"\xe2\x88\x92"
_ESCAPE = regex(rb"\x1b(?:\[[0-9;:?]*[A-Za-z]|\][^\x07\n]*\x07|[()][A-Z0-9])")
_OVERWRITTEN = regex(rb"[^\n\r]*(?:\r+[^\n\r]+)+")


def as_shown(block: bytes) -> bytes:
    """The block without what was drawn over: a progress bar that is drawn again and again counts once."""
    for mark in (b"\0", b"\1"):  # what shapes are marked with
        if mark in block:
            block = block.replace(mark, b" ")
    if b"\x1b" in block:
        block = _ESCAPE.sub(b"", block)
    if _MINUS in block:
        block = block.replace(_MINUS, b"-")
    if b"\r" not in block:
        return block
    block = block.replace(b"\r\n", b"\n")
    return _OVERWRITTEN.sub(_last_drawn, block).replace(b"\r", b"\n") if b"\r" in block else block


def in_parts(shown: bytes, size: int) -> Iterator[bytes]:
    """A block in parts of whole lines of about this size: a log of carriage returns alone is one line of the file."""
    first = 0
    while len(shown) - first > 2 * size:
        end = shown.find(b"\n", first + size) + 1 or len(shown)
        yield shown[first:end]
        first = end
    yield shown[first:]


def _last_drawn(match: re.Match[bytes]) -> bytes:
    pieces = [piece for piece in match.group().split(b"\r") if piece.strip()]
    kept = [a for a, b in itertools.pairwise(pieces) if _lead(a) != _lead(b)]
    return b"\n".join([*kept, *pieces[-1:]])


def _lead(piece: bytes) -> bytes:
    """What a progress bar shows before its percentage: two drawings of one bar have it in common."""
    found = re.search(rb"\s*[0-9.]+\s*%", piece)
    return piece[: found.start()] if found else piece[:24]
