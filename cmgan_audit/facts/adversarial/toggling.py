"""Lightning's `toggle_optimizer`: until it is taken back, only the parameters of one optimiser take gradients."""

from __future__ import annotations

from cmgan_audit.facts.scene import Scene
from cmgan_audit.facts.values import instances_of, same_object
from cmgan_audit.program.domain.values import Instance
from cmgan_audit.program.execution.trace import CallEvent

_ON, _OFF = "toggle_optimizer", "untoggle_optimizer"


def is_toggled(scene: Scene, call: CallEvent, optimiser: Instance) -> bool:
    """Whether a call is made while only the parameters of an optimiser take gradients, in a run's order of events.

    A network of another optimiser that runs there leaves no gradients behind.
    """
    toggled: Instance | None = None
    for event in scene.run.events:
        if event is call:
            return toggled is not None and same_object(toggled, optimiser)
        name = event.callee.rpartition(".")[2] if isinstance(event, CallEvent) else ""
        if isinstance(event, CallEvent) and name in (_ON, _OFF):
            given = instances_of(event.arguments.get("optimizer", 0))
            toggled = given[0] if name == _ON and len(given) == 1 else None
    return False
