"""JSON5 with the exact place of every value: JSON with comments, trailing commas, bare keys and single quotes.

https://spec.json5.org
"""

from __future__ import annotations

import re

from cmgan_audit.source.data import DataError, DataNode, Mapping, Scalar, Sequence
from cmgan_audit.source.json_file import DEEPEST
from cmgan_audit.source.positions import Positions

# Everything between two tokens: white space, line comments, block comments.
_SPACE = re.compile(r"(?:[\s\ufeff]+|//[^\n\r\u2028\u2029]*|/\*.*?\*/)*", re.DOTALL)
_NUMBER = re.compile(
    r"([+-]?)(?:(0[xX][0-9a-fA-F]+)|(Infinity|NaN)|((?:0|[1-9][0-9]*)?(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?))"
)
_NAME = re.compile(r"(?:[^\W\d]|[$]|\\u[0-9a-fA-F]{4})(?:\w|[$\u200c\u200d]|\\u[0-9a-fA-F]{4})*")
_STRING = re.compile(r"\"((?:[^\"\\\n\r]|\\(?:\r\n|.|\n))*)\"|'((?:[^'\\\n\r]|\\(?:\r\n|.|\n))*)'")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(\r\n|[\n\r\u2028\u2029])|([^ux1-9]))", re.DOTALL)
_ESCAPED = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "0": "\0"}
_WORDS = {"null": None, "true": True, "false": False}


def read_json5(path: str, text: str) -> DataNode:
    """The document of a JSON5 file; of a key that stands twice the last value counts.

    Raises:
        DataError: with the line, for what is no JSON5.
    """
    reader = _Reader(path, text)
    node = reader.value(reader.skip(0), 0)
    after = reader.skip(reader.end)
    if after != len(text):
        raise reader.error(after, "more text after the document")
    return node


class _Reader:
    """A recursive descent; `end` is the offset after the value that was read last."""

    def __init__(self, path: str, text: str) -> None:
        self.text = text
        self.positions = Positions(path, text)
        self.end = 0

    def error(self, offset: int, what: str) -> DataError:
        return DataError(self.positions.line(offset), f"not valid JSON5: {what}")

    def skip(self, offset: int) -> int:
        match = _SPACE.match(self.text, offset)
        return match.end() if match else offset

    def value(self, offset: int, depth: int) -> DataNode:
        if depth > DEEPEST:
            raise DataError(self.positions.line(offset), f"nested more than {DEEPEST} deep")
        first = self.text[offset : offset + 1]
        if first == "{":
            return self._mapping(offset, depth)
        if first == "[":
            return self._sequence(offset, depth)
        if first and first in "\"'":
            return Scalar(self._string(offset), self.positions.location(offset, self.end))
        return self._word_or_number(offset)

    def _string(self, offset: int) -> str:
        match = _STRING.match(self.text, offset)
        if match is None:
            raise self.error(offset, "a string that does not end on its line")
        self.end = match.end()
        inner = match[1] if match[1] is not None else match[2]
        return self._unescaped(inner, offset)

    def _unescaped(self, text: str, offset: int) -> str:
        def meaning(match: re.Match[str]) -> str:
            code = match[1] or match[2]
            if code:
                return chr(int(code, 16))
            return "" if match[3] else _ESCAPED.get(match[4], match[4])

        if text.count("\\") and "\\" in _ESCAPE.sub("", text):
            raise self.error(offset, "an escape that JSON5 does not know")
        joined = _ESCAPE.sub(meaning, text)
        # Two escapes may make one character outside of the basic plane.
        return joined.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if "\\u" in text else joined

    def _word_or_number(self, offset: int) -> Scalar:
        for word, meaning in _WORDS.items():
            if self.text.startswith(word, offset):
                self.end = offset + len(word)
                return Scalar(meaning, self.positions.location(offset, self.end), text=word)
        match = _NUMBER.match(self.text, offset)
        number = None if match is None else _number(match)
        if match is None or number is None:
            raise self.error(offset, "a value is missing here")
        self.end = match.end()
        return Scalar(number, self.positions.location(offset, self.end), text=match[0])

    def _sequence(self, start: int, depth: int) -> Sequence:
        items: list[DataNode] = []
        offset = self.skip(start + 1)
        while self.text[offset : offset + 1] != "]":
            items.append(self.value(offset, depth + 1))
            offset = self._after(self.skip(self.end), "]")
        self.end = offset + 1
        return Sequence(items, self.positions.location(start, self.end))

    def _mapping(self, start: int, depth: int) -> Mapping:
        node = Mapping({}, self.positions.location(start, start + 1), keys={})
        offset = self.skip(start + 1)
        while self.text[offset : offset + 1] != "}":
            offset = self._after(self._entry(node, offset, depth), "}")
        self.end = offset + 1
        return Mapping(node.entries, self.positions.location(start, self.end), keys=node.keys)

    def _after(self, offset: int, close: str) -> int:
        """The offset of the next item or of the bracket, behind one comma or none."""
        if self.text[offset : offset + 1] == ",":
            return self.skip(offset + 1)
        if self.text[offset : offset + 1] != close:
            raise self.error(offset, f"',' or '{close}' is missing here")
        return offset

    def _entry(self, node: Mapping, offset: int, depth: int) -> int:
        if self.text[offset : offset + 1] in ('"', "'"):
            key, end = self._string(offset), self.end
        else:
            match = _NAME.match(self.text, offset)
            if match is None:
                raise self.error(offset, "a key is missing here")
            key, end = self._unescaped(match[0], offset), match.end()
        colon = self.skip(end)
        if self.text[colon : colon + 1] != ":":
            raise self.error(colon, "':' is missing here")
        node.entries[key] = self.value(self.skip(colon + 1), depth + 1)
        assert node.keys is not None
        node.keys[key] = self.positions.location(offset, end)
        return self.skip(self.end)


def _number(match: re.Match[str]) -> int | float | None:
    sign, hexadecimal, word, decimal = match.groups()
    factor = -1 if sign == "-" else 1
    if hexadecimal:
        return factor * int(hexadecimal, 16)
    if word:
        return factor * float(word.lower())
    if not decimal or not any(character.isdigit() for character in decimal.partition("e")[0].partition("E")[0]):
        return None
    try:
        return factor * int(decimal) if decimal.isdigit() else factor * float(decimal)
    except ValueError:
        return None  # more digits than Python turns into a number
