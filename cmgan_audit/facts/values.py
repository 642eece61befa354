"""From abstract values of the program to facts of a record."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any, TypeGuard

from cmgan_audit.finding import Confidence, Step, Trail
from cmgan_audit.program.domain.values import (
    Absent,
    Choice,
    Const,
    Instance,
    ListValue,
    Option,
    Symbol,
    Value,
)
from cmgan_audit.program.domain.values import Unknown as UnknownValue
from cmgan_audit.rules.record import Fact, Known, OneOf, Unknown


def fact_of(value: Value | None, default: Any, *, missing: str = "") -> Fact:
    """The fact that a value stands for.

    Args:
        value: an argument of a call; None when it was not given.
        default: what holds then.
        missing: the reason why an argument that was not seen may still have been given ("" when it cannot).
    """
    if value is None:
        return Unknown(missing) if missing else Known(default)
    if isinstance(value, Choice):
        return _one_of(value, default)
    return _single(Option(value), default)


def _one_of(choice: Choice, default: Any) -> Fact:
    facts = [_single(option, default) for option in choice.options]
    for fact in facts:
        if isinstance(fact, Unknown):
            return fact
    known = tuple(fact for fact in facts if isinstance(fact, Known))
    if all(fact.value == known[0].value for fact in known):
        return Known(known[0].value, known[0].trail, confidence=min(fact.confidence for fact in known))
    return OneOf(known, choice.trail)


def _single(option: Option, default: Any) -> Known | Unknown:
    value, condition = option.value, option.condition
    if isinstance(value, Absent):
        return Known(default, condition=condition)
    if isinstance(value, Const):
        confidence = Confidence.MEDIUM if value.overridable else Confidence.HIGH
        return Known(value.value, value.trail, condition, confidence)
    if isinstance(value, Symbol):
        return Unknown("it depends on the number of processes", value.trail, value.formula)
    return Unknown(why_unknown(value), value.trail)


def why_unknown(value: Value) -> str:
    """In a few words why a value is not known."""
    if isinstance(value, UnknownValue):
        return value.reason
    if isinstance(value, Instance):
        return f"it is what {class_name(value)}(...) returns"
    if isinstance(value, ListValue):
        return f"it is a {value.kind}"
    if isinstance(value, Choice):
        return "; ".join(dict.fromkeys(why_unknown(option.value) for option in value.options))
    return "it is computed at run time"


def class_name(value: Value) -> str:
    """The name of the class of an object, or of the function that made it, without its module.

    `Wav2Vec2Model.from_pretrained(path)` gives an object of the class that stands before it, and what `eval(name)`
    gives is called.
    """
    if not isinstance(value, Instance):
        return type(value).__name__
    owner, _, name = str(getattr(value.cls, "name", "") or "?").rpartition(".")
    owner = owner.rpartition(".")[2]
    loaded = name.startswith(("from_", "load_from_")) and owner[:1].isupper()
    return owner if loaded or name == "__call__" else name


def constant(value: Value | None) -> Any:
    """The Python constant behind a value, or None."""
    return value.value if isinstance(value, Const) else None


def is_none(value: Value) -> bool:
    """Whether a value is None, also as what stands for an argument that was not given."""
    return isinstance(value, Absent) or (isinstance(value, Const) and value.value is None)


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether a Python value is a number; True and False are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def known_number(fact: Fact) -> int | None:
    """The whole number that a fact certainly is."""
    if isinstance(fact, Known) and isinstance(fact.value, int) and not isinstance(fact.value, bool):
        return fact.value
    return None


def under(fact: Fact, condition: str) -> Fact:
    """The same fact, known under a condition; one that has a condition of its own keeps that."""
    if isinstance(fact, Known) and not fact.condition:
        return dataclasses.replace(fact, condition=condition)
    return fact


def with_step(fact: Fact, step: Step) -> Fact:
    """The same fact, its trail one step longer: where the value takes effect."""
    if isinstance(fact, OneOf):
        options = tuple(Known(o.value, _longer(o.trail, step), o.condition, o.confidence) for o in fact.options)
        return OneOf(options, fact.trail)
    if isinstance(fact, Known):
        return Known(fact.value, _longer(fact.trail, step), fact.condition, fact.confidence)
    return Unknown(fact.reason, _longer(fact.trail, step), fact.formula)


def _longer(trail: Trail, step: Step) -> Trail:
    if trail and trail[-1].location.path == step.location.path and trail[-1].location.line == step.location.line:
        return trail
    return (*trail, step)


def is_from_settings(trail: Trail) -> bool:
    """Whether a way begins in a file of settings or a launcher, and not in the program."""
    return bool(trail) and not trail[0].location.path.endswith((".py", ".ipynb"))


def instances_of(value: Value | None) -> list[Instance]:
    """The objects that a value may be, in order, each once."""
    if not isinstance(value, Choice):
        return [value] if isinstance(value, Instance) else []
    found: list[Instance] = []
    for option in value.options:
        if isinstance(option.value, Instance) and not is_among(option.value, found):
            found.append(option.value)
    return found


def same_object(left: Instance, right: Instance) -> bool:
    """Whether two values are the same object of the audited program."""
    return left.attrs is right.attrs


def is_among(thing: Instance, others: Iterable[Instance]) -> bool:
    """Whether one of some objects is the same as a given one."""
    attrs = thing.attrs
    return any(each.attrs is attrs for each in others)


def share_one(some: Iterable[Instance], others: Sequence[Instance]) -> bool:
    """Whether two groups of objects have one in common."""
    return any(is_among(each, others) for each in some)


def length_of_range(value: Value | None) -> Fact | None:
    """How many numbers `range(start, stop)` has; None for other loops, and for ranges that begin elsewhere."""
    if isinstance(value, ListValue) and value.kind == "range" and value.complete:
        return Known(len(value.items), value.trail)
    if not isinstance(value, Instance) or value.external_name.rpartition(".")[2] not in ("range", "trange"):
        return None
    bounds = value.arguments.positional
    if len(bounds) == 1:
        return fact_of(bounds[0], None)
    if len(bounds) == 2 and isinstance(bounds[0], Const) and bounds[0].value == 0:
        return fact_of(bounds[1], None)
    if len(bounds) == 2 and isinstance(bounds[0], Const) and bounds[0].value == 1:
        return _less_one(bounds[1])
    return None


def _less_one(value: Value) -> Fact | None:
    """`range(1, epochs + 1)` has as many numbers as `epochs`."""
    fact = fact_of(value, None)
    if isinstance(fact, Known) and isinstance(fact.value, int):
        return Known(fact.value - 1, fact.trail, fact.condition, fact.confidence)
    return None
