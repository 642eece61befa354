"""Where the lists of a line begin and end: `'val_pesq': [2.1, 2.35, 2.5]`, as Python and JSON print them.

A list of three numbers or more, or one that goes on in the next line. NumPy's arrays have no commas, and tensors and
arrays that say what they are hold a batch: they are no such lists.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex

_ELEMENT = (
    r"(?:(?:np|numpy)\.float(?:16|32|64)\(|(?:torch\.)?tensor\()?"
    r"(?:[-+]?\x00|[-+]?(?:nan|inf|infinity)|none|null)"
    r"(?:,\s*\w+=[^(),\[\]]*(?:\([^()]*\))?)*\)?"
)
_LIST = regex(rf"(?<![(\w])\[\s*(?P<inside>(?:{_ELEMENT}\s*(?:,\s*{_ELEMENT}\s*)*,?)?)\s*(?P<end>\]|$)", re.IGNORECASE)
_NUMBER = regex(r"(?P<sign>-?)\+?(?:(?P<slot>\x00)|(?P<word>nan|inf(?:inity)?|none|null))", re.IGNORECASE)
# A line that holds nothing but further numbers of a list, and perhaps its end.
_REST = regex(rf"[\s\x00\-.,\]){{}}]*|\s*(?:{_ELEMENT}[\s,]*+)++[\])}}\s,]*", re.IGNORECASE)
_FEWEST = 3

Numbers = tuple[tuple[int | None, float], ...]


@dataclass(frozen=True, slots=True)
class ListShape:
    """One list in a masked shape: where it stands, whether it goes on, and its numbers.

    A number is the position of its slot and its sign, or None and its value.
    """

    start: int
    end: int
    open: bool
    numbers: Numbers


def lists_of(text: str, start: int) -> Iterator[ListShape]:
    """The lists of a masked shape from a position on."""
    position = start
    while (opening := text.find("[", position)) >= 0:
        found = _LIST.match(text, opening)
        position = opening + 1
        if found is None:
            continue
        numbers = tuple(_numbers(found.group("inside"), found.start("inside")))
        is_open = not found.group("end")
        goes_on = is_open and (not numbers or found.group("inside").rstrip().endswith(","))
        if goes_on or (not is_open and len(numbers) >= _FEWEST):
            yield ListShape(opening, found.end(), is_open, numbers)
            position = found.end()


def rest_of_list(text: str, start: int) -> Numbers:
    """The numbers of a line that can only go on with the list of the line before; none for every other line."""
    body = text[start:]
    return tuple(_numbers(body, start)) if "\0" in body and _REST.fullmatch(body) else ()


def _numbers(inside: str, offset: int) -> Iterator[tuple[int | None, float]]:
    for match in _NUMBER.finditer(re.sub(r"=[^,]*", lambda m: " " * len(m.group()), inside)):
        sign = -1.0 if match.group("sign") else 1.0
        if match.group("slot"):
            yield offset + match.start("slot"), sign
        else:
            yield None, sign * math.inf if match.group("word").lower().startswith("inf") else math.nan


def without(text: str, lists: list[ListShape], used: str) -> str:
    """The shape with blanks where the lists stand, slots marked as used."""
    for one in lists:
        inside = "".join(used if char == "\0" else " " for char in text[one.start : one.end])
        text = text[: one.start] + inside + text[one.end :]
    return text
