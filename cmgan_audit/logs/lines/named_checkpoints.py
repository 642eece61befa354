"""Checkpoints that are evaluated one after the other: `Loading ckpt/epoch_7.pth`, and below it `PESQ: 2.20`.

Nothing else counts in such a log, and a folder lists `epoch_10` before `epoch_2`: in the order of its lines a training
that got ever better would seem to fall. The names are remembered by the lines of the values under them, and taken for
epochs at the end, where every value has another one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex
from cmgan_audit.logs.lines.prefixes import SLOT
from cmgan_audit.logs.series import EPOCH, INDEX, STEP, Reading, Run, Series

# `epoch_7`, `epoch=7-step=100`, HiFi-GAN's `g_00250000`; in a shape the number may be a slot.
_NAMED = regex(
    r"(?<![A-Za-z])(?P<word>epoch|ep|step|steps|iter|iteration|g)"
    r"(?:[_\-=]?(?P<digits>\d+)|[_\-=]\x00)(?![A-Za-z]*\()",
    re.IGNORECASE,
)
_SUFFIX = r"\.(?:pth?|ckpt|tar|th|bin|safetensors|onnx)\b"
_NUMBERED = regex(rf"(?:checkpoint|ckpt|model|net|generator)s?[_\-]?(?P<digits>\d+){_SUFFIX}", re.IGNORECASE)
_LOADED = regex(r"\b(?:load|evaluat|restor)\w*\b.*?\b(?P<word>epoch|step)\s*[:=]?\s*\x00", re.IGNORECASE)
_FILE = regex(rf"{_SUFFIX}|[/\\]|\b(?:ckpt|checkpoint|load|evaluat|test)", re.IGNORECASE)
# What is saved was evaluated before.
_SAVED = regex(r"\bsav(?:e|ed|ing)\b", re.IGNORECASE)
_MOST_LINES = 1 << 16
_FEWEST = 2


@dataclass(frozen=True, slots=True)
class NamedCheckpoint:
    """What the name of a checkpoint counts, and the number itself or the slot that it stands in."""

    kind: str
    number: float = 0.0
    slot: int | None = None


def named_checkpoint(text: str, start: int, slot_at: Callable[[int], int]) -> NamedCheckpoint | None:
    """The checkpoint that a line names; None where it names none, or nothing that looks like a file or a loading."""
    if not _FILE.search(text, start) or _SAVED.search(text, start):
        return None
    found = _NAMED.search(text, start) or _NUMBERED.search(text, start) or _LOADED.search(text, start)
    if found is None:
        return None
    named = found.groupdict()
    kind = EPOCH if (named.get("word") or "epoch").lower().startswith("ep") else STEP
    if named.get("digits"):
        return NamedCheckpoint(kind, float(named["digits"]))
    return NamedCheckpoint(kind, slot=slot_at(text.index(SLOT, found.start())))


class NamedCheckpoints:
    """The checkpoint that was named last, and the lines of values under each."""

    def __init__(self) -> None:
        self._now: tuple[str, float] | None = None
        self._lines: dict[int, tuple[str, float]] = {}

    def say(self, named: NamedCheckpoint, row: list[bytes]) -> None:
        """A line names a checkpoint."""
        number = named.number if named.slot is None else float(row[named.slot])
        self._now = (named.kind, number)

    def note(self, line: int) -> None:
        """A line holds values that nothing else counts."""
        if self._now is not None and len(self._lines) < _MOST_LINES:
            self._lines[line] = self._now

    def settle(self, reading: Reading) -> None:
        """Draw what was in the order of its lines over the epochs of the checkpoints."""
        for run in reading.runs:
            counted = self._counted(run)
            run.series = [self._drawn(s) if any(s is one for one in counted) else s for s in run.series]

    def _counted(self, run: Run) -> list[Series]:
        """The series of which every value stands under another checkpoint; none where one has several to a name."""
        found = []
        for series in run.series:
            if series.x_kind != INDEX or len(series) < _FEWEST:
                continue
            names = [self._lines.get(place) for place in series.places]
            kinds = {name[0] for name in names if name is not None}
            if None in names or len(kinds) > 1 or len(set(names)) < len(names):
                return []
            found.append(series)
        return found

    def _drawn(self, series: Series) -> Series:
        kind = self._lines[series.places[0]][0]
        points = sorted((self._lines[place][1], y, place) for _, y, place in series)
        return replace(series.replaced(points), x_kind=kind)
