"""Whether a training continues from a checkpoint of its own, and whether anybody asked for that."""

from __future__ import annotations

import ast
import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import chain

from cmgan_audit.facts.adversarial.holders import Held, Holders
from cmgan_audit.facts.checkpoints.apart import is_apart, trainings_of
from cmgan_audit.facts.checkpoints.completeness import Completeness
from cmgan_audit.facts.checkpoints.framework_resumes import framework_resumes
from cmgan_audit.facts.checkpoints.given import (
    folder_options,
    is_folder_of_one,
    is_open,
    is_unread,
    maybe_missing,
    names_only_folder,
    numbers_none,
    options_of_path,
    options_of_step,
    path_of_caller,
    says_file,
    speaks_of_one,
)
from cmgan_audit.facts.checkpoints.guards import Guard, Guards, Setting
from cmgan_audit.facts.checkpoints.own_files import OwnFiles, Sign
from cmgan_audit.facts.checkpoints.records import Resume
from cmgan_audit.facts.checkpoints.restoring import Batch, bare, batches, first_step, member_of, together
from cmgan_audit.facts.checkpoints.surroundings import (
    brings_all_back,
    entries_of,
    functions_of,
    in_constructor,
    names_of,
)
from cmgan_audit.facts.checkpoints.wakes import of_one_resume, resumed_in
from cmgan_audit.facts.checkpoints.whole_networks import is_whole, whole_networks
from cmgan_audit.facts.checkpoints.wording import ABOUT, ANOTHER, CHECKPOINT, PRETRAINED, RESUME
from cmgan_audit.facts.code import stack_of
from cmgan_audit.facts.optimisers import is_optimiser
from cmgan_audit.facts.passes.gradients import is_frozen_for_good
from cmgan_audit.facts.values import instances_of, share_one
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Confidence, Location, Step
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.values import Const, Value, options_of
from cmgan_audit.program.execution.trace import CallEvent, Event, Supposed, innermost_function
from cmgan_audit.program.models.files import path_of
from cmgan_audit.program.models.needed_files import NeededOption
from cmgan_audit.rules.record import Fact, Known
from cmgan_audit.rules.record import Unknown as NotKnown

_A_FILE = regex(r"[\w-]*(?<!last)(?<!latest)(?<!best)\.(pt|pth|ckpt|tar|bin|th|pkl|safetensors)$", re.IGNORECASE)
_A_SETTINGS_FILE = regex(r"\.(ya?ml|json[5c]?|toml|ini|cfg|conf)$", re.IGNORECASE)
_IN_SETTINGS = "in settings that are given on the command line"
_NOTHING_TOLD = "nothing has to be set for it"


def resumes_of(view: View) -> Iterator[Resume]:
    """The restores before the training starts, and those that a setting keeps off."""
    yield from framework_resumes(view)
    start = first_step(view.scene)
    if not start:
        return
    completeness = Completeness(view, start)
    supposed_before = [supposed for supposed in view.scene.run.supposed if supposed.position <= start]
    kept_off = [resumed_in(view, supposed, start) for supposed in supposed_before]
    resuming = _Resuming(view, completeness, any(map(brings_all_back, chain.from_iterable(kept_off))))
    before = view.scene.run.events[:start]
    read = [*batches(before), *whole_networks(before, resuming.held)]
    trainings = trainings_of(view.scene)
    read = [batch for batch in read if not in_constructor(batch) and not is_apart(batch, trainings)]
    found = [batch for batch in read if resuming.is_trained(batch)]
    for batch in found:
        yield from resuming.asked_or_not(batch, together(found), before)
    for supposed, read_there in zip(supposed_before, kept_off, strict=True):
        off = [batch for batch in read_there if not resuming.is_frozen(batch) or _gets_optimiser(batch, supposed)]
        events = of_one_resume(view, supposed, start) if off else []
        for batch in off:
            there = batches(events)
            yield from resuming.kept_off(batch, together(there), together([*found, *there]), supposed, events)


