"""Patterns of paths as in .gitignore; the library that reads them is loaded when there are any."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from cmgan_audit.lazy_regex import regex

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

# Shells have braces that join alternatives; patterns of git have none.
_BRACES = regex(r"\{[^{}]*,[^{}]*\}")


class PathPatterns:
    """Lines of a .gitignore, or patterns that are written like them."""

    def __init__(self, lines: Iterable[str]) -> None:
        written = [line for line in lines if line.strip()]
        self._spec = _spec(written) if written else None

    def match(self, path: str) -> bool:
        """Whether a path is covered; a folder's ends with a slash."""
        return self.says(path) is True

    def says(self, path: str) -> bool | None:
        """Whether the last pattern that fits a path covers it or, with "!", lets it out; None where none fits."""
        return None if self._spec is None else self._spec.check_file(path).include


def why_it_covers_nothing(pattern: str) -> str:
    """Why no path can fit a pattern, and what would be right; "" where some can."""
    if ".." in pattern.split("/"):
        return "paths start from the folder of this file and do not leave it: leave '..' out"
    if braces := _BRACES.search(pattern):
        return f"braces join no alternatives here: write one pattern for each part of {braces[0]!r}"
    read = _read(pattern)
    if read is None or read.patterns[0].include is None:
        return "no path can fit this; patterns are written as in .gitignore"
    return ""


def _spec(lines: Sequence[str]) -> GitIgnoreSpec:
    from pathspec import GitIgnoreSpec  # a fiftieth of a second, for trees that have no such file

    try:
        return GitIgnoreSpec.from_lines(lines)
    except (ValueError, re.error):  # git passes over a line that it cannot read, such as a single "!"
        return GitIgnoreSpec.from_lines(line for line in lines if _read(line) is not None)


def _read(line: str) -> GitIgnoreSpec | None:
    """One pattern alone; None where it cannot be read, or is empty."""
    from pathspec import GitIgnoreSpec

    with suppress(ValueError, re.error):
        return GitIgnoreSpec.from_lines([line]) if line.strip() else None
    return None
