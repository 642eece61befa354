"""Restores before training: which files are loaded, what is brought back, and what of it belongs together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field

from cmgan_audit.facts.classes import NETWORK_WRAPPERS, PARAMETERS, bare_network, is_network, library_bases
from cmgan_audit.facts.optimisers import is_scheduler, is_stateful
from cmgan_audit.facts.records import EVAL
from cmgan_audit.facts.scene import Scene
from cmgan_audit.facts.values import instances_of, is_among, same_object
from cmgan_audit.finding import Location
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.domain.reasons import GIVEN_AT_START, Cause, cause_of
from cmgan_audit.program.domain.values import BoundMethod, Choice, Const, DictValue, Instance, Unknown, Value
from cmgan_audit.program.execution.trace import CallEvent, Event
from cmgan_audit.program.naming.names import canonical

# Functions that read a checkpoint file.
LOADS = frozenset(
    {
        "torch.load",
        "torch.jit.load",
        "safetensors.torch.load_file",
        "safetensors.torch.load_model",
        "joblib.load",
        "pickle.load",
        "dill.load",
        "numpy.load",
    }
)
# Of these, what data is read with too.
_FOR_DATA = frozenset({"joblib.load", "pickle.load", "dill.load", "numpy.load"})
_DATASETS = frozenset({"torch.utils.data.Dataset", "torch.utils.data.IterableDataset"})
# Methods of libraries that load and restore everything in one call.
WHOLE = frozenset({"load_state", "recover_if_possible", "load_checkpoint"})
_RESTORES = frozenset({"load_state_dict", *WHOLE})
_STATE = ".state_dict"
_WEIGHTS = (_STATE, *PARAMETERS)
_ENTRIES = (".items", ".values")
_DEEPEST = 6  # calls and subscripts between a file and one of its weights
_LIBRARIES = (
    "torch.",
    "accelerate.",
    "deepspeed.",
    "speechbrain.",
    "lightning.",
    "ignite.",
    "apex.",
    "bitsandbytes.",
    "?",
)


@dataclass(frozen=True, slots=True)
class Restored:
    """One object that gets a state back; `target` is None where the object is not known."""

    event: CallEvent
    target: Instance | None


@dataclass(slots=True)
class Batch:
    """Loads of files and the restores that follow them: one checkpoint, which may lie in several files."""

    loads: list[CallEvent] = field(default_factory=list)
    restored: list[Restored] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Whether a library restores everything that it was given."""
        return any(member_of(each.event) in WHOLE for each in self.restored)

    @property
    def events(self) -> list[CallEvent]:
        """The calls that load and restore, in this order."""
        return [*self.loads, *(each.event for each in self.restored)]

    @property
    def targets(self) -> list[Instance]:
        """The objects that are restored, as far as they are known, each out of what wraps it."""
        return [bare(each.target) for each in self.restored if each.target is not None]

    def brings_back(self, target: Instance) -> bool:
        """Whether an object is among what is restored; both sides of a branch may make it, at one place.

        A function that makes what a configuration names makes optimisers and schedulers at one place too.
        """
        wanted = bare(target)
        return self.whole or any(same_object(each, wanted) or _are_made_as_one(each, wanted) for each in self.targets)

    @property
    def trains_on(self) -> bool:
        """Whether more than weights is restored: the state of an optimiser, a scheduler, a scaler."""
        return self.whole or any(
            each.target is not None and not is_network(bare(each.target)) and is_stateful(each.target)
            for each in self.restored
        )


def _are_made_as_one(one: Instance, other: Instance) -> bool:
    """Whether two objects of one kind are made at one place."""
    return one.location == other.location and is_scheduler(one) == is_scheduler(other)


def member_of(event: CallEvent) -> str:
    """The last part of what is called."""
    return canonical(event.callee).rpartition(".")[2]


def bare(value: Instance) -> Instance:
    """The object inside wrappers."""
    return bare_network(value) if library_bases(value) & set(NETWORK_WRAPPERS) else value


