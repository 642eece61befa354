"""A file as edits see it: decoded text whose encoding, byte order mark and line ends survive an edit."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Sequence
from functools import cached_property

from cmgan_audit.finding import Edit, Location
from cmgan_audit.source.positions import Positions

_BOM = b"\xef\xbb\xbf"


class UnrecognisedShapeError(Exception):
    """A fixer does not know the shape that it is asked to change; the text says what it met, in one clause."""


class Document:
    """One file: its text, and edits in it.

    Offsets count characters of `text` from 0; the places of edits count lines and columns from 1.
    """

    def __init__(self, path: str, data: bytes) -> None:
        """Raises UnrecognisedShapeError for bytes that decoding and encoding would not give back unchanged."""
        self.path = path
        self.encoding = _encoding(path, data)
        try:
            self.text = data.decode(self.encoding)
            same = self.text.encode(self.encoding) == data
        except (UnicodeDecodeError, UnicodeEncodeError):
            same = False
        if not same:
            raise UnrecognisedShapeError(f"{path} cannot be read as {self.encoding} text")

    @cached_property
    def positions(self) -> Positions:
        """The line starts of the text."""
        return Positions(self.path, self.text)

    @cached_property
    def newline(self) -> str:
        """The line end that the file uses most; that of Unix where it has none."""
        ends = re.findall(r"\r\n|\r|\n", self.text)
        return max(("\n", "\r\n", "\r"), key=ends.count)

    def offset(self, line: int, column: int) -> int:
        """The offset of a place."""
        return self.positions.offset(line, column)

    def span(self, place: Location) -> tuple[int, int]:
        """The offsets of a place with an end.

        Raises:
            UnrecognisedShapeError: the place has no end, so it is no text that could be replaced.
        """
        if place.end_line is None or place.end_column is None:
            raise UnrecognisedShapeError(f"{place} is no single value in the text")
        return self.offset(place.line, place.column), self.offset(place.end_line, place.end_column)

    def edit(self, start: int, end: int, replacement: str) -> Edit:
        """The edit that replaces text[start:end]; newlines of the replacement become those of the file."""
        place = self.positions.location(start, end)
        assert place.end_line is not None and place.end_column is not None
        text = replacement.replace("\n", self.newline)
        return Edit(self.path, place.line, place.column, place.end_line, place.end_column, text)

    def insert(self, offset: int, text: str) -> Edit:
        """The edit that inserts a text."""
        return self.edit(offset, offset, text)

    def line_start(self, offset: int) -> int:
        """The offset at which the line of an offset begins."""
        return self.offset(self.positions.line(offset), 1)

    def line_end(self, offset: int) -> int:
        """The offset behind the last character of the line of an offset, in front of its line end."""
        match = re.compile(r"[^\r\n]*").match(self.text, offset)
        return match.end() if match else offset

    def apply(self, edits: Sequence[Edit]) -> bytes:
        """The bytes of the file after some edits that do not overlap; equal edits count once.

        Raises:
            ValueError: two edits overlap, or one lies outside of the text.
        """
        spans = sorted((*self._offsets(edit), edit.replacement) for edit in dict.fromkeys(edits))
        parts, done = [], 0
        for start, end, replacement in spans:
            if not done <= start <= end <= len(self.text):
                raise ValueError(f"{self.path}: edits overlap or lie outside of the file")
            parts += [self.text[done:start], replacement]
            done = end
        return "".join((*parts, self.text[done:])).encode(self.encoding)

    def _offsets(self, edit: Edit) -> tuple[int, int]:
        return self.offset(edit.line, edit.column), self.offset(edit.end_line, edit.end_column)


def _encoding(path: str, data: bytes) -> str:
    if path.endswith((".py", ".pyw")):
        try:
            return tokenize.detect_encoding(io.BytesIO(data).readline)[0]
        except SyntaxError as error:
            raise UnrecognisedShapeError(f"{path} cannot be decoded: {error}") from None
    return "utf-8-sig" if data.startswith(_BOM) else "utf-8"


def overlap(one: Edit, other: Edit) -> bool:
    """Whether two edits cannot both be made: they share text, or insert different texts at one place.

    Equal edits do not overlap: two findings may ask for the same change.
    """
    if one.path != other.path or one == other:
        return False
    start, end = (one.line, one.column), (one.end_line, one.end_column)
    begin, stop = (other.line, other.column), (other.end_line, other.end_column)
    if start == end or begin == stop:  # an insertion at the border of another edit is in order, unless both insert
        return (start == begin and end == stop) or start < begin < end or begin < start < stop
    return start < stop and begin < end
