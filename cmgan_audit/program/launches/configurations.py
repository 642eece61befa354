"""Configuration files that a script could be started with, when nothing in the tree says which."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from dataclasses import replace

from cmgan_audit.finding import Location, Step
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.values import Const
from cmgan_audit.program.execution.trace import Launch
from cmgan_audit.program.models.command_lines.argparse_state import UNKNOWN_MARK
from cmgan_audit.program.models.needed_files import NeededPart, option_of
from cmgan_audit.source.data_files.formats import dialect_of, may_be
from cmgan_audit.source.tree import SourceTree

MOST_CONFIGURATIONS = 12
_JSON = (".json", ".json5", ".jsonc")
_KINDS = (".yaml", ".yml", *_JSON, ".toml", ".ini")
_FOLDERS = ("conf", "confs", "config", "configs", "cfg", "cfgs", "hparams", "options")
_OTHER_PURPOSES = regex(
    r"(?:^|/)(?:\.|package(?:-lock)?\.json|pyproject\.toml|environment\.ya?ml|mkdocs\.ya?ml|docker-compose|tsconfig|"
    r"setup\.cfg|codecov|appveyor|action\.ya?ml|conda|dependabot|requirements|Pipfile|poetry|tests/|fixtures/)|^test/",
    re.IGNORECASE,
)
# Words in the names of options that say no more than that a file of settings is meant.
_ANY_FILE = regex(r"conf(ig)?s?|cfg|ya?ml|json|toml|ini|files?|path|hparams?|param(s|eter)?|settings?|opts?|options?")
# What configurations are called that only show whether the program runs: on one batch, say.
_TRIALS = regex(
    r"(?<![a-z])(one[-_]?batch|over[-_]?fit(ting)?|smoke|sanity|dry[-_]?run|(fast[-_]?)?dev[-_]?run|debug(ging)?)(?![a-z])",
    re.IGNORECASE,
)
# What scripts are called that train, and configurations that are made for scoring or applying what was trained.
_TRAINS = regex(r"(?<![a-z])train(?:er|ing)?(?![a-z])", re.IGNORECASE)
_SCORES = regex(r"(?<![a-z])(?:tests?|testing|eval(?:uate|uation)?|infer(?:ence)?|predict)(?![a-z])", re.IGNORECASE)
_PREPARES = regex(r"(?<![a-z])(?:detect|preprocess|prepare|generate|synthesi[sz]e|download|export)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Candidates:
    """Launches with configurations that may be meant, and the files that none of them names: there are too many."""

    launches: list[Launch]
    left_out: list[str]


def candidates(tree: SourceTree, entry: str, asked: Sequence[tuple[Launch, object]]) -> Candidates:
    """A launch for every plausible configuration file near a script; none when no option takes its path.

    Args:
        tree: the audited tree.
        entry: the script.
        asked: launches that lack a configuration, the bare script first, each with the path that it asks for. A
            launch that leaves the file open (`train.py -c [config file] -n [name]`), or names one that is not there,
            gets it in that place; for all others the bare script is started with it.
    """
    folder = posixpath.dirname(entry)
    launches: dict[tuple[str, ...], Launch] = {}
    per_launch: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
    for launch, wanted in (*sorted(asked[1:], key=_leaves_open), *asked[:1]):
        flag = option_of(wanted, launch.argv)
        if flag is None or (launches and not launch.argv):
            continue
        for path in _alike_first(entry, _standing_for(tree, entry, wanted)):
            name = _word_for(path, folder, wanted)
            step = Step(Location(path, 1), f"started with the configuration {path}")
            if launch.argv:
                filled = _filled(launch, wanted, flag, name, step)
            else:
                words = (flag, name) if flag else (name,)
                filled = words, tuple(step for _ in words)
            if filled is not None:
                text = " ".join((flag, name)).strip() if isinstance(wanted, NeededPart) else f"configuration {path}"
                made = Launch(text, *filled, step.location, environment=launch.environment)
                launches.setdefault(filled[0], made)
                per_launch.setdefault(launch.argv, []).append(filled[0])
    chosen = _spread(list(per_launch.values()), MOST_CONFIGURATIONS)
    followed = [made for words, made in launches.items() if words in chosen]
    files = dict.fromkeys(made.location.path for made in launches.values() if made.location is not None)
    named = {made.location.path for made in followed if made.location is not None}
    return Candidates(followed, [path for path in files if path not in named])


def _alike_first(script: str, paths: list[str]) -> list[str]:
    """Of too many files those first whose paths hold a word of the script's name: `declip/` of `train_declip.py`."""
    if len(paths) <= MOST_CONFIGURATIONS:
        return paths
    words = re.findall("[a-z]{4,}", posixpath.basename(script).lower())
    return sorted(paths, key=lambda path: not any(word in path.lower() for word in words))


