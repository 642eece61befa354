"""Files that hold a whole network: `model = torch.load(path)`, whose parameters an optimiser then trains."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cmgan_audit.facts.adversarial.holders import Held
from cmgan_audit.facts.checkpoints.restoring import Batch, Restored
from cmgan_audit.facts.values import instances_of
from cmgan_audit.program.domain.values import Instance
from cmgan_audit.program.execution.trace import CallEvent, Event
from cmgan_audit.program.naming.names import canonical

_READ_BY = "torch.load"


def whole_networks(events: Iterable[Event], held: Sequence[Held]) -> list[Batch]:
    """The loads that give a network which is trained, each as a checkpoint of its own.

    Args:
        events: what happens before the training starts.
        held: what each optimiser of the run trains.
    """
    found = []
    for event in events:
        if isinstance(event, CallEvent) and canonical(event.callee) == _READ_BY:
            networks = [each for each in instances_of(event.result) if any(one.is_one(each) for one in held)]
            if networks:
                found.append(Batch([event], [Restored(event, each) for each in networks]))
    return found


def is_whole(target: Instance | None) -> bool:
    """Whether something restored is a network as a file holds it."""
    return target is not None and canonical(target.external_name) == _READ_BY
