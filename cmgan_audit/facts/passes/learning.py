"""Gradients that train a network, told from those that are taken of an input: an attack on it, a search for a latent.

`loss.backward()` alone trains nothing: something has to step along the gradients.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from cmgan_audit.facts.classes import PARAMETERS
from cmgan_audit.program.domain.values import BoundMethod, Choice, Computation, Instance, ListValue, Unknown, Value
from cmgan_audit.program.execution.trace import CallEvent, Loop, StoreEvent
from cmgan_audit.program.naming.names import canonical

if TYPE_CHECKING:
    from cmgan_audit.facts.scene import Use

# A gradient that no step of an optimiser follows: of an input, not of what is trained.
TAKEN = "gradient"

# Functions of torch that make a tensor which nobody has trained; methods of their results keep the name in front.
_MAKERS = frozenset(
    "torch.zeros torch.ones torch.rand torch.randn torch.full torch.empty torch.tensor torch.from_numpy torch.clone "
    "torch.zeros_like torch.ones_like torch.rand_like torch.randn_like torch.full_like torch.empty_like".split()
)
# What changes a tensor in place: a step along a gradient that was written by hand.
_MOVES = frozenset("add_ sub_ addcdiv_ addcmul_ copy_ lerp_ __iadd__ __isub__".split())
_DEEPEST = 8
_STEPS = frozenset({"step", "minimize", "apply_gradients", "train_batch"})


def told_apart(uses: Sequence[Use], calls: Sequence[CallEvent], stores: Sequence[StoreEvent]) -> list[Use]:
    """The uses of a run, its backward passes and steps that train nothing marked as gradients that are only taken.

    Args:
        uses: what happens to networks and optimisers, in order.
        calls: all calls of the run.
        stores: all assignments of attributes.
    """
    over_inputs = [use for use in uses if use.kind == "step" and use.on is not None and _is_over_input(use.on, calls)]
    steps = [use for use in uses if use.kind == "step" and use not in over_inputs]
    backwards = [use for use in uses if use.kind == "backward"]
    if steps or _may_learn(calls, stores, backwards, over_inputs):
        of_steps = {_innermost(use) for use in steps}
        of_inputs = {_innermost(use) for use in over_inputs} - of_steps - {None}
        taken = {*over_inputs, *(use for use in backwards if _innermost(use) in of_inputs)}
    else:
        taken = {*over_inputs, *backwards}
    return [replace(use, kind=TAKEN) if use in taken else use for use in uses] if taken else list(uses)


def _is_over_input(optimiser: Instance, calls: Sequence[CallEvent]) -> bool:
    """Whether an optimiser is made anew in a loop, for tensors alone that are no parameters: `Adam([delta])`."""
    given = optimiser.arguments.get("params", 0)
    if not isinstance(given, ListValue) or not given.complete or not given.items:
        return False
    if not all(isinstance(each, Instance) and _is_made_here(each) for each in given.items):
        return False
    return any(
        bool(event.context.loops) and isinstance(event.result, Instance) and event.result.attrs is optimiser.attrs
        for event in calls
    )


def _is_made_here(tensor: Instance) -> bool:
    name = canonical(tensor.external_name)
    return name in _MAKERS or any(name.startswith(f"{maker}.") for maker in _MAKERS)


def _may_learn(
    calls: Sequence[CallEvent], stores: Sequence[StoreEvent], backwards: Sequence[Use], over_inputs: Sequence[Use]
) -> bool:
    """Whether anything may use the gradients to train: an optimiser, or a loop that asks for weights or moves them."""
    loops = {loop for use in backwards for loop in use.event.context.loops}
    known = {use.event for use in over_inputs}
    for event in calls:
        name = canonical(event.callee)
        member = name.rpartition(".")[2]
        if event not in known and (member in _STEPS or (not over_inputs and "optim" in name.lower())):
            return True
        if member in ("parameters", "named_parameters") and not loops.isdisjoint(event.context.loops):
            return True
    return any(
        not loops.isdisjoint(event.context.loops) and _moves_weights(event)
        for events in (calls, stores)
        for event in events
    )


def _moves_weights(event: CallEvent | StoreEvent) -> bool:
    """Whether the weights of a network are changed in place by hand, wherever they were asked for: `p -= lr * p.grad`.

    To forget their gradients, or to look at them, changes nothing.
    """
    if isinstance(event, StoreEvent):
        return event.name == "data" and _is_weight(event.target)
    member = event.callee.rpartition(".")[2]
    if event.callee.startswith("torch._foreach_") and member.endswith("_"):
        moved = event.arguments.get("self", 0)
        return moved is not None and _is_weight(moved)
    return member in _MOVES and event.receiver is not None and _is_weight(event.receiver)


def _is_weight(value: Value, depth: int = 0) -> bool:
    """Whether a value is an item of `net.parameters()`, or holds such items."""
    if depth > _DEEPEST:
        return False
    inner: Sequence[Value] = ()
    match value:
        case Instance():
            return value.external_name.endswith(PARAMETERS)
        case Choice():
            inner = [option.value for option in value.options]
        case BoundMethod(name="data"):
            inner = (value.receiver,)
        case ListValue():
            inner = value.items
        case Unknown(computed=Computation(operation="[]" | "or", operands=operands)):
            inner = operands
    return any(_is_weight(each, depth + 1) for each in inner)


def _innermost(use: Use) -> Loop | None:
    return use.event.context.loops[-1] if use.event.context.loops else None
