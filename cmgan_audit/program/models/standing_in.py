"""The file of the tree that stands for one that the program reads and that is not at its place."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence

from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.models.registry import ModelCall
from cmgan_audit.source.data_files.formats import dialect_of
from cmgan_audit.source.data_files.nodes import DataError, Mapping

# What the file is called from which somebody makes the one that the program reads: config_template.json.
_PATTERN_NAMES = regex(r"(template|example|sample|default)s?", re.IGNORECASE)
_PATTERN_ENDINGS = regex(r"(template|example|sample|default|dist)s?", re.IGNORECASE)  # train_dist.yaml is distributed
_SEPARATORS = "._-"
# Names of files that every project has: another folder's is another project's.
_ANYBODYS = regex(
    r"(config|cfg|conf|configuration|setting|param|hparam|hyperparam|hyperparameter|option|arg|default|base|train|model"
    r"|main|meta|metadata|data|index)s?",
    re.IGNORECASE,
)
_ASKS_FOR_IT = regex(r"(?!not\b).*\b(exists|isfile|is_file)\(.*")


def moved(call: ModelCall, text: str) -> str | None:
    """An absolute path of the author's machine: the file at the end of it, if the tree has it at that place."""
    parts = text.strip("/").split("/")
    for count in range(len(parts), 0, -1):
        found = call.interpreter.tree.resolve("/".join(parts[-count:]))
        if found is not None and (count > 1 or len(parts) < 3):
            return found
    return None


def standing_in(call: ModelCall, text: str, bases: Sequence[str]) -> str | None:
    """The only file that can be meant by a path that leads nowhere from any of `bases`.

    None where the program has an answer of its own to a missing file: it asks for the file first.
    """
    if any(_ASKS_FOR_IT.fullmatch(condition.text) for condition in call.interpreter.context.conditions):
        return None
    if text.startswith("/"):  # read on the author's machine, and put elsewhere in the repository
        name = posixpath.basename(text)
        if _ANYBODYS.fullmatch(posixpath.splitext(name)[0]):
            return None
        return _only_settings(call, [path for path in _data(call) if posixpath.basename(path) == name])
    return _pattern_of(call, text, bases)


def _pattern_of(call: ModelCall, text: str, bases: Sequence[str]) -> str | None:
    """The file that the missing one is copied from before the first start, where one lies beside its place."""
    stem, ending = posixpath.splitext(posixpath.basename(text))
    folder = posixpath.dirname(text)
    folders = {posixpath.normpath(posixpath.join(base, folder)) for base in bases}
    found = [
        path
        for path in _data(call)
        if path.endswith(ending)
        and (posixpath.dirname(path) or ".") in folders
        and _is_pattern_name(posixpath.basename(path).removesuffix(ending), stem)
    ]
    return _only_settings(call, found) if ending and stem else None


def _data(call: ModelCall) -> Sequence[str]:
    return call.interpreter.tree.data_files


def _only_settings(call: ModelCall, paths: Sequence[str]) -> str | None:
    """A single file, where it holds settings by their names and not a list of recordings."""
    dialect = dialect_of(paths[0]) if len(paths) == 1 else None
    if dialect is None:
        return None
    try:
        root = call.interpreter.tree.read_data(paths[0], dialect)
        return paths[0] if isinstance(root, Mapping) else None
    except DataError:
        return None


def _is_pattern_name(name: str, stem: str) -> bool:
    """Whether a name is another one with a word like "example" at one of its ends."""
    for separator in _SEPARATORS:
        for rest in (name.removeprefix(stem + separator), name.removesuffix(separator + stem)):
            if rest != name and (_PATTERN_ENDINGS if separator == "." else _PATTERN_NAMES).fullmatch(rest):
                return True
    return False
