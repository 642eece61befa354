"""Networks that code which is not there may switch: `with evaluating(net):`, `@eval_mode` around a function."""

from __future__ import annotations

from cmgan_audit.facts.classes import bare_network
from cmgan_audit.facts.code import Code
from cmgan_audit.facts.passes.outside_helpers import looks_on, only_looks
from cmgan_audit.facts.scene import Scene, Use
from cmgan_audit.facts.values import instances_of
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.values import External, Instance, Value
from cmgan_audit.program.execution.trace import CallEvent
from cmgan_audit.program.naming.names import is_library

_OF_EVALUATION = regex(r"(?i)eval|infer|predict|(?<!la)test|mode(?!l)")

# A context that puts averaged weights into a network for as long as it is evaluated.
_OF_AVERAGE = regex(r"(?i)(?<![a-z])ema(?![a-z])|average")


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
    return _decorated(scene, run)


def _decorated(scene: Scene, run: Use) -> CallEvent | None:
    """The run itself, where code that is not there decorates a function around it as one that evaluates.

    `@evaluating(net)`, `@eval_mode`: the function calls nothing that switches back, and does not train.
    """
    frames = run.event.context.frames
    for depth, frame in enumerate(frames, 1):
        decorators = frame.value.decorators if frame.value is not None else ()
        trains = any(
            use.event.context.frames[:depth] == frames[:depth] for use in scene.of("backward", "step", "train")
        )
        if not trains and isinstance(run.event, CallEvent) and any(map(_speaks_of_evaluation, decorators)):
            return run.event
    return None


def _speaks_of_evaluation(decorator: Value) -> bool:
    name = decorator.name if isinstance(decorator, External) else ""
    if isinstance(decorator, Instance):
        name = decorator.external_name
    if not name or name.startswith("?") or is_library(name) or only_looks(name):
        return False
    return bool(_OF_EVALUATION.search(name.rpartition(".")[2]))


def _may_switch(scene: Scene, event: CallEvent, run: Use, *, is_switched: bool) -> bool:
    if _OF_EVALUATION.search(event.callee.rpartition(".")[2]):
        return True
    around = any(manager.partition("(")[0] == event.callee for manager in run.event.context.managers)
    if around and _OF_AVERAGE.search(event.callee.rpartition(".")[2]):
        return True
    if looks_on(event):
        return False
    return around or (is_switched and Code(scene).is_statement(event))


def _trains_between(scene: Scene, position: int, run: Use) -> bool:
    return any(position < use.position < run.position for use in scene.of("backward", "step"))


def _is_given(scene: Scene, event: CallEvent, network: Instance) -> bool:
    given = event.arguments.every
    instances = (each for value in given for each in instances_of(value))
    return any(scene.is_network(each) and scene.reaches(bare_network(each), network) for each in instances)
