"""How the loss of a training depends on tensors: what each value was computed from, back to networks and data.

A loss is followed backwards through operators, library calls and the forward of the tree's networks and losses, which
are tried on a scratch state with the arguments that they were given. Where gradients end (`detach`, `no_grad`, NumPy),
the way ends.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence, Set
from dataclasses import field
from functools import cached_property
from itertools import count, islice

from cmgan_audit.facts.classes import BATCH_NORMS, OTHER_NORMS, bare_network, is_network, library_bases, values_within
from cmgan_audit.facts.passes.forwards import tried
from cmgan_audit.facts.passes.modes import gradients_off
from cmgan_audit.facts.scene import Scene
from cmgan_audit.facts.values import instances_of
from cmgan_audit.finding import Location
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.domain.values import (
    BoundMethod,
    Choice,
    ClassValue,
    Const,
    DictValue,
    Instance,
    ListValue,
    Unknown,
    Value,
    options_of,
)
from cmgan_audit.program.execution.trace import CallEvent, Event, is_without_gradients
from cmgan_audit.program.naming.names import canonical

MOST_VALUES = 6_000
MOST_PROBES = 60
_ENDS = frozenset(
    "detach detach_ item numpy tolist argmax argmin argsort nonzero long int bool "
    "size dim shape dtype device data".split()
)
# What takes or repeats items of its first operand: which ones, the others say, and these are whole numbers.
_PICKS = frozenset("gather index_select take take_along_dim masked_select repeat_interleave".split())
_ELSEWHERE = ("numpy.", "math.", "scipy.", "librosa.", "pesq.", "pystoi.", "builtins.print", "builtins.len")
_PARAMETERS = ("torch.nn.Parameter", "torch.nn.parameter.Parameter")
# How layers of torch without weights of their own are called at the end, and which others end like those.
_PLAIN = tuple(
    "Loss ReLU ReLU6 ELU GELU SiLU GLU Mish Tanh Hardtanh Sigmoid Hardsigmoid Hardswish Softplus Softsign Softmin "
    "Softmax Softmax2d shrink Threshold Identity Dropout Dropout1d Dropout2d Dropout3d Pad1d Pad2d Pad3d Pool1d Pool2d "
    "Pool3d Unpool1d Unpool2d Unpool3d Flatten Unflatten Fold Unfold Shuffle Unshuffle Upsample UpsamplingNearest2d "
    "UpsamplingBilinear2d LocalResponseNorm CrossMapLRN2d CosineSimilarity PairwiseDistance Buffer "
    "Module Sequential ModuleList ModuleDict".split()
)
_WITH_WEIGHTS = frozenset({"PReLU", "AdaptiveLogSoftmaxWithLoss"})


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A value on the way to a loss: the call that made it, where it was a call, and what it was computed from."""

    value: Value
    event: CallEvent | None
    operation: str
    operands: tuple[Value, ...]
    location: Location | None


