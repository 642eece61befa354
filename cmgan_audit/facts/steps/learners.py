"""Collects the networks that are meant to learn, and whether an optimiser has their parameters.

What is meant to learn takes part in a loss that is followed back, and the program treats it as what learns: it puts it
into training mode, sets back its gradients, writes its weights into a checkpoint. One that is only asked (a recogniser
behind a loss, a teacher, a fixed filter) needs no optimiser.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

from cmgan_audit.facts.adversarial.holders import Held, Holders
from cmgan_audit.facts.adversarial.losses import Losses
from cmgan_audit.facts.classes import bare_network, is_network, values_within
from cmgan_audit.facts.optimisers import is_optimiser
from cmgan_audit.facts.scene import COPIED, Scene
from cmgan_audit.facts.steps.actions import STEP, ZERO, Action
from cmgan_audit.facts.steps.by_hand import DEEP, ByHand, inside, is_it, layer_of
from cmgan_audit.facts.steps.records import Learner
from cmgan_audit.facts.steps.windows import UNSEEN, Update, actions_by_hand, loops_by_hand, updates_in
from cmgan_audit.facts.values import class_name, instances_of
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Step
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.domain.values import ClassValue, FunctionValue, Instance, ListValue, Value
from cmgan_audit.program.execution.trace import CallEvent, innermost_function
from cmgan_audit.rules.record import Known
from cmgan_audit.source.syntax import walk


def learners_of(view: View) -> Iterable[Learner]:
    """A record for every network that the losses of a run come through in its loops over batches."""
    if not view.scene.trains or not loops_by_hand(view):
        return []
    actions = actions_by_hand(view)
    if not actions or any(each.kind == STEP and not each.on for each in actions):
        return []
    optimisers = _Optimisers(view)
    if not optimisers.are_known or view.scene.named(lambda name: name.startswith(UNSEEN)):
        return []
    updates = [each for each in updates_in(view, actions) if each.backwards]
    losses = Losses(view.flow) if updates else None
    return [] if losses is None else list(_records(view, optimisers, updates, losses, actions))


def _records(
    view: View, optimisers: _Optimisers, updates: Sequence[Update], losses: Losses, actions: Sequence[Action]
) -> Iterator[Learner]:
    seen: set[int] = set()
    by_hand = ByHand(view, optimisers.holders)
    for network, calls in _called_in(view.scene, updates):
        if id(network.attrs) in seen:
            continue
        seen.add(id(network.attrs))
        if optimisers.have(network) or not view.flow.has_weights(network):
            continue
        sign = _meant_to_learn(view, network, actions)
        used = _used(updates, calls, optimisers, losses) if sign is not None else None
        if sign is None or used is None:
            continue
        if not by_hand.may_change(network):
            yield _record(network, *used, sign, optimisers)


def _record(
    network: Instance, update: Update, call: CallEvent, backward: Action, sign: Step, optimisers: _Optimisers
) -> Learner:
    name = class_name(network)
    held = optimisers.of(update.optimiser)
    classes = list(dict.fromkeys(class_name(each) for each in held.networks))
    names = " and ".join(classes)
    if name in classes:
        name = f"the {name} of {network.location}"
    trail = (
        Step(update.optimiser.location, f"this optimiser gets the parameters of {names}"),
        Step(call.location, f"{name} takes part in the loss"),
        Step(backward.event.location, f"the gradients of {name} are computed here"),
        Step(update.step.event.location, f"the step leaves {name} as it is"),
        sign,
    )
    return Learner(
        location=update.optimiser.location,
        anchor=f"{innermost_function(update.step.event.context)}.{name}",
        network=name,
        optimiser=class_name(update.optimiser),
        holds=names,
        left_out=Known(True, trail),
    )


@dataclass(eq=False)
class _Optimisers:
    """The optimisers of a run, with the networks whose parameters they have."""

    view: View

    @property
    def scene(self) -> Scene:
        """The events of the run."""
        return self.view.scene

    @cached_property
    def holders(self) -> Holders:
        """The networks whose parameters values are."""
        return Holders(self.scene)

    @cached_property
    def all(self) -> Sequence[Instance]:
        """Every optimiser that the run makes."""
        found: dict[int, Instance] = {}
        for event in self.scene.calls:
            for each in instances_of(event.result):
                if is_optimiser(each):
                    found.setdefault(id(each.attrs), each)
        return list(found.values())

    def of(self, optimiser: Instance) -> Held:
        """The networks of one optimiser; complete where all that it was given is known."""
        given = optimiser.arguments.get("params", 0)
        if given is None:
            return Held((), complete=False)
        held = self.holders.asked_for(given)
        return held if self._is_whole(optimiser, given) else Held(held.networks, complete=False)

    def _is_whole(self, optimiser: Instance, given: Value) -> bool:
        """Whether nothing is left out of a list of parameters that was made of others: not where it was made before."""
        if all(each.complete for each in values_within(given, 2) if isinstance(each, ListValue)):
            return True
        call = self.view.code.call_at(optimiser.location)
        written = call.args[0] if call is not None and call.args else None
        stars = (each for each in walk(written) if isinstance(each, ast.Starred)) if written is not None else ()
        return written is not None and "parameters(" in ast.unparse(written) and len(list(stars)) < 2

    @cached_property
    def are_known(self) -> bool:
        """Whether there are some, and all that they have is known."""
        added = self.scene.named(lambda name: name.endswith(".add_param_group"))
        return bool(self.all) and not added and all(self.of(each).complete for each in self.all)

    @cached_property
    def _parts(self) -> frozenset[int]:
        networks = (network for each in self.all for network in self.of(each).networks)
        return frozenset(key for network in networks for key in inside(network))

    @cached_property
    def _single(self) -> frozenset[int]:
        """The parameters that they have one by one, and the layers of torch that these are of: `head.weight`."""
        given = (each.arguments.get("params", 0) for each in self.all)
        parts = (layer_of(part) for value in given if value is not None for part in values_within(value, 6))
        return frozenset(id(part.attrs) for part in parts if isinstance(part, Instance))

    def have(self, network: Instance) -> bool:
        """Whether one of them has a network, one that it is a part of, or a part or a parameter of it."""
        if not self._parts.isdisjoint(inside(network)):
            return True
        own = (id(each.attrs) for each in values_within(network, DEEP) if isinstance(each, Instance))
        return not self._single.isdisjoint(own)


def _called_in(scene: Scene, updates: Sequence[Update]) -> Iterator[tuple[Instance, list[CallEvent]]]:
    """The networks, of the tree or layers of torch, that are called in loops over batches by what is no network."""
    found: dict[int, tuple[Instance, list[CallEvent]]] = {}
    for use in scene.of("run"):
        if use.on is None or not any(each.loop in use.event.context.loops for each in updates):
            continue
        network = bare_network(use.on)
        frames = (frame.value for frame in use.event.context.frames)
        within = any(isinstance(each, FunctionValue) and _is_of_network(each) for each in frames)
        if _may_learn(network) and not within:
            found.setdefault(id(network.attrs), (network, []))[1].append(use.event)
    yield from found.values()


def _may_learn(network: Instance) -> bool:
    return isinstance(network.cls, ClassValue) or (
        is_network(network) and network.external_name.startswith("torch.nn.")
    )


def _is_of_network(function: FunctionValue) -> bool:
    return any(is_network(each) for each in instances_of(function.bound_to))


def _used(
    updates: Sequence[Update], calls: Sequence[CallEvent], optimisers: _Optimisers, losses: Losses
) -> tuple[Update, CallEvent, Action] | None:
    """The step on a loss that comes through some calls: if there is one, of an optimiser whose networks it misses."""
    found: list[tuple[Update, CallEvent, Action]] = []
    for update in updates:
        for backward in update.backwards:
            through = next((call for call in calls if losses.come_through(backward, call)), None)
            if through is not None:
                found.append((update, through, backward))
    missing = [each for each in found if not losses.reaches(each[2], optimisers.of(each[0].optimiser))]
    return next(iter(missing or found), None)


def _meant_to_learn(view: View, network: Instance, actions: Sequence[Action]) -> Step | None:
    """What shows that the program takes a network for one that learns; None where nothing does."""
    scene, name = view.scene, class_name(network)
    if any(is_it(use.on, network) for use in scene.of(COPIED, "requires_grad_")):
        return None
    switched = [use for use in scene.of("train", "eval") if use.on is not None and scene.reaches(use.on, network)]
    trained = [use for use in switched if use.kind == "train" and is_it(use.on, network)]
    if switched and not trained:
        return None
    saved = next((event for event in _asked(scene, network, "state_dict")), None)
    if saved is None and any(True for _ in _asked(scene, network, "load_state_dict")):
        return None  # what comes from a file and goes into none
    if trained:
        return Step(trained[0].event.location, f"{name} is put into training mode here")
    if saved is not None:
        return Step(saved.location, f"the weights of {name} are written from here")
    for each in actions:
        if each.kind == ZERO and any(is_it(on, network) for on in instances_of(each.event.receiver)):
            return Step(each.event.location, f"the gradients of {name} are set back here")
    return None


def _asked(scene: Scene, network: Instance, member: str) -> Iterator[CallEvent]:
    for event in scene.named(lambda name: name.endswith(f".{member}")):
        if any(is_it(each, network) for each in instances_of(event.receiver)):
            yield event
