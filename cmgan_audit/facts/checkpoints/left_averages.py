"""Averages of weights that a checkpoint holds and no resume brings back: they begin with the first, untrained weights.

Only what the program itself shows is told: a training saves the state of an average under a key, and nothing that the
run reaches reads that key. An average that is made, or told to begin anew, once the checkpoint is loaded begins with
the weights of the network that it follows.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from functools import cached_property

from cmgan_audit.facts.checkpoints.first_updates import copies_first
from cmgan_audit.facts.checkpoints.restoring import Batch, bare, member_of
from cmgan_audit.facts.classes import is_network
from cmgan_audit.facts.code import stack_of
from cmgan_audit.facts.slices import Found
from cmgan_audit.facts.values import class_name, instances_of, is_among, same_object, share_one
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Step
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.values import ClassValue, Instance
from cmgan_audit.program.execution.trace import CallEvent, Event, StoreEvent
from cmgan_audit.program.naming.names import canonical
from cmgan_audit.source.syntax import walk

_AVERAGE = regex(r"(?<![a-z])(?:\w*_)?ema(?![a-z])|Ema(?![a-z])|EMA|averag|moving|shadow|swa(?![a-z])|SWA")


@dataclass(frozen=True, slots=True, eq=False)
class _Saved:
    """The state of an average that a checkpoint holds: its key, the average, and the call that asks for its state."""

    key: str
    average: Instance
    asked: CallEvent


class Averages:
    """The averages of weights of one run, and what its checkpoints hold of them."""

    def __init__(self, view: View, start: int) -> None:
        self._view = view
        self._start = start

    def left_out(self, batch: Batch, events: Sequence[Event]) -> list[tuple[str, tuple[Step, ...]]]:
        """The averages that a checkpoint leaves as they were made, by class, with where that shows.

        Args:
            batch: the checkpoint.
            events: what happens where it is loaded.
        """
        if not batch.loads or not batch.trains_on:
            return []
        found: list[tuple[str, tuple[Step, ...]]] = []
        for saved in self._saved:
            made = self._made(saved.average)
            back = any(same_object(bare(each.target), saved.average) for each in batch.restored if each.target)
            if made is not None and not back and self._is_left(saved.average, made, batch, events):
                name = class_name(saved.average)
                steps = (
                    Step(made.location, f"the average {name} is made here and begins anew"),
                    Step(saved.asked.location, f'its state is saved as "{saved.key}", which nothing reads'),
                )
                found.append((name, steps))
        return found

    def _made(self, average: Instance) -> CallEvent | None:
        """The one call that makes an average, which may copy the network that it follows."""
        made = [event for event in self._view.scene.calls if is_among(average, instances_of(event.result))]
        return made[0] if made else None

    def _is_left(self, average: Instance, made: CallEvent, batch: Batch, events: Sequence[Event]) -> bool:
        """Whether an average is made before the checkpoint is loaded, and nothing is asked of it from then on."""
        run = self._view.scene.run
        loaded = next((at for at, event in enumerate(run.events) if event is batch.loads[0]), None)
        if loaded is None:  # in a branch that a setting keeps off
            tried = (each for each in run.supposed if any(event is batch.loads[0] for event in each.events))
            loaded = next((each.position for each in tried), self._start)
        before = made in run.events[:loaded]
        behind = [*events, *run.events[loaded : self._start]]
        loads = batch.targets
        held = [each for value in average.attrs.values() for each in instances_of(value) if is_network(each)]
        # Some averages know the network that they follow, which the checkpoint brings back.
        own = [average, *(each for each in held if not any(same_object(bare(each), load) for load in loads))]
        return before and not any(_is_asked(event, own) for event in behind) and not self._copies_first(average)

    def _copies_first(self, average: Instance) -> bool:
        """Whether an update takes the weights over as they are while a flag or a counter of its object says that it is
        the first one: then the average begins with what the checkpoint brought."""
        objects = {id(each.attrs): each for event in self._view.scene.calls for each in instances_of(event.receiver)}
        for each in objects.values():
            holds = same_object(each, average) or any(
                same_object(part, average) for value in each.attrs.values() for part in instances_of(value)
            )
            if holds and isinstance(each.cls, ClassValue) and copies_first(each.cls.node):
                return True
        return False

    @cached_property
    def _saved(self) -> list[_Saved]:
        """The averages whose state the run saves under a key that it never reads."""
        found: list[_Saved] = []
        for event in self._view.scene.calls:
            call = self._view.code.call_at(event.location) if canonical(event.callee) == "torch.save" else None
            if call is None or not call.args:
                continue
            here = Found(call.args[0], event.location.path, stack_of(event.context))
            for key, asked in _entries(self._view, here):
                for average in self._averages_asked(key, asked):
                    known = any(same_object(each.average, average.average) for each in found)
                    if not known and not self._is_read(key):
                        found.append(average)
        return found

    def _averages_asked(self, key: str, asked: Found) -> Iterator[_Saved]:
        """The one average whose state an entry of a checkpoint is."""
        event = self._view.slicer.event(asked)
        owners = instances_of(event.receiver) if event is not None else []
        if event is not None and len(owners) == 1:
            average = bare(owners[0])
            words = (key, class_name(average), self._view.assigned.at(average.location))
            if any(_AVERAGE.search(word) for word in words) and (is_network(average) or average.cls is not None):
                yield _Saved(key, average, event)

    def _is_read(self, key: str) -> bool:
        """Whether the code of the run has a key for more than to save under it."""
        for path in dict.fromkeys(reached.module.path for reached in self._view.code.reached):
            module = self._view.code.module(path)
            tree = module.tree if module is not None else None
            for node in walk(tree):
                if isinstance(node, ast.Constant) and node.value == key and not self._only_saves(path, node):
                    return True
        return False

    def _only_saves(self, path: str, node: ast.Constant) -> bool:
        """Whether a key stands where a state is put under it."""
        match next(self._view.code.parents(path, node), None):
            case ast.Dict(keys=keys, values=values):
                return any(key is node and _asks_state(value) for key, value in zip(keys, values, strict=True))
            case ast.Subscript(ctx=ast.Store()):
                return True
        return False


def _is_asked(event: Event, own: Sequence[Instance]) -> bool:
    """Whether something is done to an average, or to the network that holds its weights, or it is handed on.

    `ema.module.load_state_dict(model.state_dict())`, `ema.module = copy.deepcopy(model)`.
    """
    if isinstance(event, StoreEvent):
        changed = share_one(instances_of(event.target), own[:1])
        return changed and bool(instances_of(event.value))
    if not isinstance(event, CallEvent) or member_of(event) in ("to", "cuda", "eval", "train", "requires_grad_"):
        return False
    given = (event.receiver, *event.arguments.every)
    asked = [each for value in given if value is not None for each in instances_of(value)]
    return share_one(asked, own)


def _entries(view: View, here: Found, depth: int = 2) -> Iterator[tuple[str, Found]]:
    """The states that a dictionary holds, each under its key, and the call that asks for it."""
    match here.node:
        case ast.Dict(keys=keys, values=values):
            for key, value in zip(keys, values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(key.value, str) and _asks_state(value):
                    yield key.value, here.beside(value)
        case ast.Name() | ast.Call() | ast.Attribute() if depth:
            for source, _ in view.slicer.sources(here):
                match next(view.code.parents(source.path, source.node), None):
                    case ast.Assign(targets=[ast.Subscript(slice=ast.Constant(value=str() as name))]):
                        if _asks_state(source.node):
                            yield name, source
                    case _:
                        yield from _entries(view, source, depth - 1)


def _asks_state(node: ast.AST) -> bool:
    """Whether an expression is the state of an object: `ema.state_dict()`."""
    match node:
        case ast.Call(func=ast.Attribute(attr="state_dict"), args=[]):
            return True
    return False
