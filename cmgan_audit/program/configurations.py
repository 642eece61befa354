"""Configuration files that a script could be started with, when nothing in the tree says which."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence

from cmgan_audit.finding import Location, Step
from cmgan_audit.program.models.argparse_state import UNKNOWN_MARK
from cmgan_audit.program.models.files import NeededOption, option_of
from cmgan_audit.program.trace import Launch
from cmgan_audit.program.values import Const
from cmgan_audit.source.tree import SourceTree

MOST_CONFIGURATIONS = 12
_KINDS = (".yaml", ".yml", ".json", ".json5", ".jsonc", ".toml", ".ini")
_ALIKE = (frozenset({".yaml", ".yml"}), frozenset({".json", ".json5", ".jsonc"}))
_FOLDERS = ("conf", "config", "configs", "hparams")
_OTHER_PURPOSES = re.compile(
    r"(?:^|/)(?:\.|package(?:-lock)?\.json|pyproject\.toml|environment\.ya?ml|mkdocs\.ya?ml|docker-compose|tsconfig|"
    r"setup\.cfg|codecov|appveyor|action\.ya?ml|conda|dependabot|requirements|Pipfile|poetry)",
    re.IGNORECASE,
)


def candidates(tree: SourceTree, entry: str, wanted: object, shipped: Sequence[Launch] = ()) -> list[Launch]:
    """A launch for every plausible configuration file near a script; none when no option takes its path.

    Args:
        tree: the audited tree.
        entry: the script.
        wanted: the path that the script asks for.
        shipped: launches that leave the file open (`train.py -c [config file] -n [name]`): their other words stay.
    """
    flag = option_of(wanted)
    if flag is None:
        return []
    spellings = (flag, *(wanted.spellings if isinstance(wanted, NeededOption) else ())) if flag else ()
    folder = posixpath.dirname(entry)
    launches: dict[tuple[str, ...], Launch] = {}
    for path in _near(tree, folder):
        if not _may_stand_for(path, wanted):
            continue
        name = posixpath.relpath(path, folder or ".")
        place = Location(path, 1)
        named = Step(place, f"started with the configuration {path}")
        own = [found for launch in shipped if (found := _filled(launch, spellings, name, named)) is not None]
        words = (flag, name) if flag else (name,)
        for argv, steps in own or [(words, tuple(named for _ in words))]:
            launches.setdefault(argv, Launch(f"configuration {path}", argv, steps, place))
    return list(launches.values())[:MOST_CONFIGURATIONS]


def _filled(
    launch: Launch, flags: Sequence[str], name: str, step: Step
) -> tuple[tuple[str, ...], tuple[Step, ...]] | None:
    """The words of a launch with the file in place of the open word after an option; None where it has none."""
    argv = list(launch.argv)
    steps = list(launch.steps) if len(launch.steps) == len(argv) else [step] * len(argv)
    for number, word in enumerate(argv):
        head, equals, _ = word.partition("=")
        joined = bool(equals) and head in flags
        before = argv[number - 1] if number else ""
        if UNKNOWN_MARK in word and (joined or before in flags or not (flags or before.startswith("-"))):
            argv[number] = f"{head}={name}" if joined else name
            steps[number] = step
            return tuple(argv), tuple(steps)
    return None


def _may_stand_for(path: str, wanted: object) -> bool:
    """Whether a file has the format of the one that a script asks for by default, where the default tells."""
    named = wanted.value if isinstance(wanted, Const) else None
    suffix = posixpath.splitext(named)[1] if isinstance(named, str) else ""
    own = posixpath.splitext(path)[1]
    return suffix not in _KINDS or own == suffix or any({own, suffix} <= alike for alike in _ALIKE)


def _near(tree: SourceTree, folder: str) -> list[str]:
    """Configuration files in a script's folder or below it first, then those in the usual folders of the root."""
    plausible = [path for path in tree.data_files if path.endswith(_KINDS) and not _OTHER_PURPOSES.search(path)]
    below = [path for path in plausible if not folder or path.startswith(f"{folder}/")]
    usual = [path for path in plausible if path.partition("/")[0] in _FOLDERS]
    return list(dict.fromkeys([*sorted(below, key=lambda path: (path.count("/"), path)), *usual]))
