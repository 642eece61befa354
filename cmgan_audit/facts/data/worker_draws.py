"""Random numbers in worker processes: who draws from NumPy's global generator, and who seeds it there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cmgan_audit.facts.code import steps_through
from cmgan_audit.facts.conditions import open_setting
from cmgan_audit.facts.data.records import WorkerDraws
from cmgan_audit.facts.items.crops import short_callee
from cmgan_audit.facts.items.making import Items, Reading, items_of
from cmgan_audit.facts.scene import Made, Scene
from cmgan_audit.facts.values import class_name, constant, instances_of
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Location, Step
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.values import ClassValue, Const, FunctionValue, Instance, Value, options_of
from cmgan_audit.program.domain.values import Unknown as UnknownValue
from cmgan_audit.program.execution.probe import call_value
from cmgan_audit.program.execution.trace import CallEvent, Event
from cmgan_audit.program.library.draws import draws_random
from cmgan_audit.program.library.seeding import Generator, set_by
from cmgan_audit.program.naming.names import canonical
from cmgan_audit.rules.record import Fact, Known, Unknown

SEEDED_SINCE = "1.9"
MOST_SHOWN = 6
_GLOBAL = regex(r"numpy\.random\.\w+")
_STARTING = regex(r"(torch\.)?multiprocessing\.set_start_method")


def worker_draws(view: View) -> Iterable[WorkerDraws]:
    """A record for every training loader whose items draw from NumPy's global generator, or may do so."""
    for made, loader in view.made_loaders:
        if not loader.trains:
            continue
        items = items_of(view.scene, made)
        fact, drawn_by = _draw_in(items)
        if isinstance(fact, Known) and not fact.value:
            continue
        entry = view.scene.run.entry
        stated = not isinstance(view.torch.allows(below=SEEDED_SINCE, path=entry), Unknown)
        yield WorkerDraws(
            location=made.location,
            anchor=class_name(items.datasets[0]) if items.datasets else "",
            role=loader.role,
            iterated=loader.iterated,
            dataset=loader.dataset.name if loader.dataset is not None else "the dataset",
            numpy_draw=fact,
            drawn_by=drawn_by,
            workers=loader.num_workers,
            seeds_workers=_is_alone(view.scene, loader.num_workers, items) or _seeds_workers(view.scene, made),
            old_torch=view.torch.may_be(below=SEEDED_SINCE, path=entry),
            torch_stated=Known(stated),
        )


def _draw_in(items: Items) -> tuple[Fact, str]:
    """Whether an item draws from the global generator, and the function."""
    open_ = ""
    found: list[tuple[CallEvent, Reading]] = []
    for reading in items.readings:
        if any(_sets_numpy(event) for event in _calls(reading.events)):
            continue  # the item sets the state itself
        for event in _calls(reading.events):
            if not (_GLOBAL.fullmatch(event.callee) and event.receiver is None and draws_random(event.callee)):
                continue
            conditions = event.context.conditions
            setting = next((text for text in (open_setting(each, reading.owner) for each in conditions) if text), "")
            if setting:
                open_ = f"{short_callee(event.callee)} at {event.location} is reached depending on {setting}"
            else:
                found.append((event, reading))
    if found:
        found.sort(key=_far)
        return Known(True, _trail(found)), short_callee(found[0][0].callee)
    return (Unknown(open_) if open_ else Known(False)), ""


def _far(draw: tuple[CallEvent, Reading]) -> bool:
    """Whether a draw stands outside of the file of its dataset."""
    event, reading = draw
    cls = reading.owner.cls if reading.owner is not None else None
    return isinstance(cls, ClassValue) and event.location.path != cls.module.path


def _calls(events: Sequence[Event]) -> Iterable[CallEvent]:
    return (event for event in events if isinstance(event, CallEvent))


def _trail(found: Sequence[tuple[CallEvent, Reading]]) -> tuple[Step, ...]:
    """The first draw with the calls that lead to it, then the others."""
    event, reading = found[0]
    steps = [Step(event.location, f"{reading.function} draws from NumPy's global generator")]
    steps += steps_through(reversed(event.context.frames[1:]))
    others = dict.fromkeys(other.location for other, _ in found if other.location != event.location)
    return (*steps, *(Step(place, "and here") for place in list(others)[:MOST_SHOWN]))


def _is_alone(scene: Scene, workers: Fact, items: Items) -> Fact | None:
    """Whether a single worker is forked from a state that moves on, since the loops around its loader draw too.

    No other one has the same numbers then, and the next epoch begins from another state, unless it is seeded anew.
    """
    if not (isinstance(workers, Known) and workers.value == 1):
        return None
    loops = {loop for single in scene.passes for loop in (single.event.loop, *single.event.context.loops)}
    in_items = {event.location for reading in items.readings for event in _calls(reading.events)}
    beside = [
        event
        for event in scene.named(lambda name: _GLOBAL.fullmatch(name) is not None)
        if event.receiver is None and event.location not in in_items and not loops.isdisjoint(event.context.loops)
    ]
    drawn = next((event for event in beside if draws_random(event.callee)), None)
    if drawn is None or any(_sets_numpy(event) for event in beside):
        return None
    return Known(True, (Step(drawn.location, "the process that forks the one worker draws too"),))


def _seeds_workers(scene: Scene, made: Made) -> Fact:
    """Whether the workers do not share the state of their parent."""
    if constant(made.arguments.get("multiprocessing_context", 11)) in ("spawn", "forkserver"):
        return Known(True)
    for event in scene.named(_decides_for_workers):
        if _STARTING.fullmatch(canonical(event.callee)):
            if constant(event.arguments.get("method", 0)) in ("spawn", "forkserver"):
                return Known(True, (Step(event.location, "workers are not forked"),))
        elif constant(event.arguments.get("workers")) is True:
            return Known(True, (Step(event.location, "the framework seeds the workers"),))
    given = made.arguments.get("worker_init_fn", 10)
    if given is None:
        return Known(False) if not made.arguments.open_kwargs else Unknown(made.arguments.open_kwargs)
    facts = [_seeds(scene, option.value, made.loader) for option in options_of(given)]
    return facts[0] if all(fact == facts[0] for fact in facts) else Unknown("which worker_init_fn is used is not known")


def _decides_for_workers(name: str) -> bool:
    """Whether a call settles how all workers are started or seeded."""
    return _STARTING.fullmatch(name) is not None or name.endswith("seed_everything")


def _seeds(scene: Scene, function: Value, near: Instance) -> Fact:
    if isinstance(function, Const):
        return Known(False)
    if not isinstance(function, FunctionValue):
        inner = [each for each in instances_of(function) if each.external_name == "functools.partial"]
        wrapped = inner[0].arguments.get("func", 0) if inner else None
        if isinstance(wrapped, FunctionValue):
            return _seeds(scene, wrapped, near)
        return Known(True)  # a library's own function is made for this
    events, _ = call_value(scene.run, function, [UnknownValue(reason="the worker's number")], near)
    for event in _calls(events):
        if _sets_numpy(event):
            return Known(True, (Step(event.location, f"{function.qualname} seeds NumPy in each worker"),))
    return Known(False, (Step(made_at(function), f"{function.qualname} does not seed NumPy"),))


def _sets_numpy(event: CallEvent) -> bool:
    """Whether a call gives NumPy's global generator a new state, if only the time of day."""
    return Generator.NUMPY in set_by(event)


def made_at(function: FunctionValue) -> Location:
    """Where a function is defined."""
    return function.module.location(function.node)
