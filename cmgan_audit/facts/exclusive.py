"""Whether two events of a run can never happen in one start of the program."""

from __future__ import annotations

from cmgan_audit.program.execution.trace import Condition, Context, Frame
from cmgan_audit.source.syntax import is_line_of


def exclusive(one: Context, other: Context) -> bool:
    """Whether two events are on different sides of a choice: an open test, or a function that is looked up by name.

    Inside a loop both sides may be taken, one after the other, and so they may in two calls of one function.
    """
    if set(one.loops) & set(other.loops):
        return False
    shared: list[Frame] = []
    for mine, theirs in zip(one.frames, other.frames, strict=False):
        if mine.call != theirs.call:
            break
        if mine.function != theirs.function or _path(mine) != _path(theirs):
            return True  # one call at one place, of one function or the other
        shared.append(mine)
    parted = next((pair for pair in zip(one.conditions, other.conditions, strict=False) if pair[0] != pair[1]), None)
    return parted is not None and parted[0].location == parted[1].location and _is_decided_in(parted[0], shared)


def _path(frame: Frame) -> str:
    return frame.value.module.path if frame.value is not None else ""


def _is_decided_in(condition: Condition, frames: list[Frame]) -> bool:
    """Whether a test stands in the innermost of some calls, or outside of functions where there are none."""
    if not frames:
        return True
    function = frames[-1].value
    if function is None or function.module.path != condition.location.path:
        return False
    return is_line_of(condition.location.line, function.node)