class _Resuming:
    """Judges the restores of a run.

    With `resumes_elsewhere`, a setting keeps off a resume that brings back weights and what trains them: weights alone
    that are loaded all the same are what a training starts from.
    """

    def __init__(self, view: View, completeness: Completeness, resumes_elsewhere: bool) -> None:
        self._view = view
        self._resumes_elsewhere = resumes_elsewhere
        self._guards = Guards(view.code)
        self._completeness = completeness
        self._files = OwnFiles(view, self._guards)
        self._holders = Holders(view.scene)

    def asked_or_not(self, batch: Batch, whole: Batch, events: Sequence[Event]) -> Iterator[Resume]:
        """The record of a restore that happens in this run; none for weights that are no checkpoint of the run."""
        if self._files.are_missing(batch):
            return
        settings = [setting for event in entries_of(batch) for setting in self._settings(event)]
        given = self._given(batch, settings)
        if given is not None:
            if not _is_start(batch, settings, _options_of(given)) and not self._is_part(batch, whole, given, settings):
                yield self._record(batch, whole, events, Known(False, given.trail), given.text)
            return
        sign = self._own(batch, settings)
        wanted = self._wanted(batch, settings)
        if sign is not None and sign.text == _NOTHING_TOLD:
            wanted = wanted or maybe_missing(settings) or path_of_caller(batch)
        if sign is not None and wanted:
            yield self._record(batch, whole, events, NotKnown(f"it is not known whether {wanted} is given"), sign.text)
        elif sign is not None:
            medium = any(isinstance(s.value, Const) and s.value.overridable for s in settings)
            confidence = Confidence.MEDIUM if medium else Confidence.HIGH
            yield self._record(batch, whole, events, Known(True, sign.trail, confidence=confidence), sign.text)

    def _is_part(self, batch: Batch, whole: Batch, given: Sign, settings: Sequence[Setting]) -> bool:
        """Whether weights are loaded alone, by a word that speaks of no checkpoint, from a file that settings name or
        that every start of the training has to be given, the first one too.

        `asr_path: asr/epoch_00100.pth` is a network that comes trained, and no training to go on with. A file that this
        training writes, or takes if it is there, is its own whatever it is called.
        """
        words = [*(step.note.partition(" is ")[0] for step in given.trail), *(setting.text for setting in settings)]
        speaks = CHECKPOINT.search(" ".join([*words, *functions_of(batch)]))
        goes_on = batch.trains_on or self._completeness.goes_on_counting(batch)
        if speaks or goes_on or any(map(self._files.saves_there, batch.loads)) or any(self._files.looked_for(batch)):
            return False
        return given.text.endswith(_IN_SETTINGS) or self._is_needed(batch, whole, given)

    def _is_needed(self, batch: Batch, whole: Batch, given: Sign) -> bool:
        """Whether a training does not start without what a batch loads: it ends with an error, or loads it elsewhere.

        What keeps a load off is a test of a setting that speaks of it, one around it in its own function, or one that
        asks an option of its path where it is called. Which device a training is started for is asked there, too.
        """
        if any(map(self._files.may_fail, batch.loads)):
            return False
        options = _options_of(given)
        sides = {(guard.node, guard.taken) for load in whole.loads for guard in self._guards.of(load)}
        return not any(
            self._about(guard)
            or (event in batch.loads and guard.stack == stack_of(event.context))
            or any(option in ast.unparse(guard.node) for option in options)
            for event in entries_of(batch)
            for guard in self._guards.of(event)
            if not guard.insists and (guard.node, not guard.taken) not in sides
        )

    def kept_off(
        self, batch: Batch, there: Batch, whole: Batch, supposed: Supposed, events: Sequence[Event]
    ) -> Iterator[Resume]:
        """The record of a resume that a setting keeps off; none where only weights to start from are meant.

        `there` is what it loads, `whole` that with what is loaded in every run.
        """
        condition = supposed.condition.text
        names = " ".join([condition, *functions_of(batch)])
        resumes = batch.trains_on or (RESUME.search(names) and not PRETRAINED.search(names))
        resumes = resumes or self._completeness.goes_on_counting(batch)
        if resumes and not in_constructor(batch):
            off = Known(False, (Step(supposed.condition.location, f"only if {condition}"),))
            yield replace(self._record(batch, whole, events, off, f"only if {condition}"), what=names_of(there))

    def _record(self, batch: Batch, whole: Batch, events: Sequence[Event], unasked: Fact, how: str) -> Resume:
        first = (batch.loads or [each.event for each in batch.restored])[0]
        is_start = self._resumes_elsewhere and not whole.trains_on
        names = " ".join([how, *functions_of(whole)])
        anew = bool(PRETRAINED.search(names) or ANOTHER.search(names))
        left_out, complete = ("", Known(True)) if is_start else self._completeness.of(whole, events, anew)
        return Resume(
            location=first.location,
            anchor=innermost_function(first.context),
            unasked=unasked,
            how=how,
            what=names_of(whole),
            left_out=left_out,
            complete=complete,
        )

    def _settings(self, event: CallEvent) -> Iterator[Setting]:
        for guard in self._guards.of(event):
            yield from self._about(guard)

    def _about(self, guard: Guard) -> list[Setting]:
        """The settings of a guard that speak of what is loaded."""
        return [setting for setting in self._guards.settings(guard) if ABOUT.search(setting.text)]

    def _wanted(self, batch: Batch, settings: Sequence[Setting]) -> str:
        """A setting that has to be given for this load to happen, and of which nothing is known; "" where none is."""
        wanted = [setting.text for setting in settings if setting.taken and is_unread(setting.value)]
        wanted += [
            text
            for event in entries_of(batch)
            for guard in self._guards.of(event)
            for text in self._guards.open_settings(guard)
            if ABOUT.search(text)
        ]
        return wanted[0] if wanted else ""

    def _given(self, batch: Batch, settings: list[Setting]) -> Sign | None:
        """What somebody had to give for this load to happen: a word of the command line, a variable, a path."""
        launch = self._view.scene.run.launch
        words = {step.location for step in launch.steps}
        values = [(setting.text, setting.value, setting.location) for setting in settings if setting.taken]
        for event in batch.loads:
            values += [("the path", path_of(value), event.location) for value in event.arguments.positional[:1]]
        in_folder = any(not guard.insists for guard, _ in self._files.looked_for(batch))
        for text, value, place in values:
            for option in options_of(value):
                held = option.value
                if text == "the path" and in_folder and names_only_folder(held, launch) and not speaks_of_one(held):
                    continue  # where this training lies, and the file is taken if it is there
                said = words - self._settings_named if text == "the path" else words
                typed = isinstance(held, Const) and any(step.location in said for step in held.trail)
                typed = typed or (text == "the path" and is_folder_of_one(held, launch))
                none_yet = isinstance(held, Const) and bool(held.overridable) and held.value in (None, "")
                if typed or (text == "the path" and none_yet) or isinstance(held, NeededOption) or is_open(held):
                    return Sign(f"{text} is given on the command line", (*held.trail, Step(place, "is asked for")))
                unnumbered = numbers_none(held) if text == "the path" else ""
                if unnumbered:
                    return Sign(f"only if {unnumbered} numbers a stored state", held.trail)
                if isinstance(held, Const) and self._named_in_given_settings(held):
                    how = f"because {text} names the file, {_IN_SETTINGS}"
                    return Sign(how, (*held.trail, Step(place, "is asked for")))
        return None

    def _named_in_given_settings(self, held: Const) -> bool:
        """Whether a value names one checkpoint, and stands in a file of settings that a word of the command names.

        A later stage of a training is started like that. `resume: true`, "last" or a folder name no file: they take
        what they find.
        """
        if not isinstance(held.value, str) or not held.trail or not _A_FILE.search(held.value):
            return False
        settings = held.trail[0].location.path
        if held.trail[0].location in self._settings_named or not says_file(held, self._view.tree.text(settings)):
            return False
        return not settings.endswith(".py") and any(
            f"/{settings}".endswith("/" + posixpath.normpath(word.rpartition("=")[2]).lstrip("./"))
            for word in self._view.scene.run.launch.argv
            if word and not word.startswith("\0")
        )

    @cached_property
    def _settings_named(self) -> frozenset[Location]:
        """Where the command line names files of settings: `-c config/small.json` gives no checkpoint, though the folder
        that is looked into may be called after it."""
        launch = self._view.scene.run.launch
        named = zip(launch.argv, launch.steps, strict=False)
        return frozenset(step.location for word, step in named if _A_SETTINGS_FILE.search(word))

    def _own(self, batch: Batch, settings: list[Setting]) -> Sign | None:
        """Why this is a checkpoint of the run, strongest sign first; None where it may be weights to start from."""
        launch = self._view.scene.run.launch
        paths = (path_of(value) for event in batch.loads for value in event.arguments.positional[:1])
        options = [name for path in paths for name in (*options_of_path(path), *folder_options(path, launch))]
        if _is_start(batch, settings, options):
            return None
        load = (batch.loads or [batch.restored[0].event])[0]
        calls = [Step(frame.call, f"{frame.function}() loads it") for frame in load.context.frames[-2:]]
        here = (*calls, Step(load.location, "the checkpoint is loaded here"))
        # Where another setting resumes, one that names weights alone names what to start from.
        for setting in settings if batch.trains_on or not self._resumes_elsewhere else ():
            value = setting.value
            if (
                setting.taken
                and isinstance(value, Const)
                and value.value
                and value.trail
                and ABOUT.search(setting.text)
            ):
                return Sign(f"{setting.text} is {value.value!r}", (*value.trail, *here))
        sign = self._files.found(batch)
        if sign is None and self._files.are_demanded(batch):
            return None  # a file that has to be there was asked for, whoever asked
        sign = sign or self._files.exists(batch)
        if sign is None and self._files.saves_there(load):
            sign = Sign("it is where this training saves", ())
        if sign is None and batch.trains_on:
            sign = Sign(_NOTHING_TOLD, ())
        return None if sign is None else Sign(sign.text, (*sign.trail, *here))

    def is_trained(self, batch: Batch) -> bool:
        """Whether something restored is trained in this run: an optimiser, or a network whose parameters are asked.

        Who freezes a network asks for its parameters too, so an optimiser has to hold them where all are known that
        the optimisers hold.
        """
        restored = batch.targets
        if batch.trains_on or len(restored) < len(batch.restored) or any(map(is_whole, restored)):
            return True
        asked = [
            bare(use.on)
            for use in self._view.scene.of("keep")
            if use.on is not None and member_of(use.event) in ("parameters", "named_parameters")
        ]
        asked_for = share_one(restored, asked)
        return asked_for and not self.is_frozen(batch)

    def is_frozen(self, batch: Batch) -> bool:
        """Whether nothing that is restored is trained: it takes no gradients, or all is known that optimisers hold."""
        restored = batch.targets
        if batch.trains_on or len(restored) < len(batch.restored):
            return False
        if restored and all(is_frozen_for_good(self._view.scene, each) for each in restored):
            return True
        known = bool(self.held) and all(held.complete for held in self.held)
        return known and not any(held.touches(each) for held in self.held for each in restored)

    @cached_property
    def held(self) -> list[Held]:
        """What each optimiser of the run trains."""
        optimisers = {id(use.on.attrs): use.on for use in self._view.scene.of("step") if use.on is not None}
        return [self._holders.of(each) for each in optimisers.values()]


