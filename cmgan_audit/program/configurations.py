"""Configuration files that a script could be started with, when nothing in the tree says which."""

from __future__ import annotations

import posixpath
import re

from cmgan_audit.finding import Location, Step
from cmgan_audit.program.models.files import option_of
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


def candidates(tree: SourceTree, entry: str, wanted: object) -> list[Launch]:
    """A launch for every plausible configuration file near a script; none when no option takes its path."""
    flag = option_of(wanted)
    if flag is None:
        return []
    folder = posixpath.dirname(entry)
    launches = []
    for path in _near(tree, folder):
        if not _may_stand_for(path, wanted):
            continue
        words = (flag, posixpath.relpath(path, folder or ".")) if flag else (posixpath.relpath(path, folder or "."),)
        place = Location(path, 1)
        steps = tuple(Step(place, f"started with the configuration {path}") for _ in words)
        launches.append(Launch(condition=f"configuration {path}", argv=words, steps=steps, location=place))
    return launches[:MOST_CONFIGURATIONS]


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
