"""What leaves open whether an item is cut at random at all: a setting, a mark of the item, the mode of a transform."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from cmgan_audit.facts.bindings import given_to
from cmgan_audit.facts.code import Code
from cmgan_audit.facts.conditions import as_read, open_setting, test_behind
from cmgan_audit.facts.items.making import Reading
from cmgan_audit.facts.items.pipelines import asks_the_item
from cmgan_audit.facts.items.transform_modes import kept_by_mode
from cmgan_audit.program.execution.trace import Condition, Context


def left_open(code: Code, reading: Reading, cut: Context, draws: Sequence[Collection[Context]]) -> str:
    """What decides and is not known, in words; "" where nothing keeps the cut away, or only what the data say.

    Args:
        code: the source behind the run.
        reading: the reading of an item.
        cut: where it is cut.
        draws: for each draw that says where, the places that it was made at.
    """
    around = _decides(code, reading, cut)
    if around or not draws:
        return around
    deciding = [[_decides(code, reading, each) for each in places] for places in draws]
    return deciding[0][0] if all(each and all(each) for each in deciding) else ""


def _decides(code: Code, reading: Reading, context: Context) -> str:
    """What is not known and decides whether a place is reached."""
    for condition in context.conditions:
        setting = open_setting(condition, reading.owner)
        if setting:
            return setting
        if reading.fields and _is_a_mark(code, condition, reading.fields):
            return f"{as_read(condition.text)}, which each item has of its own"
    return "whether the transform is in training mode" if kept_by_mode(code, context) else ""


def _is_a_mark(code: Code, condition: Condition, fields: Sequence[str]) -> bool:
    path = condition.location.path
    return asks_the_item(test_behind(code, condition), fields, lambda name: given_to(code, path, name))
