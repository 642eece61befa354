"""Long JSON histories, a record at a time: `trainer_state.json` of a training of weeks, or a list of all its records.

A parsed document takes ten times the memory of its text. Where the history is the list `log_history` of the document,
or the document itself, its records are parsed one after the other, twice: first to see what they are.
"""

from __future__ import annotations

import codecs
import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from cmgan_audit.errors import InputError
from cmgan_audit.finding import JsonValue
from cmgan_audit.lazy_regex import regex
from cmgan_audit.logs.opening import BLOCK, read_blocks

Record = dict[str, JsonValue]
_Said = TypeVar("_Said")

_HISTORY = "log_history"
# A document whose beginning holds so much before its history is read as a whole.
_FARTHEST = 4 * BLOCK
_BLANK = regex(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


class _UnlikeError(Exception):
    """The document is none of a long history; it is read as a whole, which says what is wrong with it, if anything."""


def long_history(
    path: Path, source: str, survey: Callable[[Iterator[Record]], _Said]
) -> tuple[_Said, Callable[[], Iterator[Record]]] | None:
    """What a survey says of the records of a long history, and what gives them once more.

    None for a short history, and for another document.

    Raises:
        InputError: the file cannot be read, or is written anew while it is.
    """

    def records() -> Iterator[Record]:
        return _records(_Text(read_blocks(path, source)))

    def again() -> Iterator[Record]:
        try:
            yield from records()
        except _UnlikeError as error:
            raise InputError(f"{source}: has changed while it was read; try again") from error

    if all(False for _ in itertools.islice(read_blocks(path, source), 1, None)):
        return None
    try:
        return survey(records()), again
    except _UnlikeError:
        return None


class _Text:
    """The text of a file, as much of it as is needed at a time."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks, self._buffer, self._position = blocks, "", 0
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def _more(self) -> bool:
        """Read on; what was consumed is dropped."""
        block = next(self._blocks, None)
        if block is None:
            return False
        self._buffer = self._buffer[self._position :] + self._decoder.decode(block)
        self._position = 0
        return True

    def sign(self) -> str:
        """The next sign that is no blank, not consumed; "" at the end."""
        while True:
            self._position = _end_of_blanks(self._buffer, self._position)
            if self._position < len(self._buffer):
                return self._buffer[self._position]
            if not self._more():
                return ""

    def take(self, signs: str) -> str:
        """Consume the next sign, which must be one of these."""
        sign = self.sign()
        if not sign or sign not in signs:
            raise _UnlikeError
        self._position += 1
        return sign

    def value(self) -> JsonValue:
        """Consume the next value."""
        self.sign()
        while True:
            try:
                value: JsonValue
                value, end = _DECODER.raw_decode(self._buffer, self._position)
            except (ValueError, RecursionError) as error:
                if len(self._buffer) - self._position > _FARTHEST or not self._more():
                    raise _UnlikeError from error
                continue
            # A number at the end of what was read may go on.
            if end < len(self._buffer) or not self._more():
                self._position = end
                return value


def _end_of_blanks(text: str, position: int) -> int:
    found = _BLANK.match(text, position)
    return position if found is None else found.end()


def _records(text: _Text) -> Iterator[Record]:
    if text.sign() == "[":
        yield from _items(text)
        if text.sign():
            raise _UnlikeError
        return
    text.take("{")
    found = False
    while True:
        key = text.value()
        text.take(":")
        if key == _HISTORY:
            if found or text.sign() != "[":
                raise _UnlikeError
            found = True
            yield from _items(text)
        else:
            text.value()
        if text.take(",}") == "}":
            break
    if not found or text.sign():
        raise _UnlikeError


def _items(text: _Text) -> Iterator[Record]:
    text.take("[")
    if text.sign() == "]":
        text.take("]")
        return
    while True:
        item = text.value()
        if not isinstance(item, dict):
            raise _UnlikeError
        yield item
        if text.take(",]") == "]":
            return
