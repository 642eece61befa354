"""What the `forward` of a network does to its parts, seen by executing it where the network runs."""

from __future__ import annotations

from cmgan_audit.facts.classes import RUNS, bare_network, is_network
from cmgan_audit.facts.scene import AVERAGED, Forward, Scene, Use
from cmgan_audit.facts.values import class_name, instances_of
from cmgan_audit.program.domain.joins import same
from cmgan_audit.program.domain.values import Arguments, ClassValue, FunctionValue, Instance
from cmgan_audit.program.execution.probe import attribute_of, call_value
from cmgan_audit.program.execution.trace import CallEvent


def calls_on_parts(scene: Scene, run: Use, network: Instance) -> list[CallEvent]:
    """The calls that the `forward` of a network makes on networks when it runs; none where its code is not known."""
    return [each for each in _calls_inside(scene, run, network) if any(map(is_network, instances_of(each.receiver)))]


def unread_parts(scene: Scene, run: Use) -> list[str]:
    """The classes of what runs with a network and comes from a library other than torch: their layers are not read."""
    if run.on is None:
        return []
    network = _within_average(bare_network(run.on))
    called = [each for each in _calls_inside(scene, run, network) if each.callee.endswith(RUNS)]
    parts = [network, *(part for call in called for part in instances_of(call.receiver))]
    return [class_name(part) for part in parts if part.external_name and not part.external_name.startswith("torch.")]


def _within_average(network: Instance) -> Instance:
    """The network that torch's average of weights runs; any other network as it is."""
    inner = network.attrs.get("module") if network.external_name == AVERAGED else None
    return next(iter(instances_of(inner)), network)


def tried(scene: Scene, network: Instance, event: CallEvent) -> Forward | None:
    """What the `forward` of a network does and gives with the arguments of a call; None where its code is not known.

    Rules about modes and about gradients ask for the same calls.
    """
    key = (event, id(network.attrs))
    if key not in scene.forwards:
        scene.forwards[key] = _tried(scene, network, event.arguments)
    return scene.forwards[key]


def _tried(scene: Scene, network: Instance, given: Arguments) -> Forward | None:
    forward = attribute_of(scene.run, network, "forward")
    if not isinstance(forward, FunctionValue):
        return None
    events, result = call_value(scene.run, forward, given.positional, network, given.keywords)
    return Forward([each for each in events if isinstance(each, CallEvent)], result)


def _calls_inside(scene: Scene, run: Use, network: Instance) -> list[CallEvent]:
    """The calls that the `forward` of a network makes when it runs; none where its code is not known.

    A loop that draws samples runs a network a hundred times with what cannot be told apart: one of them is tried.
    """
    if not isinstance(network.cls, ClassValue) or not run.event.callee.endswith(RUNS):
        return []
    alike = scene.alike.setdefault(id(network.attrs), [])
    event = next((each for each in alike if _given_the_same(each.arguments, run.event.arguments)), run.event)
    if event is run.event:
        alike.append(event)
    inside = tried(scene, network, event)
    return [] if inside is None else [each for each in inside.calls if each.context.frames]


def _given_the_same(one: Arguments, other: Arguments) -> bool:
    return (
        len(one.positional) == len(other.positional)
        and one.keywords.keys() == other.keywords.keys()
        and all(map(same, one.positional, other.positional))
        and all(same(value, other.keywords[name]) for name, value in one.keywords.items())
    )


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
