"""What a dataset of the tree gives as an item, where torch itself stacks the items of a batch."""

from __future__ import annotations

from collections.abc import Sequence

from cmgan_audit.facts.items.making import items_of
from cmgan_audit.facts.recordings import READERS
from cmgan_audit.facts.runtime.flow import Flow, Node
from cmgan_audit.facts.values import same_object
from cmgan_audit.program.domain.values import Instance, ListValue, Value
from cmgan_audit.program.naming.names import canonical

_BLANK = frozenset("zeros zeros_like empty empty_like full new_zeros new_empty".split())


def parts_of_items(flow: Flow, loader: Instance) -> Sequence[Value]:
    """The parts of the tuple that the dataset of a loader returns; none where its items come in another way."""
    result = result_of_items(flow, loader)
    return result.items if isinstance(result, ListValue) and result.kind == "tuple" and result.complete else ()


def result_of_items(flow: Flow, loader: Instance) -> Value | None:
    """What the dataset of a loader returns as an item; None where its items come in another way."""
    made = next((each for each in flow.scene.made if same_object(each.loader, loader)), None)
    if made is None or made.arguments.get("collate_fn", 6) is not None:
        return None
    readings = items_of(flow.scene, made).readings
    if len(readings) != 1 or not readings[0].function.endswith(".__getitem__"):
        return None
    flow.note(readings[0].events)
    return readings[0].result


def is_filled(flow: Flow, value: Value) -> bool:
    """Whether a part of an item is made blank: it is filled piece by piece, `tracks[0] = track / peak`, unseen here."""
    node = flow.node(value)
    return node is not None and node.operation.rpartition(".")[2] in _BLANK


def reads_a_recording(node: Node) -> bool:
    """Whether a value comes from a file of audio."""
    return canonical(node.operation) in READERS


def is_from_a_recording(flow: Flow, value: Value) -> bool:
    """Whether a file of audio stands behind a value."""
    return any(reads_a_recording(node) for node in flow.behind(value))
