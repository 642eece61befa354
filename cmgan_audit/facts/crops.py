"""Datasets judged per object: whether a random draw can still pick the segment that an item is cut to.

`__getitem__` (or `__iter__`) is executed on the very object that the loader holds, with the arguments that it was made
with; so flags cut their branches, and only a draw that can still be reached counts. A draw counts when it reaches a
slice of the audio, or the start of a partial read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from cmgan_audit.facts.classes import shown_arguments
from cmgan_audit.facts.conditions import open_setting
from cmgan_audit.facts.records import Dataset
from cmgan_audit.facts.scene import Made, Scene
from cmgan_audit.facts.values import class_name, why_unknown
from cmgan_audit.finding import Location, Step
from cmgan_audit.program.probe import call_method, call_value
from cmgan_audit.program.trace import CallEvent, Event, SliceEvent
from cmgan_audit.program.values import (
    ClassValue,
    Const,
    DictValue,
    Draw,
    FunctionValue,
    Instance,
    ListValue,
    Symbol,
    Value,
    options_of,
)
from cmgan_audit.program.values import Unknown as UnknownValue
from cmgan_audit.rules.record import Fact, Known, Unknown

# Wrappers that hand out the items of the datasets that they hold: argument and position.
WRAPPERS = {
    "torch.utils.data.Subset": ("dataset", 0),
    "torch.utils.data.random_split": ("dataset", 0),
    "torch.utils.data.ConcatDataset": ("datasets", 0),
    "torch.utils.data.ChainDataset": ("datasets", 0),
    "torch.utils.data.StackDataset": ("datasets", 0),
}
# Functions that read or cut a part: the argument that says where it starts.
PARTIAL = {
    "torchaudio.load": ("frame_offset", 1),
    "torchaudio.backend.soundfile_backend.load": ("frame_offset", 1),
    "soundfile.read": ("start", 2),
    "librosa.load": ("offset", 3),
    "librosa.core.load": ("offset", 3),
    "torch.narrow": ("start", 2),
    "numpy.roll": ("", -1),
}
METHODS = {"narrow": ("start", 1), "seek": ("frames", 0), "setpos": ("pos", 0)}
RANDOM_CROP = re.compile(r"Random(Resized)?(Crop|Chunk|Clip|Segment|Trim)|RandomCrop1D|RandomChunk")


@dataclass(slots=True)
class _Found:
    """What executing one dataset showed."""

    crops: list[tuple[Draw, Location, Event]] = field(default_factory=list)
    seeded: list[tuple[Draw, Location]] = field(default_factory=list)
    open: list[tuple[Location, str]] = field(default_factory=list)
    looked_at: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)


def dataset_of(scene: Scene, made: Made) -> Dataset:
    """The record of the dataset that a loader reads."""
    value = made.arguments.get("dataset", 0)
    found = _Found()
    inner = [] if value is None else _items_of(value, found)
    first = inner[0] if inner else None
    for each in inner:
        _probe_dataset(scene, each, found)
    collate = made.arguments.get("collate_fn", 6)
    if collate is not None:
        _probe_collate(scene, collate, made.loader, found)
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
        crop_evidence=evidence,
    )


def _items_of(value: Value, found: _Found, depth: int = 6) -> list[Instance]:
    """The dataset objects behind a value, out of torch's wrappers."""
    result: list[Instance] = []
    for option in options_of(value):
        each = option.value
        if isinstance(each, ListValue | DictValue):
            items = each.items.values() if isinstance(each, DictValue) else each.items
            for item in items:
                if isinstance(item, Instance) and depth:
                    result += _items_of(item, found, depth - 1)
            found.looked_at.append(f"a {each.kind if isinstance(each, ListValue) else 'dictionary'} of items")
        elif not isinstance(each, Instance):
            if not (isinstance(each, Const) and each.value is None):
                found.unknown.append(f"the dataset is not known: {why_unknown(each)}")
        elif each.external_name in WRAPPERS and depth:
            name, position = WRAPPERS[each.external_name]
            inner = each.arguments.get(name, position)
            result += _items_of(inner, found, depth - 1) if inner is not None else []
        else:
            result.append(each)
    return result


def _probe_dataset(scene: Scene, dataset: Instance, found: _Found) -> None:
    if not isinstance(dataset.cls, ClassValue):
        name = dataset.external_name
        if name.startswith(("torch.", "builtins.")):
            found.looked_at.append(name)
        else:
            found.unknown.append(f"{name} is a library's dataset")
        return
    for method, arguments in (("__getitem__", [_index()]), ("__iter__", []), ("__getitems__", [_index()])):
        if not _defines(dataset.cls, method):
            continue
        events, _ = call_method(scene.run, dataset, method, arguments)
        found.looked_at.append(f"{dataset.cls.name}.{method}")
        _collect(events, dataset, found)
        return
    found.unknown.append(f"{dataset.cls.name} has no __getitem__ in this tree")


def _index() -> Value:
    return UnknownValue(reason="the index of an item")


def _defines(cls: ClassValue, method: str, depth: int = 12) -> bool:
    """Whether a class of the tree, or one of its bases in the tree, has a method."""
    if any(getattr(node, "name", "") == method for node in cls.node.body):
        return True
    bases = [base for base in cls.bases if isinstance(base, ClassValue)]
    return depth > 0 and any(_defines(base, method, depth - 1) for base in bases)


