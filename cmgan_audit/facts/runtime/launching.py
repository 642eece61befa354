"""Processes that a program starts to train in, and whether its seed reaches them."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from cmgan_audit.facts.records import TRAIN
from cmgan_audit.facts.seedings import Seeding, seedings, set_besides_torch
from cmgan_audit.facts.values import constant
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Confidence, Location, Step
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.domain.values import Instance
from cmgan_audit.program.execution.trace import CallEvent, Frame
from cmgan_audit.program.naming.names import canonical
from cmgan_audit.rules.record import Fact, Known, Record, record_kind
from cmgan_audit.source.syntax import Function

FORK, SPAWN = "fork", "spawn"
# They take no other method, whatever they are given.
_ALWAYS_SPAWN = frozenset({"torch.multiprocessing.spawn", "torch_xla.distributed.xla_multiprocessing.spawn"})
_START_PROCESSES = "torch.multiprocessing.start_processes"
_PROCESS = ("multiprocessing.Process", "multiprocessing.get_context.Process")


@record_kind("process_start")
@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessStart(Record):
    """A call that starts processes in which a network is trained.

    Attributes:
        child: the function that the processes run.
        method: how they are started: "fork", or "spawn" or "forkserver", which begin with a fresh interpreter.
        seeded_before: whether the parent has set torch's generator by then; placed at the start of the processes.
        seeded_inside: whether a process sets it before it trains: in its function, or where the modules that it
            imports anew do.
        instead: the generators that a process sets in its function, as text.
    """

    child: str
    method: str
    seeded_before: Fact
    seeded_inside: Fact
    instead: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class _Start:
    """One start of processes: where, how, and the frame of the function that they run."""

    event: CallEvent
    method: str
    frame: Frame
    training: int


def process_starts(view: View) -> Iterator[ProcessStart]:
    """The starts of training processes of a run, each place once."""
    if not view.scene.is_reached:
        return
    done: set[Location] = set()
    for event in view.scene.calls:
        method = _method(view, event)
        if not method or event.location in done:
            continue
        start = _start(view, event, method)
        if start is not None:
            done.add(event.location)
            seeds = [each for each in seedings(view.scene.run, start.training) if not each.drawn]
            yield _record(view, start, seeds)


def _method(view: View, event: CallEvent) -> str:
    """How a call starts processes; "" when it starts none."""
    name = canonical(event.callee)
    if name in _ALWAYS_SPAWN:
        return SPAWN
    if name == _START_PROCESSES:
        return str(constant(event.arguments.get("start_method", 5)) or SPAWN)
    process = event.receiver
    if not isinstance(process, Instance) or not name.endswith(".start") or not _is_process(process):
        return ""
    setter = "get_context" if "get_context" in process.external_name else "set_start_method"
    chosen = [
        constant(each.arguments.get("method", 0))
        for each in view.scene.calls
        if each.callee.endswith(f"multiprocessing.{setter}")
    ]
    return str(chosen[-1]) if chosen and chosen[-1] else FORK


def _is_process(value: Instance) -> bool:
    return value.external_name.removeprefix("torch.") in _PROCESS


def _start(view: View, event: CallEvent, method: str) -> _Start | None:
    """The start, when the processes train."""
    scene = view.scene
    learning = [(use.position, use.event.context.frames) for use in scene.of("backward", "step")]
    learning += [
        (single.position, single.event.context.frames)
        for single in scene.passes
        if single.event.framework and single.event.role == TRAIN
    ]
    for position, frames in sorted(learning, key=lambda each: each[0]):
        frame = _frame_of(frames, event.location)
        if frame is not None:
            return _Start(event, method, frame, position)
    return None


def _frame_of(frames: Sequence[Frame], start: Location) -> Frame | None:
    return next((frame for frame in frames if frame.call == start), None)


def _record(view: View, start: _Start, seeds: Sequence[Seeding]) -> ProcessStart:
    place = start.event.location
    inside = [
        each
        for each in seeds
        if each.position < start.training and _frame_of(each.event.context.frames, place) is not None
    ]
    again = [each for each in seeds if each.sets_torch and each not in inside and _runs_again(view, each)]
    begun = [each.position for each in inside] or [start.training]
    before = [each for each in seeds if each.sets_torch and each.position < min(begun) and each not in inside]
    child = start.frame.function.rpartition(".")[2]
    conditions = start.event.context.conditions
    where = f", where {conditions[-1].text}" if conditions else ""
    begins = Step(place, f"the processes of {child}() begin here{where}")
    steps = [begins, *(_step(each) for each in before[-1:])]
    if start.frame.value is not None:
        steps.append(Step(start.frame.value.module.location(start.frame.value.node), "a seed belongs in here"))
    set_inside = [each for each in inside if each.sets_torch] or again
    return ProcessStart(
        location=place,
        anchor=f"{view.scene.run.entry}:{child}",
        child=child,
        method=start.method,
        seeded_before=Known(
            bool(before), tuple(steps), confidence=Confidence.MEDIUM if conditions else Confidence.HIGH
        ),
        seeded_inside=Known(bool(set_inside), tuple(_step(each) for each in set_inside[:1])),
        instead=set_besides_torch(inside),
    )


def _step(seeding: Seeding) -> Step:
    return Step(seeding.event.location, f"{seeding.name}() sets the generators here")


def _runs_again(view: View, seeding: Seeding) -> bool:
    """Whether a fresh interpreter comes by a seed too: it imports the script and its modules, without main's part.

    A notebook is no file that it could import: the main module of a kernel has none.
    """
    frames = seeding.event.context.frames
    place = frames[0].call if frames else seeding.event.location
    node = view.code.node_at(place)
    if node is None or place.path.endswith(".ipynb"):
        return False
    for parent in view.code.parents(place.path, node):
        if isinstance(parent, Function):
            return False
        if isinstance(parent, ast.If) and _names(parent.test, "__name__"):
            return False
    return True


def _names(test: ast.expr, name: str) -> bool:
    return any(isinstance(node, ast.Name) and node.id == name for node in ast.walk(test))
