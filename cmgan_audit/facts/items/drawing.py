"""Where a draw and the object that takes it stand in the source: what a fix of a random crop has to know."""

from __future__ import annotations

from collections.abc import Iterable

from cmgan_audit.facts.records import Call, DatasetObject, Draw
from cmgan_audit.facts.values import same_object
from cmgan_audit.program.domain.values import Absent, ClassValue, Const, Instance, Value, options_of
from cmgan_audit.program.domain.values import Draw as DrawValue
from cmgan_audit.program.execution.trace import CallEvent, Event, Frame

# Longer texts are paths and names, not the name of a mode or a split.
LONGEST_FLAG = 20


def ways_to(draw: DrawValue, events: Iterable[Event], owner: Instance | None) -> list[Draw]:
    """The ways from a method of a dataset object to a draw, each once.

    Args:
        draw: the draw.
        events: what happened while an item was read.
        owner: the object; None where a function draws for it (`collate_fn`).
    """
    contexts = [event.context for event in events if isinstance(event, CallEvent) and event.location == draw.location]
    ways = (
        tuple(Call(frame.call, _is_own(frame, owner)) for frame in context.frames if frame.value is not None)
        for context in contexts
    )
    return [Draw(draw.location, draw.callee, way) for way in dict.fromkeys(ways)]


def _is_own(frame: Frame, owner: Instance | None) -> bool:
    bound = frame.value.bound_to if frame.value is not None else None
    return owner is not None and isinstance(bound, Instance) and same_object(bound, owner)


def object_of(dataset: Instance) -> DatasetObject:
    """Where a dataset object is made, its class, and its flags as they are at the end of the run."""
    cls = dataset.cls
    flags = ((name, _flag(value)) for name, value in dataset.attrs.items())
    known = tuple((name, flag) for name, flag in flags if flag is not None)
    place = cls.module.location(cls.node) if isinstance(cls, ClassValue) else None
    return DatasetObject(dataset.location, place, known)


def _flag(value: Value) -> bool | str | None:
    """The truth value or word that an attribute holds; on paths that do not make the object it holds nothing."""
    held = [option.value for option in options_of(value) if not isinstance(option.value, Absent)]
    words = {each.value for each in held if isinstance(each, Const) and isinstance(each.value, bool | str)}
    if len(words) != 1 or not all(isinstance(each, Const) for each in held):
        return None
    (word,) = words
    short = isinstance(word, bool) or (len(word) <= LONGEST_FLAG and word.isidentifier())
    return word if short else None
