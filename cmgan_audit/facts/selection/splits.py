"""Which split a set is: training, validation or test, by its paths, its flags and its names, in this order."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import islice

from cmgan_audit.facts.classes import bound_arguments, values_within
from cmgan_audit.facts.code import Stack, stack_of
from cmgan_audit.facts.loading.names import Names
from cmgan_audit.facts.scene import Made
from cmgan_audit.facts.selection.split_flags import chooses_items
from cmgan_audit.facts.selection.words import TEST, VALID, keys_behind, kind_of_path, kinds_in, validation_key
from cmgan_audit.facts.slices import Found, Slice, Slicer
from cmgan_audit.facts.values import instances_of, is_among, share_one
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Confidence, Location, Step, Trail
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.domain.values import (
    Choice,
    ClassValue,
    Const,
    DictValue,
    Instance,
    ListValue,
    Unknown,
    Value,
    options_of,
)
from cmgan_audit.program.execution.trace import CallEvent
from cmgan_audit.program.language.classes import class_attribute
from cmgan_audit.program.models.files import path_of
from cmgan_audit.source.discovery import DATA_SUFFIXES
from cmgan_audit.source.syntax import arguments_of

_FLAGS = frozenset({"split", "mode", "phase", "subset", "partition", "stage", "set", "part", "fold", "data_type"})
_BEHAVIOURS = ("mode=", "phase=", "stage=")
_READS = frozenset("open load loadtxt read_csv read_json listdir scandir walk glob iglob rglob iterdir".split())
# Files of settings: what they are called says nothing about the items of a set.
_SETTINGS = tuple(DATA_SUFFIXES - {".json", ".json5", ".jsonc"})
_LONGEST = 300
_MOST_TEXTS = 60
_MOST_PARTS = 400


# What reads sound, and what puts the path of a file together.
_READS_SOUND = frozenset({"read", "wavread", "load_audio", "join", "joinpath"})


def reads_set(callee: str) -> bool:
    """Whether a library call reads a file, lists a folder, or puts the path of one together."""
    return callee.rpartition(".")[2] in _READS | _READS_SOUND


def is_of_settings(path: str) -> bool:
    """Whether a path is one of a file of settings."""
    return path.endswith(_SETTINGS)


@dataclass(frozen=True, slots=True)
class Split:
    """Which split a set is taken for ("" where nothing tells), why, and where that is set."""

    kind: str
    sign: str = ""
    trail: Trail = ()
    confidence: Confidence = Confidence.HIGH


class Splits:
    """The splits of one run's sets."""

    def __init__(self, view: View, slicer: Slicer) -> None:
        self._view = view
        self._slicer = slicer
        self._names = Names(view.scene, view.assigned)
        self._found: dict[Made, Split] = {}

    def of(self, made: Made) -> Split:
        """The split that a loader draws from."""
        if made not in self._found:
            found = self._of(made)
            if found.kind == TEST and found.confidence is Confidence.LOW:
                found = self._read_as(made) or (Split("") if _may_validate(made) else found)
            self._found[made] = found
        return self._found[made]

    def _of(self, made: Made) -> Split:
        paths, flags = self._texts(made)
        for signs, confidence in ((paths, Confidence.HIGH), (flags, Confidence.MEDIUM)):
            kinds = {sign.kind: sign for sign in reversed(signs)}
            if len(kinds) == 1:
                (sign,) = kinds.values()
                if signs is flags and sign.kind == TEST and self._behaves_as(made, sign):
                    break
                return Split(sign.kind, sign.sign, sign.trail, confidence)
            if kinds:
                return Split("")
        if self._is_chosen_by_unknown(made):
            return Split("")
        named = self._named(made)
        kinds_of_names = [(kinds_in(name), name, place) for name, place in named]
        every = set().union(*(kinds for kinds, _, _ in kinds_of_names)) if kinds_of_names else set()
        if len(every) != 1:
            return Split("")
        _, name, place = next(each for each in kinds_of_names if each[0])
        step = Step(place, f"it is called {name}")
        return Split(every.pop(), f"it is called {name}", (step,), Confidence.LOW)

    def _is_chosen_by_unknown(self, made: Made) -> bool:
        """Whether the flag that chooses the items of a set is a setting that is not known."""
        return any(
            isinstance(bound_arguments(dataset.cls, dataset.arguments).get(flag), Unknown)
            and chooses_items(dataset, flag)
            for dataset in made.datasets
            if isinstance(dataset.cls, ClassValue)
            for flag in _FLAGS
        )

    def _read_as(self, made: Made) -> Split | None:
        """The validation set, where the key by which its items are found says so: what a loader is called says less."""
        for dataset in made.datasets:
            for behind in self._behind_arguments(dataset):
                key = validation_key(keys_behind(behind))
                if key is not None:
                    return self._by_key(*key)
        return None

    def _by_key(self, found: Found, key: str) -> Split:
        place = self._slicer.location(found)
        return Split(VALID, f"its items are read by {key!r}", (Step(place, f"its items are read by {key!r}"),))

    def _behaves_as(self, made: Made, sign: Split) -> bool:
        """Whether a flag says how a validation set gives its items, not which: `valid = Speech(names, mode="test")`."""
        if not sign.sign.startswith(_BEHAVIOURS) or _kinds_of(self._names.of(made)) != {VALID}:
            return False
        flag = sign.sign.partition("=")[0]
        return not any(chooses_items(each, flag) for each in made.datasets)

    def _named(self, made: Made) -> list[tuple[str, Location]]:
        """The names that tell which split a loader draws from, with their places.

        Another name makes no other set of one that was made as the test set: `valid_loader = DataLoader(test_set)`.
        """
        named, own = self._names.of(made), self._names.of_dataset(made)
        if _kinds_of(own) != {TEST} or self._is_helpers(made, own):
            return named
        return own if self._own_kinds(made, own) <= {VALID, TEST} else named

    def _own_kinds(self, made: Made, of_dataset: Sequence[tuple[str, Location]]) -> set[str]:
        """The splits that the names of a loader speak of, without those of its dataset."""
        return _kinds_of(each for each in self._names.of(made) if each[0] not in dict(of_dataset))

    def _is_helpers(self, made: Made, own: Sequence[tuple[str, Location]]) -> bool:
        """Whether a helper that makes the loaders of several splits gave their datasets one name, `test_set`."""
        drawn = made.datasets
        for other in self._view.scene.made:
            datasets = other.datasets
            if share_one(drawn, datasets):
                continue
            theirs = self._names.of_dataset(other)
            if set(own) & set(theirs) and self._own_kinds(other, theirs) != self._own_kinds(made, own):
                return True
        return False

    def _texts(self, made: Made) -> tuple[list[Split], list[Split]]:
        paths: list[Split] = []
        flags: list[Split] = []
        for dataset in made.datasets:
            for key, value in _held(dataset):
                if not isinstance(value, Const) or not isinstance(value.value, str) or len(value.value) > _LONGEST:
                    continue
                text = value.value
                is_flag = key in _FLAGS or not re.search(r"[/\\.]", text)
                kinds = kinds_in(text) if is_flag else {kind_of_path(text)}
                if len(kinds) == 1 and (kind := kinds.pop()):
                    shown = f"{key}={text!r}" if key else repr(text)
                    (flags if is_flag else paths).append(Split(kind, f"{shown} stands there", value.trail))
            paths.extend(self._files_read(dataset))
            if not paths:
                paths.extend(self._read_inside(dataset))
        return paths, flags

    def _stack_around(self, dataset: Instance) -> Stack | None:
        """The calls on the stack where a dataset is made."""
        return next((stack_of(event.context) for event in self._view.scene.calls if _makes(event, dataset)), None)

    def _read_inside(self, dataset: Instance) -> list[Split]:
        """Files and folders that the constructor of a dataset reads or lists itself, where they are of one split.

        What it reads of the training set may be there for every split: statistics, a table of speakers.
        """
        stack = self._stack_around(dataset)
        inside = () if stack is None else (*stack, dataset.location)
        found = [
            split
            for read, event in self._reading
            if inside and read[: len(inside)] == inside
            for split in _told_by(event)
        ]
        return found if {each.kind for each in found} in ({VALID}, {TEST}) else []

    @cached_property
    def _reading(self) -> list[tuple[Stack, CallEvent]]:
        """The calls that read or list something, each with the calls on the stack."""
        calls = self._view.scene.calls
        return [(stack_of(each.context), each) for each in calls if each.callee.rpartition(".")[2] in _READS]

    def _behind_arguments(self, dataset: Instance) -> Iterator[Slice]:
        """The arguments with which a dataset was made, constants apart, and what is behind each of them."""
        call = self._view.code.call_at(dataset.location)
        stack = self._stack_around(dataset)
        if call is None or stack is None:
            return
        for argument in arguments_of(call):
            if not isinstance(argument, ast.Constant):
                yield self._slicer.behind(argument, dataset.location.path, stack)

    def _files_read(self, dataset: Instance) -> Iterator[Split]:
        """Lists of items that were read from a file or a folder before the dataset was made."""
        for behind in self._behind_arguments(dataset):
            events = self._events(behind)
            settings = {_text_read(event) for event in events if _is_of_several_sets(event.result)}
            keys = [(found, key, self._unread(found)) for found, key in keys_behind(behind)]
            for event in events:
                told = [] if _text_read(event) in settings else list(_told_by(event))
                key = validation_key((found, key) for found, key, unread in keys if told and event in unread)
                yield from told if key is None else [self._by_key(*key)]

    def _events(self, behind: Slice) -> list[CallEvent]:
        found = [self._slicer.event(each) for each in behind.calls]
        return [event for event in found if event is not None]

    def _unread(self, key: Found) -> list[CallEvent]:
        """The calls that read a file of which a key gives a part; none where its content is known."""
        match key.node:
            case ast.Subscript(value=owner) | ast.Call(func=ast.Attribute(value=owner)):
                events = self._events(self._slicer.behind(owner, key.path, key.stack))
                if not any(isinstance(event.result, DictValue | ListValue) for event in events):
                    return [event for event in events if event.callee.rpartition(".")[2] in _READS]
        return []