def _spread(groups: Sequence[Sequence[tuple[str, ...]]], most: int) -> set[tuple[str, ...]]:
    """Of several launches with several files each, some in which every launch and every file has its turn."""
    chosen: dict[tuple[str, ...], None] = {}
    for turn in range(max(map(len, groups), default=0)):
        for number, group in enumerate(groups):
            if len(chosen) < most and turn < len(group):
                chosen.setdefault(group[(turn + number) % len(group)])
    return set(chosen)


def with_second(tree: SourceTree, entry: str, launch: Launch, wanted: object) -> list[Launch]:
    """A launch that names one configuration, with each file that may be the second one that the script asks for.

    Files whose names hold a word of the option (`--teacher_config`, `configs/teacher.yaml`) come alone.
    """
    flag = option_of(wanted, launch.argv)
    if flag is None or flag in launch.argv:
        return []
    folder = posixpath.dirname(entry)
    found = called_like(flag, _standing_for(tree, entry, wanted))
    return [_with(launch, flag, path, _word_for(path, folder, wanted)) for path in found[:MOST_CONFIGURATIONS]]


def _word_for(path: str, folder: str, wanted: object) -> str:
    """The word of a command line that names a file for a script in `folder`, or gives what is left open of its path."""
    words = wanted.words if isinstance(wanted, NeededPart) else {}
    return next((word for word, file in words.items() if file == path), posixpath.relpath(path, folder or "."))


def without_first(launch: Launch, first: Launch) -> Launch:
    """The launch with its second configuration alone, where several files may be the first.

    Args:
        launch: a launch with two configurations.
        first: one with the first alone; whichever file it names, it has as many words.
    """
    words, last = len(first.argv), launch.steps[-1]
    return replace(
        launch,
        condition=f"configuration {last.location.path}",
        argv=launch.argv[words:],
        steps=launch.steps[words:],
        location=last.location,
    )


def called_like(flag: str, paths: Sequence[str]) -> list[str]:
    """The files whose names hold a word of an option that tells it from other options; all where none does."""
    words = [word for word in re.findall("[a-z]+", flag.lower()) if len(word) > 2 and not _ANY_FILE.fullmatch(word)]
    found = [path for path in paths if any(word in posixpath.basename(path).lower() for word in words)]
    return found or list(paths)


def _with(launch: Launch, flag: str, path: str, name: str) -> Launch:
    step = Step(Location(path, 1), f"started with the configuration {path}")
    words = (flag, name) if flag else (name,)
    condition = f"{launch.condition} and {path}" if launch.condition else f"configuration {path}"
    steps = (*launch.steps, *(step for _ in words))
    return replace(
        launch,
        condition=condition,
        argv=(*launch.argv, *words),
        steps=steps,
        location=launch.location or step.location,
        trial=False,
    )


def _leaves_open(asked: tuple[Launch, object]) -> bool:
    """Whether a launch names no file at all: those that name one, though it is not there, tell more."""
    return not isinstance(asked[1], Const)


def _filled(
    launch: Launch, wanted: object, flag: str, name: str, step: Step
) -> tuple[tuple[str, ...], tuple[Step, ...]] | None:
    """The words of a launch with the file in place of the word that leaves it open; None where it has none."""
    missing = wanted.value if isinstance(wanted, Const) and isinstance(wanted.value, str) else None
    argv = list(launch.argv)
    steps = list(launch.steps) if len(launch.steps) == len(argv) else [step] * len(argv)
    for number, word in enumerate(argv):
        head, equals, value = word.partition("=")
        joined = bool(equals) and bool(flag) and head == flag
        before = argv[number - 1] if number else ""
        stands_here = joined or (before == flag if flag else not before.startswith("-"))
        if stands_here and (UNKNOWN_MARK in word or (value if joined else word) == missing):
            argv[number] = f"{head}={name}" if joined else name
            steps[number] = step
            return tuple(argv), tuple(steps)
    return None