@dataclass(eq=False)
class Flow:
    """The values of one run by what made them."""

    scene: Scene
    _events: dict[int, CallEvent] = field(default_factory=dict)
    _positions: dict[int, int] = field(default_factory=dict)
    _in_place: dict[int, set[str]] = field(default_factory=dict)
    _probed: dict[int, Value | None] = field(default_factory=dict)
    _learned: dict[int, bool] = field(default_factory=dict)
    _nodes: dict[int, Node] = field(default_factory=dict)
    _ends: dict[Node, bool] = field(default_factory=dict)
    _behind: dict[int, tuple[list[Node], Iterator[Node]]] = field(default_factory=dict)
    _stopped: dict[int, list[Node]] = field(default_factory=dict)
    _kept: list[Value] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.note(self.scene.run.events, number=True)

    def note(self, events: Sequence[Event], *, number: bool = False) -> None:
        """Remember which call made which value.

        Args:
            events: what happened, in the run or where something was tried (the item of a dataset that was read).
            number: whether these are the events of the run, by whose positions values are told to be older.
        """
        for position, event in enumerate(events):
            if isinstance(event, CallEvent):
                key = _key(event.result)
                if key is not None and _makes(event):
                    self._events.setdefault(key, event)
                    if number:
                        self._positions.setdefault(key, position)
                member = event.callee.rpartition(".")[2]
                receiver = _key(event.receiver) if event.receiver is not None else None
                if receiver is not None and member.endswith("_") and not member.startswith("_"):
                    self._in_place.setdefault(receiver, set()).add(member)

    def in_place(self, value: Value) -> Set[str]:
        """The methods called on a value that change it, at any time: `x.mul_(2)`."""
        return self._in_place.get(_key(value) or 0, frozenset())

    def call_of(self, value: Value) -> CallEvent | None:
        """The call that made a value; None for what no call made itself."""
        return self._events.get(_key(value) or 0)

    def is_of_run(self, node: Node) -> bool:
        """Whether a call happened in the run, not only where the `forward` of a network was tried."""
        return _key(node.value) in self._positions

    def losses(self) -> Iterator[tuple[Value, Location]]:
        """What the run calls `backward` on, or gives to a framework that does, with the place."""
        for use in self.scene.of("backward"):
            for value in (use.event.receiver, *use.event.arguments.positional[:1]):
                if value is not None:
                    yield value, use.event.location
        for event in self.scene.calls:
            if event.callee.endswith((".training_step", ".compute_objectives", ".compute_loss")):
                if not _off(event.context.managers):
                    yield event.result, event.location

    def behind(self, root: Value) -> Iterator[Node]:
        """The computations that a value depends on with gradients, nearest first, each once."""
        if id(root) not in self._behind:
            self._kept.append(root)  # its id must stay its own
            self._behind[id(root)] = ([], self._followed_back(root))
        found, more = self._behind[id(root)]
        for number in count():  # somebody else may go on with the same root meanwhile
            if number == len(found):
                found.extend(islice(more, 1))
            if number == len(found):
                return
            yield found[number]

    def _followed_back(self, root: Value) -> Iterator[Node]:
        waiting, seen = deque([root]), set[int]()
        while waiting and len(seen) < MOST_VALUES:
            value = waiting.popleft()
            if id(value) in seen:
                continue
            seen.add(id(value))
            node = self.node(value)
            if node is None:
                waiting.extend(_parts(value))
            elif self._is_end(node):
                self._stopped.setdefault(id(root), []).append(node)
            else:
                yield node
                waiting.extend(node.operands)

    def without_gradients(self, root: Value) -> Sequence[Node]:
        """Where the gradients of a value end: `detach` and the like, once all that is behind it was asked for."""
        return self._stopped.get(id(root), ())

    def node(self, value: Value) -> Node | None:
        """How a value was computed; None for containers, choices and what was not computed."""
        if id(value) not in self._nodes:
            found = self._made(value)
            if found is None:
                return None
            self._kept.append(value)  # its id must stay its own
            self._nodes[id(value)] = found
        return self._nodes[id(value)]

    def _made(self, value: Value) -> Node | None:
        key = _key(value)
        event = self._events.get(key) if key is not None else None
        if isinstance(value, Unknown) and value.computed is not None:
            computed = value.computed
            operands = computed.operands
            if event is not None and computed.operation == "network":
                inner = self.forward(event)
                operands = (inner,) if inner is not None else operands
            if computed.operation == "[]":
                operands = (self._picked(operands),)
            return Node(value, event, computed.operation, operands, computed.location)
        if isinstance(value, Instance) and value.external_name:
            name = canonical(value.external_name)
            given = value.arguments.every
            picks = name.startswith("torch.") and name.rpartition(".")[2] in _PICKS
            if picks:
                given = tuple(each for each in (value.arguments.get("input", 0),) if each is not None)
            if event is None:
                return Node(value, None, name, given, value.location)
            receiver = event.receiver
            if picks and receiver is not None:
                given = ()
            inner = self.forward(event) if name.endswith(".__call__") else None
            if inner is not None:
                return Node(value, event, "network", (inner,), value.location)
            return Node(value, event, name, (*((receiver,) if receiver is not None else ()), *given), value.location)
        if isinstance(value, BoundMethod):
            return Node(value, None, f"?.{value.name}", (value.receiver,), None)
        return None

    def _picked(self, operands: tuple[Value, ...]) -> Value:
        """The item that is taken out of what a network of the tree returns, where both are known."""
        whole, index = operands[0], operands[-1]
        node = self.node(whole) if len(operands) > 1 else None
        if node is not None and node.operation == "network" and isinstance(index, Const):
            inner = node.operands[0]
            if (
                isinstance(inner, ListValue)
                and isinstance(index.value, int)
                and -len(inner.items) <= index.value < len(inner.items)
            ):
                return inner.items[index.value]
            if isinstance(inner, DictValue) and index.value in inner.items:
                return inner.items[index.value]
        return whole

    def _is_end(self, node: Node) -> bool:
        """Whether no gradient passes here; many losses of a run have the same values behind them."""
        end = self._ends.get(node)
        if end is None:
            end = self._ends[node] = self._ends_here(node)
        return end

    def _ends_here(self, node: Node) -> bool:
        name = node.operation
        if name.rpartition(".")[2] in _ENDS or name.startswith(_ELSEWHERE):
            return True
        if node.event is None:
            computed = node.value.computed if isinstance(node.value, Unknown) else None
            return computed is not None and _off(computed.managers)
        position = self._positions.get(_key(node.value) or 0)
        if position is None:
            return _off(node.event.context.managers)
        return gradients_off(self.scene, position, node.event.context.managers)

    # Networks of the tree

    def forward(self, event: CallEvent) -> Value | None:
        """What a network of the tree computes from the arguments of a call; None when that cannot be followed."""
        networks = [bare_network(each) for each in instances_of(event.receiver)]
        if len(networks) != 1 or not isinstance(networks[0].cls, ClassValue):
            return None
        key = id(event)
        if key not in self._probed:
            self._probed[key] = self._tried(networks[0], event) if len(self._probed) < MOST_PROBES else None
        return self._probed[key]

    def _tried(self, network: Instance, event: CallEvent) -> Value | None:
        inside = tried(self.scene, network, event)
        if inside is None:
            return None
        self.note(inside.calls)
        return inside.result

    def is_learned(self, node: Node) -> bool:
        """Whether a computation uses weights that are trained: a layer with weights, or a network that has some."""
        event = node.event
        name = node.operation
        if name in _PARAMETERS:
            return not _is_fixed(node.value)
        if event is None or not (name == "network" or name.endswith(".__call__")):
            return False
        called = [bare_network(each) for each in instances_of(event.receiver)]
        return any(id(each.attrs) in self._optimised or self.has_weights(each) for each in called)

    @cached_property
    def _optimised(self) -> frozenset[int]:
        """The objects whose parameters the run asks for: networks, also those of libraries that are not known."""
        asked = [event for event in self.scene.calls if event.callee.endswith(".parameters")]
        return frozenset(id(bare_network(each).attrs) for event in asked for each in instances_of(event.receiver))

    def has_weights(self, network: Instance) -> bool:
        """Whether an object is a network with weights that are not fixed where they are made."""
        key = id(network.attrs)
        if key not in self._learned:
            self._learned[key] = is_network(network) and any(
                isinstance(part, Instance)
                and any(_is_layer(name) for name in library_bases(part))
                and not _is_fixed(part)
                and not _is_plain_norm(part)
                for part in values_within(network, 8)
            )
        return self._learned[key]


