"""Steps that begin anew in every epoch: `Batch 20/437 | acc: 0.71`, under or above a line that names the epoch.

Such a step says where in its epoch a value stands, and nothing of the training: the values belong to their epoch.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import replace

from cmgan_audit.logs.series import EPOCH, STEP, Series

_FEWEST = 3


def over_epochs(series: Series, places: Sequence[int], epochs: Sequence[float]) -> Series:
    """The series over its epochs, if its steps begin anew in each of them; else the series as it is.

    Args:
        series: in the order of the log.
        places: where the log came to another epoch, in order.
        epochs: the epochs that it came to there.
    """
    if series.x_kind != STEP or len(places) < _FEWEST:
        return series
    starts = [0, *(i for i in range(1, len(series)) if series.xs[i] < series.xs[i - 1])]
    # The first epoch of a log may be cut off; the last may, too.
    if len(starts) < _FEWEST or len({series.xs[start] for start in starts[1:]}) > 1:
        return series
    ends = [*starts[1:], len(series)]
    if series.places[0] < places[0]:
        named = [bisect_right(places, series.places[end - 1]) for end in ends]
    else:
        named = [bisect_right(places, series.places[start]) - 1 for start in starts]
        whole = [bisect_left(places, series.places[end - 1]) - 1 for end in ends]
        if named != whole:
            return series
    if len(set(named)) < len(named) or named[-2] >= len(epochs):
        return series
    points = []
    for start, end, at in zip(starts, ends, named, strict=True):
        epoch = epochs[at] if at < len(epochs) else epochs[-1] + 1
        points += [(epoch, series.ys[i], series.places[i]) for i in range(start, end)]
    return replace(series.replaced(points), x_kind=EPOCH)
