"""JSON with the exact place of every value: what `json.loads` gives, plus where it stands."""

from __future__ import annotations

import json
from collections.abc import Callable
from json import decoder
from typing import NoReturn

from cmgan_audit.lazy_regex import regex
from cmgan_audit.source.data_files.nodes import DataError, DataNode, Mapping, Scalar, Sequence
from cmgan_audit.source.positions import Positions

DEEPEST = 200
# The standard library's own scanner of string literals: text, offset after the quote, strictness.
_scan_string: Callable[[str, int, bool], tuple[str, int]] = decoder.scanstring  # type: ignore[attr-defined]
_SPACE = regex(r"[ \t\n\r]*")
_NUMBER = regex(r"(-?(?:0|[1-9][0-9]*))(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_WORDS = {
    "null": None,
    "true": True,
    "false": False,
    "NaN": float("nan"),
    "Infinity": float("inf"),
    "-Infinity": float("-inf"),
}


def read_json(path: str, text: str) -> DataNode:
    """The document of a JSON file, keys that stand twice settled as `json.loads` does (the last one wins).

    Raises DataError, with the line, exactly where `json.loads` raises.
    """
    return read_document(Reader(path, text), "JSON")


def read_document(reader: Reader, dialect: str) -> DataNode:
    """The one document of a text. Raises DataError with the line for what the dialect does not know."""
    try:
        node = reader.value(reader.skip(0), 0)
    except json.JSONDecodeError as error:
        raise DataError(error.lineno, f"not valid {dialect}: {error.msg}") from None
    after = reader.skip(reader.end)
    if after != len(reader.text):
        raise DataError(reader.positions.line(after), f"not valid {dialect}: more text after the document")
    return node


class Reader:
    """A recursive descent; `end` is the offset after the value that was read last.

    What a dialect writes in its own way is a method or an attribute that it replaces.
    """

    space = _SPACE
    quotes = '"'
    trailing_commas = False

    def __init__(self, path: str, text: str) -> None:
        self.text = text
        self.positions = Positions(path, text)
        self.end = 0

    def fail(self, offset: int, what: str) -> NoReturn:
        """Raise the error of the standard library's reader for a place."""
        raise json.JSONDecodeError(what, self.text, offset)

    def skip(self, offset: int) -> int:
        """The offset of the next token."""
        match = self.space.match(self.text, offset)
        return match.end() if match else offset

    def value(self, offset: int, depth: int) -> DataNode:
        """The value that begins at an offset."""
        if depth > DEEPEST:
            raise DataError(self.positions.line(offset), f"nested more than {DEEPEST} deep")
        first = self.text[offset : offset + 1]
        if first == "{":
            return self._mapping(offset, depth)
        if first == "[":
            return self._sequence(offset, depth)
        if first and first in self.quotes:
            text = self.string(offset)
            return Scalar(text, self.positions.location(offset, self.end))
        return self.word_or_number(offset)

    def string(self, offset: int) -> str:
        """The text of a string literal."""
        value, self.end = _scan_string(self.text, offset + 1, True)
        return value

    def key(self, offset: int) -> str:
        """The key of an entry."""
        if self.text[offset : offset + 1] != '"':
            self.fail(offset, "Expecting property name enclosed in double quotes")
        return self.string(offset)

    def word_or_number(self, offset: int) -> Scalar:
        """A scalar that is no string."""
        for word, meaning in _WORDS.items():
            if self.text.startswith(word, offset):
                self.end = offset + len(word)
                return Scalar(meaning, self.positions.location(offset, self.end), text=word)
        match = _NUMBER.match(self.text, offset)
        if match is None:
            self.fail(offset, "Expecting value")
        self.end = match.end()
        whole, fraction, exponent = match.groups()
        try:
            value = float(match.group()) if fraction or exponent else int(whole)
        except ValueError as error:
            self.fail(offset, str(error))
        return Scalar(value, self.positions.location(offset, self.end), text=match.group())

    def _sequence(self, start: int, depth: int) -> Sequence:
        items: list[DataNode] = []
        self._members(start, "]", lambda offset: items.append(self.value(offset, depth + 1)))
        return Sequence(items, self.positions.location(start, self.end))

    def _mapping(self, start: int, depth: int) -> Mapping:
        node = Mapping({}, self.positions.location(start, start + 1), keys={})
        self._members(start, "}", lambda offset: self._entry(node, offset, depth))
        return Mapping(node.entries, self.positions.location(start, self.end), keys=node.keys)

    def _members(self, start: int, close: str, read: Callable[[int], None]) -> None:
        """Read what stands between brackets, separated by commas."""
        offset = self.skip(start + 1)
        if self.text[offset : offset + 1] != close:
            while True:
                read(offset)
                offset = self.skip(self.end)
                if self.text[offset : offset + 1] != ",":
                    break
                offset = self.skip(offset + 1)
                if self.trailing_commas and self.text[offset : offset + 1] == close:
                    break
            if self.text[offset : offset + 1] != close:
                self.fail(offset, "Expecting ',' delimiter")
        self.end = offset + 1

    def _entry(self, node: Mapping, offset: int, depth: int) -> None:
        key = self.key(offset)
        end = self.end
        colon = self.skip(end)
        if self.text[colon : colon + 1] != ":":
            self.fail(colon, "Expecting ':' delimiter")
        node.entries[key] = self.value(self.skip(colon + 1), depth + 1)
        assert node.keys is not None
        node.keys[key] = self.positions.location(offset, end)
