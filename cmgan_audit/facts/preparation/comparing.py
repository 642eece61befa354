"""Holds the settings of an evaluation against those of the training: in one script, and across scripts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from cmgan_audit.facts.preparation.records import FFT, HOP, INVERSE, RATE, WINDOW_LENGTH, Preparation, SignalSetting
from cmgan_audit.facts.values import with_step
from cmgan_audit.finding import Location, Step, Trail
from cmgan_audit.lazy_regex import regex
from cmgan_audit.rules.record import Fact, Known, OneOf, Record, Unknown
from cmgan_audit.source.discovery import kind_of
from cmgan_audit.source.tree import SourceTree

# What only a file of settings of a training holds.
_OF_TRAINING = regex(
    rb"(?i)(?<![a-z])(lr|learning_?rate|n?_?epochs?|max_(steps|epochs|iters)|optimi[sz]er|weight_decay)(?![a-z])"
)
# What a constructor gets that changes no weight.
_NO_SIZE = regex(
    r"(?i)hop|rate|lr|batch|drop|weight|decay|seed|worker|epoch|device|gpu|path|file|dir|mode|train|eval|infer|verbose"
    r"|debug|ckpt|checkpoint|(?<![a-z])(len|length|sr|fs|eps|log)(?![a-z])"
)
# A training that stands beside an evaluation.
_TRAINER = regex(r"(?i)train[^/]*\.py$")
# What is looked for under `unresolved`; of the others it is enough to be silent.
_NEEDED = (FFT, HOP, RATE)
_CLOSE = 0.01


def union(facts: Sequence[Fact], step: Step | None = None) -> Fact:
    """One fact for several uses of a setting: unknown as soon as one of them is."""
    facts = [with_step(fact, step) for fact in facts] if step is not None else list(facts)
    for fact in facts:
        if isinstance(fact, Unknown):
            return fact
    options = {option.value: option for fact in reversed(facts) for option in _options(fact)}
    if len(options) == 1:
        return next(iter(options.values()))
    return OneOf(tuple(options.values()))


def _options(fact: Fact) -> tuple[Known, ...]:
    return fact.options if isinstance(fact, OneOf) else (fact,) if isinstance(fact, Known) else ()


def judged(evaluated: Fact, trained: Sequence[Fact]) -> Fact:
    """Whether an evaluation uses a value of the training; not known where either is not, or where it may be either."""
    for fact in (evaluated, *trained):
        if isinstance(fact, Unknown):
            return fact
    here = _options(evaluated)
    there = [option for fact in trained for option in _options(fact)]
    shared = [one for one in here if any(_alike(one.value, other.value) for other in there)]
    confidence = min(option.confidence for option in (*here, *there))
    trail = _both(here[0].trail, there[0].trail)
    if not shared:
        return Known(False, trail, here[0].condition if len(here) == 1 else "", confidence)
    if len(shared) == len(here) and len({option.value for option in there}) == 1:
        return Known(True, trail, confidence=confidence)
    return Unknown("it is one of several values", trail)


def _alike(one: object, other: object) -> bool:
    if isinstance(one, int | float) and isinstance(other, int | float):
        return math.isclose(one, other, rel_tol=_CLOSE)
    return one == other


def _both(evaluated: Trail, trained: Trail) -> Trail:
    steps = (Step(step.location, f"in the training: {step.note}") for step in trained)
    return (*evaluated, *steps)


def preparations_of(
    network: str,
    evaluated: Sequence[tuple[str, Fact]],
    trained: Mapping[str, Sequence[Fact]],
    where: Location,
    anchor: str,
    *,
    separate: bool,
) -> Iterator[Preparation]:
    """The settings that differ, each as a record; else those that are the same, or are not known, as one.

    Args:
        network: the name of the network's class.
        evaluated: settings of the evaluation with their values.
        trained: the values of the training by setting.
        where: where the network is made, for what has no place of its own.
        anchor: what tells the records of one network from those of others.
        separate: whether the evaluation is another script than the training.
    """
    both = [(name, fact, judged(fact, trained[name])) for name, fact in evaluated if trained.get(name)]
    differing = {name: same for name, _, same in both if isinstance(same, Known) and not same.value}

    def record(name: str, evaluated: str, trained: str, same: Fact) -> Preparation:
        return Preparation(
            location=same.trail[0].location if same.trail else where,
            anchor=f"{anchor}:{name}",
            network=network,
            setting=name,
            evaluated=evaluated,
            trained=trained,
            separate=separate,
            same=same,
        )

    for name, fact, same in both:
        if name in differing and not _is_implied(name, differing):
            yield record(name, _text([fact]), _text(trained[name]), same)
    unknown = [(name, same) for name, _, same in both if isinstance(same, Unknown) and name in _NEEDED]
    alike = [(name, fact, same) for name, fact, same in both if isinstance(same, Known) and same.value]
    if unknown and not differing:
        yield record(unknown[0][0], "not known", "not known", Unknown(unknown[0][1].reason, unknown[0][1].trail))
    elif alike and not differing:
        text = ", ".join(_listed([(name, _text([fact])) for name, fact, _ in alike]))
        yield record("all that is known", text, text, alike[0][2])


def _listed(settings: Sequence[tuple[str, str]]) -> list[str]:
    """Settings with their values, without those of an inverse transform that are those of the transform."""
    forward = dict(settings)
    kept = [
        (name, text)
        for name, text in settings
        if not name.startswith(INVERSE) or forward.get(name.removeprefix(INVERSE)) != text
    ]
    return list(dict.fromkeys(f"{name} {text}" for name, text in kept))


def _is_implied(name: str, differing: Mapping[str, Fact]) -> bool:
    """Whether a setting differs because another one does: that of the inverse transform, or a part of the FFT size."""
    if name.removeprefix(INVERSE) != name and name.removeprefix(INVERSE) in differing:
        return True
    of_inverse = INVERSE if name.startswith(INVERSE) else ""
    whole = differing.get(f"{of_inverse}{FFT}")
    derived = (f"{of_inverse}{WINDOW_LENGTH}", f"{of_inverse}{HOP}")
    return whole is not None and name in derived and whole.trail[:1] == differing[name].trail[:1]


def _text(facts: Iterable[Fact]) -> str:
    values = dict.fromkeys(_shown(option.value) for fact in facts for option in _options(fact))
    return " or ".join(values) or "not known"


def _shown(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def across_scripts(tree: SourceTree, exclude: Sequence[str], records: Sequence[Record]) -> Iterator[Preparation]:
    """The settings of scripts that load a network's weights, held against those of the scripts that train it."""
    settings = [record for record in records if isinstance(record, SignalSetting)]
    groups: dict[tuple[str, str, Location], list[SignalSetting]] = {}
    for each in settings:
        if not each.trains:
            groups.setdefault((each.script, each.cls, each.location), []).append(each)
    for (script, cls, place), group in groups.items():
        training = _trained_for(tree, group[0], settings)
        scripts = {each.script for each in training}
        trained: dict[str, list[Fact]] = {}
        for name in {each.setting for each in training}:
            told = [each for each in training if each.setting == name]
            if {each.script for each in told} == scripts:  # one of which nothing is known may set anything
                trained[name] = [each.value for each in told]
        evaluated = [
            (name, fact)
            for name, fact in _over_launches(group)
            if _is_one_training(tree, script, fact, trained.get(name, ()))
        ]
        anchor = f"{script}:{cls}"
        yield from preparations_of(group[0].network, evaluated, trained, place, anchor, separate=True)


