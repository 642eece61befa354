"""Networks that keep nothing for gradients where they run, though nothing around the call turns gradients off.

Their parameters take no gradients, their `forward` turns gradients off itself, or what they are given does: a
`Variable(x, volatile=True)`, the way of torch before 0.4.
"""

from __future__ import annotations

from collections.abc import Iterator

from cmgan_audit.facts.classes import bare_network, values_within
from cmgan_audit.facts.passes.forwards import calls_on_parts
from cmgan_audit.facts.passes.modes import gradients_off
from cmgan_audit.facts.scene import Scene, Use
from cmgan_audit.facts.values import constant, instances_of
from cmgan_audit.program.domain.values import Instance, Value
from cmgan_audit.program.execution.trace import CallEvent, Event, StoreEvent
from cmgan_audit.program.naming.names import canonical

_VARIABLE = "torch.autograd.Variable"
_PARAMETERS = frozenset({"parameters", "named_parameters"})


def keeps_no_graph(scene: Scene, run: Use) -> bool:
    """Whether a network that runs where gradients are on keeps nothing for them all the same."""
    if run.on is None:
        return False
    network = bare_network(run.on)
    return _is_volatile(scene, run) or _is_frozen(scene, run, network) or _turns_them_off(scene, run, network)


def is_frozen_for_good(scene: Scene, network: Instance) -> bool:
    """Whether a run says of the parameters of a network that they take no gradients, and of none in it that they do.

    A part that it gets later (`network.head = nn.Linear(...)`) takes gradients, too.
    """
    events = scene.run.events
    frozen_at = None
    for at, event, value, whose in _said(scene, len(events)):
        if any(scene.reaches(each, network) for each in whose):
            if constant(value) is not False or event.context.conditions:
                return False
            frozen_at = at if frozen_at is None else frozen_at
        elif constant(value) is not False and any(scene.reaches(network, each) for each in whose):
            return False
    return frozen_at is not None and not any(_gives_part(scene, event, network) for event in events[frozen_at:])


def _gives_part(scene: Scene, event: Event, network: Instance) -> bool:
    """Whether a network gets another one as a part of it."""
    return (
        isinstance(event, StoreEvent)
        and any(map(scene.is_network, instances_of(event.value)))
        and any(scene.reaches(network, each) for each in instances_of(event.target))
    )


def _is_volatile(scene: Scene, run: Use) -> bool:
    """Whether a variable that a network is given is volatile; where it is not seen which it is given, one made for it.

    One volatile variable is enough for all that is computed from it: the wanted signal is often made none.
    """
    made = _variables_before(scene, run)
    if not made:
        return False
    given = run.event.arguments.every
    parts = {id(part.cell) for each in given for part in values_within(each) if isinstance(part, Instance)}
    handed = [each for each in made if any(id(part.cell) in parts for part in instances_of(each.result))]
    return any(constant(each.arguments.get("volatile", 2)) is True for each in handed or made)


def _variables_before(scene: Scene, run: Use) -> list[CallEvent]:
    """The variables that are made before a network runs, where it runs or below there."""
    made = {id(event) for event in scene.named(_VARIABLE.__eq__)}
    around = run.event.context
    found: list[CallEvent] = []
    for event in reversed(scene.run.events[: run.position]) if made else ():
        there = event.context
        if there.frames[: len(around.frames)] != around.frames or there.loops[: len(around.loops)] != around.loops:
            break
        if isinstance(event, CallEvent) and id(event) in made:
            found.append(event)
    return found


def _is_frozen(scene: Scene, run: Use, network: Instance) -> bool:
    """Whether the parameters of a network take no gradients: the last that is said of all of them before it runs."""
    here = run.event.context.tests
    frozen = False
    for _, event, value, whose in _said(scene, run.position):
        if any(scene.reaches(each, network) for each in whose):
            surely = event.context.tests <= here
            frozen = surely and constant(value) is False
    return frozen


def _said(scene: Scene, until: int) -> Iterator[tuple[int, Event, Value | None, list[Instance]]]:
    """What is said before a position about whether parameters take gradients, in order.

    Yields:
        The position in the run, the event, what is said, and the networks whose parameters are meant.
    """
    asked = [use for use in scene.of("keep") if canonical(use.event.callee).rpartition(".")[2] in _PARAMETERS]
    for at, event in enumerate(scene.run.events[:until]):
        if isinstance(event, StoreEvent) and event.name == "requires_grad":
            yield at, event, event.value, _whose(event, asked)
        elif isinstance(event, CallEvent) and event.callee.endswith(".requires_grad_"):
            whose = [*instances_of(event.receiver), *_whose(event, asked)]
            yield at, event, event.arguments.get("requires_grad", 0), whose


def _whose(event: Event, asked: list[Use]) -> list[Instance]:
    """The networks over whose parameters the loop goes in which something happens."""
    loop = event.context.loops[-1] if event.context.loops else None
    return [
        use.on
        for use in asked
        if loop is not None
        and use.on is not None
        and use.event.location.lies_in(loop.location)
        and use.event.context.frames == event.context.frames
    ]


def _turns_them_off(scene: Scene, run: Use, network: Instance) -> bool:
    """Whether everything that the `forward` of a network calls on its parts is called without gradients."""
    parts = calls_on_parts(scene, run, network)
    return bool(parts) and all(gradients_off(scene, run.position, each.context.managers) for each in parts)
