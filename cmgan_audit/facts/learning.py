"""Gradients that train a network, told from those that are taken of an input: an attack on it, a search for a latent.

`loss.backward()` alone trains nothing: something has to step along the gradients.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from cmgan_audit.program.names import canonical
from cmgan_audit.program.trace import CallEvent, Loop
from cmgan_audit.program.values import Instance, ListValue

if TYPE_CHECKING:
    from cmgan_audit.facts.scene import Use

# A gradient that no step of an optimiser follows: of an input, not of what is trained.
TAKEN = "gradient"

# Functions of torch that make a tensor which nobody has trained; methods of their results keep the name in front.
_MAKERS = frozenset(
    "torch.zeros torch.ones torch.rand torch.randn torch.full torch.empty torch.tensor torch.from_numpy torch.clone "
    "torch.zeros_like torch.ones_like torch.rand_like torch.randn_like torch.full_like torch.empty_like".split()
)
_STEPS = frozenset({"step", "minimize", "apply_gradients", "train_batch"})


def told_apart(uses: Sequence[Use], calls: Sequence[CallEvent]) -> list[Use]:
    """The uses of a run, its backward passes and steps that train nothing marked as gradients that are only taken.

    Args:
        uses: what happens to networks and optimisers, in order.
        calls: all calls of the run.
    """
    over_inputs = [use for use in uses if use.kind == "step" and use.on is not None and _is_over_input(use.on, calls)]
    steps = [use for use in uses if use.kind == "step" and use not in over_inputs]
    backwards = [use for use in uses if use.kind == "backward"]
    if steps or _may_learn(calls, backwards, over_inputs):
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


def _may_learn(calls: Sequence[CallEvent], backwards: Sequence[Use], over_inputs: Sequence[Use]) -> bool:
    """Whether anything may use the gradients to train: an optimiser, or a loop over parameters that moves them."""
    loops = {loop for use in backwards for loop in use.event.context.loops}
    known = {use.event for use in over_inputs}
    for event in calls:
        name = canonical(event.callee)
        member = name.rpartition(".")[2]
        if event not in known and (member in _STEPS or (not over_inputs and "optim" in name.lower())):
            return True
        if member in ("parameters", "named_parameters") and not loops.isdisjoint(event.context.loops):
            return True
    return False


def _innermost(use: Use) -> Loop | None:
    return use.event.context.loops[-1] if use.event.context.loops else None
