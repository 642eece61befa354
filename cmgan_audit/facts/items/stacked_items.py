"""Items that are batches: a dataset that cuts several segments of a recording, which a loop trains on side by side.

def __getitem__(self, index):
    return torch.stack([cut(clean) for _ in range(self.segments)])   # segments x samples

for batch in DataLoader(dataset, batch_size=1):                      # 1 x segments x samples
    loss(network(batch.squeeze(0))).backward()                       # on all segments at once

The dataset alone does not tell: channels and the two parts of a spectrum are stacked as well. What makes a batch of
them is that the dimension of the loader is taken away. A new shape or an array that is filled tells less: frames and
bands of a spectrum look alike, and are left to the batch of the loader.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cmgan_audit.facts.code import Code
from cmgan_audit.facts.items.making import Reading, items_of
from cmgan_audit.facts.items.stacked_signals import are_signals
from cmgan_audit.facts.scene import Made, Pass, Scene
from cmgan_audit.facts.values import constant, known_number, same_object
from cmgan_audit.finding import Step
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.domain.values import DictValue, Instance, ListValue, Value, options_of
from cmgan_audit.program.domain.values import Unknown as UnknownValue
from cmgan_audit.program.execution.trace import CallEvent, Event
from cmgan_audit.rules.record import Fact, Known, Unknown

# What lays a list of segments side by side, and what keeps the first dimension of what it is called on.
_STACKS = frozenset({"stack", "vstack", "array", "asarray", "tensor", "FloatTensor"})
_KEEPS = frozenset(
    {"to", "cuda", "cpu", "float", "double", "half", "type", "astype", "contiguous", "clone", "detach"}
    | {"from_numpy", "tensor", "as_tensor", "FloatTensor", "Tensor", "array", "asarray"}
)
_JOINS = frozenset({"view", "reshape"})
# What is called on a whole without going on with it.
_WITHOUT_WORK = _KEEPS | {"squeeze", "flatten", "size", "dim", "numel", "len", "print"}
# What cuts a signal into a number of segments that depends on its length; halves (`chunk`) may be two channels.
_CUTS = frozenset({"split", "unfold"})
_DEEPEST = 6


@dataclass(frozen=True, slots=True, eq=False)
class _Stack:
    """The call that lays segments side by side, and how many; None where that is not known."""

    made: Instance
    size: int | None


def stacked_batch(code: Code, made: Made, batch: Fact) -> Fact:
    """The batch that a training step sees where each item of a loader is several segments.

    Args:
        code: the source of the run.
        made: the loader.
        batch: what the loader gives at a time.

    Returns:
        The number of segments; `batch` where an item is one, or several signals that the loop takes apart.
    """
    scene = code.scene
    each = known_number(batch)
    if each is None:
        return batch
    readings = items_of(scene, made).readings
    stacks = [stack for reading in readings if reading.owner is not None for stack in _stacks_in(reading)]
    if not stacks or not _is_joined(scene, made, readings, each):
        return batch
    signals = [stack for stack in stacks if are_signals(code, stack.made.location)]
    if signals:
        if all(_takes_apart(scene, single) for single in _training_passes(scene, made)):
            return batch
        what = "several signals are laid side by side here: channels of one recording, or a batch"
        return Unknown(what, (*batch.trail, Step(signals[0].made.location, what)))
    what = "segments of a recording are laid side by side here, and the loop trains on them as one batch"
    steps = (*batch.trail, Step(stacks[0].made.location, what))
    if any(stack.size is None for stack in stacks):
        return Unknown("the dataset gives several segments at a time", steps)
    size = min(stack.size for stack in stacks if stack.size is not None)
    return Known(each * size, steps) if size > 1 else batch


def _stacks_in(reading: Reading) -> Iterator[_Stack]:
    receivers = _receivers(reading.events)
    for value in _parts(reading.result):
        stack = _stack_behind(value, receivers)
        if stack is not None:
            yield stack


def _parts(item: Value) -> Iterator[Value]:
    """The values of an item: those of a tuple or a dictionary, or the item itself."""
    for option in options_of(item):
        match option.value:
            case ListValue(items=parts):
                yield from parts
            case DictValue(items=parts):
                yield from parts.values()
            case value:
                yield value


def _receivers(events: Iterable[Event]) -> dict[int, Value]:
    """What methods were called on, by their results; a method that gives its own object leads nowhere."""
    found: dict[int, Value] = {}
    for event in events:
        if isinstance(event, CallEvent) and event.receiver is not None and isinstance(event.result, Instance):
            if not (isinstance(event.receiver, Instance) and same_object(event.receiver, event.result)):
                found[id(event.result.attrs)] = event.receiver
    return found


def _stack_behind(value: Value, receivers: dict[int, Value], depth: int = _DEEPEST) -> _Stack | None:
    """The stack that a value is, through conversions."""
    if not isinstance(value, Instance) or not depth:
        return None
    last = value.external_name.rpartition(".")[2]
    given = value.arguments.positional
    if last in _STACKS and given and isinstance(given[0], ListValue):
        several = len(given[0].items) if given[0].complete else None
        along = constant(value.arguments.get("dim", 1) or value.arguments.get("axis"))
        return _Stack(value, several) if along in (None, 0) else None
    if last == "unfold" or (last in _STACKS and given and _is_cut(given[0])):
        return _Stack(value, None)
    receiver = receivers.get(id(value.attrs))
    if last in _KEEPS:
        inner = receiver if receiver is not None else (given[0] if given else None)
        return None if inner is None else _stack_behind(inner, receivers, depth - 1)
    return None


def _is_cut(value: Value) -> bool:
    """Whether a value is the segments that a signal was cut into, or some of them: `signal.split(size)[:-1]`."""
    if isinstance(value, UnknownValue) and value.computed is not None and value.computed.operation == "[]":
        return _is_cut(value.computed.operands[0])
    return isinstance(value, Instance) and value.external_name.rpartition(".")[2] in _CUTS


def _is_joined(scene: Scene, made: Made, readings: Iterable[Reading], each: int) -> bool:
    """Whether the dimension of the loader is taken away, by its `collate_fn` or in every loop that trains."""
    if any(reading.owner is None and _hands_on(reading, each) for reading in readings):
        return True
    passes = _training_passes(scene, made)
    whole = not any(isinstance(reading.result, ListValue | DictValue) for reading in readings)
    return bool(passes) and all(_takes_away(scene, single, each, whole) for single in passes)


def _hands_on(reading: Reading, each: int) -> bool:
    """Whether a `collate_fn` gives a single item as it is, or joins the segments of all."""
    parts = list(_parts(reading.result))
    if each == 1 and any(isinstance(part, UnknownValue) and part.reason == "an item of the dataset" for part in parts):
        return True
    names = {part.external_name for part in parts if isinstance(part, Instance)}
    return not names.isdisjoint({"torch.cat", "torch.concat", "numpy.concatenate"})


def _training_passes(scene: Scene, made: Made) -> list[Pass]:
    learning = [use.event.context for use in scene.of("backward")]
    return [single for single in scene.passes_over(made.loader) if any(map(single.holds, learning))]


def _takes_apart(scene: Scene, single: Pass) -> bool:
    """Whether a loop goes on with single parts alone of what it takes out of the loader's dimension: `pair[0]`."""
    calls = [event for event in scene.calls if single.holds(event.context)]
    receivers = _receivers(calls)
    working = [call for call in calls if call.callee.rpartition(".")[2] not in _WITHOUT_WORK]
    given = [value for call in working for value in (call.receiver, *call.arguments.positional) if value is not None]
    if any(_is_inside(value, single.loader, receivers) for value in (*given, *_given_to_networks(scene, single))):
        return False  # torch.stft(batch): what is trained on is made of the whole
    used = (value for call in calls for value in (call.receiver, *call.arguments.positional))
    return any(
        type(constant(index)) is int and _is_inside(whole, single.loader, receivers)
        for value in used
        if isinstance(value, UnknownValue) and value.computed is not None
        for whole, index in [(*value.computed.operands, None, None)[:2]]
        if whole is not None
    )


