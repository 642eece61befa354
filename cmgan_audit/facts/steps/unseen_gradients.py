"""Gradients that are computed, or taken elsewhere, where no backward pass and no step shows it.

Code that is not there may compute them: `balancer.run(losses)`. A copy of a network that computes gradients for the
shared one, in this process or another, steps on none of its own: `p.grad = q.grad`.
"""

from __future__ import annotations

from collections.abc import Iterable

from cmgan_audit.facts.adversarial.holders import Held
from cmgan_audit.facts.classes import bare_network, values_within
from cmgan_audit.facts.code import Code
from cmgan_audit.facts.passes.outside_helpers import looks_on
from cmgan_audit.facts.scene import Scene
from cmgan_audit.facts.values import is_none
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.values import BoundMethod, Instance, Unknown, Value
from cmgan_audit.program.execution.trace import CallEvent, Event, StoreEvent

_GRADIENTS = frozenset({"grad", "_grad"})
_COMPUTING = regex("backward|grad")
# Between processes the gradients of one network go elsewhere; within one, another network is given as well.
_SENDING = regex("push|send|share|sync|reduce|gather|average|grad")
# What looks at gradients, or sets them back, and hands nothing on.
_LOOKING = regex(r"norm|^is|print|abs|max|min|mean|std|sum|item|hist|zero")


def may_compute(scene: Scene, events: Iterable[Event]) -> bool:
    """Whether code that is not there may compute gradients in a part of a run.

    It is given a network, or something computed such as a loss. What is called a loss itself, or takes part in one,
    gives something back, and the backward pass behind it is seen.
    """
    return any(
        isinstance(event, CallEvent)
        and event.callee
        and event.is_elsewhere
        and not looks_on(event)
        and any(isinstance(part, Instance | Unknown) for part in _given(event))
        and (_COMPUTING.search(event.callee.rpartition(".")[2]) or Code(scene).is_statement(event))
        for event in events
    )


def may_carry_over(scene: Scene, events: Iterable[Event], held: Held) -> bool:
    """Whether gradients of some networks may be taken for a step of others in a part of a run."""
    return any(_carries(scene, event, held) for event in events)


def _carries(scene: Scene, event: Event, held: Held) -> bool:
    if isinstance(event, StoreEvent):
        return event.name in _GRADIENTS and not is_none(event.value)
    if not isinstance(event, CallEvent) or _LOOKING.search(event.callee.rpartition(".")[2]):
        return False
    given = _given(event)
    if any(map(_is_gradient, given)):
        return True
    networks = [bare_network(each) for each in given if isinstance(each, Instance) and scene.is_network(each)]
    touched = [held.touches(each) for each in networks]
    if not any(touched) or not event.callee or not event.is_elsewhere:
        return False
    return bool(_SENDING.search(event.callee.rpartition(".")[2])) or not (all(touched) or looks_on(event))


def _given(event: CallEvent) -> list[Value]:
    values = event.arguments.every
    return [part for value in values for part in values_within(value, 2)]


def _is_gradient(value: Value) -> bool:
    """Whether a value is the gradient of something, or a copy of one."""
    if isinstance(value, BoundMethod):
        return value.name in _GRADIENTS
    return isinstance(value, Instance) and ".grad." in value.external_name
