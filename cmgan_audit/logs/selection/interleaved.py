"""Several values of one name in every epoch: test sets or trainings are taken apart, a value said twice counts once."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from statistics import median

from cmgan_audit.logs.series import INDEX, Note, Reading, Series

# So many epochs with the same number of values, and so many pairs in them that keep their order from one epoch to the
# next, show a habit; more values than this are steps of one epoch.
_FEWEST, _KEPT, _MOST = 3, 3, 8
# So much farther apart than the course moves from epoch to epoch: two evaluations within an epoch are nearer.
_APART = 2.0
# What moves together keeps its distances to this share of the widest one.
_TOGETHER = 0.25
# In so many epochs a value stands twice if it is a habit.
_HABIT = 0.9
# To how many digits it is rounded, and a bound of what rounding to them moves a number by.
_DIGITS = [(digits, 10.0**-digits) for digits in range(1, 6)]

Point = tuple[float, float, int]


def separate(readings: Iterable[Reading]) -> None:
    """Replace a metric that has several values per epoch, always in the same order, by one series for each.

    A progress bar ends with the value that the next line says with more digits: the finer one counts.
    """
    for reading in readings:
        for run in reading.runs:
            run.series = [_said_once(series) for series in run.series]
            parts = [(series, _parts(series)) for series in run.series]
            run.series = [part for _, found in parts for part in found]
            for series, found in parts:
                if len(found) > 1:
                    text = (
                        f"{series.name}: {len(found)} values per {series.x_kind}, far apart and always in the same "
                        "order, are read as a series each: several test sets or trainings under one name"
                    )
                    reading.notes.append(Note(reading.path, series.places[0] if reading.format == "text" else 0, text))


def _said_once(series: Series) -> Series:
    """Without the rounded copies of values, where nearly every epoch has one."""
    if series.role.kind != "metric" or series.x_kind == INDEX:
        return series
    epochs = copies = 0
    kept: list[Point] = []
    for _, group in itertools.groupby(series, key=lambda point: point[0]):
        finest: list[Point] = []
        for point in group:
            if finest and _is_copy(finest[-1][1], point[1]):
                finest[-1] = point
            elif not finest or not _is_copy(point[1], finest[-1][1]):
                finest.append(point)
        epochs += 1
        copies += len(finest) == 1
        kept += finest
    return series.replaced(kept) if len(kept) < len(series) and copies >= _HABIT * epochs else series


def _is_copy(rounded: float, value: float) -> bool:
    """Whether one number is the other with fewer digits, or the same."""
    if rounded == value:
        return True
    apart = abs(rounded - value)
    for digits, most in _DIGITS:
        if not apart <= most:  # nor where one is NaN or infinite
            return False
        if rounded == round(value, digits):
            return True
    return False


def _parts(series: Series) -> list[Series]:
    """The series that are mixed in one, or the series itself."""
    if series.role.kind != "metric" or series.x_kind == INDEX:
        return [series]
    groups = [list(points) for _, points in itertools.groupby(series.finite(), key=lambda point: point[0])]
    size = Counter(map(len, groups)).most_common(1)[0][0] if groups else 1
    # A killed run leaves an incomplete last epoch; any other gap, and nobody knows which value is whose.
    whole = groups if groups and len(groups[-1]) == size else groups[:-1]
    kept = (size - 1) * (len(whole) - 1)
    if not 2 <= size <= _MOST or len(whole) < _FEWEST or kept < _KEPT or any(len(group) != size for group in whole):
        return [series]
    if not _is_ordered(whole) or not _is_apart(whole):
        return [series]
    return [
        replace(
            series.replaced(group[i] for group in groups if i < len(group)),
            name=f"{series.name} ({i + 1} of {size} per {series.x_kind})",
        )
        for i in range(size)
    ]


def _is_ordered(groups: list[list[Point]]) -> bool:
    """Whether each value lies on the same side of the one before it in every epoch."""
    return all(
        len({group[i][1] > group[i - 1][1] for group in groups}) == 1 and all(g[i][1] != g[i - 1][1] for g in groups)
        for i in range(1, len(groups[0]))
    )


def _is_apart(groups: list[list[Point]]) -> bool:
    """Whether the values of an epoch differ by more than each changes until the next epoch.

    Of several that rise and fall together, as those of a few SNRs do, it is enough that the outermost are so far apart.
    """
    across = [abs(b[1] - a[1]) for group in groups for a, b in itertools.pairwise(group)]
    along = median(abs(b[i][1] - a[i][1]) for a, b in itertools.pairwise(groups) for i in range(len(a)))
    if median(across) > _APART * along:
        return True
    width = median(max(y for _, y, _ in group) - min(y for _, y, _ in group) for group in groups)
    return width > _APART * along and _move_together(groups, width)


def _move_together(groups: list[list[Point]], width: float) -> bool:
    """Whether each of three or more values keeps its distance from the first one through all epochs."""
    distances = [[group[i][1] - group[0][1] for group in groups] for i in range(1, len(groups[0]))]
    return len(distances) > 1 and all(max(found) - min(found) <= _TOGETHER * width for found in distances)
