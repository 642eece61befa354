"""Over what the lists of a history are drawn: the epochs, those of every second, fifth, ..., or merely their order."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from cmgan_audit.logs.series import EPOCH, INDEX, Role

# Evaluations are made every ten epochs at the least; a list so many times longer than that of a metric is one of steps.
_MOST_EPOCHS = 10


def common_axis(lists: Iterable[tuple[Role | None, int]]) -> int:
    """How many epochs the lists of one history have: the longest that is no list of steps beside those of the metrics.

    Args:
        lists: role and length of each.
    """
    known = [(role.kind if role is not None else "", length) for role, length in lists if length]
    lengths = [length for _, length in known]
    shortest = min((length for kind, length in known if kind == "metric"), default=0)
    return max((n for n in lengths if not shortest or n <= _MOST_EPOCHS * shortest), default=0)


def spread(length: int, axis: int, epochs: Sequence[float] = ()) -> tuple[str, list[float]]:
    """Over what a list is drawn: epochs, those of every second, fifth, ... or merely its order.

    Args:
        length: of the list.
        axis: how many epochs the history has.
        epochs: their numbers, where they are known.
    """
    every, rest = divmod(axis, length) if length else (0, 1)
    if rest or not every:
        return INDEX, [float(i + 1) for i in range(length)]
    if len(epochs) == axis:
        return EPOCH, list(epochs[every - 1 :: every])
    return EPOCH, [float(every * (i + 1)) for i in range(length)]


def filled_counters(counter: Sequence[float]) -> list[float]:
    """Counters with the gaps closed that a null or a NaN has left: one more than before, as far as the next allows."""
    nexts, after = [math.inf] * len(counter), math.inf
    for place in range(len(counter) - 1, -1, -1):
        nexts[place] = after = counter[place] if math.isfinite(counter[place]) else after
    filled: list[float] = []
    for value, after in zip(counter, nexts, strict=True):
        if math.isfinite(value):
            filled.append(value)
        elif filled:
            filled.append(min(filled[-1] + 1, after))
        else:
            filled.append(after - 1 if math.isfinite(after) else 0.0)
    return filled
