"""What `*value` puts among the arguments of a call."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from cmgan_audit.program.domain.joins import branch_of, join
from cmgan_audit.program.domain.values import Choice, ListValue, Value


def spread_items(value: Value) -> tuple[Sequence[Value], str]:
    """The items of a list or tuple, and how the rest is named where there may be more; "" where all are known.

    Of several lists (`(size, config, port) if port else (size, config)`) those count that stand in the same places of
    all of them; each is what either of them holds there.
    """
    if isinstance(value, ListValue):
        return [item.tainted(value.draws) for item in value.items], "" if value.complete else "unknown length"
    if not isinstance(value, Choice):
        return (), "unknown content"
    lists = [(option.value, branch_of(option)) for option in value.options]
    if not all(isinstance(each, ListValue) for each, _ in lists):
        return (), "unknown content"
    items: list[Value] = []
    known = [(each, branch) for each, branch in lists if isinstance(each, ListValue)]
    for row in zip_longest(*(each.items for each, _ in known)):
        if any(item is None for item in row):
            return items, "unknown length"
        sides = [(item, branch) for item, (_, branch) in zip(row, known, strict=True)]
        items.append(join(sides, value.draws))
    return items, "" if all(each.complete for each, _ in known) else "unknown length"
