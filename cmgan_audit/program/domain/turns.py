"""Signals that were turned round: every sample is kept, and a fixed part of them is another one after each draw."""

from __future__ import annotations

from cmgan_audit.program.domain.values import Const, Draw, Instance, Value

# Functions that turn a signal round: the arguments for how far and along which axis.
_TURNS = {"numpy.roll": ("shift", "axis"), "torch.roll": ("shifts", "dims")}


def turns_of(value: Value) -> frozenset[Draw]:
    """The draws by which a signal was turned round; none for any other value."""
    if not isinstance(value, Instance) or value.external_name not in _TURNS:
        return frozenset()
    shift = value.arguments.get(_TURNS[value.external_name][0], 1)
    return shift.draws if shift is not None else frozenset()


def is_turned_along_last(value: Instance, axes: int) -> bool:
    """Whether a signal was turned round along the last axis that a subscript names, or as one row of samples.

    Args:
        value: the turned signal.
        axes: how many parts the subscript has; of one part alone it is not known whether that is samples or channels.
    """
    axis = value.arguments.get(_TURNS[value.external_name][1], 2)
    if axis is None or (isinstance(axis, Const) and axis.value is None):
        return True
    return axes > 1 and isinstance(axis, Const) and axis.value in (axes - 1, -1)
