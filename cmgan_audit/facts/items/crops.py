"""Datasets judged per object: whether a random draw can still pick the segment that an item is cut to.

Only a draw that can still be reached counts, and only when it reaches a slice of the audio, or the start of a partial
read (`facts/items/making.py` executes, `facts/items/cuts.py` finds the cuts).
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import field

from cmgan_audit.facts import records
from cmgan_audit.facts.classes import shown_arguments
from cmgan_audit.facts.code import Code, steps_through
from cmgan_audit.facts.conditions import as_read
from cmgan_audit.facts.items.cuts import PICKS, Cut, cuts_in
from cmgan_audit.facts.items.drawing import object_of, ways_to
from cmgan_audit.facts.items.generators import goes_on
from cmgan_audit.facts.items.kept import is_kept
from cmgan_audit.facts.items.left_open import left_open
from cmgan_audit.facts.items.making import Reading, items_of
from cmgan_audit.facts.items.passable import passable
from cmgan_audit.facts.items.transform_modes import NEVER, kept_by_mode
from cmgan_audit.facts.records import Dataset
from cmgan_audit.facts.scene import Made
from cmgan_audit.facts.values import class_name
from cmgan_audit.finding import Location, Step
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.domain.values import ClassValue, Draw, Instance, options_of
from cmgan_audit.program.domain.values import Unknown as UnknownValue
from cmgan_audit.program.execution.trace import Context, SliceEvent
from cmgan_audit.rules.record import Fact, Known, Unknown


@dataclass(slots=True)
class _Found:
    """What executing one dataset showed."""

    crops: list[tuple[Draw, Cut]] = field(default_factory=list)
    plain: list[tuple[Draw, Cut]] = field(default_factory=list)  # those drawn where they are cut: the easiest to see
    cutting: dict[Cut, str] = field(default_factory=dict)  # the cuts of a function, and what it is
    draws: list[records.Draw] = field(default_factory=list)
    seeded: list[Draw] = field(default_factory=list)
    open: list[tuple[Location, str]] = field(default_factory=list)
    looked_at: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    classes: list[str] = field(default_factory=list)  # of which the dataset is one, where nothing tells which
    cropping: set[str] = field(default_factory=set)


def dataset_of(code: Code, made: Made) -> Dataset:
    """The record of the dataset that a loader reads."""
    items = items_of(code.scene, made)
    first = items.datasets[0] if items.datasets else None
    looked_at = [*items.looked_at, *(reading.function for reading in items.readings if reading.owner in items.datasets)]
    found = _Found(looked_at=looked_at, unknown=list(items.unknown), classes=_classes(made))
    for reading in items.readings:
        seeded = {draw for cut in cuts_in(reading.events) for draw in cut.draws if draw.seeded}
        further = {draw for draw in seeded if goes_on(code, made, reading, draw)}
        _collect(code, made, reading, found, reading.owner if reading.owner in items.datasets else None, further)
    name = class_name(first) if first is not None else "the dataset"
    place = first.location if first is not None else made.location
    fact, drawn_by, evidence = _judge(found, name, place, first)
    return Dataset(
        location=place,
        anchor=name,
        name=name,
        arguments=shown_arguments(first.arguments) if first is not None else "",
        random_crop=fact,
        drawn_by=drawn_by,
        cut_by=_cutter(found, name),
        crop_evidence=evidence,
        draws=tuple(dict.fromkeys(found.draws)),
        objects=tuple(object_of(each) for each in items.datasets),
    )


def _classes(made: Made) -> list[str]:
    """The classes of the tree of which the dataset of a loader may be one, where it is not known which."""
    given = made.arguments.get("dataset", 0)
    options = [option.value for option in options_of(given)] if given is not None else []
    names = {class_name(each) for each in options if isinstance(each, Instance) and isinstance(each.cls, ClassValue)}
    return sorted(names) if len(names) > 1 else []


def _collect(
    code: Code, made: Made, reading: Reading, found: _Found, dataset: Instance | None, further: Set[Draw]
) -> None:
    """Sort out the cuts of one reading.

    Args:
        code: the source behind the run.
        made: the loader.
        reading: the reading.
        found: what is added to.
        dataset: the object whose method it is, None for a `collate_fn`.
        further: seeded draws that every pass finds further on.
    """
    for cut in cuts_in(reading.events):
        draws = [
            draw
            for draw in cut.draws
            if _may_meet(code, reading, draw, cut) and not _kept(code, made, reading, draw, cut)
        ]
        if not draws:
            continue
        loose = [draw for draw in draws if not draw.seeded or draw in further]
        if not loose:
            found.seeded.append(draws[0])
            continue
        setting = left_open(code, reading, cut.event.context, [_drawn(reading, draw, cut) for draw in loose])
        if setting:
            found.open.append((loose[0].location, setting))
        else:
            found.crops.append((loose[0], cut))
            found.cropping.add(class_name(dataset) if dataset is not None else "")
            if dataset is None:
                found.cutting[cut] = _told(reading)
            if _together(loose[0], cut, reading):
                found.plain.append(found.crops[-1])
            found.draws += [way for draw in loose for way in ways_to(draw, reading.events, dataset)]


def _may_meet(code: Code, reading: Reading, draw: Draw, cut: Cut) -> bool:
    """Whether one item can come by a draw and by the cut that depends on it."""
    here = cut.event.context
    if kept_by_mode(code, here) == NEVER:
        return False
    drawn = _drawn(reading, draw, cut)
    return not drawn or any(passable(code, context, here) and kept_by_mode(code, context) != NEVER for context in drawn)


def _kept(code: Code, made: Made, reading: Reading, draw: Draw, cut: Cut) -> bool:
    """Whether a draw is made once for each item, wherever it is made."""
    drawn = _drawn(reading, draw, cut)
    return bool(drawn) and all(is_kept(code, made, context, draw.location) for context in drawn)


def _drawn(reading: Reading, draw: Draw, cut: Cut) -> set[Context]:
    """What stood around a draw, wherever it was made before a cut."""
    return {event.context for event in reading.events[: cut.position + 1] if event.location == draw.location}


def _shown(found: _Found) -> tuple[Draw, Cut]:
    """The crop that stands for all: one of the item itself rather than of a recording that is drawn, such as noise."""
    return min(found.plain or found.crops, key=lambda crop: _of_drawn(crop[1]))


def _of_drawn(cut: Cut) -> int:
    """How far what is cut depends on other draws: not at all, by some number, or as a file that is drawn from many."""
    if not isinstance(cut.event, SliceEvent):
        return 0
    sliced = cut.event.sliced
    others = sliced.draws - set(cut.draws)
    picked = any(draw.callee.rpartition(".")[2] in PICKS for draw in others)
    mixed = isinstance(sliced, UnknownValue) and sliced.computed is not None  # it depends on what was mixed in
    return 2 if picked and not mixed else 1 if others else 0


def _together(draw: Draw, cut: Cut, reading: Reading) -> bool:
    """Whether the call that cuts draws the place as well, rather than being handed a signal of random length."""
    frames = cut.event.context.frames
    return any(event.location == draw.location and event.context.frames == frames for event in reading.events)


def _judge(found: _Found, name: str, place: Location, first: Instance | None) -> tuple[Fact, str, str]:
    """The fact, who draws, and the evidence for `passed`."""
    how = f"{name}({shown_arguments(first.arguments)})" if first is not None else name
    if found.crops and "" not in found.cropping and not found.cropping.issuperset(found.classes):
        return Unknown(f"it is not known which of {' and '.join(found.classes)} the loader reads"), "", ""
    if found.crops:
        draw, cut = _shown(found)
        event = cut.event
        steps = [Step(draw.location, f"{short_callee(draw.callee)} draws the place of the cut")]
        steps += steps_through(reversed(event.context.frames[1:]))
        if cut.place != draw.location:
            steps.insert(1, Step(cut.place, "the item is cut there"))
        conditions = list(dict.fromkeys(as_read(condition.text) for condition in event.context.conditions))
        if conditions:
            steps[0] = Step(draw.location, f"{steps[0].note}, where {' and '.join(conditions[:3])}")
        steps.append(Step(place, f"this object takes that path: {how}"))
        return Known(True, tuple(steps)), short_callee(draw.callee), ""
    if found.open:
        location, setting = found.open[0]
        return Unknown(f"the random cut at {location} is reached depending on {setting}"), "", ""
    if found.unknown:
        return Unknown(found.unknown[0]), "", ""
    looked = " and ".join(dict.fromkeys(found.looked_at)) or name
    if found.seeded:
        draw = found.seeded[0]
        return Known(False), "", f"{how}: the draw at {draw.location} repeats itself ({draw.seeded})"
    return Known(False), "", f"{how}: no random draw that {looked} can reach picks a segment"


def _cutter(found: _Found, name: str) -> str:
    """Who cuts, as the subject of a sentence: the dataset, or the function that makes batches of its items."""
    if not found.crops:
        return ""
    return found.cutting.get(_shown(found)[1], name)


def _told(reading: Reading) -> str:
    """A function that makes items or batches, as the subject of a sentence."""
    kind = "the pipeline" if reading.fields else "the collate function"
    name = reading.function.removesuffix(".__call__").rpartition("<locals>.")[2]
    return kind if "<" in name else f"{kind} {name}"


def short_callee(callee: str) -> str:
    """A drawing function as people write it; of a method of what a library or nobody knows gave the name alone."""
    if callee.startswith(("?.", "datasets.")):
        return callee.rpartition(".")[2]
    return callee if callee.count(".") < 2 else callee.replace("numpy.random", "np.random")
