"""Epochs that a log comes back to only to say what was reached there: the best one, the one whose weights are kept.

`Weights restored from epoch 15 (val_pesq=2.61)` below epoch 20 is no training that goes on from epoch 15. Read as one,
it would put its value in the place of all that came after that epoch, and hide a fall. What tells it, in whatever
language, is that no epoch follows, and that nothing speaks of a checkpoint with which a training goes on.
"""

from __future__ import annotations

from collections.abc import Collection

from cmgan_audit.logs.series import EPOCH, Restart, Run, Series

# Where a log came to which epoch.
Marks = list[tuple[int, float]]


def join_mentions(runs: list[Run], came_to: list[Marks], stepped_back: Collection[Run]) -> None:
    """Put runs that hold nothing but such an epoch to the training before them; what it had reached is left out.

    Args:
        runs: all of one log, in its order.
        came_to: the marks of each.
        stepped_back: the runs that begin with an earlier epoch, and nothing says why.
    """
    back = set(map(id, stepped_back))
    for at in range(len(runs) - 1, 0, -1):
        run, before = runs[at], runs[at - 1]
        epochs = {epoch for _, epoch in came_to[at]}
        first = min((epoch for _, epoch in came_to[at - 1]), default=0.0)
        if id(run) in back and len(epochs) == 1 and min(epochs) > first:
            _keep_new(before, run)
            del runs[at], came_to[at]


def take_back_mentions(run: Run, marks: Marks) -> None:
    """Take such an epoch for no restart; what it had reached is left out of the course."""
    end = float("inf")
    while run.restarts and _is_mention(run.restarts[-1], marks, end):
        end = run.restarts.pop().place
        _leave_out(run, int(end))


def _is_mention(restart: Restart, marks: Marks, end: float) -> bool:
    """Whether a log steps back to one epoch, unsaid, and does not go on from there before a place."""
    return not restart.said and {epoch for place, epoch in marks if restart.place <= place < end} == {restart.x}


def _keep_new(run: Run, mentioned: Run) -> None:
    """Keep what only the mentioned epoch has, such as a last test."""
    own = {(series.name, series.x_kind) for series in run.series}
    run.series += [series for series in mentioned.series if (series.name, series.x_kind) not in own]
    run.printed = mentioned.printed | run.printed
    run.last_place = mentioned.last_place


def _leave_out(run: Run, place: int) -> None:
    """Leave out what stands from a place on in the series that have values before it.

    Where the course has no value of that epoch, it was picked as the best of more evaluations than were printed.
    """
    run.series = [_before(series, place) if series.x_kind == EPOCH else series for series in run.series]


def _before(series: Series, place: int) -> Series:
    if not len(series) or series.places[-1] < place:
        return series
    return series.replaced(kept) if (kept := [point for point in series if point[2] < place]) else series
