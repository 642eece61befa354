"""YAML documents whose every value knows its line, so that an error can name file, line, value and legal keys."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import yaml

from cmgan_audit.rules.nearest import unknown_word
from cmgan_audit.rules.rule import RuleError

# The C loader reads the catalogue ten times faster; both give the same nodes.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TEXT = "tag:yaml.org,2002:str"


class Section:
    """A mapping of a YAML file, read key by key; a key that nobody may use is an error."""

    def __init__(self, path: Path, node: yaml.Node, what: str, legal: Iterable[str]) -> None:
        self.path = path
        self.line: int = node.start_mark.line + 1
        self._what = what
        if not isinstance(node, yaml.MappingNode):
            self.fail(f"{what}: a mapping of keys to values is needed")
        self._nodes: dict[str, yaml.Node] = {}
        legal = tuple(legal)
        for key, value in node.value:
            name, line = str(key.value), key.start_mark.line + 1
            if legal and name not in legal:
                raise RuleError(path, line, f"{what}: {unknown_word('key', name, legal)}")
            if name in self._nodes:
                raise RuleError(path, line, f"{what}: {name!r} stands here twice")
            self._nodes[name] = value

    def __contains__(self, key: str) -> bool:
        return key in self._nodes

    def __iter__(self) -> Iterator[str]:
        return iter(self._nodes)

    def fail(self, reason: str, key: str = "") -> NoReturn:
        """Raise an error at a key, or at the section."""
        raise RuleError(self.path, self.line_of(key) if key else self.line, reason)

    def line_of(self, key: str) -> int:
        """The line on which the value of a key begins (the section's own line without that key)."""
        node = self._nodes.get(key)
        return self.line if node is None else int(node.start_mark.line) + 1

    def node(self, key: str) -> yaml.Node:
        """The YAML node of a key that is there."""
        return self._nodes[key]

    def value(self, key: str) -> Any:
        """The plain value of a key, None without it."""
        return plain(self._nodes[key], self.path) if key in self._nodes else None

    def text(self, key: str, *, required: bool = True) -> str:
        """The text under a key; "" when it may be missing and is."""
        value = self.value(key)
        if value is None or value == "":
            if required:
                self.fail(f"{self._what}: {key!r} is missing or empty", key)
            return ""
        if not isinstance(value, str):
            self.fail(f"{key}: {value!r} is not text; write it in quotes", key)
        return value.strip()

    def word(self, key: str, legal: Iterable[str], *, required: bool = True) -> str:
        """The text under a key, which must be one of the legal words."""
        value = self.text(key, required=required)
        if value and value not in tuple(legal):
            self.fail(f"{key}: {unknown_word('value', value, legal)}", key)
        return value

    def flag(self, key: str) -> bool:
        """The truth value under a key; false without it."""
        value = self.value(key)
        if value is not None and not isinstance(value, bool):
            self.fail(f"{key}: {value!r} is neither true nor false", key)
        return bool(value)

    def items(self, key: str) -> list[yaml.Node]:
        """The nodes of the list under a key; none without it."""
        node = self._nodes.get(key)
        if node is None:
            return []
        if not isinstance(node, yaml.SequenceNode):
            self.fail(f"{key}: a list is needed", key)
        return list(node.value)

    def texts(self, key: str) -> tuple[str, ...]:
        """The list of texts under a key; none without it."""
        found = []
        for node in self.items(key):
            value = plain(node, self.path)
            if not isinstance(value, str):
                raise RuleError(
                    self.path, node.start_mark.line + 1, f"{key}: {value!r} is not text; write it in quotes"
                )
            found.append(value.strip())
        return tuple(found)


def read_document(path: Path, *, without: str = "") -> yaml.Node:
    """Read the one document of a YAML file as nodes with their places.

    Args:
        path: the file.
        without: a key of the document that is left out, if it is the last one and its value stands on lines of its own.

    Raises:
        RuleError: the file cannot be read, is no YAML, or is empty.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise RuleError(path, 1, f"cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise RuleError(path, 1, f"is not UTF-8 text: {error.reason}") from error
    if without:
        text = _before_last(text, without)
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = 1 if mark is None else mark.line + 1
        raise RuleError(path, line, f"is not YAML: {getattr(error, 'problem', None) or error}") from error
    if node is None:
        raise RuleError(path, 1, "is empty")
    return node


def _before_last(text: str, key: str) -> str:
    """The text of a document up to its last key, if that is the key; the whole text if another key stands behind."""
    head, _, value = text.partition(f"\n{key}:\n")
    return text if any(line and line[0] not in " -#" for line in value.splitlines()) else f"{head}\n"


def plain(node: yaml.Node, path: Path) -> Any:
    """The plain Python value of a node.

    Raises:
        RuleError: the node has a tag or a value that plain YAML does not know.
    """
    if node.tag == _TEXT and isinstance(node.value, str):
        return node.value
    constructor = yaml.constructor.SafeConstructor()
    try:
        return constructor.construct_object(node, deep=True)
    except (yaml.YAMLError, ValueError) as error:
        raise RuleError(path, node.start_mark.line + 1, str(getattr(error, "problem", None) or error)) from error
