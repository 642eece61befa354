"""Settings beside the values of a text log, on the same line or on one of those before it (whole_trainings.py)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cmgan_audit.lazy_regex import regex
from cmgan_audit.logs.lines.labels import label_before
from cmgan_audit.logs.named_values import Blocks, numbered
from cmgan_audit.logs.roles import words_of
from cmgan_audit.logs.series import EPOCH, INDEX, STEP, Note, Reading, Series
from cmgan_audit.logs.whole_trainings import (
    is_batch_size,
    is_final,
    kind_of_setting,
    said_of_trainings,
    settings_of_trainings,
)

_NUMBER = regex(r"(?<![\w.])[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?(?![\w.]*[A-Za-z_])")
# A result's settings stand on its line, or among so many before it: a block with a setting on each.
_NEAR = 40
# More values than this are no list that someone tried.
_MOST = 5000


def leave_out_trainings(reading: Reading, text: Blocks) -> None:
    """Take out what was read from a list of whole trainings, each under other settings, and say so.

    Args:
        reading: what was read.
        text: gives the text once more, in blocks of whole lines.
    """
    listed: dict[str, list[Series]] = {}
    for run in reading.runs:
        for series in run.series:
            if series.role.kind in ("metric", "loss") and not series.role.given and _may_list(series):
                listed.setdefault(series.name, []).append(series)
    places = max((sorted({p for s in group for p in s.places}) for group in listed.values()), key=len, default=[])
    if not 1 < len(places) <= _MOST:
        return
    settings = settings_of_trainings(list(_numbers_up_to(text, places)))
    if not settings:
        return
    for run in reading.runs:
        run.series = [series for series in run.series if series.x_kind == EPOCH or series.role.given]
    reading.runs = [run for run in reading.runs if run.series or run.printed]
    reading.notes.append(Note(reading.path, places[0], said_of_trainings(len(places), settings), of_a_list=True))


def _may_list(series: Series) -> bool:
    """Whether nothing counts but the lines, or a `batch` that may be a size."""
    return series.x_kind == INDEX or (series.x_kind == STEP and is_batch_size(series.xs))


def _numbers_up_to(text: Blocks, places: Sequence[int]) -> Iterator[dict[str, float]]:
    """The named numbers of the lines up to each place; of several under one name the last."""
    before: list[str] = []
    wanted = iter(places)
    place = next(wanted)
    for number, line in numbered(text):
        before = [*before[1 - _NEAR :], line]
        if number == place:
            yield {name: value for one in before for name, value in _named(one)}
            before = []
            if (after := next(wanted, None)) is None:
                return
            place = after


def _named(line: str) -> Iterator[tuple[str, float]]:
    end = 0
    for number in _NUMBER.finditer(line):
        label, separated, _, _ = label_before(line[end : number.start()])
        end = number.end()
        if label and (separated or kind_of_setting(label) or is_final(label)):
            yield " ".join(words_of(label)), float(number.group())
