"""Calls of a run that set the state of random number generators, with the seed that each of them passes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cmgan_audit.facts.values import is_none
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.domain.values import Value, options_of
from cmgan_audit.program.execution.trace import CallEvent, Run
from cmgan_audit.program.library.seeding import Generator, differs, seed_given, set_by
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


def seedings(run: Run) -> Iterator[Seeding]:
    """The calls of a run that set generators, in order; those that pass no seed at all set nothing."""
    for position, event in enumerate(run.events):
        if not isinstance(event, CallEvent):
            continue
        generators = set_by(event)
        if generators:
            name = canonical(event.callee)
            seed = seed_given(name, event.arguments)
            if seed is None or not all(is_none(option.value) for option in options_of(seed)):
                yield Seeding(event, position, generators, name, seed)


def set_besides_torch(calls: Iterable[Seeding]) -> str:
    """The generators that calls set besides torch's own, as people call them; "" where they set none."""
    names = (each.value for call in calls for each in call.generators if each is not Generator.TORCH)
    return ", ".join(dict.fromkeys(names))
