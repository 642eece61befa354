"""Lightning's `toggle_optimizer`: until it is taken back, only the parameters of one optimiser take gradients."""

from __future__ import annotations

from cmgan_audit.facts.scene import Scene
from cmgan_audit.facts.values import instances_of, same_object
from cmgan_audit.program.domain.values import Instance, Value
from cmgan_audit.program.execution.trace import CallEvent

_ON, _OFF = "toggle_optimizer", "untoggle_optimizer"
# The same for a block: `with self.toggled_optimizer(optimizer):`, `with optimizer.toggle_model():`.
_BLOCK_OF_MODULE, _BLOCK_OF_OPTIMISER = "toggled_optimizer", "toggle_model"
_NAMES = frozenset({_ON, _OFF, _BLOCK_OF_MODULE, _BLOCK_OF_OPTIMISER})


def is_toggled(scene: Scene, call: CallEvent, optimiser: Instance) -> bool:
    """Whether a call is made while only the parameters of an optimiser take gradients, in a run's order of events.

    A network of another optimiser that runs there leaves no gradients behind.
    """
    toggled: Value | None = None
    within: Value | None = None
    for event in scene.run.events:
        if event is call:
            in_block = any(_member(name) in (_BLOCK_OF_MODULE, _BLOCK_OF_OPTIMISER) for name in call.context.managers)
            held = instances_of(within if in_block else toggled)
            return len(held) == 1 and same_object(held[0], optimiser)
        name = _member(event.callee) if isinstance(event, CallEvent) else ""
        if not isinstance(event, CallEvent) or name not in _NAMES:
            continue
        given = event.arguments.get("optimizer", 0)
        if name in (_ON, _OFF):
            toggled = given if name == _ON else None
        else:
            within = given if name == _BLOCK_OF_MODULE else event.receiver
    return False


def _member(name: str) -> str:
    return name.rpartition(".")[2]
