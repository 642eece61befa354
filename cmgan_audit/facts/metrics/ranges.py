"""Whether what a loss is given certainly lies between 0 and 1, because a network's answer ends in a sigmoid."""

from __future__ import annotations

from cmgan_audit.facts.classes import bare_network, library_bases
from cmgan_audit.facts.passes.outside_helpers import looks_on
from cmgan_audit.facts.runtime.flow import Node
from cmgan_audit.facts.values import constant, instances_of
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Location
from cmgan_audit.program.domain.values import (
    Choice,
    ClassValue,
    DictValue,
    FunctionValue,
    Instance,
    ListValue,
    Unknown,
    Value,
    options_of,
)
from cmgan_audit.program.execution.probe import attribute_of, call_value
from cmgan_audit.program.naming.names import canonical

_MOST_STEPS = 24
_SIGMOIDS = frozenset({"sigmoid", "sigmoid_", "expit"})
_LAYERS = frozenset({"torch.nn.Sigmoid", "torch.nn.modules.activation.Sigmoid"})
# What leaves numbers between 0 and 1 there.
_KEEPS = frozenset(
    "[] flatten view reshape squeeze unsqueeze float double to cuda cpu contiguous detach clone permute transpose mean "
    "view_as type_as".split()
)
_KEEPS_IN_PLACE = frozenset({"sigmoid_", "squeeze_", "unsqueeze_", "detach_", "requires_grad_", "share_memory_"})


def ends_in_sigmoid(view: View, value: Value | None, left: int = _MOST_STEPS) -> Location | None:
    """Where the sigmoid stands that a value comes from; None where it is not certain that there is one."""
    if value is None or left <= 0 or view.flow.in_place(value) - _KEEPS_IN_PLACE:
        return None
    if isinstance(value, Choice):
        places = [ends_in_sigmoid(view, option.value, left - 1) for option in options_of(value)]
        return places[0] if all(places) else None
    node = view.flow.node(value)
    return None if node is None else _of_node(view, node, left - 1)


def _of_node(view: View, node: Node, left: int) -> Location | None:
    name = canonical(node.operation)
    member = name.rpartition(".")[2]
    if member in _SIGMOIDS:
        return node.location
    if member in _KEEPS and node.operands:
        return ends_in_sigmoid(view, node.operands[0], left)
    if node.operation == "network":
        if node.event is None or any(_answers_otherwise(view, each) for each in instances_of(node.event.receiver)):
            return None
        return ends_in_sigmoid(view, view.flow.forward(node.event), left)
    if node.operation == "*":
        others = [each for each in node.operands if constant(each) != 1]
        return ends_in_sigmoid(view, others[0], left) if len(others) == 1 < len(node.operands) else None
    if member == "__call__" and node.event is not None:
        layers = [bare_network(each) for each in instances_of(node.event.receiver)]
        return _of_layer(view, layers[0], left) if len(layers) == 1 else None
    return None


def _answers_otherwise(view: View, network: Instance) -> bool:
    """Whether what a network answers may not be what its forward() gives: by a hook, or by code that is not there."""
    bare = bare_network(network)
    hooks = view.scene.named(lambda name: name.endswith(".register_forward_hook"))
    hooked = [[bare_network(each) for each in instances_of(event.receiver)] for event in hooks]
    if any(not parts or any(view.scene.reaches(bare, part) for part in parts) for parts in hooked):
        return True  # a part that is not known may be one of this network
    given = (event for part in (network, bare) for event in view.scene.handed(part))
    return any(event.is_elsewhere and not looks_on(event) for event in given)


def _of_layer(view: View, layer: Instance, left: int) -> Location | None:
    """The sigmoid at the end of a layer: itself, the last one of a Sequential, or what its own forward() gives."""
    bases = library_bases(layer)
    if not isinstance(layer.cls, ClassValue):
        if bases & _LAYERS:
            return layer.location
        last = _last_of(layer) if "torch.nn.Sequential" in bases else None
        return _of_layer(view, last, left - 1) if last is not None and left > 0 else None
    run = view.scene.run
    forward = attribute_of(run, layer, "forward")
    if not isinstance(forward, FunctionValue):
        return None
    events, result = call_value(run, forward, (Unknown(reason="what the layer before gives"),), layer, {})
    view.flow.note(events)
    return ends_in_sigmoid(view, result, left)


def _last_of(sequential: Instance) -> Instance | None:
    given = sequential.arguments.positional
    if sequential.arguments.open_kwargs:
        return None
    appended = sequential.attrs.get("@items")
    if isinstance(appended, ListValue) and appended.complete:
        given = tuple(appended.items)
    elif len(given) == 1 and isinstance(given[0], DictValue):
        given = tuple(given[0].items.values())
    found = instances_of(given[-1]) if given else []
    return found[0] if len(found) == 1 else None
