"""Calls of a run that set the state of random number generators, with the seed that each of them passes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from cmgan_audit.facts.values import is_none
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.domain.values import Instance, Value, options_of
from cmgan_audit.program.execution.trace import CallEvent, Run
from cmgan_audit.program.library.seeding import (
    Generator,
    differs,
    isolated_by,
    kept_state,
    restores_state,
    seed_given,
    set_by,
)
from cmgan_audit.program.naming.names import canonical


@dataclass(frozen=True, slots=True, eq=False)
class Seeding:
    """One call that sets generators.

    Attributes:
        event, position: the call, and where it stands among the events of its run.
        generators: those that it sets.
        name: the function that is called.
        seed: what it is given; None where it takes a default of its own.
    """

    event: CallEvent
    position: int
    generators: tuple[Generator, ...]
    name: str
    seed: Value | None

    @property
    def sets_torch(self) -> bool:
        """Whether torch's generator is set, which gives the first weights, the order of items and dropout."""
        return Generator.TORCH in self.generators

    @property
    def drawn(self) -> bool:
        """Whether the seed itself is random or the time of day."""
        return self.seed is not None and differs(self.seed)

    @property
    def restores(self) -> bool:
        """Whether it is no seed, but a state that was kept."""
        return restores_state(self.event)


@dataclass(frozen=True, slots=True, eq=False)
class _PutBack:
    """Generators that come back, at a position of a run, to the state that they had at an earlier one.

    `under` are the tests that this stands under.
    """

    generators: tuple[Generator, ...]
    kept: int
    position: int
    under: frozenset[str] = frozenset()


def seedings(run: Run, at: int | None = None) -> list[Seeding]:
    """The calls of a run that set generators, in order; those that pass no seed at all set nothing.

    Args:
        run: the run.
        at: a position among its events. Generators that have been put back by then count no more as set: by the end of
            `torch.random.fork_rng()`, by `torch.set_rng_state(state)` with the state of before.
    """
    found: list[Seeding] = []
    put_back: list[_PutBack] = []
    for position, event in enumerate(run.events):
        if not isinstance(event, CallEvent):
            continue
        generators = set_by(event)
        if not generators:
            continue
        state = kept_state(event)
        if state is not None:
            put_back.append(_PutBack(generators, _position_of(state, run), position, event.context.tests))
            continue
        name = canonical(event.callee)
        seed = seed_given(name, event.arguments)
        if seed is None or not all(is_none(option.value) for option in options_of(seed)):
            found.append(Seeding(event, position, generators, name, seed))
            put_back += () if at is None else _isolated(run, position)
    if at is None:
        return found
    return _lasting(found, [each for each in put_back if each.position <= at], run.events[at].context.tests)


def _position_of(state: Instance, run: Run) -> int:
    """Where a run has asked for a state."""
    asked = (at for at, event in enumerate(run.events) if isinstance(event, CallEvent) and event.result == state)
    return next(asked, 0)


def _isolated(run: Run, position: int) -> Iterator[_PutBack]:
    """The ends of the managers around an event that put generators back."""
    managers = run.events[position].context.managers
    for depth, manager in enumerate(managers, 1):
        generators = isolated_by(manager)
        if generators:
            later = range(position, len(run.events))
            end = next((at for at in later if run.events[at].context.managers[:depth] != managers[:depth]), None)
            if end is not None:
                yield _PutBack(generators, position - 1, end)


def _lasting(found: Sequence[Seeding], put_back: Sequence[_PutBack], here: frozenset[str]) -> list[Seeding]:
    """The seedings with the generators that are not put back, where some tests have been taken."""
    lasting = []
    for seeding in found:
        lost = {
            generator
            for each in put_back
            if each.kept < seeding.position < each.position and each.under <= here | seeding.event.context.tests
            for generator in each.generators
        }
        left = tuple(each for each in seeding.generators if each not in lost)
        if left:
            lasting.append(replace(seeding, generators=left) if lost else seeding)
    return lasting


def set_besides_torch(calls: Iterable[Seeding]) -> str:
    """The generators that calls set besides torch's own, as people call them; "" where they set none."""
    names = (each.value for call in calls for each in call.generators if each is not Generator.TORCH)
    return ", ".join(dict.fromkeys(names))
