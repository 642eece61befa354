"""A second epoch that a line names: what stands behind it may be told once more, `stopped at epoch 20 (epoch 6: 2.64)`.

Mostly it is not: of `Epoch 12, nothing gained since epoch 6, PESQ 2.31` the score is that of epoch 12.
"""

from __future__ import annotations

from bisect import bisect_right

from cmgan_audit.logs.lines.plan import OtherEpoch, Plan, SlotValue
from cmgan_audit.logs.lines.prefixes import SLOT, USED
from cmgan_audit.logs.lines.tokens import number_in
from cmgan_audit.logs.series import EPOCH, Run, Series


def with_values(plan: Plan, slot: int, masked: str) -> OtherEpoch:
    """What a line tells of a second epoch, of the values that its plan has.

    Args:
        plan: how the line is read, its own epoch known.
        slot: where the second one stands.
        masked: the line, its numbers as slots.
    """
    at = [position for position, char in enumerate(masked) if char in (SLOT, USED)]
    behind = [value for value in plan.values if value.slots and value.slots[0] > slot]
    apart = plan.epoch is not None and _open_in(masked[at[plan.epoch] : at[slot]]) > 0
    inside = [value for value in behind if apart and _open_in(masked[at[slot] : at[value.slots[0]]]) >= 0]
    own = {value.name for value in plan.values if value not in inside}
    return OtherEpoch(
        slot,
        surely=tuple(value for value in inside if value.name in own),
        inside=tuple(value for value in inside if value.name not in own),
        behind=tuple(value for value in behind if value not in inside),
    )


def told_again(other: OtherEpoch, row: list[bytes], epoch: float, run: Run, before: int) -> list[SlotValue]:
    """The values of a line that had been reached at an epoch before its own, and are of no later one.

    Args:
        other: the second epoch of the line.
        row: its numbers.
        epoch: its own epoch.
        run: what was read so far; what stands there at both epochs, and is the other's, is told again.
        before: the last line that said the same in other numbers; where it gave the last value, such lines are the
            course: `Epoch 7 (stage epoch 2, PESQ 2.31)`.
    """
    at = float(row[other.slot])
    if at >= epoch:
        return []
    known = {series.name: series for series in run.series if series.x_kind == EPOCH and len(series)}
    again = list(other.surely)
    again += [value for value in other.inside if value.name in known and known[value.name].places[-1] != before]
    for value in other.behind:
        series, y = known.get(value.name), number_in(row, value)
        if series is not None and y is not None and _has(series, epoch) and _has(series, at, y):
            again.append(value)
    return again


def _has(series: Series, x: float, y: float | None = None) -> bool:
    """Whether a series has a value at an epoch, and this one if one is given."""
    at = bisect_right(series.xs, x) - 1
    return at >= 0 and series.xs[at] == x and y in (None, series.ys[at])


def _open_in(text: str) -> int:
    """How many brackets a part of a line opens; below zero where it closes one of what is before it."""
    return text.count("(") + text.count("[") - text.count(")") - text.count("]")
