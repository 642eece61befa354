"""Scores of which every epoch has several, as those of batches: their epoch means are what can be judged.

A line that counts within the epoch (`Valid | Epoch 3 | 10/40 | Nsdr 6.2`) speaks of a batch, or of those so far; where
other lines sum the epoch up, the two are kept apart.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from dataclasses import replace
from statistics import median, variance

from cmgan_audit.logs.lines.plan import SlotValue
from cmgan_audit.logs.series import EPOCH, Run, Series
from cmgan_audit.statistics.trend import evaluation_sd

# Scores in the middle of an epoch are as often evaluations; batches show by how far they scatter.
_FEWEST_PER_EPOCH = 2
_FEWEST = 3
_OF_A_BATCH = " (of a batch)"
# A mean over the batches so far moves ever less: so many values in each of so many epochs show it by this ratio.
_MEANS, _EPOCHS_OF_MEANS, _SLOWER = 6, 5, 3.0
_95_PERCENT_OF_A_DIFFERENCE = 1.96 * math.sqrt(2)


def are_batches(series: Series, assumed: float) -> bool:
    """Whether a metric has several values in most epochs that scatter more than evaluations of a test set do.

    Several values of one only epoch are no course, however close they are; nor are means over the batches so far.

    Args:
        series: without NaN and infinity.
        assumed: 95 % half-width of the difference of two evaluations of this measure.
    """
    if series.x_kind != EPOCH or len(series) < _FEWEST:
        return False
    sizes = [len(list(points)) for _, points in itertools.groupby(series.xs)]
    if len(sizes) == 1:
        return True
    if median(sizes) < _FEWEST_PER_EPOCH:
        return False
    if are_means_so_far(series):
        return True
    return _95_PERCENT_OF_A_DIFFERENCE * evaluation_sd(series.ys) > assumed


def are_means_so_far(series: Series) -> bool:
    """Whether values move ever less from the beginning to the end of an epoch, and anew in the next."""
    epochs = [[y for _, y, _ in points] for _, points in itertools.groupby(series, key=lambda point: point[0])]
    long = [ys for ys in epochs if len(ys) >= _MEANS]
    if len(long) < _EPOCHS_OF_MEANS or 2 * len(long) < len(epochs):
        return False
    early, late = (median(abs(ys[i + 1] - ys[i]) for ys in long) for i in (0, -2))
    return early > _SLOWER * late


def last_of_epochs(series: Series) -> Series:
    """The last value of every epoch: of means over the batches so far the one over all of them."""
    return series.replaced([list(points)[-1] for _, points in itertools.groupby(series, key=lambda point: point[0])])


def noise_of_means(series: Series) -> float:
    """95 % half-width of the difference of two epoch means, from how far the scores within an epoch lie apart."""
    spreads = []
    for _, points in itertools.groupby(series, key=lambda point: point[0]):
        ys = [y for _, y, _ in points]
        if len(ys) > 1:
            spreads.append(variance(ys) / len(ys))
    return _95_PERCENT_OF_A_DIFFERENCE * math.sqrt(median(spreads)) if spreads else 0.0


def epoch_means(series: Series) -> Series:
    """The mean of every epoch's values, at the place of the last of them."""
    means = []
    for epoch, points in itertools.groupby(series, key=lambda point: point[0]):
        members = list(points)
        means.append((epoch, math.fsum(y for _, y, _ in members) / len(members), members[-1][2]))
    return series.replaced(means)


def named_by_batch(values: Iterable[SlotValue]) -> list[SlotValue]:
    """The values of a line that counts within the epoch, under names of their own."""
    return [
        replace(value, name=of_a_batch(value.name)) if value.role.kind in ("metric", "loss") else value
        for value in values
    ]


def of_a_batch(name: str) -> str:
    """The name of what lines within the epoch say, beside others that sum the epoch up."""
    return f"{name}{_OF_A_BATCH}"


def is_of_a_batch(name: str) -> bool:
    """Whether a series holds what lines within the epoch say, beside those that sum the epoch up."""
    return _OF_A_BATCH in name


def without_batch(name: str) -> str:
    """The name of what lines within the epoch say as other lines would give it."""
    return name.replace(_OF_A_BATCH, "")


def settle_batches(run: Run) -> None:
    """Give the values of batches the plain name, but where other lines sum up most of their epochs.

    Several in an epoch that stand beside a learning rate are of the training: no evaluation has one.
    """
    learns = {place for one in run.series if one.role.kind == "learning_rate" for place in one.places}
    for series in [one for one in run.series if is_of_a_batch(one.name)]:
        name = without_batch(series.name)
        of_one_epoch = series.x_kind == EPOCH and len(set(series.xs)) < len(series)
        if of_one_epoch and learns.issuperset(series.places) and not (series.role.phase or series.role.given):
            series.role = replace(series.role, phase="train")
        place = run.series.index(series)
        summed = next((one for one in run.series if one.name == name and one.x_kind == series.x_kind), None)
        if summed is None:
            series.name = name
        elif 2 * len(set(summed.xs)) < len(set(series.xs)):
            merged = series.replaced(sorted([*series, *summed], key=lambda point: point[2]))
            run.series[place] = replace(merged, name=name)
            run.series.remove(summed)
