"""Counters without a name: `[3/40] PESQ: 2.31` is most often an epoch, `[3/40][100/362]` an epoch and a batch.

A pair in brackets may count anything, so one alone is remembered by its line, and taken for a counter at the end: where
nothing else in the log counts, and where it counts on.
"""

from __future__ import annotations

import itertools
import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from statistics import fmean, pstdev

from cmgan_audit.lazy_regex import regex
from cmgan_audit.logs.lines.prefixes import SLOT
from cmgan_audit.logs.series import EPOCH, INDEX, STEP, Note, Reading, Run, Series
from cmgan_audit.logs.single_scores import of_single_utterances

_PAIR = r"\[\s*\x00\s*/\s*\x00\s*\]"
_ROUND = r"\(\s*\x00\s*/\s*\x00\s*\)"
_BEFORE = r"[^\w\x00\x01\[(]*"
_ONE = regex(rf"{_BEFORE}(?:{_PAIR}|{_ROUND})")
_TWO = regex(_BEFORE + _PAIR + r"[\s,]*" + _PAIR)
# `train [3,   200] loss: 0.31`: an epoch and a batch, as PyTorch's tutorials print them.
_BOTH = regex(rf"{_BEFORE}(?:[A-Za-z]+ )?\[\s*\x00\s*,\s*\x00\s*\]")
_OF_A_TOTAL = regex(r"\x00\s*/\s*\x00")
# No training has more epochs; a log that has more such lines counts batches.
_MOST_EPOCHS, _MOST_LINES = 5000, 1 << 16
_FEWEST, _FEWEST_HEADS = 2, 3
# So many show that a counter goes on in equal steps, and so large a part of the values must stand behind one.
_HABIT, _MOSTLY = 5, 0.9
# So many standard errors from the mean of some of the items lies that of all.
_AS_THE_MEAN = 2.0
_ITEMS = "{} values behind a counter such as [{:.0f}/{:.0f}], of the items of an evaluation: no trend in them"


def bare_counters(text: str, start: int) -> list[int]:
    """Where the numbers of the pairs stand that a line begins with: those of one pair, of two, or none."""
    found = _TWO.match(text, start) or _ONE.match(text, start)
    return [] if found is None else _slots(text, start, found.end())


def epoch_and_batch(text: str, start: int) -> list[int]:
    """Where the two numbers of a `[3, 200]` stand that a line begins with, perhaps behind its phase; or none."""
    found = _BOTH.match(text, start)
    return [] if found is None else _slots(text, start, found.end())


def parts(text: str, start: int) -> list[int]:
    """Where numbers stand that count a part of a total: `10/40` of an epoch's batches, if nothing else is known."""
    return [found.start() for found in _OF_A_TOTAL.finditer(text, start)]


def _slots(text: str, start: int, end: int) -> list[int]:
    return [at for at in range(start, end) if text[at] == SLOT]


