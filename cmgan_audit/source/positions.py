"""From offsets in a text to lines and columns."""

from __future__ import annotations

import bisect

from cmgan_audit.finding import Location
from cmgan_audit.lazy_regex import regex

_LINE_END = regex(r"\r\n|\r|\n")


class Positions:
    """Line starts of one text; answers offsets with places. Lines end as editors and Python end them."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self._starts = [0, *(match.end() for match in _LINE_END.finditer(text))]

    @property
    def lines(self) -> int:
        """How many lines the text has."""
        return len(self._starts)

    def line(self, offset: int) -> int:
        """The line, from 1, on which the character at `offset` stands."""
        return bisect.bisect_right(self._starts, offset)

    def offset(self, line: int, column: int = 1) -> int:
        """The offset of a line and column, both from 1."""
        return self._starts[line - 1] + column - 1

    def location(self, start: int, end: int) -> Location:
        """The place of text[start:end]; the end column is exclusive."""
        first, last = self.line(start), self.line(end)
        return Location(self.path, first, start - self._starts[first - 1] + 1, last, end - self._starts[last - 1] + 1)
