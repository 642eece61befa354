"""How an entry script is started: the command lines of launchers and documents as launches of a run."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterator

from cmgan_audit.finding import Location, Step
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.execution.trace import TOLD_BY_LAUNCHERS, Launch
from cmgan_audit.program.models.command_lines.argparse_parsing import word_value
from cmgan_audit.program.models.command_lines.argparse_state import UNKNOWN_MARK
from cmgan_audit.source.commands import CommandLine
from cmgan_audit.source.discovery import DATA_SUFFIXES
from cmgan_audit.source.python_file import cut_short
from cmgan_audit.source.shell.expansion import UnknownWord
from cmgan_audit.source.tree import SourceTree

# Words that pass on what the launcher itself was given; nothing more is known of them.
_PASSED_ON = frozenset({"$@", "$*", "${@}", "${*}", "${@:1}", "$OPTIONAL_PLACEHOLDER"})
_PLACEHOLDER = regex(r"\$(?:OPTIONAL_)?PLACEHOLDER")
_CONFIGURATIONS = (*DATA_SUFFIXES, ".gin")


def launches_of(tree: SourceTree, entry: str, asked: Collection[str] = (), *, said: bool = False) -> list[Launch]:
    """The launches of one script by the tree's launchers and documents, each combination of words once.

    With `said`, those that the script's own comments and texts hold instead.

    Of the variables that a launcher exports, those count that the script asks for: `asked` names them. So do those by
    which torchrun and its like tell each process its number.

    `Launch.steps` says for each word of `argv` where it stands. A word that is only known at run time carries
    `UNKNOWN_MARK`. Launchers come before documents, and trials last; a command that only asks for help is none.
    """
    asks_number = not TOLD_BY_LAUNCHERS.isdisjoint(asked)
    asked = frozenset(asked) - TOLD_BY_LAUNCHERS  # which process one is, is up to the machine
    found: dict[tuple[str, ...], Launch] = {}
    ordered = sorted(
        tree.said(entry) if said else tree.launches(entry),
        key=lambda command: (command.trial, command.location.path.lower().endswith((".md", ".rst"))),
    )
    for command in ordered:
        launch = _launch(command, asked, ranked=asks_number and command.is_of_several)
        if launch is not None:
            words = (_file_or_word(tree, command, word) for word in launch.argv)
            several = ("several processes",) if launch.ranked else ()
            found.setdefault((*several, *_variables(command, asked), *words), launch)
    return list(found.values())


def _file_or_word(tree: SourceTree, command: CommandLine, word: str) -> str:
    """The configuration file that a word names from where the command runs, else the word: recipes in several folders
    start a script with the same words, each with a file of its own."""
    name = word.rpartition("=")[2]
    if UNKNOWN_MARK in word or not name.lower().endswith(_CONFIGURATIONS):
        return word
    folder = posixpath.join(posixpath.dirname(command.location.path), command.folder)
    return tree.locate(posixpath.normpath(posixpath.join(folder, name))) or word


def _variables(command: CommandLine, asked: Collection[str]) -> Iterator[str]:
    """The variables that a command is started with as it would set them itself: `SIZE=4 python train.py`."""
    return (f"{name}={text}" for name, (text, _) in command.environment.items() if name in asked)


def _launch(command: CommandLine, asked: Collection[str], *, ranked: bool) -> Launch | None:
    words: list[str] = []
    steps: list[Step] = []
    name = posixpath.basename(command.location.path)
    for number, (word, place) in enumerate(zip(command.argv, command.places, strict=True)):
        if word in {"-h", "--help"}:
            return None
        if word in _PASSED_ON and not (number and words and words[-1].startswith("-")):
            continue
        before = command.argv[number - 1] if number else ""
        words.append(_marked(word))
        steps.append(Step(place, f"{name} passes {_shown(word, before, command, number)}"))
    if any(_PLACEHOLDER.search(word) is not None for word in words):
        words, steps = _without_placeholders(words, steps)
    started = (command.launcher,) if ranked else ()
    text = " ".join((*started, *_variables(command, asked), *(word.replace(UNKNOWN_MARK, "") for word in words)))
    condition = f"{name}: {text}" if text else ""
    return Launch(
        condition=cut_short(condition, 100),
        argv=tuple(words),
        steps=tuple(steps),
        location=command.location,
        trial=command.trial,
        ranked=ranked,
        offers=frozenset(command.environment),
        environment={
            key: word_value(_marked(text)).via(place, f"{name} sets {key}={text}")
            for key, (text, place) in command.environment.items()
            if key in asked
        },
    )


def _marked(word: str) -> str:
    """A word that is only known at run time with its mark; of `--flag=$VALUE` the value carries it."""
    return _with_mark(str(word)) if isinstance(word, UnknownWord) else word


def _with_mark(word: str) -> str:
    flag, equals, value = word.partition("=")
    return f"{flag}={UNKNOWN_MARK}{value}" if equals and "$" not in flag else UNKNOWN_MARK + word


def _shown(word: str, before: str, command: CommandLine, number: int) -> str:
    """The flag with its value, whichever of the two words this is."""
    if word.startswith("-") and "=" not in word and number + 1 < len(command.argv):
        after = command.argv[number + 1]
        return f"{word} {after}" if not after.startswith("-") else word
    return f"{before} {word}" if before.startswith("-") and "=" not in before else word


def _without_placeholders(words: list[str], steps: list[Step]) -> tuple[list[str], list[Step]]:
    """A placeholder in a document ("--data_dir <folder>") says that there is a value, not which."""
    plain = [_PLACEHOLDER.sub("a placeholder", word) for word in words]
    known = [word if UNKNOWN_MARK in word or "a placeholder" not in word else _with_mark(word) for word in plain]
    return known, steps


def bare(entry: str) -> Launch:
    """The script without any words."""
    return Launch(location=Location(entry, 1))
