"""Lists that are kept in order: `heapq` and `bisect` put entries into them and take entries out."""

from __future__ import annotations

from cmgan_audit.program.domain.containers import MOST_ITEMS, NOT_WHOLLY_KNOWN
from cmgan_audit.program.domain.numbers import drawn
from cmgan_audit.program.domain.values import Const, ListValue, Unknown, Value
from cmgan_audit.program.models.registry import ModelCall, model


@model("heapq.heappush", "bisect.insort", "bisect.insort_left", "bisect.insort_right")
def _push(call: ModelCall) -> Value | None:
    target = _given(call, 0)
    if not isinstance(target, ListValue) or len(call.arguments.positional) < 2:
        return None
    items = [*target.items, call.arguments.positional[1]][:MOST_ITEMS]
    call.interpreter.journal.set_content(target, items, complete=False)
    return Const(value=None)


@model("heapq.heappop", "heapq.heappushpop", "heapq.heapreplace")
def _pop(call: ModelCall) -> Value | None:
    target = _given(call, 0)
    if not isinstance(target, ListValue):
        return None
    items = [*target.items, *call.arguments.positional[1:2]][:MOST_ITEMS]
    call.interpreter.journal.set_content(target, items, complete=False)
    return Unknown(reason=NOT_WHOLLY_KNOWN, draws=drawn(target))


@model("heapq.heapify")
def _heapify(call: ModelCall) -> Value | None:
    target = _given(call, 0)
    if not isinstance(target, ListValue):
        return None
    call.interpreter.journal.set_content(target, list(target.items), complete=False)
    return Const(value=None)


@model("heapq.nsmallest", "heapq.nlargest")
def _first(call: ModelCall) -> Value | None:
    """Some of the entries, in an order that is not known."""
    target = _given(call, 1)
    if not isinstance(target, ListValue):
        return None
    return ListValue(items=list(target.items), complete=False, draws=drawn(target))


def _given(call: ModelCall, position: int) -> Value | None:
    given = call.arguments.positional
    return given[position] if len(given) > position else None
