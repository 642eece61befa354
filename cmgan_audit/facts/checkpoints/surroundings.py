"""Where in the program a checkpoint is restored, and what is restored, in words."""

from __future__ import annotations

from cmgan_audit.facts.checkpoints.restoring import Batch, bare
from cmgan_audit.facts.checkpoints.whole_networks import is_whole
from cmgan_audit.facts.classes import builds_network, is_network
from cmgan_audit.facts.code import stack_of
from cmgan_audit.facts.optimisers import is_stateful
from cmgan_audit.facts.values import class_name
from cmgan_audit.program.domain.values import ClassValue, Instance
from cmgan_audit.program.execution.trace import CallEvent


def entries_of(batch: Batch) -> list[CallEvent]:
    """The calls of a batch, loads first, each stack of calls once."""
    events = batch.events
    return list({(stack_of(event.context), event.location): event for event in events}.values())


def functions_of(batch: Batch) -> list[str]:
    """The names of the functions that a checkpoint is loaded in."""
    frames = [frame for event in entries_of(batch) for frame in event.context.frames]
    return [frame.function.removesuffix("__init__") for frame in frames]


def in_constructor(batch: Batch) -> bool:
    """Whether the weights are loaded while a network is built: a part that comes trained."""
    events = batch.events
    return not batch.trains_on and any(map(builds_network, events))


def brings_all_back(batch: Batch) -> bool:
    """Whether weights are restored, and with them the state of what trains them."""
    return batch.trains_on and any(each.target is not None and is_network(bare(each.target)) for each in batch.restored)


def names_of(batch: Batch) -> str:
    """What is restored, each class once."""
    if batch.whole:
        return "everything that the trainer holds"
    return ", ".join(dict.fromkeys(_name(each.target) for each in batch.restored))


def _name(target: Instance | None) -> str:
    """What is restored: its class; what a function of a library gave is named after it, and tells nothing."""
    if target is None:
        return "weights"
    if is_whole(target):
        return "the network"
    name = class_name(bare(target))
    told = isinstance(bare(target).cls, ClassValue) or name[:1].isupper() or is_stateful(target)
    return name if told else "weights"
