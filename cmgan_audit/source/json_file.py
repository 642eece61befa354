"""JSON with the exact place of every value: what `json.loads` gives, plus where it stands."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from json import decoder

from cmgan_audit.source.data import DataError, DataNode, Mapping, Scalar, Sequence
from cmgan_audit.source.positions import Positions

DEEPEST = 200
# The standard library's own scanner of string literals: text, offset after the quote, strictness.
_scan_string: Callable[[str, int, bool], tuple[str, int]] = decoder.scanstring  # type: ignore[attr-defined]
_SPACE = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(r"(-?(?:0|[1-9][0-9]*))(\.[0-9]+)?([eE][-+]?[0-9]+)?")
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
    reader = _Reader(path, text)
    try:
        node = reader.value(reader.skip(0), 0)
    except json.JSONDecodeError as error:
        raise DataError(error.lineno, f"not valid JSON: {error.msg}") from None
    if reader.skip(reader.end) != len(text):
        raise DataError(reader.positions.line(reader.end), "not valid JSON: more text after the document")
    return node


class _Reader:
    """A recursive descent; `end` is the offset after the value that was read last."""

    def __init__(self, path: str, text: str) -> None:
        self.text = text
        self.positions = Positions(path, text)
        self.end = 0

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
        if first == '"':
            value, self.end = _scan_string(self.text, offset + 1, True)
            return Scalar(value, self.positions.location(offset, self.end))
        return self._word_or_number(offset)

    def _word_or_number(self, offset: int) -> Scalar:
        for word, meaning in _WORDS.items():
            if self.text.startswith(word, offset):
                self.end = offset + len(word)
                return Scalar(meaning, self.positions.location(offset, self.end), text=word)
        match = _NUMBER.match(self.text, offset)
        if match is None:
            raise json.JSONDecodeError("Expecting value", self.text, offset)
        self.end = match.end()
        whole, fraction, exponent = match.groups()
        try:
            value = float(match.group()) if fraction or exponent else int(whole)
        except ValueError as error:
            raise DataError(self.positions.line(offset), f"not valid JSON: {error}") from None
        return Scalar(value, self.positions.location(offset, self.end), text=match.group())

    def _sequence(self, start: int, depth: int) -> Sequence:
        items: list[DataNode] = []
        offset = self.skip(start + 1)
        if self.text[offset : offset + 1] != "]":
            while True:
                items.append(self.value(offset, depth + 1))
                offset = self.skip(self.end)
                if self.text[offset : offset + 1] != ",":
                    break
                offset = self.skip(offset + 1)
            if self.text[offset : offset + 1] != "]":
                raise json.JSONDecodeError("Expecting ',' delimiter", self.text, offset)
        self.end = offset + 1
        return Sequence(items, self.positions.location(start, self.end))

    def _mapping(self, start: int, depth: int) -> Mapping:
        node = Mapping({}, self.positions.location(start, start + 1), keys={})
        offset = self.skip(start + 1)
        if self.text[offset : offset + 1] != "}":
            while True:
                offset = self._entry(node, offset, depth)
                if self.text[offset : offset + 1] != ",":
                    break
                offset = self.skip(offset + 1)
            if self.text[offset : offset + 1] != "}":
                raise json.JSONDecodeError("Expecting ',' delimiter", self.text, offset)
        self.end = offset + 1
        return Mapping(node.entries, self.positions.location(start, self.end), keys=node.keys)

    def _entry(self, node: Mapping, offset: int, depth: int) -> int:
        if self.text[offset : offset + 1] != '"':
            raise json.JSONDecodeError("Expecting property name enclosed in double quotes", self.text, offset)
        key, end = _scan_string(self.text, offset + 1, True)
        colon = self.skip(end)
        if self.text[colon : colon + 1] != ":":
            raise json.JSONDecodeError("Expecting ':' delimiter", self.text, colon)
        node.entries[key] = self.value(self.skip(colon + 1), depth + 1)
        assert node.keys is not None
        node.keys[key] = self.positions.location(offset, end)
        return self.skip(self.end)