def _is_layer(name: str) -> bool:
    member = name.rpartition(".")[2]
    plain = member.endswith(_PLAIN) and member not in _WITH_WEIGHTS
    return name.startswith("torch.nn.") and member[:1].isupper() and not plain


def _is_plain_norm(part: Instance) -> bool:
    """Whether this is a norm of torch that was made without weights: `nn.InstanceNorm1d(64)`, `affine=False`."""
    module, _, member = canonical(part.external_name).rpartition(".")
    if not module.startswith("torch.nn") or member not in (*BATCH_NORMS, *OTHER_NORMS):
        return False
    by_element = member in ("LayerNorm", "RMSNorm")
    given = part.arguments.get("elementwise_affine", 2) if by_element else part.arguments.get("affine", 3)
    if given is None:
        return member.startswith("InstanceNorm")
    return isinstance(given, Const) and not given.value


def _is_fixed(part: Value) -> bool:
    """Whether this is a parameter that is not trained, such as the windowed kernels of a transform."""
    if not isinstance(part, Instance) or canonical(part.external_name) not in _PARAMETERS:
        return False
    given = part.arguments.get("requires_grad", 1)
    trained = part.attrs.get("requires_grad", given)
    return isinstance(trained, Const) and not trained.value


def _key(value: Value) -> int | None:
    if isinstance(value, Unknown):
        return id(value.computed) if value.computed is not None else None
    return id(value.attrs) if isinstance(value, Instance) else None


def _makes(event: CallEvent) -> bool:
    """Whether a call made its result itself, rather than handing on what a call inside it made."""
    result = event.result
    if isinstance(result, Unknown):
        return result.computed is not None and result.computed.location == event.location
    return isinstance(result, Instance) and canonical(result.external_name) == canonical(event.callee)


def _parts(value: Value) -> list[Value]:
    if isinstance(value, Choice):
        return [option.value for option in options_of(value)]
    if isinstance(value, ListValue):
        return list(value.items)
    if isinstance(value, DictValue):
        return list(value.items.values())
    return []


def _off(managers: tuple[str, ...]) -> bool:
    return any(map(is_without_gradients, managers))