def _kinds_of(named: Iterable[tuple[str, Location]]) -> set[str]:
    return {kind for name, _ in named for kind in kinds_in(name)}


def _path_read(event: CallEvent) -> Value | None:
    """What a call reads or lists: its first argument, or the path whose method it is: `Path(folder).rglob("*.wav")`."""
    if event.callee.rpartition(".")[2] not in _READS:
        return None
    if event.callee.startswith("pathlib."):
        return path_of(event.receiver)
    return path_of(event.arguments.positional[0]) if event.arguments.positional else None


def _text_read(event: CallEvent) -> str:
    """The path that a call reads or lists, empty where that is not known."""
    path = _path_read(event)
    return path.value if isinstance(path, Const) and isinstance(path.value, str) else ""


def _is_of_several_sets(read: Value | None, depth: int = 2) -> bool:
    """Whether what was read from a file has sections for several sets: then where it lies tells of none of them."""
    if not isinstance(read, DictValue):
        return False
    first = list(islice(read.items.items(), _MOST_TEXTS))
    kinds = {kind for key, _ in first if isinstance(key, str) for kind in kinds_in(key)}
    return len(kinds) > 1 or (depth > 1 and any(_is_of_several_sets(each, depth - 1) for _, each in first))


def _told_by(event: CallEvent) -> Iterator[Split]:
    """The split of the path that a call reads or lists; none where that is not known, or is one of settings."""
    path, text = _path_read(event), _text_read(event)
    if path is not None and not is_of_settings(text) and (kind := kind_of_path(text)):
        trail = (*path.trail, Step(event.location, f"its items are read from {text}"))
        yield Split(kind, f"its items are read from {text!r}", trail)


