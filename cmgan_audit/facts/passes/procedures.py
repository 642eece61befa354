"""Methods of a network that set something and run nothing: `model.set_new_noise_schedule(options)`, `net.reset()`.

Whoever calls a method of a network mostly runs it, so such a call counts as a pass of the network. A method that gives
nothing back may leave what it computes in the object, `model.optimise(batch)`, and then a network runs inside of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from cmgan_audit.program.domain.values import ClassValue, Const, Unknown
from cmgan_audit.program.execution.trace import CallEvent, Event

if TYPE_CHECKING:
    from cmgan_audit.facts.scene import Use

_RUNNING = ("__call__", "forward")


def without_procedures(uses: Sequence[Use], events: Sequence[Event]) -> list[Use]:
    """The uses of a run without calls of methods that give nothing back and in which no network runs."""
    kept: list[Use] = []
    running: set[int] = set()
    for use in reversed(uses):  # what happens inside of a call comes after it
        if use.kind == "run" and _is_procedure(use, events, running):
            continue
        kept.append(use)
        if use.kind == "run":
            running.add(use.position)
    return kept[::-1]


def _is_procedure(use: Use, events: Sequence[Event], running: set[int]) -> bool:
    call = use.event
    if call.callee.rpartition(".")[2] in _RUNNING or not (isinstance(call.result, Const) and call.result.value is None):
        return False
    of_the_tree = use.on is not None and isinstance(use.on.cls, ClassValue)
    return of_the_tree and not any(position in running or _is_open(event) for position, event in _inside(use, events))


def _inside(use: Use, events: Sequence[Event]) -> Iterator[tuple[int, Event]]:
    """What happens in the body of a method, and below."""
    frames, depth = use.event.context.frames, len(use.event.context.frames)
    for position in range(use.position + 1, len(events)):
        there = events[position].context.frames
        if len(there) <= depth or there[depth].call != use.event.location or there[:depth] != frames:
            return
        yield position, events[position]


def _is_open(event: Event) -> bool:
    """Whether it is not known what is called, which may be a network."""
    return isinstance(event, CallEvent) and isinstance(event.receiver, Unknown)
