"""What the interpreter saw happen, in program order: the events that facts are made of.

A `Run` is one entry script under one launch configuration. Its events stand in the order in which the program would
do them; an undecided branch contributes the events of both sides, each with the branch in its `conditions`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from cmgan_audit.finding import Location, Step
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.domain.facts import Facts
from cmgan_audit.program.domain.values import Arguments, FunctionValue, Instance, Listing, Value
from cmgan_audit.program.naming.names import is_library


@dataclass(frozen=True, slots=True)
class Frame:
    """One active call: the function's qualified name ("Trainer.train_step") and where it was called."""

    function: str
    call: Location
    value: FunctionValue | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Loop:
    """A loop being executed: `iterates` is the value it runs over (None for `while`); spans the body's lines.

    Where it is `unrolled`, the events of every pass stand one behind the other; else one pass stands for all."""

    location: Location
    iterates: Value | None
    unrolled: bool = False


@dataclass(frozen=True, slots=True)
class Condition:
    """A branch that could not be decided, with its source text as taken: "dist.is_initialized()" or "not (...)".

    `facts`: what the side that was taken tells of settings and symbolic numbers.
    """

    text: str
    location: Location
    facts: Facts = field(default=frozenset(), compare=False, repr=False)


# The managers under which nothing is kept for gradients, and what stands before the name of one that may be in force.
NO_GRADIENTS = frozenset({"torch.no_grad", "torch.inference_mode"})
GRADIENT_MODES = (*NO_GRADIENTS, "torch.enable_grad", "torch.set_grad_enabled")
MAYBE = "maybe "
_NO_GRADIENTS = tuple(NO_GRADIENTS)


# What Lightning's evaluations stand under: at their end it puts all networks back into the modes that they were in.
MODES_RESTORED = "lightning.pytorch.evaluation"


def is_without_gradients(manager: str) -> bool:
    """Whether nothing is kept for gradients under a manager of this name, an argument behind it or not."""
    return manager.startswith(_NO_GRADIENTS)


@dataclass(frozen=True, slots=True)
class Context:
    """Where an event happened: outermost first. `managers` are the active `with` items and decorators by name
    ("torch.no_grad", "torch.inference_mode", "torch.autocast"); `MAYBE` stands before one that a branch chose.
    `asserted` is what assertions have told before."""

    frames: tuple[Frame, ...] = ()
    loops: tuple[Loop, ...] = ()
    conditions: tuple[Condition, ...] = ()
    managers: tuple[str, ...] = ()
    asserted: Facts = field(default=frozenset(), compare=False, repr=False)

    @property
    def tests(self) -> frozenset[str]:
        """The texts of the conditions: what the tests around the event came out as."""
        return frozenset(condition.text for condition in self.conditions)

    @property
    def facts(self) -> Facts:
        """What the tests around the event, and assertions before it, tell of settings and symbolic numbers."""
        return self.asserted.union(*(condition.facts for condition in self.conditions))


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Event:
    """Base of all events."""

    location: Location
    context: Context


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class CallEvent(Event):
    """A call. `callee` is the qualified name: of the library ("torch.utils.data.DataLoader", or for a method of a
    library object the receiver's name plus method, "torch.utils.data.distributed.DistributedSampler.set_epoch"), or
    of the tree ("train.Trainer.test_step"). `receiver` is the object of a method call."""

    callee: str
    arguments: Arguments
    result: Value
    receiver: Value | None = None

    @property
    def is_elsewhere(self) -> bool:
        """Whether the call leads to code that is not there and to no library of which it is known what it is for."""
        if not self.callee:
            return True
        left = isinstance(self.result, Instance) and self.result.external_name == self.callee
        return left and not self.callee.startswith("?") and not is_library(self.callee)

    def ended(self, result: Value) -> None:
        """Note what the call gave: it is seen when it begins, so that what happens inside comes after it."""
        object.__setattr__(self, "result", result)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class IterateEvent(Event):
    """A `for` loop (or `next(iter(x))`, a comprehension, a framework) starts to draw items from `iterated`.

    The loop itself is `loop`; events inside it carry it in their context. `framework` names who iterates when it is
    not the tree's own code ("lightning.Trainer.fit"). Of one item that is drawn (`is_one_draw`) `loop` is
    the loop around."""

    iterated: Value
    loop: Loop
    framework: str = ""
    role: str = ""
    is_one_draw: bool = False


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class SliceEvent(Event):
    """A subscript read with a slice or an index that depends on random draws: the segment that was picked; a part of a
    list in random order, or of a signal that was turned round by a draw; or one of a list whose items stand in the
    order of a listed folder: `order` is that order as it is *here*. A list goes on to change, and where paths meet it
    is what it is on all of them."""

    sliced: Value
    index: Value
    order: frozenset[Listing] = frozenset()


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class SideBySideEvent(Event):
    """Lists in the order of listed folders, each in its `orders` as it is here, are gone through together."""

    orders: tuple[frozenset[Listing], ...]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ComparedEvent(Event):
    """Names, or lists of them, in the order of two listed folders are compared: `a == b`, `a != b`."""

    orders: tuple[frozenset[Listing], frozenset[Listing]]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class StoreEvent(Event):
    """An attribute or item was assigned (`data_loader.epoch = epoch`, `config["batch_size"] = 1`)."""

    target: Value
    name: str
    value: Value


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class DecisionEvent(Event):
    """A setting was asked on the way to a decision: a name, attribute, item or `get(...)` in a test, and what it held.

    A test that is decided leaves no condition behind; this event keeps which setting decided it, and its trail."""

    value: Value


