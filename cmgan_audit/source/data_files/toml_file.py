"""TOML with the exact place of every value: `tomllib` says what the values are, a scan of the text says where."""

from __future__ import annotations

import re
import tomllib
from typing import Any

from cmgan_audit.lazy_regex import regex
from cmgan_audit.source.data_files.nodes import DataError, DataNode, Mapping, Scalar, Sequence
from cmgan_audit.source.positions import Positions

_BLANK = regex(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = regex(r"[ \t]*")
_BARE = regex(r"[A-Za-z0-9_-]+")
_BASIC = regex(r'"(?:[^"\\\n]|\\.)*"')
_LITERAL = regex(r"'[^'\n]*'")
_LONG_BASIC = regex(r'"""(?:[^\\]|\\.)*?"{3,5}', re.DOTALL)
_LONG_LITERAL = regex(r"'''.*?'{3,5}", re.DOTALL)
_PLAIN = regex(r"[^,\]}#\r\n]+")
_LINE = regex(r" \(at line (\d+), column \d+\)| \(at end of document\)")


def read_toml(path: str, text: str) -> DataNode:
    """The document of a TOML file. Raises DataError, with the line, where `tomllib` raises."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        match = _LINE.search(str(error))
        line = int(match.group(1)) if match and match.group(1) else 0
        raise DataError(line, f"not valid TOML: {_LINE.sub('', str(error))}") from None
    except (RecursionError, ValueError) as error:
        raise DataError(0, f"not valid TOML: {error}") from None
    return _Scan(path, text).run(document)


class _Scan:
    """Walks the text of a document that is known to be valid, in step with the values that `tomllib` read."""

    def __init__(self, path: str, text: str) -> None:
        self.text = text
        self.positions = Positions(path, text)
        self.end = 0

    def run(self, document: dict[str, Any]) -> Mapping:
        root = Mapping({}, self.positions.location(0, len(self.text)), keys={})
        table, values = root, document
        offset = self._blank(0)
        while offset < len(self.text):
            if self.text[offset] == "[":
                table, values = self._header(root, document, offset)
            else:
                self._pair(table, values, offset)
            offset = self._blank(self.end)
        return root

    def _blank(self, offset: int) -> int:
        match = _BLANK.match(self.text, offset)
        return match.end() if match else offset

    def _space(self, offset: int) -> int:
        match = _SPACE.match(self.text, offset)
        return match.end() if match else offset

    def _header(self, root: Mapping, document: dict[str, Any], offset: int) -> tuple[Mapping, dict[str, Any]]:
        many = self.text.startswith("[[", offset)
        parts = self._key(offset + (2 if many else 1))
        self.end = self.text.index("]", self.end) + (2 if many else 1)
        place = self.positions.location(offset, self.end)
        node, values = root, document
        for index, (part, _) in enumerate(parts):
            last = index == len(parts) - 1
            node, values = self._enter(node, values, part, place, new_item=many and last)
        return node, values

    def _enter(
        self, node: Mapping, values: dict[str, Any], part: str, place: Any, *, new_item: bool
    ) -> tuple[Mapping, dict[str, Any]]:
        """The table below a key, made when it is met first; of an array of tables the last (or a new) one."""
        below = values[part]
        assert node.keys is not None
        node.keys.setdefault(part, place)
        if isinstance(below, dict):
            child = node.entries.setdefault(part, Mapping({}, place, keys={}))
            assert isinstance(child, Mapping)
            return child, below
        array = node.entries.setdefault(part, Sequence([], place))
        assert isinstance(array, Sequence)
        if new_item:
            array.items.append(Mapping({}, place, keys={}))
        last = array.items[-1]
        assert isinstance(last, Mapping)
        return last, below[len(array.items) - 1]

    def _pair(self, table: Mapping, values: dict[str, Any], offset: int) -> None:
        parts = self._key(offset)
        for part, place in parts[:-1]:
            table, values = self._enter(table, values, part, place, new_item=False)
        name, place = parts[-1]
        start = self._space(self.text.index("=", self.end) + 1)
        assert table.keys is not None
        table.keys[name] = place
        table.entries[name] = self._value(start, values[name])

    def _key(self, offset: int) -> list[tuple[str, Any]]:
        """A dotted key: its parts with their places; `end` is after the last."""
        parts: list[tuple[str, Any]] = []
        while True:
            offset = self._space(offset)
            match = next((m for m in (p.match(self.text, offset) for p in (_BARE, _BASIC, _LITERAL)) if m), None)
            assert match is not None
            text = match.group()
            name = text if text[0] not in "\"'" else tomllib.loads(f"x = {text}")["x"]
            parts.append((name, self.positions.location(offset, match.end())))
            self.end = match.end()
            offset = self._space(match.end())
            if self.text[offset : offset + 1] != ".":
                return parts
            offset += 1

    def _value(self, start: int, value: Any) -> DataNode:
        if isinstance(value, list):
            return self._array(start, value)
        if isinstance(value, dict):
            return self._inline(start, value)
        patterns = (_LONG_BASIC, _LONG_LITERAL, _BASIC, _LITERAL) if isinstance(value, str) else (_PLAIN,)
        match = next(m for m in (pattern.match(self.text, start) for pattern in patterns) if m)
        self.end = start + len(match.group().rstrip())
        plain = "" if isinstance(value, str) else self.text[start : self.end]
        return Scalar(value, self.positions.location(start, self.end), text=plain)

    def _array(self, start: int, values: list[Any]) -> Sequence:
        items: list[DataNode] = []
        offset = start + 1
        for value in values:
            items.append(self._value(self._blank(offset), value))
            offset = self._blank(self.end)
            if self.text[offset] == ",":
                offset += 1
        self.end = self._blank(offset) + 1
        return Sequence(items, self.positions.location(start, self.end))

    def _inline(self, start: int, values: dict[str, Any]) -> Mapping:
        node = Mapping({}, self.positions.location(start, start + 1), keys={})
        offset = self._blank(start + 1)
        while self.text[offset] != "}":
            self._pair(node, values, offset)
            offset = self._blank(self.end)
            if self.text[offset] == ",":
                offset = self._blank(offset + 1)
        self.end = offset + 1
        return Mapping(node.entries, self.positions.location(start, self.end), keys=node.keys)
