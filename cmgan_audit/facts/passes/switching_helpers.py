"""Networks that are handed to code which is not there and may switch their mode: `with evaluating(net):`."""

from __future__ import annotations

from cmgan_audit.facts.classes import bare_network
from cmgan_audit.facts.code import Code
from cmgan_audit.facts.passes.outside_helpers import looks_on
from cmgan_audit.facts.scene import Scene, Use
from cmgan_audit.facts.values import instances_of
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.values import Instance
from cmgan_audit.program.execution.trace import CallEvent

_OF_EVALUATION = regex(r"(?i)eval|infer|predict|(?<!la)test|mode(?!l)")


def may_have_switched(scene: Scene, run: Use, network: Instance, since: Use | None) -> CallEvent | None:
    """The call on the way to a network's run that may have put it into eval mode; None where none is.

    It stands in a function and in loops that are still under way when the network runs, and behind the training that
    comes first: that would have been in eval mode as well. Most of what is given a network has another purpose, so a
    call counts that speaks of evaluation or is a context around the run. Where the tree itself switches to training
    mode, one whose answer nobody takes does, too: it is there for what it does to the network.

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
        if not under_way or not _is_given(scene, event, network) or _trains_between(scene, position, run):
            continue
        if _may_switch(scene, event, run, is_switched=since is not None):
            return event
    return None


def _may_switch(scene: Scene, event: CallEvent, run: Use, *, is_switched: bool) -> bool:
    if _OF_EVALUATION.search(event.callee.rpartition(".")[2]):
        return True
    if looks_on(event):
        return False
    around = any(manager.partition("(")[0] == event.callee for manager in run.event.context.managers)
    return around or (is_switched and Code(scene).is_statement(event))


def _trains_between(scene: Scene, position: int, run: Use) -> bool:
    return any(position < use.position < run.position for use in scene.of("backward", "step"))


def _is_given(scene: Scene, event: CallEvent, network: Instance) -> bool:
    given = event.arguments.every
    instances = (each for value in given for each in instances_of(value))
    return any(scene.is_network(each) and scene.reaches(bare_network(each), network) for each in instances)
