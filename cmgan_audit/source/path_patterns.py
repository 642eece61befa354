"""Patterns of paths as in .gitignore; the library that reads them is loaded when there are any."""

from __future__ import annotations

from collections.abc import Iterable


class PathPatterns:
    """Lines of a .gitignore, or patterns that are written like them."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._spec = None
        if written := [line for line in lines if line.strip()]:
            from pathspec import GitIgnoreSpec  # a fiftieth of a second, for trees that have no such file

            self._spec = GitIgnoreSpec.from_lines(written)

    def match(self, path: str) -> bool:
        """Whether a path is covered; a folder's ends with a slash."""
        return self.says(path) is True

    def says(self, path: str) -> bool | None:
        """Whether the last pattern that fits a path covers it or, with "!", lets it out; None where none fits."""
        return None if self._spec is None else self._spec.check_file(path).include