@dataclass(frozen=True, slots=True, eq=False)
class Supposed:
    """What a branch would do that a setting keeps off: a checkpoint that is loaded only if somebody asks for it.

    `condition` is the branch as it would be taken, `position` the number of events of the run before it."""

    condition: Condition
    position: int
    events: tuple[Event, ...]


# What torchrun and its like set for each of the processes that they start.
TOLD_BY_LAUNCHERS = frozenset({"WORLD_SIZE", "LOCAL_WORLD_SIZE", "RANK", "LOCAL_RANK"})


@dataclass(slots=True)
class Launch:
    """One way to start an entry script: from a launcher line, a documented command, a configuration file, or bare.

    `condition` is how a report names it ("train.sh: --batch_size 1", "configuration hparams/train.yaml", "" for the
    bare script). `trial`: it only shows that the script runs. `environment` holds what the launcher sets of the
    environment variables that the script asks for, `offers` the names of all that it sets.
    `ranked`: it starts several processes and tells each in WORLD_SIZE and RANK how many they are and which it is.
    `unshown`: it is bare, and whoever follows what the tree ships starts the script with words."""

    condition: str = ""
    argv: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    location: Location | None = None
    trial: bool = False
    environment: Mapping[str, Value] = field(default_factory=dict)
    offers: frozenset[str] = frozenset()
    ranked: bool = False
    unshown: bool = False


@dataclass(slots=True)
class Run:
    """One entry under one launch: its events in order, and what could not be followed.

    `supposed` are branches that the launch keeps off and that load something; they are no part of `events`.
    `cut_short` are the loops of which an error ends every pass that goes on so far: what stands behind it is not seen.
    `entry` is the script's path; for code that no script reaches it is the file of that code. `session` is the
    interpreter with the state at the end, for `program.probe`.
    """

    entry: str
    launch: Launch
    events: list[Event] = field(default_factory=list)
    limits: list[Step] = field(default_factory=list)
    session: object = None
    supposed: list[Supposed] = field(default_factory=list)
    cut_short: list[Loop] = field(default_factory=list)


def innermost_function(context: Context) -> str:
    """The qualified name of the function in which an event happened; "<module>" outside of functions."""
    return context.frames[-1].function if context.frames else "<module>"
