"""One run, sorted: the loaders that it makes, the passes over them, and what happens to networks in between.

The events of a run come in program order; everything here keeps their positions, so that "before" means something.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import field, replace
from operator import itemgetter
from typing import TYPE_CHECKING

from cmgan_audit.facts.classes import (
    BATCH_NORMS,
    LOADERS,
    OTHER_NORMS,
    bare_network,
    has_unknown_base,
    is_loader,
    is_network,
    library_bases,
    loaders_within,
    values_within,
)
from cmgan_audit.facts.optimisers import is_called_scheduler
from cmgan_audit.facts.passes.learning import TAKEN, told_apart
from cmgan_audit.facts.passes.library_networks import RUNNING, library_networks
from cmgan_audit.facts.passes.part_switches import assigned_mode, flagged_parts, switched_parts
from cmgan_audit.facts.passes.resting import resting_apart, rests_by_name
from cmgan_audit.facts.values import instances_of, same_object
from cmgan_audit.finding import Location
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.domain.values import (
    Arguments,
    BoundMethod,
    Choice,
    ClassValue,
    FunctionValue,
    Instance,
    Unknown,
    Value,
)
from cmgan_audit.program.execution.trace import CallEvent, Context, IterateEvent, Loop, Run, StoreEvent
from cmgan_audit.program.language.classes import order_of_bases
from cmgan_audit.program.language.functions import qualified
from cmgan_audit.program.launches.unreached import NOT_REACHED
from cmgan_audit.program.naming.names import canonical

if TYPE_CHECKING:
    from cmgan_audit.facts.items.making import Items

# The kind of a use that makes a copy of a network.
COPIED = "copied"
# What makes a copy of a network, each with the argument that takes it.
AVERAGED = "torch.optim.swa_utils.AveragedModel"
COPYING = {"copy.deepcopy": "x", AVERAGED: "model"}
# What a class derives from that is no optimiser.
_OF_NO_OPTIMISER = frozenset({"builtins.object", "abc.ABC", "typing.Generic", "typing.Protocol"})


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """A loader and how it was made."""

    loader: Instance
    arguments: Arguments
    location: Location
    context: Context
    position: int

    @property
    def datasets(self) -> list[Instance]:
        """The datasets that it may draw from."""
        return instances_of(self.arguments.get("dataset", 0))


@dataclass(frozen=True, slots=True, eq=False)
class Pass:
    """A loop over a loader."""

    event: IterateEvent
    loader: Instance
    position: int

    def holds(self, context: Context) -> bool:
        """Whether something happens inside this loop."""
        return self.event.loop in context.loops

    def is_before(self, event: CallEvent, position: int) -> bool:
        """Whether a call comes after the draw, in the function where it stands or below it."""
        frames = self.event.context.frames
        return position > self.position and event.context.frames[: len(frames)] == frames


@dataclass(frozen=True, slots=True, eq=False)
class Use:
    """A call on an object: a network runs, is switched, an optimiser steps, a sampler is told the epoch."""

    kind: str
    event: CallEvent
    position: int
    on: Instance | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Forward:
    """What the `forward` of a network did where it was tried: its calls in order, and what it gave."""

    calls: list[CallEvent]
    result: Value


@dataclass(slots=True)
class Scene:
    """The events of one run by what they mean for training and evaluation.

    A run has ten thousands of calls, and hundreds of loaders ask about them: `named` and `handed` find those that are
    asked for without going through all.
    """

    run: Run
    made: list[Made] = field(default_factory=list)
    passes: list[Pass] = field(default_factory=list)
    # The loops that a training framework makes, over whatever it was given: a data set of batches is no loader.
    of_frameworks: list[Loop] = field(default_factory=list)
    uses: list[Use] = field(default_factory=list)
    norms: list[CallEvent] = field(default_factory=list)
    stores: list[StoreEvent] = field(default_factory=list)
    calls: list[CallEvent] = field(default_factory=list)
    items: dict[Made, Items] = field(default_factory=dict)
    from_outside: dict[int, Instance] = field(default_factory=dict)
    _by_name: dict[str, list[tuple[int, CallEvent]]] = field(default_factory=dict)
    _by_argument: dict[int, list[CallEvent]] = field(default_factory=dict)
    _by_place: dict[Location, list[CallEvent]] = field(default_factory=dict)
    _within: dict[int, tuple[Instance, frozenset[int]]] = field(default_factory=dict)
    # What the `forward` of a network does where it runs, and by network the calls that differ in what it is given.
    forwards: dict[tuple[CallEvent, int], Forward | None] = field(default_factory=dict)
    alike: dict[int, list[CallEvent]] = field(default_factory=dict)
    # What it calls when it is given whatever there may be, by the network itself, which is kept so that it stays one.
    tried_forwards: dict[int, tuple[Instance, list[CallEvent]]] = field(default_factory=dict)
    _elsewhere: list[tuple[int, CallEvent]] | None = None

    def is_network(self, value: Value) -> bool:
        """Whether an object is a torch module, also one whose class is not known but for what is done with it."""
        return is_network(value) or (isinstance(value, Instance) and id(value.attrs) in self.from_outside)

    def reaches(self, switched: Instance, network: Instance) -> bool:
        """Whether switching one module switches another: it is the same, or a part of it.

        Every pass asks that of every switch, and a network is made of a lot: what is in it is gathered once.
        """
        if id(switched.attrs) not in self._within:
            parts = [part for part in values_within(switched, 4) if isinstance(part, Instance)]
            bare = [bare_network(part) for part in parts if is_network(part)]
            self._within[id(switched.attrs)] = switched, frozenset(id(part.attrs) for part in (*parts, *bare))
        return id(network.attrs) in self._within[id(switched.attrs)][1]

    def of(self, *kinds: str) -> Iterator[Use]:
        """The uses of some kinds, in order."""
        return (use for use in self.uses if use.kind in kinds)

    def named(self, is_meant: Callable[[str], object]) -> list[CallEvent]:
        """The calls in order whose name, in the spelling of `canonical`, is one that is meant."""
        if not self._by_name:
            for at, event in enumerate(self.calls):
                self._by_name.setdefault(canonical(event.callee), []).append((at, event))
        found = [call for name, calls in self._by_name.items() if is_meant(name) for call in calls]
        return [event for _, event in sorted(found, key=itemgetter(0))]

    def at(self, place: Location) -> list[CallEvent]:
        """The calls in order that are made at a place."""
        if not self._by_place:
            for event in self.calls:
                self._by_place.setdefault(event.location, []).append(event)
        return self._by_place.get(place, [])

    def handed(self, given: Instance) -> list[CallEvent]:
        """The calls in order that have an object itself among their arguments."""
        if not self._by_argument:
            for event in self.calls:
                values = event.arguments.every
                for key in {id(value.attrs) for value in values if isinstance(value, Instance)}:
                    self._by_argument.setdefault(key, []).append(event)
        return self._by_argument.get(id(given.attrs), [])

    @property
    def elsewhere(self) -> list[tuple[int, CallEvent]]:
        """The calls of functions that are neither in the tree nor of a well-known library, with their positions."""
        if self._elsewhere is None:
            self._elsewhere = [
                (position, event)
                for position, event in enumerate(self.run.events)
                if isinstance(event, CallEvent) and event.callee and event.is_elsewhere
            ]
        return self._elsewhere

    @property
    def is_reached(self) -> bool:
        """Whether a script comes to what happens here: of other code nobody knows who calls it, and with what."""
        return self.run.launch.condition != NOT_REACHED

    @property
    def trains(self) -> bool:
        """Whether anything is trained in this run."""
        return any(use.kind in ("backward", "step") for use in self.uses) or bool(self.of_frameworks)

    def in_framework(self, context: Context) -> bool:
        """Whether something happens in a pass that a training framework makes."""
        return any(loop is each for loop in context.loops for each in self.of_frameworks)

    def passes_over(self, loader: Instance) -> list[Pass]:
        """The loops over one loader."""
        return [single for single in self.passes if same_object(single.loader, loader)]

    def uses_in(self, single: Pass) -> list[Use]:
        """What happens to networks and optimisers in a pass.

        Of an item that is drawn in a loop over another loader, that is what comes behind it where it is drawn; of one
        that a network gets in the branch where it is drawn, what happens in that branch.
        """
        inside = [use for use in self.uses if single.holds(use.event.context)]
        if not single.event.is_one_draw:
            return inside
        if self.shares_loop(single, drawing=False):
            inside = [use for use in inside if single.is_before(use.event, use.position)]
        branch = single.event.context.conditions
        there = [use for use in inside if use.event.context.conditions[: len(branch)] == branch]
        return there if any(use.kind == "run" for use in there) else inside

    def shares_loop(self, single: Pass, *, drawing: bool = True) -> bool:
        """Whether a loop draws from another loader, too; without `drawing`, whether it is a loop over another one."""
        return any(
            other.event.loop is single.event.loop
            and (drawing or not other.event.is_one_draw)
            and not same_object(other.loader, single.loader)
            for other in self.passes
        )

    def is_of_inner_loop(self, use: Use, outer: Pass) -> bool:
        """Whether a use belongs to a loop over another loader inside a pass (an epoch loop drawn from a loader).

        One loop over whichever of several loaders a branch has chosen is a pass over each of them, not one in another;
        so is one in which an item of another loader is drawn.
        """
        inner = [
            other
            for other in self.passes
            if other.event.loop is not outer.event.loop
            and other.holds(use.event.context)
            and outer.holds(other.event.context)
        ]
        return any(not same_object(other.loader, outer.loader) for other in inner)


def look_at(run: Run) -> Scene:
    """Sort the events of a run."""
    scene = Scene(run, from_outside=library_networks(run.events))
    for position, event in enumerate(run.events):
        if isinstance(event, CallEvent):
            _sort_call(scene, event, position)
        elif isinstance(event, IterateEvent):
            scene.passes.extend(Pass(event, loader, position) for loader in loaders_within(event.iterated))
            if event.framework:
                scene.of_frameworks.append(event.loop)
        elif isinstance(event, StoreEvent):
            scene.stores.append(event)
            _sort_store(scene, event, position)
    scene.uses = resting_apart(scene.uses, run.events)
    if scene.is_reached:  # who calls this code may step along its gradients
        scene.uses = told_apart(scene.uses, scene.calls, scene.stores)
    return scene


def _sort_call(scene: Scene, event: CallEvent, position: int) -> None:
    scene.calls.append(event)
    name = canonical(event.callee)
    member = name.rpartition(".")[2]
    for made in _loaders_made(event, name):
        known = next((at for at, other in enumerate(scene.made) if same_object(made, other.loader)), None)
        if known is None:
            scene.made.append(Made(made, event.arguments, event.location, event.context, position))
        elif name in LOADERS:  # a class of the tree hands these on to the loader that it derives from
            scene.made[known] = replace(scene.made[known], arguments=event.arguments)
    if name.startswith("torch.nn.") and member in (*BATCH_NORMS, *OTHER_NORMS):
        scene.norms.append(event)
    kind, on = _use_of(scene, event, name, member)
    if not kind and member in ("eval", "train") and isinstance(event.receiver, Unknown):
        kind, on = switched_parts(event, member, scene.calls)
        kind = kind if on else ""
    if kind:
        targets: list[Instance | None] = [*on] or [None]
        scene.uses.extend(Use(kind, event, position, each) for each in targets)


def _sort_store(scene: Scene, event: StoreEvent, position: int) -> None:
    """`part.training = False` is `part.train(False)`, but for the parts that this one holds.

    A flag that is put back on something that is not known may be that of any network whose flags were set before:
    `for part, mode in modes.items(): part.training = mode`.
    """
    call = assigned_mode(event)
    if call is None:
        return
    kind, on = flagged_parts(call, scene.calls)
    if not on and isinstance(event.target, Unknown):
        kind, on = "train", [use.on for use in scene.uses if use.on is not None and _is_flagged(use)]
    scene.uses.extend(Use(kind, call, position, each) for each in on)


def _is_flagged(use: Use) -> bool:
    return use.kind == "train" and isinstance(use.event.receiver, Unknown)


def _loaders_made(event: CallEvent, name: str) -> list[Instance]:
    if name.endswith(("DataLoader.__init__", "DataLoader")) and isinstance(event.receiver, Instance):
        return [event.receiver] if is_loader(event.receiver) else []
    if "." in name and isinstance(event.result, Instance | Choice):
        return [
            each
            for each in instances_of(event.result)
            if is_loader(each) and each.location == event.location and each.external_name
        ]
    return []


def _use_of(scene: Scene, event: CallEvent, name: str, member: str) -> tuple[str, list[Instance]]:
    receivers = instances_of(event.receiver)
    if name.endswith((".manual_backward", ".backward_pass")) or (member == "backward" and not _is_own(event)):
        return "backward", []
    if member == "set_epoch":
        return "set_epoch", receivers or _owners(event.receiver)
    if name == "torch.autograd.grad":
        return TAKEN, []
    if name in ("torch.set_grad_enabled",):
        return "grad", []
    if name in COPYING:
        copies = [each for each in instances_of(event.result) if scene.is_network(each)]
        return (COPIED if copies else ""), copies
    networks = [each for each in receivers if scene.is_network(each)]
    if networks and not member[:1].isupper():  # `super().__init__()` only makes the network
        if member == "requires_grad_" or (member in ("eval", "train") and _may_be_mode(event.arguments)):
            return member, networks
        if member in RUNNING:
            return "run", networks
        runs = any(map(is_network, networks)) and not rests_by_name(member)
        return ("run" if runs else "keep"), networks
    stepping = [each for each in receivers if not _is_of_the_tree(each)]
    if member == "step" and stepping and not any(map(is_called_scheduler, stepping)):
        return "step", stepping
    if member in ("train_batch", "step") and event.receiver is not None and not receivers and "optim" in name:
        return "step", []
    return "", []


def _is_own(event: CallEvent) -> bool:
    """Whether a method of the tree is called, as an inverse transform: what it sends back is seen inside of it.

    What its class derives from a library is not: `super().backward(loss)` in an Accelerator of one's own.
    """
    classes = [each.cls for each in instances_of(event.receiver) if isinstance(each.cls, ClassValue)]
    bases = [base for cls in classes for base in order_of_bases(cls) if isinstance(base, ClassValue)]
    methods = [base.namespace.get("backward") for base in bases]
    return any(isinstance(method, FunctionValue) and qualified(method) == event.callee for method in methods)


def _may_be_mode(given: Arguments) -> bool:
    """Whether a call of `train` or `eval` may be torch's own; one that is given a loader, too, is a training itself."""
    return len(given.positional) + len(given.keywords) <= 1 and given.keywords.keys() <= {"mode"}


def _is_of_the_tree(value: Instance) -> bool:
    """Whether an object is of a class of the tree alone: what its own `step` steps is seen inside of it.

    A wrapper steps the optimiser that it holds; an adaptive filter or a sampler of a diffusion trains nothing.
    """
    bases = library_bases(value) - _OF_NO_OPTIMISER
    return isinstance(value.cls, ClassValue) and not bases and not has_unknown_base(value.cls)


def _owners(value: Value | None) -> list[Instance]:
    """The objects behind an attribute that was not followed: `loader.sampler` belongs to the loader."""
    while isinstance(value, BoundMethod):
        value = value.receiver
    return instances_of(value)
