"""What a launch gives a script, and what a run of it asks its configuration for."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from itertools import pairwise

from cmgan_audit.program.domain.values import Const, Unknown
from cmgan_audit.program.execution.sessions import interpreter_of
from cmgan_audit.program.execution.trace import CallEvent, Launch, Run
from cmgan_audit.program.models.command_lines.argparse_state import UNKNOWN_MARK
from cmgan_audit.program.models.needed_files import NeededOption, option_of
from cmgan_audit.program.models.settings.hydra_ import CANNOT_START


def is_bare(launch: Launch) -> bool:
    """Whether a launch gives a script nothing that the bare one has not."""
    return not (launch.argv or launch.environment or launch.ranked)


def mode_of(launch: Launch) -> str:
    """The mode that a launch chooses by a plain first word: "train" of `main.py train --epochs 3`; else ""."""
    word = launch.argv[0] if launch.argv else ""
    return word if word.isidentifier() else ""


def without_file(launch: Launch) -> tuple[str, ...]:
    """The words of a launch with a configuration, without the one that names its file."""
    name = "" if launch.location is None else posixpath.basename(launch.location.path)
    return tuple(word for word in launch.argv if not (name and word.endswith(name)))


def last_file(launch: Launch) -> str:
    """The configuration file that a launch names last."""
    return launch.steps[-1].location.path


def only_fills_in(launch: Launch, first: Run) -> bool:
    """Whether a launch gives nothing but open values of options that have a text by default: `--data_dir <folder>`.

    What is known of such a run is what is known of the bare script.
    """
    options = [flag for word, flag in _given(launch.argv) if UNKNOWN_MARK in word]
    filled_in = bool(options) and len(options) * 2 == len(launch.argv) and not launch.environment
    return filled_in and set(options) <= _with_text(first)


def _given(argv: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The words that follow an option, each with the option."""
    return ((word, flag) for flag, word in pairwise(argv) if flag.startswith("-"))


def _with_text(run: Run) -> set[str]:
    """The options of a script's parsers whose default is a text."""
    found = set()
    for event in run.events:
        if isinstance(event, CallEvent) and event.callee.endswith(".add_argument"):
            default = event.arguments.get("default")
            if isinstance(default, Const) and isinstance(default.value, str) and default.value:
                found |= {str(flag.value) for flag in event.arguments.positional if isinstance(flag, Const)}
    return found


def lacks_configuration(run: Run) -> bool:
    """Whether the script asked for a configuration file that this launch does not name."""
    return option_of(interpreter_of(run).notes.get("configuration"), run.launch.argv) is not None


def leaves_it_open(run: Run) -> bool:
    """Whether the configuration is looked for beside something that the reader has to fill in: `--resume=<path>`.

    A word may stand for it too, `--resume path/to/checkpoint.pth`: what lies beside it is not there.
    """
    asked = interpreter_of(run).notes.get("configuration")
    if isinstance(asked, Const):
        words = {step.location for step in run.launch.steps}
        return any(step.location in words for step in asked.trail)
    open_words = any(UNKNOWN_MARK in word for word in run.launch.argv)
    return open_words and isinstance(asked, Unknown) and not isinstance(asked, NeededOption)


def suits(run: Run, *files: str) -> bool:
    """Whether files that a run was given hold every key that it asks them for."""
    return interpreter_of(run).lacking.isdisjoint(files)


def those_that_can_start(runs: list[Run]) -> list[Run]:
    """Of runs of which Hydra cannot compose some, the others with all that they do, and of these no more than why."""
    if any(CANNOT_START not in interpreter_of(run).notes for run in runs):
        for run in runs:
            if CANNOT_START in interpreter_of(run).notes:
                run.events.clear()
    return runs