def _is_inside(value: Value, loader: Instance, receivers: dict[int, Value]) -> bool:
    """Whether a value is what a loader gives, without the dimension of the loader: `batch.squeeze(0)`."""
    value = _unmoved(value, receivers)
    owner = receivers.get(id(value.attrs)) if isinstance(value, Instance) else None
    if owner is None and isinstance(value, Instance) and value.arguments.positional:
        owner = value.arguments.positional[0]  # torch.squeeze(batch, 0)
    named = isinstance(value, Instance) and value.external_name.rpartition(".")[2] in ("squeeze", "flatten")
    return named and owner is not None and _is_item(owner, loader, receivers)


def _takes_away(scene: Scene, single: Pass, each: int, whole: bool) -> bool:
    """Whether a loop removes the first dimension of what the loader gives, or joins it with the second."""
    calls = [event for event in scene.calls if single.holds(event.context)]
    receivers = _receivers(calls)
    given_to_networks = (_unmoved(value, receivers) for value in _given_to_networks(scene, single))
    if each == 1 and any(_is_first(value, single.loader, whole) for value in given_to_networks):
        return True
    for call in calls:
        last = call.callee.rpartition(".")[2]
        if last not in ("squeeze", "flatten", *_JOINS):
            continue
        given = call.arguments.positional
        owner = call.receiver
        if owner is None and given:  # torch.squeeze(batch, 0)
            owner, given = given[0], given[1:]
        if owner is None or not _is_item(owner, single.loader, receivers):
            continue
        numbers = [constant(value) for value in (*given, *call.arguments.keywords.values())]
        if last == "squeeze" and each == 1 and numbers[:1] in ([], [0]):
            return True
        if (last == "flatten" and numbers in ([0, 1], [1])) or (last in _JOINS and len(numbers) > 1 and _joins(given)):
            return True
    return False


