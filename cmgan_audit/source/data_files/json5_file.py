"""JSON5 with the exact place of every value: JSON with comments, trailing commas, bare keys and single quotes.

https://spec.json5.org
"""

from __future__ import annotations

import re

from cmgan_audit.lazy_regex import regex
from cmgan_audit.source.data_files.json_file import Reader, read_document
from cmgan_audit.source.data_files.nodes import DataNode, Scalar

# Everything between two tokens: white space, line comments, block comments.
_SPACE = regex(r"(?:[\s\ufeff]+|//[^\n\r\u2028\u2029]*|/\*.*?\*/)*", re.DOTALL)
_NUMBER = regex(r"([+-]?)(?:(0[xX][0-9a-fA-F]+)|(Infinity|NaN)|((?:0|[1-9][0-9]*)?(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?))")
_NAME = regex(r"(?:[^\W\d]|[$]|\\u[0-9a-fA-F]{4})(?:\w|[$\u200c\u200d]|\\u[0-9a-fA-F]{4})*")
_STRING = regex(r"\"((?:[^\"\\\n\r]|\\(?:\r\n|.|\n))*)\"|'((?:[^'\\\n\r]|\\(?:\r\n|.|\n))*)'")
_ESCAPE = regex(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(\r\n|[\n\r\u2028\u2029])|([^ux1-9]))", re.DOTALL)
_ESCAPED = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "0": "\0"}
_WORDS = {"null": None, "true": True, "false": False}


def read_json5(path: str, text: str) -> DataNode:
    """The document of a JSON5 file; of a key that stands twice the last value counts.

    Raises:
        DataError: with the line, for what is no JSON5.
    """
    return read_document(_Reader(path, text), "JSON5")


class _Reader(Reader):
    space = _SPACE
    quotes = "\"'"
    trailing_commas = True

    def string(self, offset: int) -> str:
        match = _STRING.match(self.text, offset)
        if match is None:
            self.fail(offset, "a string that does not end on its line")
        self.end = match.end()
        return self._unescaped(match[1] if match[1] is not None else match[2], offset)

    def key(self, offset: int) -> str:
        if self.text[offset : offset + 1] in ('"', "'"):
            return self.string(offset)
        match = _NAME.match(self.text, offset)
        if match is None:
            self.fail(offset, "a key is missing here")
        self.end = match.end()
        return self._unescaped(match[0], offset)

    def word_or_number(self, offset: int) -> Scalar:
        for word, meaning in _WORDS.items():
            if self.text.startswith(word, offset):
                self.end = offset + len(word)
                return Scalar(meaning, self.positions.location(offset, self.end), text=word)
        match = _NUMBER.match(self.text, offset)
        number = None if match is None else _number(match)
        if match is None or number is None:
            self.fail(offset, "a value is missing here")
        self.end = match.end()
        return Scalar(number, self.positions.location(offset, self.end), text=match[0])

    def _unescaped(self, text: str, offset: int) -> str:
        def meaning(match: re.Match[str]) -> str:
            code = match[1] or match[2]
            if code:
                return chr(int(code, 16))
            return "" if match[3] else _ESCAPED.get(match[4], match[4])

        if "\\" in _ESCAPE.sub("", text):
            self.fail(offset, "an escape that JSON5 does not know")
        joined = _ESCAPE.sub(meaning, text)
        # Two escapes may make one character outside of the basic plane.
        return joined.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if "\\u" in text else joined


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
