"""Networks whose mode is switched part by part: `for part in net.modules(): part.eval()`, `part.training = False`."""

from __future__ import annotations

from collections.abc import Sequence

from cmgan_audit.facts.classes import is_network, values_within
from cmgan_audit.facts.values import instances_of
from cmgan_audit.program.domain.values import Arguments, ClassValue, Instance, Unknown, Value
from cmgan_audit.program.execution.trace import CallEvent, StoreEvent

# The kind of a use that switches some parts of a network, and leaves the others as they are.
SOME_PARTS = "some parts"
# What gives the parts of a network one after the other: all of them, or those that it holds itself.
_ALL_PARTS = (".modules", ".named_modules")
_OWN_PARTS = (".children", ".named_children")
_PAIR = 2
_DEEPEST = 4


def switched_parts(event: CallEvent, member: str, calls: Sequence[CallEvent]) -> tuple[str, list[Instance]]:
    """What `part.eval()` or `part.train()` switches: the network that the part is drawn from, as a whole or in part.

    Args:
        event: the call, on something that is not known itself.
        member: "eval" or "train".
        calls: those of the run up to there.
    """
    whole, networks = _drawn_from(event.receiver, event, calls)
    return (member if whole else SOME_PARTS), networks


def assigned_mode(event: StoreEvent) -> CallEvent | None:
    """The call `train(value)` that does what the assignment `part.training = value` does; None for any other."""
    if event.name != "training":
        return None
    return CallEvent(
        location=event.location,
        context=event.context,
        callee="torch.nn.Module.train",
        arguments=Arguments(positional=(event.value,)),
        result=event.target,
        receiver=event.target,
    )


def flagged_parts(event: CallEvent, calls: Sequence[CallEvent]) -> tuple[str, list[Instance]]:
    """What the flag of a part switches, which unlike `train()` does not reach the parts that this one holds."""
    alone = [each for each in instances_of(event.receiver) if is_network(each)]
    if alone:
        return "train", [each for each in alone if _holds_none(each)]
    whole, networks = _drawn_from(event.receiver, event, calls, deep=False)
    return ("train" if whole else SOME_PARTS), networks


def _drawn_from(
    part: Value | None, event: CallEvent, calls: Sequence[CallEvent], *, deep: bool = True
) -> tuple[bool, list[Instance]]:
    """Whether all of a network is drawn from in a loop, and the network.

    Where a test lies between, it is some of its parts; so it is where `deep` is not given, and its parts have parts.
    """
    value = part
    for _ in range(_PAIR):  # the item itself, or the second part of a pair with its name
        if not isinstance(value, Unknown) or value.computed is None or value.computed.operation != "[]":
            break
        alone = len(value.computed.operands) == 1
        value = value.computed.operands[0]
        if alone and isinstance(value, Instance) and is_network(value):  # `for layer in net.layers`
            return deep or _parts_hold_none(value), [value]
    if not isinstance(value, Instance) or not value.external_name.endswith((*_ALL_PARTS, *_OWN_PARTS)):
        return False, []
    asked = next((each for each in reversed(calls) if each.result == value), None)
    if asked is None:
        return False, []
    networks = [each for each in instances_of(asked.receiver) if is_network(each)]
    reached = deep or value.external_name.endswith(_ALL_PARTS) or all(map(_parts_hold_none, networks))
    return reached and len(event.context.conditions) <= len(asked.context.conditions), networks


def _parts_of(network: Instance) -> list[Instance]:
    """The networks inside of another one, as far as they are seen."""
    inner = (each for each in values_within(network, _DEEPEST) if each is not network)
    return [each for each in inner if isinstance(each, Instance) and is_network(each)]


def _holds_none(network: Instance) -> bool:
    return not _parts_of(network)


def _parts_hold_none(network: Instance) -> bool:
    """Whether the parts of a network are single layers; nothing else has to be reached then."""
    return not isinstance(network.cls, ClassValue) and all(map(_holds_none, _parts_of(network)))