def _given_to_networks(scene: Scene, single: Pass) -> Iterator[Value]:
    for use in scene.of("run"):
        if single.holds(use.event.context):
            yield from use.event.arguments.positional


def _unmoved(value: Value, receivers: dict[int, Value]) -> Value:
    """What was put on another device, or made another type: `batch[0]` of `batch[0].cuda()`."""
    for _ in range(_DEEPEST):
        if not isinstance(value, Instance) or value.external_name.rpartition(".")[2] not in _KEEPS:
            break
        value = receivers.get(id(value.attrs), value)
    return value


def _is_first(value: Value, loader: Instance, whole: bool) -> bool:
    """Whether a value is the first of a batch: `batch[0]`, of items of several values `noisy[0]`."""
    if not isinstance(value, UnknownValue) or value.computed is None or len(value.computed.operands) != 2:
        return False
    taken, index = value.computed.operands
    if constant(index) != 0 or isinstance(constant(index), bool) or not isinstance(taken, UnknownValue):
        return False
    held = taken.computed.operands if taken.computed is not None else ()
    directly = any(isinstance(each, Instance) and same_object(each, loader) for each in held)
    return directly if whole else not directly and _is_item(taken, loader, {})


def _joins(sizes: tuple[Value, ...]) -> bool:
    """Whether a new shape begins with a dimension that takes in what there is: -1, or a product of two of its own.

    `lengths.view(-1, 1, 1)` gives numbers dimensions to be multiplied with, and is no shape of signals.
    """
    first = sizes[0] if sizes else None
    if all(constant(each) == 1 for each in sizes[1:]):
        return False
    if isinstance(first, UnknownValue) and first.computed is not None and first.computed.operation == "*":
        return all(isinstance(each, UnknownValue) for each in first.computed.operands)
    return bool(constant(first) == -1)


def _is_item(value: Value, loader: Instance, receivers: dict[int, Value], depth: int = 2 * _DEEPEST) -> bool:
    """Whether a value is a part of what a loader gives, also on another device or of another type."""
    if not depth:
        return False
    if isinstance(value, UnknownValue) and value.computed is not None:
        operands = value.computed.operands
        if any(isinstance(each, Instance) and same_object(each, loader) for each in operands):
            return True
        return value.computed.operands[:1] != () and _is_item(operands[0], loader, receivers, depth - 1)
    if isinstance(value, Instance) and value.external_name.rpartition(".")[2] in _KEEPS:
        inner = receivers.get(id(value.attrs))
        return inner is not None and _is_item(inner, loader, receivers, depth - 1)
    return False
