"""What backward passes run through: the calls of networks behind their losses."""

from __future__ import annotations

from dataclasses import field

from cmgan_audit.facts.adversarial.holders import Held, called
from cmgan_audit.facts.runtime.flow import Flow, Node
from cmgan_audit.facts.steps.actions import Action
from cmgan_audit.facts.values import instances_of, is_among
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.domain.values import Instance, ListValue, Unknown, Value
from cmgan_audit.program.execution.trace import CallEvent


@dataclass(eq=False)
class Losses:
    """What the backward passes of a run come through."""

    flow: Flow
    _calls: dict[int, list[Node]] = field(default_factory=dict)
    _kept: list[Value] = field(default_factory=list)

    def calls(self, backward: Action, held: Held) -> list[Node]:
        """The calls of some networks that the gradients of a pass come through; of their parts where only these are."""
        calls = [node for node in self._network_calls(loss_of(backward)) if _is_call_of(node, held)]
        return [node for node in calls if any(held.is_one(each) for each in networks_of(node))] or calls

    def fed(self, call: Node, held: Held) -> bool:
        """Whether gradients come through a call back into other networks."""
        return any(_is_call_of(node, held) for node in self._network_calls(call.value) if node is not call)

    def feeding(self, call: Node, held: Held) -> list[CallEvent]:
        """The calls of other networks whose output a call gets, with its gradients; of parts where only these are.

        Where a module of the tree runs a network in its `forward`, this is the call of that module.
        """
        behind = [node for node in self._network_calls(call.value) if node is not call]
        nodes = [node for node in behind if _is_call_of(node, held)]
        whole = [node for node in nodes if any(held.is_one(each) for each in networks_of(node))]
        found = [node if self.flow.is_of_run(node) else self._around(node, behind) for node in whole or nodes]
        return [node.event for node in found if node.event is not None]

    def _around(self, inner: Node, behind: list[Node]) -> Node:
        """The call of the run inside which a network was tried; the network's own where none is found."""
        around = [node for node in behind if self.flow.is_of_run(node) and inner in self._network_calls(node.value)]
        return around[-1] if around else inner

    def in_run(self, backward: Action, call: Node) -> Node:
        """The call of the run that a call behind a pass is part of: that of a network for one of a layer in it."""
        loss = loss_of(backward)
        return call if loss is None or self.flow.is_of_run(call) else self._around(call, self._outer_calls(loss))

    def reaches(self, backward: Action, held: Held) -> bool:
        """Whether the gradients of a pass come to some networks."""
        return bool(self.calls(backward, held))

    def comes_to(self, backward: Action, held: Held) -> bool:
        """Whether the gradients of a pass come to some networks, through an item of what they return, too."""
        loss = loss_of(backward)
        return loss is not None and any(_is_call_of(node, held) for node in self._outer_calls(loss))

    def misses(self, backward: Action, network: Instance) -> bool:
        """Whether all that a loss takes from a network is detached: gradients come to none of its calls.

        False also where no call of it is found behind the loss at all: how it gets there is not known then.
        """
        loss = loss_of(backward)
        if loss is None or any(_calls(node, network) for node in self._outer_calls(loss)):
            return False
        ends = self.flow.without_gradients(loss)
        detached = ListValue(items=[part for end in ends for part in end.operands])
        self._kept.append(detached)
        return any(_calls(node, network) for node in self._outer_calls(detached))

    def come_through(self, backward: Action, event: CallEvent) -> bool:
        """Whether gradients come through one call of a network, however long before the backward pass it was."""
        loss = loss_of(backward)
        return loss is not None and any(node.event is event for node in self._outer_calls(loss))

    def _outer_calls(self, value: Value) -> list[Node]:
        """The calls of networks behind a value, those that an item of their result is taken of among them."""
        found = self._network_calls(value)
        for node in self.flow.behind(value):
            if node.operation == "[]" and isinstance(node.value, Unknown) and node.value.computed is not None:
                whole = self.flow.node(node.value.computed.operands[0])
                if whole is not None and whole.event is not None and whole.operation == "network":
                    found = [*found, whole]
        return found

    def any_fed(self, calls: list[Node], held: Held) -> bool:
        """Whether gradients come through any of some calls back into other networks; looked for in one go."""
        own = {id(call) for call in calls}
        together = ListValue(items=[call.value for call in calls])
        return any(_is_call_of(node, held) for node in self._network_calls(together) if id(node) not in own)

    def _network_calls(self, value: Value | None) -> list[Node]:
        if value is None:
            return []
        if id(value) not in self._calls:
            found = [node for node in self.flow.behind(value) if node.event is not None]
            self._calls[id(value)] = [node for node in found if node.operation.endswith(("network", ".__call__"))]
            self._kept.append(value)  # its id must stay its own
        return self._calls[id(value)]


def networks_of(node: Node) -> list[Instance]:
    """The networks that a call on the way to a loss runs."""
    receiver = node.event.receiver if node.event is not None else None
    return called([receiver]) if receiver is not None else []


def _calls(node: Node, network: Instance) -> bool:
    return is_among(network, networks_of(node))


def _is_call_of(node: Node, held: Held) -> bool:
    return any(held.holds(each) for each in networks_of(node))


def loss_of(backward: Action) -> Value | None:
    """The value that a backward pass starts from: `loss.backward()`, `accelerator.backward(loss)`."""
    event = backward.event
    handed = event.arguments.get("loss", 0) or event.arguments.get("tensors", 0)
    by_helper = event.receiver is None or (bool(instances_of(event.receiver)) and handed is not None)
    return handed if by_helper and handed is not None else event.receiver
