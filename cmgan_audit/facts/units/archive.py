"""Records as JSON and back: data only, so that a cache can never run anything.

Every object is written once; what two records share, they still share when they are read again.
"""

from __future__ import annotations

import dataclasses
import enum
import json
import math
from importlib import import_module
from typing import Any

from cmgan_audit.finding import Location, Step

_PACKAGE = __name__.partition(".")[0]
# Integers that JSON readers take as they stand; Python refuses to read very long ones.
_LARGEST = 1 << 53
_AS_IT_IS = frozenset({type(None), bool, str})
_TOLD_BY_CONTENT = frozenset({Location, Step})


def pack(value: object) -> str:
    """A value made of dataclasses, enumerations, tuples and constants as JSON text.

    Raises:
        TypeError: it holds something else; the message names it.
    """
    return json.dumps(packed(value), separators=(",", ":"))


def packed(value: object) -> list[object]:
    """The same before it is written: lists, texts and numbers, to be part of a larger document.

    Raises:
        TypeError: it holds something else; the message names it.
    """
    packer = _Packer()
    root = packer.reference(value)
    return [packer.kinds, packer.objects, root]


def unpack(text: str) -> Any:
    """The value that `pack` made the text from.

    Raises:
        ValueError: the text was not made by `pack`, or by another version of the tool.
    """
    return unpacked(json.loads(text))


def unpacked(held: Any) -> Any:
    """The value that `packed` made this from.

    Raises:
        ValueError: it was not made by `packed`, or by another version of the tool.
    """
    try:
        names, objects, root = held
        kinds = [(_kind(name), fields) for name, fields in names]
        made: list[object] = []
        for number, *values in objects:
            kind, fields = kinds[number]
            held = [_value(value, made) for value in values]
            made.append(kind(**dict(zip(fields, held, strict=True))))
        return _value(root, made)
    except (KeyError, IndexError, TypeError, AttributeError, ImportError, RecursionError) as error:
        raise ValueError(f"not an archive of this version: {error}") from error


class _Packer:
    def __init__(self) -> None:
        self.kinds: list[tuple[str, list[str]]] = []
        self.objects: list[list[object]] = []
        self._classes: dict[type, tuple[int, tuple[str, ...]]] = {}  # dataclasses: their number, and their fields
        self._written: dict[object, int] = {}

    def reference(self, value: object) -> object:
        """A value as it stands inside of others."""
        kind = type(value)
        if kind in _AS_IT_IS:  # these three kinds are most of what there is
            return value
        if kind is tuple:
            return ["t", *map(self.reference, value)]  # type: ignore[call-overload]
        if kind in self._classes:
            return ["r", self._number(value)]
        match value:
            case bool() | str():
                return value
            case enum.Enum():
                return ["e", _name(type(value)), value.value]
            case int():
                return value if -_LARGEST < value < _LARGEST else ["i", hex(value)]
            case float():
                return value if math.isfinite(value) else ["f", repr(value)]
            case complex():
                return ["c", repr(value)]
            case bytes():
                return ["b", value.hex()]
            case tuple():
                return ["t", *map(self.reference, value)]
            case list():
                return ["l", *map(self.reference, value)]
            case frozenset():
                return ["s", *sorted(map(self.reference, value), key=repr)]
            case dict():
                return ["d", *([self.reference(key), self.reference(item)] for key, item in value.items())]
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return ["r", self._number(value)]
        raise TypeError(f"a {type(value).__module__}.{type(value).__qualname__} is no data that a record may hold")

    def _number(self, value: Any) -> int:
        # Places and steps are many and equal ones are the same; other objects have an identity to keep.
        key: object = value if type(value) in _TOLD_BY_CONTENT else id(value)
        known = self._written.get(key)
        if known is None:
            number, fields = self._class(value)
            self.objects.append([number, *[self.reference(getattr(value, name)) for name in fields]])
            known = self._written[key] = len(self.objects) - 1
        return known

    def _class(self, value: Any) -> tuple[int, tuple[str, ...]]:
        kind = type(value)
        if kind not in self._classes:
            fields = tuple(entry.name for entry in dataclasses.fields(value))
            self._classes[kind] = (len(self.kinds), fields)
            self.kinds.append((_name(kind), list(fields)))
        return self._classes[kind]


def _name(kind: type) -> str:
    return f"{kind.__module__}:{kind.__qualname__}"


def _kind(name: str) -> Any:
    """A dataclass or an enumeration of this package."""
    module, _, qualname = name.partition(":")
    if module.partition(".")[0] != _PACKAGE:
        raise ValueError(f"{name} is no kind of record")
    kind = getattr(import_module(module), qualname)
    if not (isinstance(kind, type) and (dataclasses.is_dataclass(kind) or issubclass(kind, enum.Enum))):
        raise ValueError(f"{name} is no kind of record")
    return kind


def _value(held: Any, made: list[object]) -> Any:
    if not isinstance(held, list):
        return held
    tag, *parts = held
    match tag:
        case "r":
            return made[parts[0]]
        case "t":
            return tuple(_value(part, made) for part in parts)
        case "l":
            return [_value(part, made) for part in parts]
        case "s":
            return frozenset(_value(part, made) for part in parts)
        case "d":
            return {_value(key, made): _value(item, made) for key, item in parts}
        case "e":
            return _kind(parts[0])(parts[1])
        case "i":
            return int(parts[0], 16)
        case "f":
            return float(parts[0])
        case "c":
            return complex(parts[0])
        case "b":
            return bytes.fromhex(parts[0])
    raise ValueError(f"{tag!r} is no kind of value")
