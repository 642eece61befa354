"""Scripts that train, and what fixes the random numbers that they train with."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence

from cmgan_audit.facts.classes import builds_network
from cmgan_audit.facts.code import steps_through
from cmgan_audit.facts.conditions import exclude
from cmgan_audit.facts.recordings import READERS
from cmgan_audit.facts.records import TRAIN
from cmgan_audit.facts.scene import Scene
from cmgan_audit.facts.seedings import Seeding, seedings, set_besides_torch
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Location, Step
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.execution.trace import CallEvent, Event, IterateEvent
from cmgan_audit.program.naming.names import canonical
from cmgan_audit.rules.record import Fact, Known, Record, Unknown, certainly, record_kind

# Functions that read recordings, features or tables. `torch.load` reads weights too: in a loop it reads data.
_READERS = READERS | frozenset(
    "numpy.load numpy.loadtxt numpy.genfromtxt numpy.fromfile scipy.io.loadmat h5py.File pandas.read_csv "
    "pandas.read_pickle datasets.load_dataset".split()
)


@record_kind("training")
@dataclass(frozen=True, slots=True, kw_only=True)
class Training(Record):
    """A script that trains a network.

    Attributes:
        script: its path.
        seeded: whether torch's generator, which gives the first weights, the order of items and dropout, is set before
            the first step; placed where the script goes to train, or at the seed.
        other_seeds: the generators that are set instead, as text.
        random: what a draw decides in this training, as text.
    """

    script: str
    seeded: Fact
    other_seeds: str = ""
    random: str = ""


def trainings(view: View) -> list[Record]:
    """The training of a run: one record when it trains over a loop or with a framework, none otherwise."""
    first = _first_training(view)
    if first is None:
        return []
    position, event = first
    before = [seeding for seeding in seedings(view.scene.run, position) if seeding.position < position]
    way = _way(view, event)
    place = way[0].location
    entry = view.scene.run.entry
    return [
        Training(
            location=place,
            anchor=entry,
            script=entry,
            seeded=_seeded(before, event, way),
            other_seeds=set_besides_torch(before),
            random=_random(view),
        )
    ]


def _first_training(view: View) -> tuple[int, Event] | None:
    """The first event of a run in which a network learns: a backward pass in a loop, or a framework's pass."""
    scene = view.scene
    if not scene.is_reached:
        return None  # whoever calls this code may seed before
    learnt = [use for use in scene.of("backward", "step") if not _fits_a_part(scene, use.event)]
    steps = [(use.position, use.event) for use in learnt if use.event.context.loops]
    # Without data it is a self-test: a few steps on made-up numbers.
    learns = any(use.kind == "backward" for use in learnt) and (bool(scene.made) or _reads_data(scene))
    found: list[tuple[int, Event]] = list(steps[:1]) if learns else []
    # A framework trains whatever its loader is: one that a library hands out is no loader of the tree's own.
    found += [
        (position, event)
        for position, event in enumerate(scene.run.events)
        if isinstance(event, IterateEvent) and event.framework and event.role == TRAIN
    ][:1]
    return min(found, key=lambda each: each[0]) if found else None


def _fits_a_part(scene: Scene, event: Event) -> bool:
    """Whether a network's constructor fits numbers that it is made with, such as the cutoff of a filter bank.

    One that draws batches of a loader trains.
    """
    return builds_network(event) and not any(single.holds(event.context) for single in scene.passes)


def _reads_data(scene: Scene) -> bool:
    """Whether a run without a loader trains a network on data from files; arrays may be read before the loop."""
    if not any(True for _ in scene.of("keep")):
        return False  # numbers are fitted, no network
    for event in scene.calls:
        name = canonical(event.callee)
        if name in _READERS or (name == "torch.load" and event.context.loops):
            return True
    return False


def _seeded(before: Sequence[Seeding], event: Event, way: Sequence[Step]) -> Fact:
    here = event.context.tests
    doubtful: Unknown | None = None
    under: dict[str, Step] = {}
    for seeding in before:
        if not seeding.sets_torch:
            continue
        step = Step(seeding.event.location, f"{seeding.name}() sets the generators here")
        more = [each.text for each in seeding.event.context.conditions if each.text not in here]
        if seeding.drawn:
            doubtful = doubtful or Unknown(f"the seed at {step.location} is drawn anew in every run", (step,))
            continue
        other = next((under[text] for text in under if len(more) == 1 and exclude([text], more)), None)
        if other is not None:  # a run that goes on takes the state of the one before
            return Known(True, (other, step))
        if more:
            if len(more) == 1:
                under[more[0]] = step
            if seeding.restores:
                continue  # the first run of all has no state to go on from
            doubtful = doubtful or Unknown(f"the seed at {step.location} is set only where {more[0]}", (step,))
        else:
            return Known(True, (step,))
    return doubtful or Known(False, tuple(way))


def _way(view: View, event: Event) -> tuple[Step, ...]:
    """How the script comes to its training: the calls from its top level inwards, the loop, and where a seed fits."""
    frames = event.context.frames
    steps = [Step(frame.call, f"the script goes to train here: {_last(frame.function)}()") for frame in frames[:1]]
    steps += steps_through(frames[1:])
    loops = [loop for loop in event.context.loops if loop.location.path]
    steps += [Step(loop.location, "the training loop") for loop in loops[:1]]
    if not steps:
        steps.append(Step(event.location, "the training starts here"))
    start = _start(view)
    if start is not None:
        steps.append(Step(start, "a seed belongs here, before anything is drawn"))
    return tuple(dict.fromkeys(steps))


def _last(function: str) -> str:
    return function.rpartition(".")[2]


def _start(view: View) -> Location | None:
    """The first statement of the script that is no import, definition or docstring."""
    module = view.code.module(view.scene.run.entry)
    if module is None or module.tree is None:
        return None
    for node in module.tree.body:
        passed = isinstance(node, ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef)
        if not passed and not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            return module.location(node)
    return None


def _random(view: View) -> str:
    """What draws decide: the first weights always; crops, order and dropout where they are seen."""
    found = ["the first weights"]
    for loader in view.loaders:
        if not loader.trains:
            continue
        shuffled = certainly(loader.shuffle, True)
        sampled = loader.sampler is not None and isinstance(loader.sampler.shuffles, Known)
        if shuffled or (sampled and loader.sampler is not None and loader.sampler.shuffles == Known(True)):
            found.append("the order of the items")
        if loader.dataset is not None and loader.dataset.drawn_by:
            found.append(f"the segments ({loader.dataset.drawn_by})")
    if any(".Dropout" in event.callee for event in _calls(view.scene.run.events)):
        found.append("dropout")
    return ", ".join(dict.fromkeys(found))


def _calls(events: Iterable[Event]) -> Iterable[CallEvent]:
    return (event for event in events if isinstance(event, CallEvent))
