"""Collects what a training is evaluated on, and whether that is what it is trained on.

Two sets are known to have the same recordings when they are one object, or two of one class that were given the same
folders or lists; they may differ in how an item is cut, and in nothing that may pick a part of the recordings. So do
two of different classes that take a whole list of the training (`whole_lists`). Two that were given parts of one list
are followed back to it (`list_parts`). A training that looks at another set as well only measures how well it fits.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

from cmgan_audit.facts.classes import bound_arguments, shown_arguments
from cmgan_audit.facts.data.alike import PATHS, are_alike, are_equal, has_recordings
from cmgan_audit.facts.data.list_parts import shares_items
from cmgan_audit.facts.data.records import EvaluationSet
from cmgan_audit.facts.data.whole_lists import read_one_list
from cmgan_audit.facts.loading.names import Names
from cmgan_audit.facts.loading.roles import leaning, path_leaning
from cmgan_audit.facts.name_words import name_words
from cmgan_audit.facts.records import EVAL, TRAIN, Loader
from cmgan_audit.facts.scene import Made
from cmgan_audit.facts.values import (
    class_name,
    constant,
    instances_of,
    is_among,
    is_from_settings,
    is_none,
    same_object,
)
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Confidence, Location, Step
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.values import (
    ClassValue,
    Const,
    HeapValue,
    Instance,
    ListValue,
    Unknown,
    Value,
    options_of,
)
from cmgan_audit.program.execution.trace import CallEvent, Context, Event, StoreEvent, innermost_function
from cmgan_audit.rules.record import Known, certainly

# A few recordings to try the program with, or to see that a network can learn them by heart.
_TRIAL = regex(r"debug|overfit|sanity|toy|dummy|tiny|mini|demo|sample|example|smoke", re.IGNORECASE)
_TRIES = regex(r"debug|overfit|sanity|smoke", re.IGNORECASE)
# Texts that somebody has to replace.
_OPEN = regex(r"path|your|xxx|[<>{}$]|dir to|\.\.\.|todo", re.IGNORECASE)
# What is looked at beside the training, on its own set.
_CALIBRATES = regex(r"calib|monitor|seen|probe", re.IGNORECASE)
_WHOLE_SAMPLERS = ("DistributedSampler", "RandomSampler", "SequentialSampler")


def evaluation_sets(view: View) -> Iterable[EvaluationSet]:
    """A record for every loader of a training that is evaluated on its own training set and on nothing else.

    What is evaluated once, behind the training, excuses none that is called an evaluation set.
    """
    if not view.scene.trains or len(view.loaders) < 2:
        return
    drawn = [(made, loader) for made, loader in view.made_loaders if not certainly(loader.iterated, False)]
    if any(not isinstance(loader.role, Known) or not certainly(loader.iterated, True) for _, loader in drawn):
        return
    given = [made for made, loader in drawn if trains(loader)]
    others = [(made, loader) for made, loader in drawn if not trains(loader)]
    meanwhile = [(made, loader) for made, loader in others if not is_after_training(view, made, loader)]
    is_tested_later = bool(meanwhile) and len(meanwhile) < len(others)
    others = meanwhile or others
    same = [next((each for each in given if _same_recordings(view, made, each)), None) for made, _ in others]
    if any(each is None and certainly(loader.role, EVAL) for each, (_, loader) in zip(same, others, strict=True)):
        return
    names = Names(view.scene, view.assigned) if others else None
    called = [(each, *pair) for each, pair in zip(same, others, strict=True) if _is_evaluation(view, pair[0], names)]
    if any(each is None for each, _, _ in called) or not called or is_trial(view) or is_scored_elsewhere(view):
        return
    for trained, made, loader in called:
        if is_tested_later and not _is_called_evaluation(made, names):
            continue
        if trained is not None and not is_on_purpose(made, names):
            yield _record(made, loader, trained)


def is_after_training(view: View, made: Made, loader: Loader) -> bool:
    """Whether a loader only serves an evaluation behind the training: it tells nothing while the network learns.

    Args:
        view: the run.
        made: the loader.
        loader: its record.
    """
    passes = view.scene.passes_over(made.loader)
    if not certainly(loader.role, EVAL) or not passes or any(single.event.framework for single in passes):
        return False
    learning = list(view.scene.of("backward", "step"))
    around = {id(loop) for use in learning for loop in use.event.context.loops}
    last = max((use.position for use in learning), default=0)
    return bool(around) and all(
        single.position > last and around.isdisjoint(map(id, single.event.context.loops)) for single in passes
    )


def is_trial(view: View) -> bool:
    """Whether a setting of a trial that is switched on decides something: `valid = train if OVERFIT else ...`.

    Args:
        view: the run.
    """
    for (place, _), value in view.code.decisions.items():
        node = view.code.node_at(place) if isinstance(value, Const) and value.value else None
        if node is not None and _TRIES.search(ast.unparse(node)):
            return True
    return False


def is_scored_elsewhere(view: View) -> bool:
    """Whether networks run in a loop that goes through no loader and holds none: over files of a folder, as a rule.

    Args:
        view: the run.
    """
    passes = [single.event for single in view.scene.passes]
    through = {id(each.loop) for each in passes} | {id(each) for each in view.scene.of_frameworks}
    around = {id(loop) for each in passes for loop in each.context.loops}
    for use in view.scene.of("run"):
        loops = [id(each) for each in use.event.context.loops]
        if loops and through.isdisjoint(loops) and loops[-1] not in around:
            return True
    return False


def is_on_purpose(made: Made, names: Names | None) -> bool:
    """Whether a loader is called the training set that something is measured on: `train_eval_loader`.

    Args:
        made: the loader.
        names: what the loaders of the run are called.
    """
    for name, _ in names.of(made) if names is not None else ():
        words = name_words(name)
        if _CALIBRATES.search(name) or {1, -1} <= {leaning(word) for word in words}:
            return True
    return False


def trains(loader: Loader) -> bool:
    """Whether something learns from a loader; one that only speaks of the training by its folder may be misnamed.

    Args:
        loader: its record.
    """
    return (
        isinstance(loader.role, Known) and loader.role.value == TRAIN and loader.role.confidence is not Confidence.LOW
    )


def _record(made: Made, loader: Loader, same: Made) -> EvaluationSet:
    dataset, trained = _dataset(made), _dataset(same)
    assert dataset is not None and trained is not None
    one = same_object(dataset, trained)
    place, loaded_at = dataset.location, same.location
    if place == trained.location:  # one line that makes both sets does not tell which of them is meant
        place, loaded_at = _asked_at(made, same)
    in_part = not one and not are_alike(dataset, trained) and not read_one_list(dataset, trained)
    has = "some of its recordings" if in_part else "the same recordings"
    steps = (
        Step(place, f"the training is evaluated on {_shown(dataset)}"),
        Step(trained.location, "it is made here" if one else f"the training set has {has}: {_shown(trained)}"),
    )
    loaded = (Step(loaded_at, "the training set is loaded from it"),) if place != loaded_at else ()
    return EvaluationSet(
        location=place,
        anchor=f"{innermost_function(made.context)}.{class_name(dataset)}",
        role=loader.role,
        dataset=class_name(dataset),
        given=shown_arguments(dataset.arguments),
        from_training=Known(True, (*steps, *loaded, *_set_at(dataset, trained))),
        in_part=in_part,
    )


def _asked_at(made: Made, other: Made) -> tuple[Location, Location]:
    """Where two loaders are asked for, in the function that asks for both of them; where they are made if none does."""
    one, two = ((*(frame.call for frame in each.context.frames), each.location) for each in (made, other))
    return next((pair for pair in zip(one, two, strict=False) if pair[0] != pair[1]), (made.location, other.location))


def _set_at(*datasets: Instance) -> Iterator[Step]:
    """Where files of settings say from which folders and lists the sets are read, each place once."""
    given = [value for dataset in datasets for value in dataset.arguments.every if isinstance(value, Const)]
    paths = [each for each in given if isinstance(each.value, str) and re.search(r"[/\\.]", each.value)]
    yield from dict.fromkeys(each.trail[0] for each in paths if is_from_settings(each.trail))


def _shown(dataset: Instance) -> str:
    return f"{class_name(dataset)}({shown_arguments(dataset.arguments)})"


def _dataset(made: Made) -> Instance | None:
    given = made.arguments.get("dataset", 0)
    return given if isinstance(given, Instance) else None


def _is_evaluation(view: View, made: Made, names: Names | None) -> bool:
    """Whether the program itself calls a loader, or the function that goes through it, one of an evaluation."""
    if _is_called_evaluation(made, names):
        return True
    contexts = [made.context, *(single.event.context for single in view.scene.passes_over(made.loader))]
    return any(leaning(function) < 0 for each in contexts for function in _functions(each))


def _is_called_evaluation(made: Made, names: Names | None) -> bool:
    return names is not None and any(leaning(name) < 0 for name, _ in names.of(made))


def _functions(context: Context) -> Iterator[str]:
    return (frame.function.rpartition(".")[2] for frame in context.frames[-2:])


def _same_recordings(view: View, made: Made, other: Made) -> bool:
    """Whether two loaders go through the same recordings, all of them."""
    one, two = _dataset(made), _dataset(other)
    if one is None or two is None or not all(map(_takes_all, (made, other))):
        return False
    if _is_tried_out(made.context):
        return False
    if same_object(one, two):
        same = isinstance(one.cls, ClassValue) and not any(map(_is_of_a_trial, _texts(one)))
    else:
        alike = are_alike(one, two) and _tells_its_data(one, two) and not _is_told_otherwise(view, one, two)
        same = alike or read_one_list(one, two) or shares_items(view, one, two)
    return same and not any(_is_changed(view, each) for each in (one, two))  # which asks all events, so last


def _is_told_otherwise(view: View, one: Instance, other: Instance) -> bool:
    """Whether something that both were given is changed between them: `options.folder = "valid"`."""
    given = {id(each) for dataset in (one, other) for each in dataset.arguments.every if isinstance(each, HeapValue)}
    if not given:
        return False
    first: Instance | None = None
    for event in view.scene.run.events:
        if first is not None and isinstance(event, StoreEvent) and id(event.target) in given:
            return True
        made = instances_of(event.result) if isinstance(event, CallEvent) else ()
        for dataset in (one, other):
            if is_among(dataset, made):
                if first is not None and not same_object(first, dataset):
                    return False
                first = dataset
    return False


def _takes_all(made: Made) -> bool:
    """Whether no sampler picks a part of the items."""
    given = (made.arguments.get("sampler", 3), made.arguments.get("batch_sampler", 4))
    samplers = (option.value for each in given if each is not None for option in options_of(each))
    return not made.arguments.open_kwargs and all(is_none(each) or _is_of_all(each) for each in samplers)


def _is_of_all(sampler: Value) -> bool:
    return isinstance(sampler, Instance) and sampler.external_name.rpartition(".")[2] in _WHOLE_SAMPLERS


def _is_tried_out(context: Context) -> bool:
    return any(_TRIAL.search(condition.text) for condition in context.conditions)


def _is_changed(view: View, dataset: Instance) -> bool:
    """Whether something other than its own class changes a dataset, or asks it for a part: `data.use("valid")`.

    What it was given, such as settings or a list of files, was mostly filled before it was made.
    """
    for event in _since_made(view, dataset):
        if isinstance(event, StoreEvent):
            target, kind = event.target, "store"
        elif isinstance(event, CallEvent) and event.receiver is not None:
            target, kind = event.receiver, event.callee.rpartition(".")[2]
        else:
            continue
        own = any(
            frame.value is not None and isinstance(frame.value.bound_to, Instance) and frame.value.bound_to == dataset
            for frame in event.context.frames
        )
        mine = target == dataset or any(
            target is each for each in dataset.attrs.values() if isinstance(each, HeapValue)
        )
        if (mine or _is_its_class(target, dataset)) and not own and not kind.startswith("__"):
            return True
    return any(
        isinstance(node, ast.Delete) and any(_is_part_of(each, dataset) for each in node.targets)
        for function in view.code.reached
        for node in function.own_nodes()
    )


def _since_made(view: View, dataset: Instance) -> Iterator[Event]:
    """The events of a run from the first one in which a dataset takes part, as what is made or what a method is of."""
    events = iter(view.scene.run.events)
    for event in events:
        result = instances_of(event.result) if isinstance(event, CallEvent) else ()
        owners = (frame.value.bound_to for frame in event.context.frames if frame.value is not None)
        if any(each == dataset for each in (*result, *owners)):
            yield event
            break
    yield from events


def _is_its_class(target: Value, dataset: Instance) -> bool:
    return isinstance(target, ClassValue) and isinstance(dataset.cls, ClassValue) and target.node is dataset.cls.node


def _is_part_of(deleted: ast.expr, dataset: Instance) -> bool:
    """Whether `del` takes something out of what a dataset holds, as far as names tell."""
    held = deleted.value if isinstance(deleted, ast.Subscript) else deleted
    return isinstance(held, ast.Attribute) and held.attr in dataset.attrs


def _texts(dataset: Instance) -> Iterator[str]:
    for each in dataset.arguments.every:
        if isinstance(each, Const) and isinstance(each.value, str):
            yield each.value


def _is_of_a_trial(text: str) -> bool:
    return _TRIAL.search(text) is not None


def _tells_its_data(one: Instance, other: Instance) -> bool:
    """Whether what both were given names recordings, and not a trial or something that is still to be filled in."""
    assert isinstance(one.cls, ClassValue) and isinstance(other.cls, ClassValue)
    mine, its = bound_arguments(one.cls, one.arguments), bound_arguments(other.cls, other.arguments)
    pairs = [(mine[name], its[name]) for name in mine if name in its]
    if any(isinstance(each, Const) and isinstance(each.value, str) and _is_of_a_trial(each.value) for each, _ in pairs):
        return False
    told = [pair for pair in pairs if _names_recordings(pair[0]) and are_equal(*pair)]
    asked = has_recordings(one.cls) and any(
        leaning(name) > 0 and constant(mine[name]) is True and are_equal(mine[name], its[name])
        for name in mine
        if name in its
    )
    return (bool(told) or asked) and not any(_are_two_settings(*pair) for pair in told)


def _names_recordings(value: Value) -> bool:
    match value:
        case Const(value=str() as text):
            return "/" in text or "\\" in text or "." in text or path_leaning(text) != 0
        case Unknown() | ListValue():
            return True
        case Instance():
            return value.external_name.startswith(PATHS) or isinstance(value.cls, ClassValue)
    return False


def _are_two_settings(one: Value, other: Value) -> bool:
    """Whether equal texts come from two settings that a user is to give values of his own."""
    if not isinstance(one, Const) or not isinstance(other, Const) or not isinstance(one.value, str):
        return False
    origins = [each.trail[0].location if each.trail else None for each in (one, other)]
    if origins[0] == origins[1] or (one.overridable and one.overridable == other.overridable):
        return False
    settings = one.overridable != other.overridable or any(each and not each.path.endswith(".py") for each in origins)
    return _OPEN.search(one.value) is not None or (settings and path_leaning(one.value) == 0)
