"""What steps in a training that resumes, where it is not what steps in one that begins anew."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence

from cmgan_audit.facts.checkpoints.guards import Guard, Guards
from cmgan_audit.facts.checkpoints.restoring import Batch, made_by
from cmgan_audit.facts.code import Stack
from cmgan_audit.facts.exclusive import exclusive
from cmgan_audit.facts.optimisers import is_scheduler, kind_of
from cmgan_audit.facts.values import instances_of, is_among
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Location
from cmgan_audit.program.domain.values import Instance
from cmgan_audit.program.execution.trace import CallEvent, Event
from cmgan_audit.source.syntax import NamedFunction

# A test with its file, its function, the calls that lead to it, and the side that is taken: two that differ in the side
# alone are never taken in one start.
_Side = tuple[str, ast.AST | None, Stack, str, bool]


class OtherWays:
    """Tells objects that a resume leaves behind from those that it makes in their place, and from a later training's.

    Args:
        view: the run.
        start: where the training starts: its checkpoint knows nothing of what is made behind that.
    """

    def __init__(self, view: View, start: int) -> None:
        self._view = view
        self._begun = frozenset(view.scene.run.events[start:])
        self._guards = Guards(view.code)
        self._made: dict[int, list[CallEvent]] = {}
        self._way: dict[Event, list[_Side]] = {}

    def stepping(
        self, used: Iterable[tuple[Instance, CallEvent]], batch: Batch, events: Sequence[Event]
    ) -> Iterator[tuple[Instance, CallEvent]]:
        """What steps in a run that loads a checkpoint, each with the first step of it.

        `if resume: trainer = load(path)`, `else: trainer = new()`: what `new` makes does not step in a run that loads,
        but what `load` makes in its place.

        Args:
            used: what steps in the run that was followed.
            batch: the checkpoint.
            events: what happens where it is loaded.
        """
        seen: list[Instance] = []
        made: dict[str, list[Instance]] | None = None
        for each, step in used:
            if self._is_followed(each, batch) or self._is_made_later(each):
                continue
            meant = [each]
            if self._is_made_otherwise(each, batch):
                made = _made_in(events) if made is None else made
                meant = made.get(kind_of(each), [])
            for target in meant:
                if not is_among(target, seen) and not self._is_made_otherwise(target, batch):
                    seen.append(target)
                    yield target, step

    def _is_followed(self, target: Instance, batch: Batch) -> bool:
        """Whether what is restored takes the name of an object: `if resume: optimizer = Adam(...)`, and its state."""
        name, function = self._view.assigned.at(target.location), self._function(target.location)
        return bool(name) and any(
            other.location.line > target.location.line
            and is_scheduler(other) == is_scheduler(target)
            and self._view.assigned.at(other.location) == name
            and self._function(other.location) is function
            for other in (each.target for each in batch.restored)
            if other is not None and other.location.path == target.location.path
        )

    def _is_made_later(self, target: Instance) -> bool:
        """Whether an object is made once the training has begun: one training may follow another in one program."""
        made = self._making(target)
        return bool(made) and self._begun.issuperset(made)

    def _is_made_otherwise(self, target: Instance, batch: Batch) -> bool:
        """Whether an object is made only where a test went the other way than it does on the way to the checkpoint."""
        made = self._making(target)
        return bool(made) and all(self._parts(event, batch) for event in made)

    def _making(self, target: Instance) -> list[CallEvent]:
        """The calls that made an object: every checkpoint asks for those of everything that steps."""
        if id(target.attrs) not in self._made:
            self._made[id(target.attrs)] = made_by(self._view.scene, target)
        return self._made[id(target.attrs)]

    def _parts(self, made: CallEvent, batch: Batch) -> bool:
        """Whether no start of the program comes to a call and to a checkpoint.

        Inside of a loop both sides of a test may be taken, one after the other. The classes of trainings that an open
        setting chooses between make their own: `made = TRAINERS[args.kind]`, then `made(args.resume).run()`.
        """
        there = batch.events
        if any(exclusive(made.context, event.context) for event in there):
            return True
        sides = {self._side(guard) for guard in self._guards.directly(made)}
        return bool(sides) and any(
            (*test, not side) in sides
            for event in there
            if not set(made.context.loops) & set(event.context.loops)
            for *test, side in self._way_to(event)
        )

    def _way_to(self, event: Event) -> list[_Side]:
        """The sides that are taken on the way to an event: each object that steps is compared with every load."""
        if event not in self._way:
            self._way[event] = [self._side(guard) for guard in self._guards.of(event)]
        return self._way[event]

    def _side(self, guard: Guard) -> _Side:
        node, side = guard.node, guard.taken
        while isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            node, side = node.operand, not side
        parents = self._view.code.parents(guard.path, guard.node)
        function = next((each for each in parents if isinstance(each, NamedFunction)), None)
        return guard.path, function, guard.stack, ast.dump(node), side

    def _function(self, place: Location) -> ast.AST | None:
        node = self._view.code.call_at(place)
        around = None if node is None else self._view.code.around(place.path, node)
        return None if around is None else around.node


def _made_in(events: Iterable[Event]) -> dict[str, list[Instance]]:
    """The objects that are made in some events, in order, by their kind: optimisers, schedulers and scalers."""
    found: dict[str, list[Instance]] = {}
    for result in (event.result for event in events if isinstance(event, CallEvent)):
        for each in instances_of(result):
            found.setdefault(kind_of(each), []).append(each)
    return found
