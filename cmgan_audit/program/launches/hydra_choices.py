"""What a launch leaves to the reader to choose of a Hydra configuration: the primary file, and an experiment.

`python train.py -cn=CONFIG_NAME` stands for every primary file that lies there, `+experiment={name}` for every file of
that group. An experiment, a file for the package `_global_`, is a launch of its own where nothing else says which is
meant: it sets what the training is run with.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from cmgan_audit.finding import Location, Step
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.execution.sessions import interpreter_of
from cmgan_audit.program.execution.trace import Launch, Run
from cmgan_audit.program.launches.configurations import is_meant_to_train, is_trial, meant_for
from cmgan_audit.program.models.command_lines.argparse_state import UNKNOWN_MARK
from cmgan_audit.program.models.settings.hydra_ import COMPOSED, Composed
from cmgan_audit.source.data_files.nodes import DataError, DataNode, Mapping, Scalar
from cmgan_audit.source.tree import SourceTree

# How many files a script is followed with, and one that only scores or applies what another one trains.
MOST_OF_A_TRAINING = 8
MOST_OF_A_SCORER = 2
# Settings at the top of a file that only say what its training is called.
_CALLED = frozenset({"name", "task_name", "exp_name", "experiment_name", "run_name", "tags"})
_NAMES_PRIMARY = frozenset({"--config-name", "-cn"})
_GLOBAL = regex(r"^#\s*@package\s+_global_\s*$", re.MULTILINE)
_DEFAULTS = regex(r"^defaults:", re.MULTILINE)
# Groups for the package `_global_` that say how a program is run or searched, not what is trained.
_HOW = regex(
    r"(?:^|/)(?:hydra|debug\w*|local|launcher|hparams?_search|hparams|sweeps?\w*|sweepers?|optuna|paths?)(?:/|$)"
)


def chosen_by_files(
    tree: SourceTree, first: Run, launches: Sequence[Launch]
) -> tuple[list[Launch], dict[str, list[Launch]]]:
    """The launches of a Hydra program with what they leave open filled in, and those that are left out, by why.

    Args:
        tree: the audited tree.
        first: the run of the bare script.
        launches: those that the tree ships, without the bare one.
    """
    composed = interpreter_of(first).notes.get(COMPOSED)
    if not isinstance(composed, Composed) or _primary(tree, composed) is None:
        return list(launches), {}
    filled: dict[tuple[str, ...], Launch] = {}
    kept: list[Launch] = []
    for launch in launches:
        choices = list(_filled(tree, first.entry, composed, launch))
        filled |= {each.argv: each for each in choices}
        if not choices:
            kept.append(launch)
    if not filled:
        filled = {each.argv: each for each in _experiments(tree, first.entry, composed, kept)}
    others = [each for argv, each in filled.items() if argv not in {launch.argv for launch in kept}]
    different: dict[tuple[object, ...], Launch] = {}
    for each in others:
        different.setdefault(_what_counts(tree, each), each)
    most = MOST_OF_A_TRAINING if is_meant_to_train(first.entry) else MOST_OF_A_SCORER
    followed, too_many = list(different.values())[:most], list(different.values())[most:]
    alike = [each for each in others if each not in different.values()]
    left_out = {f"more than {most} configurations": too_many, "other names and lists in a configuration": alike}
    return [*kept, *followed], left_out


def _what_counts(tree: SourceTree, launch: Launch) -> tuple[object, ...]:
    """What tells a launch from others: its words but for the file, and what that sets, but for names and lists.

    A dozen experiments often differ in the data that each one takes, and are trained alike.
    """
    steps = (step.location for step in launch.steps)
    words = tuple(word for word, place in zip(launch.argv, steps, strict=True) if place != launch.location)
    path = "" if launch.location is None else launch.location.path
    try:
        node = tree.read_data(path, "omegaconf")
    except DataError:
        return (*words, path)
    if not isinstance(node, Mapping):
        return (*words, path)
    set_here = {key: value for key, value in node.entries.items() if key not in _CALLED}
    return (*words, *(each for key, value in set_here.items() for each in _leaves(value, (key,))))


def _leaves(node: DataNode, path: tuple[object, ...]) -> Iterator[object]:
    """The settings below a node, each with its path; of a list of plain values no more than that it is there."""
    if isinstance(node, Mapping):
        for key, value in node.entries.items():
            yield from _leaves(value, (*path, key))
    elif isinstance(node, Scalar):
        yield path, repr(node.value)
    elif path == ("defaults",) or not all(isinstance(each, Scalar) for each in node.items):
        for number, each in enumerate(node.items):
            yield from _leaves(each, (*path, number))
    else:
        yield path, None


def _filled(tree: SourceTree, entry: str, composed: Composed, launch: Launch) -> Iterator[Launch]:
    """A launch with every file in place of the word that leaves it open."""
    for number, word in enumerate(launch.argv):
        flag, equals, _ = word.partition("=")
        before = launch.argv[number - 1] if number else ""
        if UNKNOWN_MARK not in word:
            continue
        if flag in _NAMES_PRIMARY or before in _NAMES_PRIMARY:
            files = _primaries(tree, entry, composed)
        elif equals:
            files = _of_group(tree, entry, composed, flag.lstrip("+"))
        else:
            continue
        for path in files:
            name = _name(composed, path, "" if flag in _NAMES_PRIMARY or not equals else flag.lstrip("+"))
            yield _with(launch, number, f"{flag}={name}" if equals else name, path)


def _experiments(tree: SourceTree, entry: str, composed: Composed, launches: Sequence[Launch]) -> Iterator[Launch]:
    """A launch for every experiment of a group of which neither the program nor a launch chooses one."""
    below = f"{composed.folder}/" if composed.folder else ""
    folders = {posixpath.dirname(path.removeprefix(below)) for path in tree.data_files if path.startswith(below)}
    words = {word.lstrip("+").partition("=")[0] for launch in launches for word in launch.argv}
    for group in sorted(folders - {""} - composed.chosen - words):
        for path in [] if _HOW.search(group) else _of_group(tree, entry, composed, group):
            if is_trial(path):
                continue
            sign = "" if group in composed.listed else "+"
            step = Step(Location(path, 1), f"started with the configuration {path}")
            word = f"{sign}{group}={_name(composed, path, group)}"
            yield Launch(f"configuration {path}", (word,), (step,), step.location)


def _primaries(tree: SourceTree, entry: str, composed: Composed) -> list[str]:
    """The files beside the primary one that can stand in its place: they choose groups like it, if it does."""
    beside = [path for path in tree.data_files if posixpath.dirname(path) == composed.folder and _is_yaml(path)]
    own = _primary(tree, composed)
    chooses = own is not None and _DEFAULTS.search(tree.text(own) or "") is not None
    others = [path for path in beside if not chooses or _DEFAULTS.search(tree.text(path) or "")]
    return [path for path in meant_for(entry, others) if path != own]


def _primary(tree: SourceTree, composed: Composed) -> str | None:
    """The primary file of the bare script; without one, no experiment helps it to start."""
    stem = posixpath.join(composed.folder, composed.primary)
    return next((path for path in (f"{stem}.yaml", f"{stem}.yml") if path in tree.data_files), None)


def _of_group(tree: SourceTree, entry: str, composed: Composed, group: str) -> list[str]:
    """The experiments of a group: its files for the package `_global_`."""
    folder = posixpath.join(composed.folder, group)
    files = [path for path in tree.data_files if posixpath.dirname(path) == folder and _is_yaml(path)]
    return meant_for(entry, [path for path in files if _GLOBAL.search((tree.text(path) or "")[:500])])


def _is_yaml(path: str) -> bool:
    return path.endswith((".yaml", ".yml"))


def _name(composed: Composed, path: str, group: str) -> str:
    """What a file is called in its group."""
    return posixpath.splitext(posixpath.relpath(path, posixpath.join(composed.folder, group) or "."))[0]


def _with(launch: Launch, number: int, word: str, path: str) -> Launch:
    """A launch with another word, without others that only say that more may follow."""
    step = Step(Location(path, 1), f"started with the configuration {path}")
    steps = launch.steps if len(launch.steps) == len(launch.argv) else (step,) * len(launch.argv)
    words = [
        (word, step) if at == number else (each, its)
        for at, (each, its) in enumerate(zip(launch.argv, steps, strict=True))
        if at == number or at == number - 1 or "=" in each
    ]
    return replace(
        launch,
        condition=f"configuration {path}",
        argv=tuple(each for each, _ in words),
        steps=tuple(its for _, its in words),
        location=step.location,
    )
