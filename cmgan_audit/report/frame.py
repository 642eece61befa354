"""A source frame: the places of a trail as one picture, each with its own sentence."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from cmgan_audit.finding import Location, Step
from cmgan_audit.lazy_regex import regex
from cmgan_audit.report.ansi import Ink, visible
from cmgan_audit.report.sources import Shown, Sources

TAB = 4
# A longer line is shown around its marked part.
WIDEST = 110

_WORD = regex(r"[\w.]+")


def draw(steps: Sequence[Step], sources: Sources, ink: Ink, style: str) -> list[str]:
    """Draw the steps of a trail, in its order, as one frame.

    Args:
        steps: the trail; its first step is the decisive one and is underlined with carets.
        sources: where the lines come from.
        ink: colour and links.
        style: the colour of the first step.
    """
    width = margin(steps, sources)
    bar = ink("blue", " " * width + " |")
    drawn: list[str] = []
    for path, group in groupby(steps, key=lambda step: step.location.path):
        members = [(step, sources.shown(step.location)) for step in group]
        arrow = "-->" if not drawn else ":::"
        drawn += [f"{' ' * width}{ink('blue', arrow)} {_head(path, *members[0], sources, ink)}", bar]
        before = (0, 0)
        for step, line in members:
            if before != (0, 0) and line.order not in (before, (before[0], before[1] + 1)):
                drawn.append(ink("blue", " " * max(width - 3, 0) + "..."))
            first = step is steps[0]
            picture = _step(step, line, ink, style if first else "blue", "^" if first else "-", width)
            drawn += picture[1:] if line.order == before else picture  # two steps on one line share its text
            before = line.order
        drawn.append(bar)
    return drawn


def margin(steps: Sequence[Step], sources: Sources) -> int:
    """The width of the numbers beside the lines of a frame."""
    return max(len(sources.shown(step.location).label) for step in steps)


def _head(path: str, step: Step, line: Shown, sources: Sources, ink: Ink) -> str:
    first = step.location
    place = ink.link(f"{visible(path)}:{first.line}:{first.column}", (sources.root / path).absolute())
    return f"{place} ({line.where})" if line.where else place


def _step(step: Step, line: Shown, ink: Ink, style: str, mark: str, width: int) -> list[str]:
    number = ink("blue", f"{line.label:>{width}} |")
    if line.text is None:
        return [
            f"{number} {ink('dim', '(no source line to show)')}",
            f"{ink('blue', ' ' * width + ' |')} {visible(step.note)}",
        ]
    shown, start, length = _cut(line.text, line.place)
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
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in text)