def _standing_for(tree: SourceTree, script: str, wanted: object) -> list[str]:
    """The files near a script that may be meant: those in the folder that it names, else those of the name.

    A path on another machine (`/home/me/project/config.json`) tells no more than the name. What only tries the program
    out trains nobody's model: it counts where there is nothing else. So does what scores or applies a network, for a
    script that trains one by its name. Where an option gives a part of the path, those that it leads to may be meant.
    """
    if isinstance(wanted, NeededPart):
        return meant_for(script, list(dict.fromkeys(wanted.words.values())))
    near = [path for path in _near(tree, posixpath.dirname(script)) if _may_stand_for(path, wanted)]
    named = wanted.value if isinstance(wanted, Const) and isinstance(wanted.value, str) else ""
    place = (
        posixpath.dirname(posixpath.normpath(posixpath.join(posixpath.dirname(script), named)))
        if "/" in named.lstrip("./")
        else ""
    )
    beside = [path for path in near if place and posixpath.dirname(path) == place]
    return meant_for(
        script, beside or [path for path in near if posixpath.basename(path) == posixpath.basename(named)] or near
    )


def is_meant_to_train(script: str) -> bool:
    """Whether nothing in a script's name says that it scores or applies networks, or only looks at data."""
    name = posixpath.basename(script)
    return _TRAINS.search(name) is not None or not (_SCORES.search(name) or _PREPARES.search(name))


def is_trial(path: str) -> bool:
    """Whether a configuration only shows whether a program runs, by its name."""
    return _TRIALS.search(posixpath.basename(path)) is not None


def meant_for(script: str, files: Sequence[str]) -> list[str]:
    """Of configurations those that a script may be meant to run with: no trial, and no scoring where it trains."""
    found = [path for path in files if not is_trial(path)] or list(files)
    if _TRAINS.search(posixpath.basename(script)):
        return [path for path in found if not _SCORES.search(path)] or found
    return found


def _may_stand_for(path: str, wanted: object) -> bool:
    """Whether a file has the format of the one that a script asks for by default, where the default tells."""
    named = wanted.value if isinstance(wanted, Const) else None
    dialect = dialect_of(named) if isinstance(named, str) and named.endswith(_KINDS) else None
    return dialect is None or may_be(path, dialect)


def _near(tree: SourceTree, folder: str) -> list[str]:
    """Configuration files in a script's folder or below it first, then those in the usual folders of the root.

    Where there are none, those in folders of such a name anywhere (`egs/corpus/conf/`), and at last those in the
    nearest folder above that holds any (`config.yaml` of `bin/train.py`), or below it (`recipes/small/net.yaml`): there
    a file of JSON may be anything, such as scores.
    """
    plausible = [path for path in tree.data_files if path.endswith(_KINDS) and not _OTHER_PURPOSES.search(path)]
    plausible = [path for path in plausible if not _is_list(tree, path)]
    usual = [path for path in plausible if path.partition("/")[0] in _FOLDERS]
    near = list(dict.fromkeys([*_below(folder, plausible), *usual]))
    near = near or [path for path in plausible if set(path.split("/")[:-1]) & set(_FOLDERS)]
    while not near and folder:
        folder = posixpath.dirname(folder)
        below = _below(folder, plausible)
        near = [path for path in below if posixpath.dirname(path) == folder]
        near = near or [path for path in below if not path.endswith(_JSON)]
    return near


def lies_far(script: str, path: str) -> bool:
    """Whether nothing but the tree connects a file with a script: it lies below a folder above, of no usual name."""
    folder, own = posixpath.dirname(path), posixpath.dirname(script)
    if not folder or not own or set(folder.split("/")) & set(_FOLDERS):
        return False
    return not (f"{folder}/".startswith(f"{own}/") or f"{own}/".startswith(f"{folder}/"))


def _is_list(tree: SourceTree, path: str) -> bool:
    """Whether a file of JSON holds a list, mostly the recordings of a set, and so no settings by their names."""
    return path.endswith(_JSON) and (tree.glance(path) or b"").lstrip()[:1] == b"["


def _below(folder: str, paths: Sequence[str]) -> list[str]:
    """The paths in a folder or below it, the nearest ones first."""
    found = [path for path in paths if not folder or path.startswith(f"{folder}/")]
    return sorted(found, key=lambda path: (path.count("/"), path))