def _probe_collate(scene: Scene, collate: Value, loader: Instance, found: _Found) -> None:
    for option in options_of(collate):
        batch = ListValue(items=[UnknownValue(reason="an item of the dataset")], complete=False)
        if isinstance(option.value, FunctionValue):
            events, _ = call_value(scene.run, option.value, [batch], loader)
            _collect(events, None, found)
        elif isinstance(option.value, Instance) and isinstance(option.value.cls, ClassValue):
            events, _ = call_method(scene.run, option.value, "__call__", [batch])
            _collect(events, option.value, found)


def _collect(events: list[Event], owner: Instance | None, found: _Found) -> None:
    """Sort out the events of one probe: cuts by draws that are made inside it."""
    numbers = {event.location for event in events if isinstance(event, CallEvent) and _draws_a_number(event)}
    for event in events:
        draws, place = _cut(event)
        fresh = [draw for draw in draws if draw.location in numbers]
        if isinstance(event, CallEvent) and RANDOM_CROP.fullmatch(
            event.callee.removesuffix(".__call__").rpartition(".")[2]
        ):
            fresh = fresh or [Draw(event.callee.removesuffix(".__call__"), event.location)]
        if not fresh:
            continue
        fresh.sort(key=lambda draw: (draw.location.path, draw.location.line, draw.location.column))
        loose = [draw for draw in fresh if not draw.seeded]
        if not loose:
            found.seeded.append((fresh[0], place))
            continue
        setting = next((text for text in (open_setting(each, owner) for each in event.context.conditions) if text), "")
        if setting:
            found.open.append((loose[0].location, setting))
        else:
            found.crops.append((loose[0], place, event))


def _draws_a_number(event: CallEvent) -> bool:
    """Whether a call may draw a place: not when it draws a file, a permutation or a subset.

    The recording behind a drawn file name depends on the draw too, and so does its length; that is random mixing, not
    a random cut.
    """
    member = event.callee.rpartition(".")[2]
    if member in ("shuffle", "permutation", "permuted", "randperm", "sample", "choices", "multinomial", "seed"):
        return False
    if member != "choice":
        return True
    pool = event.arguments.get("a", 0)
    if isinstance(pool, Instance):
        return pool.external_name.rpartition(".")[2] in ("range", "arange")
    if isinstance(pool, ListValue):
        return bool(pool.items) and all(isinstance(item, Const) and isinstance(item.value, int) for item in pool.items)
    return isinstance(pool, Symbol) or (isinstance(pool, Const) and isinstance(pool.value, int))


def _cut(event: Event) -> tuple[frozenset[Draw], Location]:
    """The draws that decide where an event cuts, none when it does not cut."""
    if isinstance(event, SliceEvent):
        return (event.index.draws if _is_segment(event) else frozenset()), event.location
    if isinstance(event, CallEvent):
        spec = PARTIAL.get(event.callee)
        if spec is None and event.receiver is not None:
            spec = METHODS.get(event.callee.rpartition(".")[2])
        if spec is not None:
            value = event.arguments.get(*spec)
            if value is not None:
                return value.draws, event.location
    return frozenset(), event.location


def _is_segment(event: SliceEvent) -> bool:
    """Whether a subscript takes a stretch out of a signal, rather than one element of a list of files."""
    if isinstance(event.sliced, ListValue | DictValue | Const):
        return False
    return any(_is_slice(option.value) for option in options_of(event.index))


def _is_slice(index: Value) -> bool:
    if isinstance(index, Instance):
        return index.external_name.rpartition(".")[2] == "slice"
    if isinstance(index, ListValue):
        return index.kind == "slice" or any(_is_slice(item) for item in index.items)
    return False


def _judge(found: _Found, name: str, place: Location, first: Instance | None) -> tuple[Fact, str, str]:
    """The fact, who draws, and the evidence for `passed`."""
    how = f"{name}({shown_arguments(first.arguments)})" if first is not None else name
    if found.crops:
        draw, cut, event = found.crops[0]
        steps = [Step(draw.location, f"{_short(draw.callee)} draws the place of the cut")]
        steps += [
            Step(frame.call, f"{frame.function.rpartition('.')[2]}() is called here")
            for frame in reversed(event.context.frames[1:])
        ]
        if cut != draw.location:
            steps.insert(1, Step(cut, "the item is cut there"))
        conditions = [condition.text for condition in event.context.conditions]
        if conditions:
            steps[0] = Step(draw.location, f"{steps[0].note}, where {' and '.join(conditions[:3])}")
        steps.append(Step(place, f"this object takes that path: {how}"))
        return Known(True, tuple(steps)), _short(draw.callee), ""
    if found.open:
        location, setting = found.open[0]
        return Unknown(f"the random cut at {location} is reached depending on {setting}"), "", ""
    if found.unknown:
        return Unknown(found.unknown[0]), "", ""
    looked = " and ".join(dict.fromkeys(found.looked_at)) or name
    if found.seeded:
        draw, _ = found.seeded[0]
        return Known(False), "", f"{how}: the draw at {draw.location} repeats itself ({draw.seeded})"
    return Known(False), "", f"{how}: no random draw that {looked} can reach picks a segment"


def _short(callee: str) -> str:
    return callee if callee.count(".") < 2 else callee.replace("numpy.random", "np.random")
