"""The command of a report, as a reader can type it again."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

# Where the documents go and how fast they come changes nothing in them.
_WITH_VALUE = ("--out", "--output", "--format", "--jobs", "-j", "--cache")
_ALONE = ("--quiet", "-q", "--no-color", "--debug", "--no-cache")


def repeatable(arguments: Sequence[str]) -> str:
    """The command line that makes the same report, without what decides only its place and its speed.

    Args:
        arguments: what stood behind the program's name. `--out` is always the same: two runs into different folders
            must give equal files.
    """
    kept: list[str] = []
    skip = False
    for argument in arguments:
        if skip:
            skip = False
        elif argument in _WITH_VALUE:
            skip = True
        elif argument not in _ALONE and argument.split("=")[0] not in _WITH_VALUE:
            kept.append(argument)
    return shlex.join(["cmgan-audit", *kept, "--out", "audit/"])