def first_step(scene: Scene) -> int:
    """The position of the event that starts the training: the first gradient, step, or pass of a framework."""
    starts = [use.position for use in scene.uses if use.kind in ("backward", "step")]
    starts += [single.position for single in scene.passes if single.event.framework and single.event.role != EVAL]
    return min(starts, default=0)


def together(found: Sequence[Batch]) -> Batch:
    """Several checkpoints of one run as one: what one leaves out another may bring back."""
    return Batch(
        [event for batch in found for event in batch.loads], [each for batch in found for each in batch.restored]
    )


def batches(events: Iterable[Event]) -> list[Batch]:
    """The checkpoints that are loaded and restored by some events in order."""
    found = [Batch()]
    asked: dict[Location, CallEvent] = {}
    for event in events:
        if not isinstance(event, CallEvent):
            continue
        name = canonical(event.callee)
        if name.endswith((*_WEIGHTS, *_ENTRIES)):
            asked[event.location] = event
        if name in LOADS:
            if found[-1].restored:
                found.append(Batch())
            found[-1].loads.append(event)
        elif is_restore(event) and (found[-1].loads or member_of(event) in WHOLE):
            if member_of(event) in WHOLE and any(member_of(each.event) not in WHOLE for each in found[-1].restored):
                found.append(Batch())  # it reads a file of its own
            targets: Sequence[Instance | None] = instances_of(event.receiver) or [None]
            found[-1].restored.extend(Restored(event, target) for target in targets)
        elif name.endswith((".copy_", f"{_STATE}.update")) and found[-1].loads:
            known = [each.target for each in found[-1].restored]
            networks = [each for each in _written_into(event, asked) if not any(each is other for other in known)]
            found[-1].restored.extend(Restored(event, each) for each in networks)
    for batch in found:
        # Data that was read before is no part of a checkpoint that is loaded with a function for checkpoints.
        of_torch = [event for event in batch.loads if canonical(event.callee) not in _FOR_DATA]
        of_no_item = [event for event in of_torch if not _is_in_dataset(event)]
        batch.loads = of_no_item or of_torch or batch.loads
        batch.loads = [event for event in batch.loads if not _is_looked_through(event, batch)] or batch.loads
    return [batch for batch in found if batch.restored]


def _is_looked_through(event: CallEvent, batch: Batch) -> bool:
    """Whether a loop that is over before anything is restored goes through files, to compare what they tell."""
    later = {loop.location for each in batch.restored for loop in each.event.context.loops}
    return any(loop.location not in later for loop in event.context.loops)


def _is_in_dataset(event: CallEvent) -> bool:
    """Whether a dataset reads a file: an item, or all of them when it is made, which `torch.save` may have written."""
    owners = (frame.value.bound_to for frame in event.context.frames if frame.value is not None)
    return any(not library_bases(each).isdisjoint(_DATASETS) for each in owners if isinstance(each, Instance))


def is_restore(event: CallEvent) -> bool:
    """Whether a call brings back the state of a library's object, not taken from another object of this run."""
    name = canonical(event.callee)
    if member_of(event) not in _RESTORES:
        return False
    if not name.startswith(_LIBRARIES) and not any(is_stateful(each) for each in instances_of(event.receiver)):
        return False
    if member_of(event) == "load_checkpoint" and not name.startswith(("deepspeed", "ignite")):
        return False
    return not any(_is_live_state(value) for value in event.arguments.positional[:1])


def _written_into(event: CallEvent, asked: Mapping[Location, CallEvent]) -> list[Instance]:
    """The networks whose weights a call overwrites with those of a file: `net.state_dict()[name].copy_(weight)`.

    So it does where a state takes them over, to be loaded again: `own.update(stored)`.
    `asked` are the calls that gave weights, or the entries of a dictionary, each where it stands.
    """
    state = event.receiver if canonical(event.callee).endswith(".update") else None
    giver = asked.get(state.location) if isinstance(state, Instance) else _giver(event.receiver, asked)
    if giver is None or not any(_is_read(value, asked) for value in event.arguments.positional[:1]):
        return []
    return [each for each in instances_of(giver.receiver) if is_network(each)]


