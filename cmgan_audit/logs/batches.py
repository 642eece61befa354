"""Scores of which every epoch has several, as those of batches: their epoch means are what can be judged."""

from __future__ import annotations

import itertools
import math
from statistics import median, variance

from cmgan_audit.logs.series import EPOCH, Series
from cmgan_audit.statistics.trend import evaluation_sd

# Scores in the middle of an epoch are as often evaluations; batches show by how far they scatter.
_FEWEST_PER_EPOCH = 2
_FEWEST = 3
_95_PERCENT_OF_A_DIFFERENCE = 1.96 * math.sqrt(2)


def are_batches(series: Series, assumed: float) -> bool:
    """Whether a metric has several values in most epochs that scatter more than evaluations of a test set do.

    Several values of one only epoch are no course, however close they are.

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
    return _95_PERCENT_OF_A_DIFFERENCE * evaluation_sd(series.ys) > assumed


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
