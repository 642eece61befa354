"""Logs that name the epoch below its values: `PESQ: 2.10`, and under it `Epoch 1 done in 312 s`.

Read from above, every value would stand at the epoch before, and the first at none. What tells is the end: the last
epoch that is named has no values of its own below it, and as many stand above the first as between any two.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from dataclasses import replace

from cmgan_audit.logs.series import EPOCH, INDEX, Reading, Run, Series

_FEWEST = 3
_MOST = 1 << 16


class HeadersBelow:
    """The lines on which the log came to another epoch."""

    def __init__(self) -> None:
        self._lines: list[int] = []
        self._epochs: list[float] = []

    def note(self, line: int, epoch: float) -> None:
        """The log is now at this epoch."""
        if len(self._lines) < _MOST and (not self._epochs or self._epochs[-1] != epoch):
            self._lines.append(line)
            self._epochs.append(epoch)

    def comes_to_another(self, after: int, until: int) -> bool:
        """Whether the log comes to another epoch below one line and down to another."""
        return bisect_right(self._lines, after) < bisect_right(self._lines, until)

    def settle(self, reading: Reading) -> None:
        """Move the values of an only run to the epoch that is named below them, where its end shows that this is so."""
        rises = all(a < b for a, b in zip(self._epochs, self._epochs[1:], strict=False))
        if len(reading.runs) != 1 or len(self._epochs) < _FEWEST or not rises:
            return
        (run,) = reading.runs
        for before in [series for series in run.series if series.x_kind == INDEX]:
            after = next((s for s in run.series if s.x_kind == EPOCH and s.name == before.name), None)
            if after is not None and self._are_above(before, after):
                self._move(run, before, after)

    def _are_above(self, before: Series, after: Series) -> bool:
        """Whether as many values stand above the first epoch as behind every other, and none behind the last."""
        counts = Counter(after.xs)
        per_epoch = {counts.get(epoch, 0) for epoch in self._epochs[:-1]}
        at_the_end = counts.get(self._epochs[-1], 0)
        first = self._lines[0]
        return per_epoch == {len(before)} and not at_the_end and all(place < first for place in before.places)

    def _move(self, run: Run, before: Series, after: Series) -> None:
        points = [(self._epochs[bisect_right(self._lines, place)], y, place) for _, y, place in (*before, *after)]
        moved = replace(after.replaced(points), seen=before.seen + after.seen)
        run.series = [moved if series is after else series for series in run.series if series is not before]