def _giver(value: Value | None, asked: Mapping[Location, CallEvent], depth: int = 0) -> CallEvent | None:
    """The call that gave the weights of which a value is one; one that is asked for by its own name is no state."""
    if isinstance(value, BoundMethod) and value.name == "data":
        return _giver(value.receiver, asked, depth)
    computed = value.computed if isinstance(value, Unknown) else None
    if computed is not None and computed.operation == "[]" and depth < _DEEPEST:
        held, *keys = computed.operands
        by_name = any(isinstance(key, Const) and isinstance(key.value, str) for key in keys)
        return None if by_name else _giver(held, asked, depth + 1)
    event = asked.get(value.location) if isinstance(value, Instance) and depth else None
    if event is None or not canonical(event.callee).endswith(_ENTRIES):
        return event
    owner = event.receiver
    return asked.get(owner.location) if isinstance(owner, Instance) else None


def _is_read(value: Value | None, asked: Mapping[Location, CallEvent], depth: int = 0) -> bool:
    """Whether a value is part of what a file holds: an item of a loaded dictionary, say."""
    if isinstance(value, Choice):
        return any(_is_read(option.value, asked, depth) for option in value.options)
    if isinstance(value, DictValue):
        return any(_is_read(item, asked, depth) for item in value.items.values())
    if isinstance(value, BoundMethod):
        return value.name == "data" and _is_read(value.receiver, asked, depth)
    if isinstance(value, Instance):
        event = asked.get(value.location)
        of_entries = event is not None and canonical(event.callee).endswith(_ENTRIES) and depth < _DEEPEST
        name = canonical(value.external_name)
        return name in LOADS or (of_entries and event is not None and _is_read(event.receiver, asked, depth + 1))
    computed = value.computed if isinstance(value, Unknown) else None
    if computed is None or depth >= _DEEPEST:
        return False
    parts = computed.operands[:1] if computed.operation == "[]" else computed.operands
    return any(_is_read(part, asked, depth + 1) for part in parts)


def _is_live_state(value: Value) -> bool:
    """Whether a value is what `state_dict()` of another object gives: a copy of weights within the run."""
    if isinstance(value, Choice):
        return all(_is_live_state(option.value) for option in value.options)
    if isinstance(value, DictValue):
        return bool(value.items) and all(_is_live_state(item) for item in value.items.values())
    return isinstance(value, Instance) and value.external_name.endswith((_STATE, "copy.deepcopy"))


def made_by(scene: Scene, target: Instance) -> list[CallEvent]:
    """The calls of a run that made an object."""
    return [event for event in scene.at(target.location) if is_among(target, instances_of(event.result))]


def stateful_uses(scene: Scene) -> Iterator[tuple[Instance, CallEvent]]:
    """The optimisers, schedulers and scalers that step in this run, each once, in order, with the first step."""
    seen: list[Instance] = []
    for event in scene.calls:
        if member_of(event) not in ("step", "update", "minimize"):
            continue
        handed = event.arguments.get("optimizer", 0)  # `scaler.step(optimizer)` is a step of both
        for target in (*instances_of(event.receiver), *(instances_of(handed) if handed is not None else ())):
            if not is_stateful(target) or is_network(target) or _is_disabled(target):
                continue
            if not is_among(target, seen):
                seen.append(target)
                yield target, event


def _is_disabled(target: Instance) -> bool:
    """Whether a scaler is switched off, or may be by settings that the tree does not tell: it has no state then."""
    enabled = target.arguments.get("enabled")
    if isinstance(enabled, Unknown):
        return cause_of(enabled.reason) in (Cause.MISSING_FILE, *GIVEN_AT_START)
    return isinstance(enabled, Const) and not enabled.value
