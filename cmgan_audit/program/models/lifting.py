"""Data files as values of the audited program: every scalar starts its way at its place in the file."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator
from functools import lru_cache

from cmgan_audit.finding import Step
from cmgan_audit.program.domain.values import Const, Constant, DictValue, Key, ListValue, Unknown, Value
from cmgan_audit.source.data_files.nodes import DataNode, Mapping, Scalar, Sequence

Special = Callable[[DataNode, str], Value | None]
MOST_NODES = 20_000
# A repository ships the names of its ten thousand recordings as one list, and every launch of a script reads it.
_LONG = 256
_LISTS_KEPT = 16


def lift(node: DataNode, path: str, *, attribute_access: bool = False, special: Special | None = None) -> Value:
    """The value of a document. `special` may answer for a node (by its tag, or an interpolation) before the default.

    Nodes that are aliased become the same object; a document that contains itself is cut.
    """
    return _Lifting(path, attribute_access, special).value(node, "")


class _Lifting:
    def __init__(self, path: str, attribute_access: bool, special: Special | None) -> None:
        self._path = path
        self._name = posixpath.basename(path)
        self._attribute_access = attribute_access
        self._special = special
        self._done: dict[int, Value] = {}
        self._left = MOST_NODES

    def value(self, node: DataNode, key: str) -> Value:
        self._left -= 1
        if self._left < 0:
            return Unknown(reason=f"{self._path} holds more than {MOST_NODES} values")
        if not isinstance(node, Scalar) and id(node) in self._done:
            return self._done[id(node)]
        if self._special is not None:
            answer = self._special(node, key)
            if answer is not None:
                self._done[id(node)] = answer
                return answer
        if isinstance(node, Scalar):
            return scalar_value(node, self._name, key)
        if isinstance(node, Sequence):
            items: list[Value] = []
            made: Value = ListValue(items=items, kind="tuple" if node.tag == "!!python/tuple" else "list")
            self._done[id(node)] = made
            items.extend(self._long_list(node, key) or self._each(node, key))
            return made
        return self._mapping(node, key)

    def _each(self, node: Sequence, key: str) -> Iterator[Value]:
        return (self.value(item, f"{key}[{number}]") for number, item in enumerate(node.items))

    def _long_list(self, node: Sequence, key: str) -> tuple[Value, ...]:
        """The items of a long list that holds only scalars; empty where each has to be looked at."""
        if self._special is not None or not _LONG <= len(node.items) <= self._left:
            return ()
        values = _scalars_of(node, self._name, key)
        self._left -= len(values)
        return values

    def _mapping(self, node: Mapping, key: str) -> Value:
        entries: dict[Key, Value] = {}
        origin = f"{self._path}: {key}" if key else self._path
        made = DictValue(items=entries, attribute_access=self._attribute_access, origin=origin)
        self._done[id(node)] = made
        for name, below in node.entries.items():
            if name is None or isinstance(name, bool | int | float | str | bytes):
                entries[name] = self.value(below, dotted(key, name))
        return made


@lru_cache(_LISTS_KEPT)
def _scalars_of(node: Sequence, name: str, key: str) -> tuple[Value, ...]:
    """The values of a list that holds only scalars, which are the same in every run; empty for any other list."""
    scalars = [item for item in node.items if isinstance(item, Scalar)]
    if len(scalars) < len(node.items):
        return ()
    return tuple([scalar_value(item, name, f"{key}[{number}]") for number, item in enumerate(scalars)])


def dotted(key: str, name: Constant) -> str:
    """The dotted key of an entry: "train.batch_size"."""
    text = name if isinstance(name, str) else repr(name)
    return f"{key}.{text}" if key else text


def scalar_value(node: Scalar, name: str, key: str) -> Value:
    """One scalar of the file `name` under the dotted `key`."""
    if node.tag and node.tag not in {"!!python/none", "!!python/str", "!!python/unicode"}:
        note = f"{key} has the tag {node.tag} in {name}"
        return Unknown(reason=f"the tag {node.tag} is the program's own", trail=(Step(node.location, note),))
    value = node.value
    step = Step(node.location, f"{key} is {value!r} in {name}" if key else f"{name} holds {value!r}")
    if value is None or isinstance(value, bool | int | float | complex | str | bytes):
        return Const(value=value, trail=(step,))
    return Unknown(reason=f"{value} is a date", trail=(step,))


def as_dict(value: Value) -> DictValue | None:
    """The dictionary that a value is or holds inside, if any."""
    from cmgan_audit.program.domain.values import Instance

    if isinstance(value, Instance):
        items = value.attrs.get("@items")
        return items if isinstance(items, DictValue) else None
    return value if isinstance(value, DictValue) else None


def copied(value: Value, *, attribute_access: bool | None = None, gives_missing: bool | None = None) -> Value:
    """A deep copy of dictionaries and lists; what they hold besides stays the same object.

    `attribute_access` and `gives_missing` set those of every dictionary, None keeps them.
    """
    return _copied(value, (attribute_access, gives_missing), {})


def _copied(value: Value, wanted: tuple[bool | None, bool | None], done: dict[int, Value]) -> Value:
    import dataclasses

    if isinstance(value, DictValue):
        if id(value.items) in done:
            return done[id(value.items)]
        entries: dict[Key, Value] = {}
        access, gives = wanted
        made: Value = dataclasses.replace(
            value,
            items=entries,
            attribute_access=value.attribute_access if access is None else access,
            gives_missing=value.gives_missing if gives is None else gives,
        )
        done[id(value.items)] = made
        entries.update((key, _copied(item, wanted, done)) for key, item in value.items.items())
        return made
    if isinstance(value, ListValue):
        if id(value.items) in done:
            return done[id(value.items)]
        items: list[Value] = []
        made = dataclasses.replace(value, items=items)
        done[id(value.items)] = made
        items.extend(_copied(item, wanted, done) for item in value.items)
        return made
    return value