def _over_launches(group: Sequence[SignalSetting]) -> Iterator[tuple[str, Fact]]:
    """Each setting of an evaluation, as one fact over the launches that tell it."""
    for name in dict.fromkeys(each.setting for each in group):
        facts = [each.value for each in group if each.setting == name]
        yield name, union([fact for fact in facts if not isinstance(fact, Unknown)] or facts)


def _trained_for(tree: SourceTree, evaluated: SignalSetting, settings: Sequence[SignalSetting]) -> list[SignalSetting]:
    """What the trainings whose weights a script may load set.

    A script in the folder of a training evaluates that one: recipes have a folder each, and share their networks.
    Where nothing is known of the training beside it, it is not that of another folder.
    """
    training = [each for each in settings if each.trains]
    folder = PurePosixPath(evaluated.script).parent
    beside = [each for each in training if PurePosixPath(each.script).parent == folder]
    others = {path for path in tree.python_files if PurePosixPath(path).parent == folder} - {evaluated.script}
    if not beside and any(_TRAINER.search(path) for path in others):
        return []
    return [each for each in beside or training if each.cls == evaluated.cls and not _is_of_other_size(evaluated, each)]


def _is_of_other_size(one: SignalSetting, other: SignalSetting) -> bool:
    """Whether two networks of a class are made with other words: the weights of one do not fit the other."""
    words = dict(other.made_with)
    return any(name in words and words[name] != word and not _NO_SIZE.search(name) for name, word in one.made_with)


def _is_one_training(tree: SourceTree, script: str, evaluated: Fact, trained: Sequence[Fact]) -> bool:
    """Whether no file of settings stands behind the evaluation that is one of another training."""
    paths = _paths(evaluated) - {script}
    files = {path for path in paths if _holds_settings_of_training(path, tree.read_bytes(path) or b"")}
    return all(files <= _paths(fact) for fact in trained)


def _holds_settings_of_training(path: str, content: bytes) -> bool:
    """Whether a file holds settings, a module of Python only these, and some of them are those of a training."""
    return (kind_of(path) == "data" or b"def " not in content) and _OF_TRAINING.search(content) is not None


def _paths(fact: Fact) -> set[str]:
    """The files that a value comes from."""
    return {step.location.path for option in _options(fact) for step in option.trail}