def _makes(event: CallEvent, dataset: Instance) -> bool:
    """Whether a call is the one that made an object."""
    if event.location != dataset.location:
        return False
    made = (*instances_of(event.result), *instances_of(event.receiver))
    return is_among(dataset, made)


def _held(dataset: Instance) -> Iterator[tuple[str, Value]]:
    """The values that a dataset was made with or holds, with their names; lists of paths item by item.

    A configuration of several sections, or one that names several sets, speaks of every set and of where results go:
    it tells nothing of this one.
    """
    texts = parts = 0
    for key, value in _given(dataset):
        for part in values_within(value, 3) if not _is_configuration(value) else ():
            texts += isinstance(part, Const) and isinstance(part.value, str)
            parts += 1
            if texts > _MOST_TEXTS or parts > _MOST_PARTS:
                return
            yield key, part


def _given(dataset: Instance, depth: int = 2) -> Iterator[tuple[str, Value]]:
    """What a dataset was made with and holds, and what the datasets that it draws from were made with: one that mixes
    the speech of a folder with the noise of another knows neither folder itself."""
    named: list[tuple[str, Value]] = [("", value) for value in dataset.arguments.positional]
    named += list(dataset.arguments.keywords.items())
    named += [(key, value) for key, value in dataset.attrs.items() if not key.startswith("@")]
    yield from named
    values = [part for _, value in named for part in (value.items if isinstance(value, ListValue) else [value])]
    inner = [each for value in values for each in instances_of(value) if _gives_items(each)] if depth else []
    for each in {id(each.cell): each for each in inner}.values():
        yield from _given(each, depth - 1)


def _gives_items(value: Instance) -> bool:
    return isinstance(value.cls, ClassValue) and class_attribute(value.cls, "__getitem__") is not None


def _is_configuration(value: Value) -> bool:
    """Whether a dictionary, an object that holds settings, or a parsed command line is about more than one set."""
    if isinstance(value, Choice):
        return any(_is_configuration(option.value) for option in value.options)
    nested = isinstance(value, DictValue) and any(isinstance(item, DictValue) for item in value.items.values())
    return nested or len(_sets_named(value)) > 1


def _sets_named(value: Value) -> set[str]:
    """The splits that the texts in a dictionary, or in an object that holds settings, name."""
    if isinstance(value, DictValue):
        items = list(value.items.values())
    elif isinstance(value, Instance) and not _gives_items(value):
        items = list(value.attrs.values())
    else:
        return set()
    texts = [item.value for item in items if isinstance(item, Const) and isinstance(item.value, str)]
    return {kind for text in texts if len(text) <= _LONGEST for kind in kinds_in(text)}


def _may_validate(made: Made) -> bool:
    """Whether settings that a set was given name one for validation and none for a test: that says more than a name."""
    given = (option.value for dataset in made.datasets for _, value in _given(dataset) for option in options_of(value))
    named = set().union(*map(_sets_named, given))
    return VALID in named and TEST not in named