def _gets_optimiser(batch: Batch, supposed: Supposed) -> bool:
    """Whether the branch that restores a network makes the optimiser of it too: the run without it knows neither."""
    calls = [event for event in supposed.events if isinstance(event, CallEvent)]
    asked = [bare(each) for event in calls if member_of(event) == "parameters" for each in instances_of(event.receiver)]
    restored = batch.targets
    is_made = any(is_optimiser(each) for event in calls for each in instances_of(event.result))
    return is_made and share_one(asked, restored)


def _is_start(batch: Batch, settings: Sequence[Setting], options: Sequence[str]) -> bool:
    """Whether only weights to start from are loaded, by the names of the settings, functions and files around it.

    `options` are those that have something to say about the path: `--finetune_from pretrained/last.pt`.
    """
    names = [*(setting.text for setting in settings if not _names_nothing(setting.value)), *functions_of(batch)]
    names += [*options, *(event.location.path for event in batch.loads)]
    return not batch.trains_on and bool(PRETRAINED.search(" ".join(names)))


def _options_of(sign: Sign) -> list[str]:
    """The options on the way to a load."""
    return [option for step in sign.trail for option in options_of_step(step)]


def _names_nothing(value: Value) -> bool:
    """Whether a setting is empty: what is loaded all the same (`elif found:`) does not come from there."""
    return isinstance(value, Const) and value.value in (None, "")
