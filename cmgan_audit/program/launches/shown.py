"""What the launchers and documents of a tree show: how a script is started to train with it.

Only that tells that nobody starts the bare script. Who goes on with a training, scores it, or compares one setting with
another shows nothing about how the training begins.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.execution.trace import Launch
from cmgan_audit.program.models.command_lines.argparse_state import UNKNOWN_MARK
from cmgan_audit.program.models.command_lines.launches import launches_of
from cmgan_audit.source.tree import SourceTree

# Options and settings of a start that is not the first one, or that trains nothing.
_GOES_ON = regex(
    r"(resume|continue|restart|restore|fine[-_]?tune)([-_](from|training|train|path|ckpt|checkpoint|model|run))?"
    r"|(eval|evaluate|evaluation|test|infer|inference|predict)([-_]only)?"
)
# What such an option is given where it is switched off: recipes hand every option over, whatever is set.
_OFF = frozenset({"", "0", "false", "no", "none", "null", "off"})
# Launchers that try a program out or vary a setting, by their paths.
_TRIES = regex(r"(?:^|[/_.-])(?:tests?|ablations?|debug|smoke|sanity|ci|github|sweeps?)(?:[/_.-]|$)")


def starts_with_words(tree: SourceTree, entry: str, variables: Collection[str], told: Iterable[Launch]) -> bool:
    """Whether all that the tree ships to train with a script starts it with words.

    Args:
        tree: the tree.
        entry: the script.
        variables: the environment variables that it asks for.
        told: its launches that give it words.
    """
    return any(map(_shows_a_training, told)) and not _is_shown_bare(tree, entry, variables)


def _shows_a_training(launch: Launch) -> bool:
    path = "" if launch.location is None else launch.location.path.lower()
    following = (*launch.argv[1:], None)
    return _TRIES.search(path) is None and not any(map(_goes_on, launch.argv, following))


def _goes_on(word: str, following: str | None) -> bool:
    """Whether a word is such an option, or a setting, that is on: `--resume`, `--eval=1`, `trainer.resume=last.pt`.

    Args:
        word: the word.
        following: the next one, which an option is given unless it is an option itself; None behind the last.
    """
    name, equals, given = word.partition("=")
    if not equals and not name.startswith("-"):
        return False
    told = given if equals else following
    if told is not None and told.lower() in _OFF:
        return False
    return _GOES_ON.fullmatch(name.lstrip("-+~").rpartition(".")[2].lower()) is not None


def _is_shown_bare(tree: SourceTree, entry: str, variables: Collection[str]) -> bool:
    """Whether a launcher or a document starts a script without a word, or leaves all its words open."""
    found = launches_of(tree, entry, variables)
    plain = (each for each in found if not (each.trial or each.environment or each.ranked))
    return any(all(UNKNOWN_MARK in word for word in each.argv) for each in plain)
