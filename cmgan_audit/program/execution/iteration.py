"""What a loop or comprehension gets from what it iterates over, and the loops' own execution.

Known items are gone through one by one. Everything else is executed once with an element that stands for all: cells
that one pass changes are widened first, so that a counter is not taken for its first value.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from cmgan_audit.finding import Location
from cmgan_audit.program.domain.containers import known_items, one_of
from cmgan_audit.program.domain.joins import Branch, join, join_each
from cmgan_audit.program.domain.listings import order_of
from cmgan_audit.program.domain.numbers import drawn
from cmgan_audit.program.domain.reasons import Cause, Reason
from cmgan_audit.program.domain.values import (
    Arguments,
    Choice,
    ClassValue,
    Const,
    DictValue,
    Draw,
    External,
    GeneratorValue,
    Instance,
    ListValue,
    Unknown,
    Value,
    options_of,
)
from cmgan_audit.program.execution.interpreter import Activation, Interpreter, ProgramRaisedError
from cmgan_audit.program.execution.trace import IterateEvent, Loop
from cmgan_audit.program.language.attributes import attribute
from cmgan_audit.program.language.classes import class_attribute
from cmgan_audit.program.language.functions import run_body
from cmgan_audit.program.library.answers import call_library

# The passes that are followed one by one. Those over a dictionary or what it gives may be more, together with the
# loops around them: a flat file of settings of a vocoder has more than seventy keys, and what goes over them copies or
# merges each.
_MOST_UNROLLED = 64
_MOST_KEYS = 256
_COUNTER = Reason("the loop's counter", Cause.LOOP_PASS)
# Library functions that hand on what they iterate over, by the last part of their name.
HANDING_ON = frozenset(
    [
        "enumerate",
        "tenumerate",
        "iter",
        "tqdm",
        "trange",
        "tqdm_notebook",
        "track",
        "islice",
        "cycle",
        "reversed",
        "auto_tqdm",
        "progress_bar",
        "ProgressBar",
        "progressbar",
        "alive_it",
        "Progress",
        "chain",
        "peekable",
        "prefetch",
        "list",
        "tuple",
    ]
)
# What gives the weights or the layers of a network one after the other.
_OF_A_NETWORK = (
    ".parameters",
    ".named_parameters",
    ".modules",
    ".named_modules",
    ".children",
    ".named_children",
)


def unwrapped(value: Value) -> list[Value]:
    """What is really iterated when wrappers such as enumerate, tqdm and zip are taken off."""
    if isinstance(value, Instance) and value.external_name:
        name = value.external_name.rpartition(".")[2]
        if name in ("zip", "zip_longest", "chain"):
            return [inner for argument in value.arguments.positional for inner in unwrapped(argument)]
        if name in HANDING_ON:
            inner = value.arguments.get("iterable", 0) or value.arguments.get("sequence")
            if inner is not None:
                return unwrapped(inner)
    return [value]


def element(it: Interpreter, value: Value, location: Location) -> Value:
    """One item that stands for all that iterating over `value` gives."""
    value = it.read(value)
    if isinstance(value, Choice):
        return join_each(value, lambda one: element(it, one, location))
    if isinstance(value, ListValue | DictValue):
        return one_of(value)
    if isinstance(value, Instance) and isinstance(value.attrs.get("@items"), ListValue):
        return element(it, value.attrs["@items"], location)
    if isinstance(value, Instance) and value.external_name:
        return _library_element(it, value, location)
    return Unknown(reason="an item", draws=value.draws).made_from("[]", (value,), location)


def _library_element(it: Interpreter, value: Instance, location: Location) -> Value:
    name = value.external_name.rpartition(".")[2]
    if name in ("enumerate", "tenumerate"):
        numbered = value.arguments.get("iterable", 0) or Unknown(reason="nothing to enumerate")
        counter = Unknown(reason=_COUNTER)
        return ListValue(items=[counter, element(it, numbered, location)], kind="tuple")
    if name in ("zip", "zip_longest"):
        return ListValue(items=[element(it, part, location) for part in value.arguments.positional], kind="tuple")
    if name in ("range", "trange"):
        return Unknown(reason=_COUNTER, draws=_draws_of_counter(value))
    if name in HANDING_ON:
        inner = value.arguments.get("iterable", 0)
        if inner is not None:
            return element(it, inner, location)
    draws = order_of(value)
    if "@shuffled" in value.attrs:
        draws |= value.attrs["@shuffled"].draws  # as in a list of the program's own, whose items stand for their order
    return Unknown(reason=f"an item of {value.external_name}", draws=draws).made_from("[]", (value,), location)


def _draws_of_counter(counted: Instance) -> frozenset[Draw]:
    """What the numbers of a range depend on: where it begins and its steps, not how many there are."""
    bounds = counted.arguments.positional
    return drawn(*bounds[:1], *bounds[2:]) if len(bounds) > 1 else frozenset()


def collected(it: Interpreter, value: Value, location: Location) -> tuple[list[Value], bool]:
    """All items of a value as far as they are known, generators of the tree executed."""
    value = it.read(value)
    if isinstance(value, GeneratorValue):
        yielded: list[Value] = []
        run_generator(it, value, yielded.append)
        return yielded, False
    if isinstance(value, External) and value.name == "sys.argv":
        value = call_library(it, "sys.argv.__iter__", None, Arguments(), location)
    items, complete = known_items(value)
    if complete or items:
        return items, complete
    wrapped = unwrapped(value)
    if (len(wrapped) == 1 and wrapped[0] is not value) or (wrapped and all(map(_are_parts, wrapped))):
        return [element(it, value, location)], False
    return [], False


def _are_parts(value: Value) -> bool:
    """Whether these are the weights or layers of a network, of which there are some: `list(net.parameters())`."""
    return isinstance(value, Instance) and value.external_name.endswith(_OF_A_NETWORK)


def run_generator(it: Interpreter, generator: GeneratorValue, receive: Callable[[Value], None]) -> None:
    """Execute a generator's body; at every `yield`, `receive` runs as the consumer, inside the generator's loops."""
    consumers = list(it.activations)
    consumer_frames = it.context.frames
    activation = Activation(generator.function.module, consumers[-1].environment, generator.function)

    def on_yield(value: Value) -> None:
        inside, active = it.context, it.activations
        it.context = replace(inside, frames=consumer_frames)
        it.activations = list(consumers)
        try:
            receive(value)
        finally:
            it.context, it.activations = inside, active

    activation.on_yield = on_yield
    run_body(it, generator.function, generator.arguments, generator.location, activation)


def draw_one(it: Interpreter, value: Value, location: Location) -> Value:
    """`next(iterator)`: one item is drawn, which starts an iteration like a loop does."""
    value = it.read(value)
    items, complete = known_items(value)
    if items and complete and isinstance(value, ListValue) and value.kind in ("view", "entries"):
        return items[0]
    if isinstance(value, Instance) and isinstance(value.cls, ClassValue):
        own = class_attribute(value.cls, "__next__")
        if own is not None:
            return it.call(attribute(it, value, "__next__", location), Arguments(), location)
    loop = it.context.loops[-1] if it.context.loops else Loop(location, value)
    if isinstance(value, GeneratorValue):
        return _one_of_generator(it, value, loop, location)
    announce(it, value, loop, location, is_one_draw=True)
    return element(it, value, location)


def _one_of_generator(it: Interpreter, generator: GeneratorValue, loop: Loop, location: Location) -> Value:
    """One item of a generator: what its own loops draw from when it yields is what is drawn from here.

    `while True: for batch in loader: yield batch` goes over the loader in the loop that asks it for the next one.
    """
    yielded: list[Value] = []
    inner: set[Loop] = set()
    outer = it.context.loops

    def receive(item: Value) -> None:
        yielded.append(item)
        inner.update(it.context.loops[len(outer) :])

    start = len(it.run.events)
    run_generator(it, generator, receive)
    for position, event in enumerate(it.run.events[start:], start):
        if isinstance(event, IterateEvent) and event.loop in inner:
            drawn_here = replace(event, location=location, context=it.context, loop=loop, is_one_draw=True)
            it.run.events[position] = drawn_here
    return join([(item, Branch("")) for item in yielded]) if yielded else Unknown(reason="an item")


def is_unrolled(it: Interpreter, iterable: Value, passes: int) -> bool:
    """Whether the passes over a value of known items are followed one by one, by their number."""
    if passes <= _MOST_UNROLLED:
        return True
    if not isinstance(iterable, DictValue) and not (isinstance(iterable, ListValue) and iterable.kind == "entries"):
        return False
    around = (known_items(loop.iterates)[0] for loop in it.context.loops if loop.iterates is not None)
    return passes * math.prod(max(1, len(items)) for items in around) <= _MOST_KEYS


def announce(it: Interpreter, value: Value, loop: Loop, location: Location, *, is_one_draw: bool = False) -> None:
    """Record what a loop draws its items from."""
    for source in unwrapped(value):
        # A loader that may be missing is there where a loop draws from it.
        drawn_from = [o.value for o in options_of(source) if not (isinstance(o.value, Const) and o.value.value is None)]
        if drawn_from and not any(isinstance(value, ListValue | DictValue | Const) for value in drawn_from):
            event = IterateEvent(
                location=location, context=it.context, iterated=source, loop=loop, is_one_draw=is_one_draw
            )
            it.emit(event)


def iterate(it: Interpreter, value: Value, location: Location, loop: Loop, receive: Callable[[Value], None]) -> bool:
    """Let an object of the tree iterate: generators, `__iter__` and `__next__` are executed.

    `receive` is the loop's body. False when the value has no code of the tree to run.
    """
    if isinstance(value, Instance) and value.external_name.rpartition(".")[2] in HANDING_ON:
        inner = value.arguments.get("iterable", 0)
        numbered = value.external_name.endswith("enumerate")
        if inner is not None:
            hand_on = _numbered(receive) if numbered else receive
            return iterate(it, it.read(inner), location, loop, hand_on)
    if isinstance(value, Instance) and value.external_name.rpartition(".")[2] in ("zip", "zip_longest"):
        return _iterate_side_by_side(it, value, location, loop, receive)
    if isinstance(value, GeneratorValue):
        run_generator(it, value, receive)
        return True
    if not isinstance(value, Instance) or not isinstance(value.cls, ClassValue):
        return False
    if class_attribute(value.cls, "__iter__") is not None:
        source = it.call(attribute(it, value, "__iter__", location), Arguments(), location)
        if source == value:
            return _iterate_by_next(it, value, location, receive)
        if iterate(it, source, location, loop, receive):
            return True
        announce(it, source, loop, location)
        receive(element(it, source, location))
        return True
    return False


def _iterate_side_by_side(
    it: Interpreter, zipped: Instance, location: Location, loop: Loop, receive: Callable[[Value], None]
) -> bool:
    """`zip(range(steps), cycle(loader))`: one of the tree's own runs, and with each of its items one of the others."""
    parts = [it.read(part) for part in zipped.arguments.positional]
    own = next((number for number, part in enumerate(parts) if _has_code(part)), None)
    if own is None:
        return False
    for number, part in enumerate(parts):
        if number != own and not _has_code(part):
            announce(it, part, loop, location)

    def beside(item: Value) -> None:
        items = [
            item
            if number == own
            else _one_of_generator(it, part, loop, location)
            if isinstance(part, GeneratorValue)
            else element(it, part, location)
            for number, part in enumerate(parts)
        ]
        receive(ListValue(items=items, kind="tuple"))

    return iterate(it, parts[own], location, loop, beside)


def _has_code(value: Value) -> bool:
    """Whether iterating runs code of the tree."""
    if isinstance(value, Instance) and value.external_name.rpartition(".")[2] in HANDING_ON:
        inner = value.arguments.get("iterable", 0)
        return inner is not None and _has_code(inner)
    if isinstance(value, Instance) and isinstance(value.cls, ClassValue):
        return class_attribute(value.cls, "__iter__") is not None
    return isinstance(value, GeneratorValue)


def _numbered(receive: Callable[[Value], None]) -> Callable[[Value], None]:
    def hand_on(value: Value) -> None:
        receive(ListValue(items=[Unknown(reason=_COUNTER), value], kind="tuple"))

    return hand_on


def _iterate_by_next(it: Interpreter, value: Instance, location: Location, receive: Callable[[Value], None]) -> bool:
    if not isinstance(value.cls, ClassValue) or class_attribute(value.cls, "__next__") is None:
        return False
    try:
        item = it.call(attribute(it, value, "__next__", location), Arguments(), location)
    except ProgramRaisedError:
        item = Unknown(reason="an item")
    receive(item)
    return True
