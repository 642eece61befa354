"""Lines that say each value before its name: `0.90 STOI, 2.64 PESQ, 13.5 dB SI-SDR`.

Read from name to name, such a line gives every score the name of its neighbour. So it is turned around, where the whole
of it is written so: its last number has its name behind it, and none stands alone or behind a name of its own.
"""

from __future__ import annotations

import re

from cmgan_audit.lazy_regex import regex
from cmgan_audit.logs.lines.prefixes import SLOT, USED
from cmgan_audit.logs.roles import infer, table

_BETWEEN = regex(r"(\s*[|,;/]\s+|\s+[:|/\-\u2013\u2014]+\s+|\t+)")
# A value, its unit, and nothing but the name behind them: `2.64 PESQ`, `13.5 dB val SI-SDR`, `84.2 % STOI`.
_UNIT = r"(?:\s?(?:dB|%))?"
_NAME = r"\s+(?P<name>[A-Za-z][\w\-]*(?:[ /][A-Za-z][\w\-]*){0,3})\s*[.)\]]?\s*"
_VALUE_FIRST = regex(
    rf"(?P<head>.*[:>\]]\s+)?(?:(?P<phase>[A-Za-z]+)\s+)?(?P<value>[-+]?\x00{_UNIT}){_NAME}", re.DOTALL
)
# `epoch 3 2.64 PESQ 0.90 STOI`, `epoch 3: 2.64 PESQ (0.90 STOI)`: nothing but a blank or a bracket between them.
_ROW = regex(
    rf"(?P<head>.*(?:epoch|step|iter\w*)\s*\x00(?:/\x00)?\s*[:|,\-]?\s+)"
    rf"(?P<row>[-+]?\x00{_UNIT}\s+[A-Za-z][\w\-]*(?:\s+\(?[-+]?\x00{_UNIT}\s+[A-Za-z][\w\-]*\)?)+)\s*",
    re.IGNORECASE,
)
_NEXT = regex(r"\s+\(?(?=[-+]?\x00)")
_NAME_BEHIND = regex(_UNIT + _NAME)
# `val SI-SDR [11.0 dB]`: the value of the name before it.
_IN_BRACKETS = regex(r"\s*(?P<name>[A-Za-z][\w\- /]*?)\s*[\[(]\s*[-+]?\x00\s?[A-Za-z%]*\s*[\])]\s*")
# `3 epochs done`, `40th step`
_COUNTED = regex(r"\s*\x00(?:\s?/\s?\x00)?\s?(?:st|nd|rd|th)?\s?(?:epoch|step|iter)")
# `train loss 0.31` among others that say the value first
_NAME_FIRST = regex(r"\s*(?P<name>[A-Za-z][\w\- ]*?)\s*[:=]?\s*[-+]?\x00\s?(?:dB|%)?\s*")
_FEWEST = 2


def names_first(masked: str, start: int) -> str:
    """The line with each name before its value; as it is where it is not written with the values first."""
    text = _with_commas(masked[start:])
    last = _NAME_BEHIND.fullmatch(text.rpartition(SLOT)[2])
    if text.count(SLOT) < _FEWEST or last is None or not _is_known(last["name"]):
        return masked
    turned = _turned(text)
    if turned is None and "|" in text:
        turned = "|".join(_turned(part) or part for part in text.split("|"))
    return masked if turned is None else masked[:start] + turned


def _with_commas(text: str) -> str:
    """The text with a comma between values that stand in a row, each before its name."""
    row = _ROW.fullmatch(text)
    if row is None:
        return text
    parts = [part.rstrip(")") for part in _NEXT.split(row["row"])]
    head = row["head"].rstrip(" \t:|,-")
    return ", ".join([head, *parts]) if all(map(_is_known, map(_without_value, parts))) else text


def _without_value(part: str) -> str:
    return part.rpartition(SLOT)[2].strip()


def _turned(text: str) -> str | None:
    """The text with each name before its value; None where not all of it has the values first."""
    parts = _BETWEEN.split(text)
    turned, last = 0, False
    for at in range(0, len(parts), 2):
        part = parts[at]
        found = _VALUE_FIRST.fullmatch(part)
        phase = "" if found is None else found["phase"] or ""
        whole = found is not None and (not phase or phase.lower() in table().phases)
        if found is not None and whole and _is_known(found["name"]) and not _is_known(found["head"] or ""):
            parts[at] = f"{found['head'] or ''}{phase} {found['name']}: {found['value']}"
            turned, last = turned + 1, True
        elif SLOT in part:
            inside = _IN_BRACKETS.fullmatch(part)
            if inside is not None and _is_known(inside["name"]):
                parts[at] = f"{inside['name']}: {part[inside.end('name') :].strip()}"
            elif found is not None and whole and not found["head"]:
                pass  # `3.2 it/s`, `12 GB`: a value of another kind, before its name as well
            elif not _says_name_first(part) and _names_a_value(part) and not _COUNTED.match(part):
                return None
            last = False
        elif USED not in part and _is_known(part):
            return None  # `PESQ: 2.64`, of which the colon is a boundary here
    return _joined(parts) if turned >= _FEWEST and last else None


def _says_name_first(part: str) -> bool:
    found = _NAME_FIRST.fullmatch(part)
    return found is not None and _is_known(found["name"])


def _joined(parts: list[str]) -> str:
    """The line again; a colon between two values would make the first the name of the second."""
    return "".join(" | " if at % 2 and ":" in part else part for at, part in enumerate(parts))


def _is_known(name: str) -> bool:
    return infer(name.strip()).kind in ("metric", "loss", "learning_rate")


def _names_a_value(part: str) -> bool:
    """Whether a part holds a number that is not a counter's or a time: one that stands alone or behind a known name."""
    before = part.partition(SLOT)[0].strip(" :=[(+-")
    return not before or _is_known(before)
