"""Records: what a door observed, as typed fields that each carry a value together with the trail that led to it.

A record says what the program does, never that it is wrong. Rules (`rules/*.yaml`) judge. A record is a frozen
dataclass registered with `@record_kind("loader")`; its fields are facts (`Known`, `OneOf`, `Unknown`), other records,
tuples of records, or None where a neighbour is absent. The catalogue checks a rule's `when` against these fields
when it loads.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import field
from typing import Any, TypeVar

from cmgan_audit.finding import Confidence, Location, Trail
from cmgan_audit.lazy_dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Known:
    """A value that is certain: a plain Python constant, or a tuple of constants.

    `condition` names the configuration under which the value holds ("" for always), for example
    "launch train.sh: --batch_size 1". `confidence` is medium where a launcher or the environment may override it.
    """

    value: Any
    trail: Trail = ()
    condition: str = ""
    confidence: Confidence = Confidence.HIGH

    @property
    def location(self) -> Location | None:
        """The place where the value is set: the first step of the trail."""
        return self.trail[0].location if self.trail else None


NO, YES = Known(False), Known(True)


@dataclass(frozen=True, slots=True)
class OneOf:
    """A set of possible values, each with its own trail and the condition that selects it."""

    options: tuple[Known, ...]
    trail: Trail = ()


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that could not be found out: `reason` says in one sentence why, `trail` how far the search came.

    `formula` is the symbolic form where there is one, for example "8 // world_size".
    """

    reason: str
    trail: Trail = ()
    formula: str = ""


Fact = Known | OneOf | Unknown


def certainly(fact: Fact, value: Any) -> bool:
    """Whether a fact is known to be just this value; 1 is not True."""
    return isinstance(fact, Known) and type(fact.value) is type(value) and bool(fact.value == value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Base of all records. `location` is where the thing stands; `anchor` its symbolic place (`load_data.test_ds`)."""

    location: Location
    anchor: str = ""
    trail: Trail = field(default=())


KINDS: dict[str, type[Record]] = {}

_R = TypeVar("_R", bound=type[Record])


def record_kind(name: str) -> Callable[[_R], _R]:
    """Register a record class under the name that a rule's `over` uses."""

    def register(cls: _R) -> _R:
        if name in KINDS:
            raise ValueError(f"record kind {name!r} is registered twice")
        KINDS[name] = cls
        return cls

    return register


def field_names(kind: type[Record]) -> tuple[str, ...]:
    """The names that a rule over this kind may use, in the order of declaration."""
    return tuple(entry.name for entry in dataclasses.fields(kind))
