"""How a program comes to the file that it loads: it lists a folder, asks whether the file is there, or wrote it."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator
from functools import cached_property

from cmgan_audit.facts.checkpoints.guards import Guard, Guards, speaks_of
from cmgan_audit.facts.checkpoints.restoring import Batch
from cmgan_audit.facts.checkpoints.surroundings import entries_of
from cmgan_audit.facts.checkpoints.wording import A_START
from cmgan_audit.facts.code import stack_of
from cmgan_audit.facts.slices import Found
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Step, Trail
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.values import Const, Value
from cmgan_audit.program.execution.trace import CallEvent
from cmgan_audit.program.models.files import path_of
from cmgan_audit.program.naming.names import canonical
from cmgan_audit.source.statements import leaves
from cmgan_audit.source.syntax import called_name

_LISTS = regex(r"glob|listdir|scandir|iterdir|walk|(find|get|scan)?.*(last|latest|newest|scan).*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Sign:
    """Why a load is one of the run's own checkpoint: as a clause, and where that shows."""

    text: str
    trail: Trail


class OwnFiles:
    """Tells how the files that a run loads are come to."""

    def __init__(self, view: View, guards: Guards) -> None:
        self._view = view
        self._guards = guards
        self._slicer = view.slicer

    def found(self, batch: Batch) -> Sign | None:
        """A file that the program looks for by itself."""
        for event in batch.loads:
            call = self._view.code.call_at(event.location)
            if call is None or not call.args:
                continue
            behind = self._slicer.behind(call.args[0], event.location.path, stack_of(event.context))
            for found in behind.calls:
                if isinstance(found.node, ast.Call) and _LISTS.fullmatch(called_name(found.node)):
                    place = self._slicer.location(found)
                    if self._lists_pretrained(found) and not batch.trains_on:
                        return None  # a pretraining that goes on looks into a folder of that name as well
                    looks = Step(place, "the program looks for a checkpoint")
                    return Sign("it takes the file that it finds", (looks,))
        return None

    def _lists_pretrained(self, found: Found) -> bool:
        """Whether a listing goes over a folder of weights to start from, as its name tells."""
        event = self._slicer.event(found)
        folder = path_of(event.arguments.positional[0]) if event and event.arguments.positional else None
        return isinstance(folder, Const) and bool(A_START.search(str(folder.value)))

    def exists(self, batch: Batch) -> Sign | None:
        """A file that is taken if it is there."""
        for guard, call in self.looked_for(batch):
            if not guard.insists:
                return Sign("it is taken if it is there", (Step(call.location, "taken if the file is there"),))
        return None

    def looked_for(self, batch: Batch) -> Iterator[tuple[Guard, CallEvent]]:
        """The tests on the way to a load that ask whether a file is there."""
        for event in entries_of(batch):
            for guard in self._guards.of(event):
                for call in self._guards.files_there(guard):
                    yield guard, call

    def are_demanded(self, batch: Batch) -> bool:
        """Whether the program ends with an error where the files are not there."""
        guards = [guard for guard, _ in self.looked_for(batch)]
        return bool(guards) and all(guard.insists and self._asks_for(guard, batch) for guard in guards)

    def _asks_for(self, guard: Guard, batch: Batch) -> bool:
        """Whether a file that has to be there may be what is restored, and no data; a library may find its own file."""
        calls = [self._view.code.call_at(each.event.location) for each in batch.restored]
        return bool(batch.loads) or speaks_of(guard, [call for call in calls if call is not None])

    def are_missing(self, batch: Batch) -> bool:
        """Whether a file can't be loaded, because the training is only started where that file is not there.

        `if not isfile(path): fit(path)`, and `fit` goes on from `path` if it is there: for whoever calls it elsewhere.
        """
        return bool(batch.loads) and all(map(self._is_missing, batch.loads))

    def _is_missing(self, load: CallEvent) -> bool:
        asked = [call for guard in self._guards.of(load) for call in self._guards.files_missing(guard)]
        return any(_is_path(_asked_for(call), path) for call in asked for path in load.arguments.positional[:1])

    def may_fail(self, load: CallEvent) -> bool:
        """Whether the program goes on without what it loads: `try: load(path)`, `except: print("from scratch")`."""
        code, path = self._view.code, load.location.path
        node = code.node_of(load)
        around = list(code.parents(path, node)) if node is not None else []
        return any(
            isinstance(outer, ast.Try)
            and inner in outer.body
            and not all(leaves(handler.body) for handler in outer.handlers)
            for inner, outer in itertools.pairwise(around)
        )

    def saves_there(self, load: CallEvent) -> bool:
        """Whether the run saves to the path that is loaded."""
        paths = [path_of(value) for value in load.arguments.positional[:1]]
        return any(_is_path(saved, path) for saved in self._saved for path in paths)

    @cached_property
    def _saved(self) -> list[Value]:
        """The paths that the run saves to."""
        saves = (event for event in self._view.scene.calls if canonical(event.callee) == "torch.save")
        paths = (path_of(event.arguments.get("f", 1)) for event in saves)
        return [path for path in paths if path is not None]


def _asked_for(call: CallEvent) -> Value | None:
    """The path that is asked for: `isfile(path)`, `path.exists()`."""
    return call.arguments.positional[0] if call.arguments.positional else call.receiver


def _is_path(asked: Value | None, loaded: Value) -> bool:
    one, other = path_of(asked), path_of(loaded)
    return one is other or (isinstance(one, Const) and isinstance(other, Const) and one.value == other.value)
