"""Networks whose classes stand outside of the tree: `smp.Unet(...)`, a model of asteroid, one of a missing file.

Nothing tells what such an object is but what the program does with it: only a module of torch has `parameters()`.
"""

from __future__ import annotations

from collections.abc import Iterable

from cmgan_audit.facts.classes import PARAMETERS, is_network, library_bases
from cmgan_audit.facts.values import class_name, instances_of
from cmgan_audit.program.domain.values import ClassValue, Instance
from cmgan_audit.program.execution.trace import CallEvent, Event
from cmgan_audit.program.naming.names import canonical

# What such a network is certainly run by; its other methods are not known.
RUNNING = ("__call__", "forward")


def library_networks(events: Iterable[Event]) -> dict[int, Instance]:
    """The objects whose parameters are asked for, and of which a class outside of the tree gives them.

    Args:
        events: those of a run.

    Returns:
        The networks by the identity of their cells.
    """
    return {
        id(each.attrs): each
        for event in events
        if isinstance(event, CallEvent) and event.callee.endswith(PARAMETERS)
        for each in instances_of(event.receiver)
        if not is_network(each) and canonical(event.callee).rpartition(".")[0] in library_bases(each)
    }


def code_is_elsewhere(network: Instance) -> bool:
    """Whether what a network consists of cannot be seen: a class that is neither the tree's nor torch's makes it."""
    return not is_network(network)


def name_of(network: Instance) -> str:
    """The class of such a network, also in `AutoModel.from_pretrained(...)`; where none is named, what loads it.

    What the program only computes has no path that could be shown: `eval(name)(...)`, `globals()[name]`.
    """
    if isinstance(network.cls, ClassValue):
        return class_name(network)
    parts = network.external_name.split(".")
    named = next((part for part in reversed(parts) if part[:1].isupper()), "")
    shown = parts[0] != "builtins" and not any(part == "?" or part.startswith("__") for part in parts)
    return named or (network.external_name if shown else f"what {class_name(network)} gives")
