"""Evaluations without a loader: the set that a network is run on, by the files that its inputs are read from."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cached_property

from cmgan_audit.facts.code import Stack, stack_of
from cmgan_audit.facts.passes.modes import gradients_off
from cmgan_audit.facts.scene import Use
from cmgan_audit.facts.selection.splits import Split, is_of_settings, reads_set
from cmgan_audit.facts.selection.words import TRAIN, kind_of_path
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
        calls = {(self._slicer.location(call), call.stack) for call in behind.calls}
        runs = [
            use
            for use in self._view.scene.of("run")
            if (use.event.location, stack_of(use.event.context)) in calls and self._is_evaluated(use)
        ]
        split = self._set_of(runs)
        if split is not None and split.kind != TRAIN:
            yield split, runs[0].event.location

    def _is_evaluated(self, run: Use) -> bool:
        """Whether nothing is trained where a network runs: gradients are off, or no step is in the loop around it."""
        context = run.event.context
        if gradients_off(self._view.scene, run.position, context.managers):
            return True
        learning = (use.event.context for use in self._view.scene.of("backward", "step"))
        loop = context.loops[-1] if context.loops else None
        return loop is not None and not any(loop in other.loops for other in learning)

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
