"""Networks that are handed to code which is not there and may switch their mode: `with evaluating(net):`.

A package of one's own that the tree only imports may hold such a helper. What a well-known library does with a network
is known: it leaves the mode as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cmgan_audit.facts.classes import bare_network
from cmgan_audit.facts.values import instances_of
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.values import Instance
from cmgan_audit.program.execution.trace import CallEvent
from cmgan_audit.program.naming.names import is_library

if TYPE_CHECKING:
    from cmgan_audit.facts.scene import Scene, Use

_OF_EVALUATION = regex(r"(?i)eval|infer|predict|test")


def is_elsewhere(event: CallEvent) -> bool:
    """Whether a call leads to code that is not there and to no library of which it is known what it is for."""
    if not event.callee:
        return True
    left = isinstance(event.result, Instance) and event.result.external_name == event.callee
    return left and not event.callee.startswith("?") and not is_library(event.callee)


def may_have_switched(scene: Scene, run: Use, network: Instance, since: Use | None) -> CallEvent | None:
    """The call on the way to a network's run that may have put it into eval mode; None where none is.

    It stands in a function and in loops that are still under way when the network runs. Helpers of all kinds are given
    a network where it is made, so before anything has switched it, only one that speaks of evaluation counts.

    Args:
        scene: the run.
        run: where the network runs.
        network: the network itself.
        since: the switch to training mode that would be in force; None for a network that nothing has switched.
    """
    at = -1 if since is None else since.position
    frames, loops = run.event.context.frames, run.event.context.loops
    for position, event in scene.elsewhere:
        if not at < position < run.position:
            continue
        context = event.context
        under_way = frames[: len(context.frames)] == context.frames and loops[: len(context.loops)] == context.loops
        named = since is not None or _OF_EVALUATION.search(event.callee.rpartition(".")[2])
        if under_way and named and _is_given(scene, event, network):
            return event
    return None


def _is_given(scene: Scene, event: CallEvent, network: Instance) -> bool:
    given = (*event.arguments.positional, *event.arguments.keywords.values())
    instances = (each for value in given for each in instances_of(value))
    return any(scene.is_network(each) and scene.reaches(bare_network(each), network) for each in instances)
