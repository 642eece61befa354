"""Trainings that went on from a checkpoint while their script began to count anew: one training, its epochs counted on.

`Resuming training from ckpt/last.pth`, then `Epoch 1/10`: what the second part begins with is to be compared with what
the first one had reached.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from cmgan_audit.logs.mentions import Marks
from cmgan_audit.logs.series import EPOCH, INDEX, PrintedBatch, Restart, Run, Series


def count_on(runs: list[Run], came_to: list[Marks], anew: Collection[Run]) -> None:
    """Put runs that count anew behind the ones from whose checkpoints they went on.

    Args:
        runs: all of one log, in its order.
        came_to: the marks of each.
        anew: the runs that went on from the one before them.
    """
    joined = set(map(id, anew))
    for at in range(len(runs) - 1, 0, -1):
        if id(runs[at]) in joined and came_to[at] and came_to[at - 1]:
            last = max(epoch for _, epoch in came_to[at - 1])
            shift = last + 1 - min(epoch for _, epoch in came_to[at])
            _join(runs[at - 1], runs[at], last, shift)
            came_to[at - 1] += [(place, epoch + shift) for place, epoch in came_to[at]]
            del runs[at], came_to[at]


def _join(run: Run, later: Run, last: float, shift: float) -> None:
    own = {(series.name, series.x_kind): series for series in run.series}
    for series in later.series:
        to = own.get((series.name, series.x_kind))
        if to is None:
            run.series.append(series.replaced((x + shift * (series.x_kind == EPOCH), y, at) for x, y, at in series))
            continue
        by = _shift(to, series, shift)
        for x, y, place in series:
            to.append(x + by, y, place)
    run.restarts.append(Restart(last + 1, last, later.first_place, said=True, anew=True))
    run.restarts += [replace(r, x=r.x + shift, before=r.before + shift) for r in later.restarts]
    run.unsaid |= {(name, at + shift) for name, at in later.unsaid}
    run.last_place = later.last_place
    for name, batch in later.printed.items():
        run.printed.setdefault(name, PrintedBatch()).add(batch)


def _shift(to: Series, later: Series, of_epochs: float) -> float:
    """By how much the later points of a series move: its steps may have begun anew, too, or not."""
    if to.x_kind == EPOCH or not len(to) or not len(later):
        return of_epochs
    if to.x_kind == INDEX:
        return to.xs[-1] + 1 - later.xs[0]
    return to.xs[-1] if later.xs[0] <= to.xs[-1] else 0.0
