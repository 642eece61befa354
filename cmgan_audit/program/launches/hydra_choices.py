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
from cmgan_audit.program.launches.configurations import MOST_CONFIGURATIONS, is_meant_to_train, meant_for
from cmgan_audit.program.models.argparse_state import UNKNOWN_MARK
from cmgan_audit.program.models.hydra_ import COMPOSED, Composed
from cmgan_audit.source.tree import SourceTree

# How many files a script is followed with that only scores or applies what another one trains.
MOST_OF_A_SCORER = 2
_NAMES_PRIMARY = frozenset({"--config-name", "-cn"})
_GLOBAL = regex(r"^#\s*@package\s+_global_\s*$", re.MULTILINE)
_DEFAULTS = regex(r"^defaults:", re.MULTILINE)
# Groups for the package `_global_` that say how a program is run or searched, not what is trained.
_HOW = regex(
    r"(?:^|/)(?:hydra|debug\w*|local|launcher|hparams?_search|hparams|sweeps?\w*|sweepers?|optuna|paths?)(?:/|$)"
)


def chosen_by_files(tree: SourceTree, first: Run, launches: Sequence[Launch]) -> tuple[list[Launch], list[Launch]]:
    """The launches of a Hydra program with what they leave open filled in, and those that are too many.

    Args:
        tree: the audited tree.
        first: the run of the bare script.
        launches: those that the tree ships, without the bare one.
    """
    composed = interpreter_of(first).notes.get(COMPOSED)
    if not isinstance(composed, Composed):
        return list(launches), []
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
    most = MOST_CONFIGURATIONS if is_meant_to_train(first.entry) else MOST_OF_A_SCORER
    return [*kept, *others[:most]], others[most:]


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
            sign = "" if group in composed.listed else "+"
            step = Step(Location(path, 1), f"started with the configuration {path}")
            word = f"{sign}{group}={_name(composed, path, group)}"
            yield Launch(f"configuration {path}", (word,), (step,), step.location)


def _primaries(tree: SourceTree, entry: str, composed: Composed) -> list[str]:
    """The files beside the primary one that can stand in its place: they choose groups like it, if it does."""
    beside = [path for path in tree.data_files if posixpath.dirname(path) == composed.folder and _is_yaml(path)]
    own = next((path for path in beside if _name(composed, path, "") == composed.primary), None)
    chooses = own is not None and _DEFAULTS.search(tree.text(own) or "") is not None
    others = [path for path in beside if not chooses or _DEFAULTS.search(tree.text(path) or "")]
    return [path for path in meant_for(entry, others) if path != own]


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