class BareCounters:
    """Remembers the bare counters of lines whose values nothing else counts."""

    def __init__(self) -> None:
        self._lines: dict[int, float] = {}
        self._total = 0.0
        self._counted: dict[float, list[float]] = {}

    def note(self, line: int, now: float, total: float) -> None:
        """A line begins with `[now/total]`."""
        if len(self._lines) < _MOST_LINES:
            self._lines[line] = now
            self._total = max(self._total, total)
            self._counted.setdefault(total, []).append(now)

    def settle(self, reading: Reading) -> None:
        """Draw what was in its order only over the counters, and begin a run where they begin anew."""
        if not self._lines or self._leave_out_items(reading) or of_single_utterances(reading.runs):
            return
        runs = [part for run in reading.runs for part in self._settled(run)]
        if len(runs) > len(reading.runs):
            for number, run in enumerate(runs, start=1):
                run.label = f"run {number} of {len(runs)}, from line {run.first_place}"
        reading.runs = runs

    def put_below(self, reading: Reading) -> None:
        """Draw what stands below every counted line, as often as below the others, over its counter, too.

        `[3/40] loss_G: 0.1`, and below it the scores of an evaluation, perhaps one for each SNR.
        """
        if not 0 < self._total <= _MOST_EPOCHS or of_single_utterances(reading.runs):
            return
        for run in reading.runs:
            counted = [s for s in run.series if s.x_kind == INDEX and self._counts(s)]
            if len(self._begins(counted)) == 1:
                heads = sorted({place for series in counted for place in series.places})
                run.series = [s if s in counted else self._below(s, heads) for s in run.series]

    def _below(self, series: Series, heads: Sequence[int]) -> Series:
        """The series over the counters of the lines above it, the same number at every n-th; else as it is."""
        above = [bisect_right(heads, place) - 1 for place in series.places]
        sizes = Counter(above)
        at = sorted(sizes)
        whole = at[:-1] if len(at) > _FEWEST_HEADS and sizes[at[-1]] < sizes[at[0]] else at
        if series.x_kind != INDEX or len(whole) < _FEWEST_HEADS or at[0] < 0:
            return series
        if len({sizes[one] for one in whole}) > 1 or len({b - a for a, b in itertools.pairwise(whole)}) > 1:
            return series
        points = zip(above, series, strict=True)
        drawn = series.replaced((self._lines[heads[one]], y, place) for one, (_, y, place) in points)
        return replace(drawn, x_kind=EPOCH, seen=series.seen)

    def _leave_out_items(self, reading: Reading) -> bool:
        """Whether only a test set is counted, whose scores are left out.

        The steps do not divide the total (`[960/3783]`, `[980/3783]`), and the mean of the scores stands below them. A
        training may be counted in such steps, too, but its course ends anywhere but at its mean.
        """
        kinds = {s.role.kind for run in reading.runs for s in run.series}
        counted = {total: nows for total, nows in self._counted.items() if len(nows) >= _HABIT}
        if "metric" not in kinds or kinds & {"loss", "learning_rate"} or not counted:
            return False
        uneven = sum(len(nows) for total, nows in counted.items() if _is_uneven(nows, total))
        if uneven < _MOSTLY * sum(map(len, counted.values())):
            return False
        listed = [s for run in reading.runs for s in run.series if s.role.kind == "metric" and self._stand_behind(s)]
        if not any(self._is_summed_up(s, reading.runs) for s in listed):
            return False
        total, nows = max(counted.items(), key=lambda one: len(one[1]))
        text = _ITEMS.format(max(map(len, listed)), nows[-1], total)
        reading.notes.append(Note(reading.path, listed[0].places[0], text, of_a_list=True))
        for run in reading.runs:
            run.series = [s for s in run.series if s not in listed]
        reading.runs = [run for run in reading.runs if run.series or run.printed]
        return True

    def _stand_behind(self, series: Series) -> bool:
        counted = sum(place in self._lines for place in series.places)
        return not series.role.given and counted >= _MOSTLY * len(series)

    def _is_summed_up(self, series: Series, runs: Sequence[Run]) -> bool:
        """Whether every other value of the measure is the mean of those behind a counter before it.

        Below several test sets there may stand the mean of each, and that of all of them.
        """
        others = [s for run in runs for s in run.series if s.role.measure == series.role.measure]
        others = [s for s in others if s is not series and not self._stand_behind(s)]
        points = sorted((place, y) for s in (series, *others) for _, y, place in s.finite())
        sums = 0
        sets: list[list[float]] = []
        for is_item, found in itertools.groupby(points, key=lambda point: point[0] in self._lines):
            if is_item:
                sets = self._sets(found)
            elif any(_is_mean(value, sets) for _, value in itertools.islice(found, 1)):
                sums += 1
            else:
                return False
        return sums > 0

    def _sets(self, points: Iterable[tuple[int, float]]) -> list[list[float]]:
        """The values of each test set: the counter begins anew with the next one."""
        sets: list[list[float]] = []
        last = math.inf
        for place, y in points:
            if self._lines[place] <= last:
                sets.append([])
            last = self._lines[place]
            sets[-1].append(y)
        return sets

    def _settled(self, run: Run) -> list[Run]:
        counted = [s for s in run.series if s.x_kind == INDEX and self._counts(s)]
        begins = self._begins(counted)
        if not begins:
            return [run]
        if len(begins) == 1:
            run.series = [self._over_counter(s, s) if s in counted else s for s in run.series]
            return [run]
        parts = []
        for first, after in zip(begins, [*begins[1:], run.last_place + 1], strict=True):
            series = [self._over_counter(s, _between(s, first, after)) for s in counted]
            parts.append(Run(run.source, series=[s for s in series if len(s)], first_place=first, last_place=after - 1))
        parts[0].series += [s for s in run.series if s not in counted]
        parts[0].printed = run.printed
        return parts

    def _counts(self, series: Series) -> bool:
        return len(series) >= _FEWEST and all(place in self._lines for place in series.places)

    def _begins(self, counted: list[Series]) -> list[int]:
        """The lines where the counter begins: one for each run, none where it does not count."""
        places = sorted({place for series in counted for place in series.places})
        begins: list[int] = []
        first = last = 0.0
        for place in places:
            now = self._lines[place]
            if not begins or (now < last and now <= first):
                begins.append(place)
                first = now
            elif now < last:
                return []
            last = now
        grows = len({self._lines[place] for place in places}) >= _FEWEST * len(begins)
        return begins if grows else []

    def _over_counter(self, whole: Series, part: Series) -> Series:
        kind = EPOCH if self._total <= _MOST_EPOCHS else STEP
        drawn = whole.replaced((self._lines[place], y, place) for _, y, place in part)
        return replace(drawn, x_kind=kind, seen=whole.seen if part is whole else len(part))


def _is_uneven(nows: list[float], total: float) -> bool:
    """Whether a counter goes on in steps of which no number makes the total."""
    steps = {abs(b - a) for a, b in itertools.pairwise(nows)} - {0.0}
    step = math.gcd(*(int(step) for step in steps)) if all(step.is_integer() for step in steps) else 0
    return step > 1 and total % step != 0


def _is_mean(value: float, sets: Sequence[Sequence[float]]) -> bool:
    """Whether a value is the mean of a set, or of all, as near as that of some of its items comes."""
    return any(
        len(items) >= _HABIT and abs(value - fmean(items)) <= _AS_THE_MEAN * pstdev(items) / math.sqrt(len(items))
        for items in (*sets, list(itertools.chain.from_iterable(sets)))
    )


def _between(series: Series, first: int, after: int) -> Series:
    return series.replaced(point for point in series if first <= point[2] < after)
