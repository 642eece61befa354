"""Evaluations without a loader: the set that a network is run on, by the files that its inputs are read from."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

from cmgan_audit.facts.checkpoints.splits import TRAIN, Split, is_of_settings, kind_of_path, reads_set
from cmgan_audit.facts.code import Stack, stack_of
from cmgan_audit.facts.scene import Use
from cmgan_audit.facts.slices import Found, Slice, Slicer
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Confidence, Location, Step
from cmgan_audit.program.domain.values import Const
from cmgan_audit.program.execution.trace import CallEvent
from cmgan_audit.program.models.files import path_of


class ReadSets:
    """The sets of one run that are read without a loader."""

    def __init__(self, view: View, slicer: Slicer) -> None:
        self._view = view
        self._slicer = slicer

    @cached_property
    def used_below(self) -> dict[Stack, list[Use]]:
        """What happens to networks and losses below every stack of calls."""
        found: dict[Stack, list[Use]] = defaultdict(list)
        for use in self._view.scene.uses:
            stack = stack_of(use.event.context)
            for depth in range(1, len(stack) + 1):
                found[stack[:depth]].append(use)
        return found

    def measured(self, behind: Slice) -> Iterator[tuple[Split, Location]]:
        """The sets that the networks behind a number are run on, each with the place where it is measured."""
        for place, uses in self._evaluations(behind):
            split = self._set_of(use for use in uses if use.kind == "run")
            if split is not None and split.kind != TRAIN:
                yield split, place

    def _evaluations(self, behind: Slice) -> Iterator[tuple[Location, Sequence[Use]]]:
        """The loops and calls behind a number in which networks run and nothing is trained."""
        found: list[tuple[Location, Sequence[Use]]] = []
        for loop in behind.loops:
            place = self._slicer.location(loop)
            found.append((place, [use for use in self._view.scene.uses if _is_in(use, place, loop.stack)]))
        for call in behind.calls:
            place = self._slicer.location(call)
            found.append((place, self.used_below.get((*call.stack, place), ())))
        for place, uses in found:
            kinds = {use.kind for use in uses}
            if "run" in kinds and not kinds & {"backward", "step"}:
                yield place, uses

    def _set_of(self, runs: Iterable[Use]) -> Split | None:
        """The one set that all inputs of some runs of networks are read from; None where there are several, or none."""
        found: dict[str, Split] = {}
        for run in runs:
            call, stack = self._view.code.call_at(run.event.location), stack_of(run.event.context)
            for argument in call.args if call is not None else ():
                for split in self._read(argument, run.event.location.path, stack):
                    found.setdefault(split.kind, split)
        return next(iter(found.values())) if len(found) == 1 else None

    def _read(self, argument: ast.expr, path: str, stack: Stack) -> Iterator[Split]:
        for found in self._slicer.behind(argument, path, stack).calls:
            yield from self._read_by(found)

    @cached_property
    def _reading(self) -> dict[tuple[Location, Stack], list[CallEvent]]:
        """The calls that read, list or put together paths; a loop over a list makes one for each item."""
        found: dict[tuple[Location, Stack], list[CallEvent]] = defaultdict(list)
        for event in self._view.scene.calls:
            if reads_set(event.callee):
                found[event.location, stack_of(event.context)].append(event)
        return found

    def _read_by(self, found: Found) -> Iterator[Split]:
        """The sets whose paths a call reads, lists or puts together."""
        events = self._reading.get((self._slicer.location(found), found.stack), ())
        for event, given in [(each, given) for each in events for given in each.arguments.positional]:
            path = path_of(given)
            if isinstance(path, Const) and isinstance(path.value, str) and not is_of_settings(path.value):
                kind = kind_of_path(path.value)
                if kind:
                    trail = (*path.trail, Step(event.location, f"what the network is given is read from {path.value}"))
                    yield Split(kind, f"it is read from {path.value!r}", trail, Confidence.MEDIUM)


def _is_in(use: Use, place: Location, stack: Stack) -> bool:
    """Whether something happens in a loop of one activation of a function."""
    context = use.event.context
    return stack_of(context)[: len(stack)] == stack and any(loop.location == place for loop in context.loops)
