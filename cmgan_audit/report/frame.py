"""A source frame: the places of a trail as one picture, each with its own sentence."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from cmgan_audit.finding import Location, Step
from cmgan_audit.report.ansi import Ink, visible

TAB = 4
# A longer line is shown around its marked part.
WIDEST = 110

_WORD = re.compile(r"[\w.]+")


@dataclass(slots=True)
class Sources:
    """Lines of source files, read once; a file that cannot be read as lines has none."""

    root: Path
    _lines: dict[str, list[str]] = field(default_factory=dict)

    def line(self, place: Location) -> str | None:
        """Return the text of a place's line without its end; None where there is none to show."""
        if place.path not in self._lines:
            self._lines[place.path] = self._read(place.path)
        lines = self._lines[place.path]
        return lines[place.line - 1] if 1 <= place.line <= len(lines) else None

    def _read(self, path: str) -> list[str]:
        if path.endswith(".ipynb"):
            return []  # the lines of a notebook are those of its code cells, not of the JSON file
        try:
            text = (self.root / path).read_bytes().decode("utf-8", errors="replace")
        except (OSError, ValueError):
            return []
        # Only the ends of line that editors count: a form feed inside a line must not shift the frame.
        return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def draw(steps: Sequence[Step], sources: Sources, ink: Ink, style: str) -> list[str]:
    """Draw the steps of a trail, in its order, as one frame.

    Args:
        steps: the trail; its first step is the decisive one and is underlined with carets.
        sources: where the lines come from.
        ink: colour and links.
        style: the colour of the first step.
    """
    width = max(len(str(step.location.line)) for step in steps)
    bar = ink("blue", " " * width + " |")
    drawn: list[str] = []
    position = 0
    for path, group in groupby(steps, key=lambda step: step.location.path):
        members = list(group)
        first = members[0].location
        arrow = "-->" if not drawn else ":::"
        place = ink.link(f"{visible(path)}:{first.line}:{first.column}", (sources.root / path).absolute())
        drawn += [f"{' ' * width}{ink('blue', arrow)} {place}", bar]
        before = 0
        for step in members:
            line = step.location.line
            if before and line != before + 1 and line != before:
                drawn.append(ink("blue", " " * max(width - 3, 0) + "..."))
            shown = _step(step, sources, ink, style if position == 0 else "blue", "^" if position == 0 else "-", width)
            drawn += shown[1:] if line == before else shown  # two steps on one line share its text
            before = line
            position += 1
        drawn.append(bar)
    return drawn


def _step(step: Step, sources: Sources, ink: Ink, style: str, mark: str, width: int) -> list[str]:
    number = ink("blue", f"{step.location.line:>{width}} |")
    text = sources.line(step.location)
    if text is None:
        return [f"{number} {ink('dim', '(no source line to show)')}", f"{ink('blue', ' ' * width + ' |')} {step.note}"]
    shown, start, length = _cut(text, step.location)
    marks = " " * start + ink(style, mark * length + " " + visible(step.note))
    return [f"{number} {shown}", f"{ink('blue', ' ' * width + ' |')} {marks}"]


def _cut(text: str, place: Location) -> tuple[str, int, int]:
    """The line as it is shown, and where its marked part begins and how wide it is, in terminal cells."""
    begin, end = marked(text, place)
    text, begin, end = _printable(text, begin, end)
    if _cells(text) > WIDEST:
        left = max(0, begin - WIDEST // 3)
        right = min(len(text), left + WIDEST)
        prefix, suffix = ("..." if left else ""), ("..." if right < len(text) else "")
        shift = len(prefix) - left
        text = prefix + text[left:right] + suffix
        begin, end = begin + shift, min(end + shift, len(text) - len(suffix))
    return text, _cells(text[:begin]), max(1, _cells(text[begin:end]))


def marked(text: str, place: Location) -> tuple[int, int]:
    """The part of the line to mark, as offsets: without an end the word, without any column the whole statement."""
    begin = min(max(place.column - 1, 0), len(text))
    stripped = len(text.rstrip())
    if place.end_column is not None and place.end_line in (None, place.line):
        return begin, min(max(place.end_column - 1, begin + 1), len(text))
    if place.end_line is not None and place.end_line > place.line:
        return begin, max(stripped, begin + 1)
    if place.column == 1:
        return len(text) - len(text.lstrip()), max(stripped, 1)
    word = _WORD.match(text, begin)
    return begin, max(begin + 1, word.end() if word else 0)


def _printable(text: str, begin: int, end: int) -> tuple[str, int, int]:
    """Tabs as blanks, control characters replaced; the offsets follow."""

    def widen(part: str) -> str:
        return visible(part).replace("\t", " " * TAB)

    before, marked, after = widen(text[:begin]), widen(text[begin:end]), widen(text[end:])
    return before + marked + after.rstrip(), len(before), len(before) + len(marked)


def _cells(text: str) -> int:
    return sum(_width(char) for char in text)


def _width(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
