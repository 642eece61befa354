"""The common shape of data files: scalars, sequences and mappings, each with its exact place in the text."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from cmgan_audit.finding import Location
from cmgan_audit.lazy_dataclasses import dataclass

ScalarValue = None | bool | int | float | complex | str | bytes | datetime.date | datetime.datetime | datetime.time


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value as the library would load it. `text` is the scalar as a string when it was written without quotes;
    `tag` an application's own tag ("!ref"), empty for the standard ones."""

    value: ScalarValue
    location: Location
    tag: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Sequence:
    """A list. `tag` as in `Scalar`; the items of an aliased list are the same objects."""

    items: list[DataNode]
    location: Location
    tag: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Mapping:
    """A dictionary in file order, merge keys and duplicates already settled as the library settles them."""

    entries: dict[ScalarValue, DataNode]
    location: Location
    tag: str = ""
    keys: dict[ScalarValue, Location] | None = None

    def get(self, key: ScalarValue) -> DataNode | None:
        """The node under a key, None when there is none."""
        return self.entries.get(key)


DataNode = Scalar | Sequence | Mapping


class DataError(Exception):
    """A data file that its library would reject; `line` counts from 1, 0 when the library names none."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line
        self.reason = reason


def scalars(node: DataNode, limit: int = 100_000) -> Iterator[Scalar]:
    """All scalar values below a node, in file order, each once even where aliases make a cycle."""
    stack: list[DataNode] = [node]
    seen: set[int] = set()
    while stack and limit > 0:
        current = stack.pop()
        limit -= 1
        if isinstance(current, Scalar):
            yield current
        elif id(current) not in seen:
            seen.add(id(current))
            below = current.items if isinstance(current, Sequence) else list(current.entries.values())
            stack.extend(reversed(below))


def plain(node: DataNode) -> object:
    """The Python object that the library would load (tags of applications are dropped); cycles become None."""
    return _plain(node, set())


def _plain(node: DataNode, above: set[int]) -> object:
    if isinstance(node, Scalar):
        return node.value
    if id(node) in above:
        return None
    inside = above | {id(node)}
    if isinstance(node, Sequence):
        return [_plain(item, inside) for item in node.items]
    return {key: _plain(value, inside) for key, value in node.entries.items()}
