"""A constant set to another one where it stands: in Python, YAML, TOML, JSON, INI files and on launch lines."""

from __future__ import annotations

import ast
import re

from cmgan_audit.finding import Edit, Location
from cmgan_audit.fixes.case import Sources
from cmgan_audit.fixes.document import UnrecognisedShapeError
from cmgan_audit.lazy_regex import regex

# A number at the end of what stands there: alone, in quotes, or behind `--option=` and `--option `.
_NUMBER = regex(r"(?:.*[=\s:])?[\"']?(?P<number>\d+)[\"']?")
_NEXT_NUMBER = regex(r"[ \t]+[\"']?(?P<number>\d+)(?![\w.])")
_TRUE = regex(r"[\"']?(?P<word>true|yes|on)[\"']?", re.IGNORECASE)
_OPPOSITE = {"true": "false", "yes": "no", "on": "off"}


def change_number(sources: Sources, place: Location, old: int, new: int) -> Edit:
    """The edit that sets a whole number to another one.

    Args:
        sources: the files.
        place: where the number is set.
        old: what it is now.
        new: what it shall be.

    Raises:
        UnrecognisedShapeError: the number is not written out there.
    """
    document = sources.document(place.path)
    start, end = document.span(place)
    text = document.text[start:end]
    if place.path.endswith(".py"):
        node = sources.python(place.path).expression(place)
        if isinstance(node, ast.Constant) and node.value == old and not isinstance(node.value, bool):
            return document.edit(start, end, str(new))
        raise UnrecognisedShapeError(f"{old} is not written out at {place} but computed there")
    match = _NUMBER.fullmatch(text)
    if match is None and text.startswith("-"):  # an option on a launch line: its value is the next word
        match = _NEXT_NUMBER.match(document.text, end)
        start = 0
    if match is None or int(match["number"]) != old:
        raise UnrecognisedShapeError(f"{old} is not written out at {place}")
    return document.edit(start + match.start("number"), start + match.end("number"), str(new))


def switch_off(sources: Sources, place: Location) -> Edit:
    """The edit that makes a true value false.

    Raises:
        UnrecognisedShapeError: no word for true stands there.
    """
    document = sources.document(place.path)
    start, end = document.span(place)
    text = document.text[start:end]
    if place.path.endswith(".py"):
        node = sources.python(place.path).expression(place)
        if isinstance(node, ast.Constant) and node.value in (True, 1):
            return document.edit(start, end, "False" if node.value is True else "0")
        raise UnrecognisedShapeError(f"True is not written out at {place} but computed there")
    match = _TRUE.fullmatch(text)
    if match is None:
        raise UnrecognisedShapeError(f"no word for true stands at {place}")
    word = match["word"]
    opposite = _OPPOSITE[word.lower()]
    cased = opposite.upper() if word.isupper() else opposite.title() if word[0].isupper() else opposite
    return document.edit(start + match.start("word"), start + match.end("word"), cased)


def within(inner: Location, outer: Location) -> bool:
    """Whether a place lies inside another one."""
    if inner.path != outer.path or outer.end_line is None or outer.end_column is None:
        return False
    begin, end = (inner.line, inner.column), (inner.end_line or inner.line, inner.end_column or inner.column)
    return (outer.line, outer.column) <= begin and end <= (outer.end_line, outer.end_column)
