"""What a condition may ask of a record: the fields of its class, told apart by their annotations."""

from __future__ import annotations

import dataclasses
import sys
import types
import typing
from functools import cache
from inspect import get_annotations

from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.rules.record import KINDS, Known, OneOf, Record, Unknown

# Where a record stands is for messages and reports; a rule judges what the program does, not where.
PLACE_FIELDS = frozenset({"location", "trail"})


@dataclass(frozen=True, slots=True)
class Slot:
    """A field seen from a condition: a plain fact, a linked record, or a relation (a tuple of records or of facts).

    `records` are the classes of record behind a link or a relation; empty for facts.
    """

    records: tuple[type[Record], ...] = ()
    many: bool = False

    @property
    def is_link(self) -> bool:
        """Whether the field holds one record (or None, where the neighbour is absent)."""
        return bool(self.records) and not self.many

    @property
    def what(self) -> str:
        """The slot in words, for errors."""
        if self.many:
            return "a relation"
        return "a linked record" if self.records else "a fact"


def slots_of(kind: type[Record]) -> dict[str, Slot]:
    """Return the fields of a class of record by name, in the order of declaration, without those that only tell places.

    Raises:
        TypeError: an annotation names something that cannot be found, so the fields cannot be told apart.
    """
    if kind not in _SLOTS:
        hints = _hints(kind)
        names = [entry.name for entry in dataclasses.fields(kind) if entry.name not in PLACE_FIELDS]
        _SLOTS[kind] = {name: _slot(hints[name]) for name in names}
    return _SLOTS[kind]


# Every rule asks for the same few classes again and again; resolving annotations is slow.
_SLOTS: dict[type[Record], dict[str, Slot]] = {}


def _hints(kind: type[Record]) -> dict[str, object]:
    """What the annotations of a class and its bases mean; `typing.get_type_hints` would read each `Fact` anew."""
    try:
        return {
            name: _meant(said, cls.__module__)
            for cls in reversed(kind.__mro__)
            for name, said in get_annotations(cls).items()
        }
    except NameError as error:
        raise TypeError(f"record {kind.__name__}: {error}; linked classes of record must be registered") from error


@cache
def _meant(said: object, module: str) -> object:
    """What an annotation of a class in a module means.

    Raises:
        NameError: it names something that cannot be found.
    """
    if not isinstance(said, str):
        return said
    named = vars(sys.modules[module])  # what a class means by a name is what its own module means by it
    try:
        return eval(said, named)  # our own source text, and what `typing.get_type_hints` does
    except NameError:
        # Linked records may be declared in modules that import each other for type checking only.
        return eval(said, named, {cls.__name__: cls for cls in KINDS.values()})


def _slot(hint: object) -> Slot:
    records: list[type[Record]] = []
    many = False
    for member in _members(hint):
        if member in (Known, OneOf, Unknown, type(None)):
            continue
        if typing.get_origin(member) is tuple:
            many = True
            records += [each for arg in typing.get_args(member) for each in _members(arg) if _is_record(each)]
        elif _is_record(member):
            records.append(member)
    return Slot(tuple(records), many)


def _members(hint: object) -> tuple[object, ...]:
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        return typing.get_args(hint)
    return (hint,)


def _is_record(hint: object) -> typing.TypeGuard[type[Record]]:
    return isinstance(hint, type) and issubclass(hint, Record)
