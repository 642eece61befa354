"""What the `forward` of a network does to its parts, seen by executing it where the network runs."""

from __future__ import annotations

from cmgan_audit.facts.classes import bare_network, is_network
from cmgan_audit.facts.scene import Scene, Use
from cmgan_audit.facts.values import class_name, instances_of
from cmgan_audit.program.domain.values import ClassValue, FunctionValue, Instance
from cmgan_audit.program.execution.probe import attribute_of, call_value
from cmgan_audit.program.execution.trace import CallEvent

_RUNS = (".__call__", ".forward")


def calls_on_parts(scene: Scene, run: Use, network: Instance) -> list[CallEvent]:
    """The calls that the `forward` of a network makes on networks when it runs; none where its code is not known."""
    return [each for each in _calls_inside(scene, run, network) if any(map(is_network, instances_of(each.receiver)))]


def unread_parts(scene: Scene, run: Use) -> list[str]:
    """The classes of what runs with a network and comes from a library other than torch: their layers are not read."""
    if run.on is None:
        return []
    network = bare_network(run.on)
    called = [each for each in _calls_inside(scene, run, network) if each.callee.endswith(_RUNS)]
    parts = [network, *(part for call in called for part in instances_of(call.receiver))]
    return [class_name(part) for part in parts if part.external_name and not part.external_name.startswith("torch.")]


def _calls_inside(scene: Scene, run: Use, network: Instance) -> list[CallEvent]:
    """The calls that the `forward` of a network makes when it runs; none where its code is not known."""
    if not isinstance(network.cls, ClassValue) or not run.event.callee.endswith(_RUNS):
        return []
    forward = attribute_of(scene.run, network, "forward")
    if not isinstance(forward, FunctionValue):
        return []
    key = (run.event, id(network.attrs))
    if key not in scene.inside_forward:
        given = run.event.arguments
        events, _ = call_value(scene.run, forward, given.positional, network, given.keywords)
        scene.inside_forward[key] = [each for each in events if isinstance(each, CallEvent) and each.context.frames]
    return scene.inside_forward[key]


def switched_off_inside(scene: Scene, run: Use) -> list[Instance]:
    """The networks that a `forward` itself puts into eval mode each time, whatever is done around it."""
    if run.on is None:
        return []
    network = bare_network(run.on)
    return [
        part
        for call in calls_on_parts(scene, run, network)
        if call.callee.endswith(".eval") and not call.context.conditions
        for part in instances_of(call.receiver)
    ]
