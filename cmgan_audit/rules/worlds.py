"""The ways in which facts can hold together: one choice for each set of possibilities, consistent choices only.

A `OneOf` says that one of several values holds. An expression over several of them is judged once in every *world*: a
choice of one option each. Two choices contradict each other when a configuration that one of them names (for example
"train.sh: --batch_size 1") has another option in the other fact. Worlds are found by running the judgement: whenever
it asks for a fact that has not been chosen yet, the run goes on with the first option and the rest is kept for later.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Generic, TypeVar

from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.rules.record import Known, OneOf

# Facts with many options multiply; beyond this many worlds the judgement is given up as unknown, never cut short.
MAX_WORLDS = 256

_T = TypeVar("_T")


class ContradictionError(Exception):
    """The choices made so far leave no option of a fact: this world does not exist."""


class World:
    """One way in which the facts can hold together; choices are made on demand and remembered."""

    def __init__(self, script: tuple[int, ...] = (), given: World | None = None) -> None:
        self._script = script
        self._chosen: dict[int, tuple[OneOf, Known]] = {} if given is None else dict(given._chosen)
        self.path: list[int] = []  # which of the possible options was taken, choice by choice
        self.width: list[int] = []  # how many options were possible there

    def pick(self, fact: OneOf) -> Known:
        """Return the option of `fact` that holds in this world; the same one whenever it is asked again.

        Raises:
            ContradictionError: no option goes together with the choices made before.
        """
        if id(fact) in self._chosen:
            return self._chosen[id(fact)][1]
        possible = [option for option in fact.options if self._agrees(fact, option)]
        if not possible:
            raise ContradictionError
        depth = len(self.path)
        index = self._script[depth] if depth < len(self._script) else 0
        self.path.append(index)
        self.width.append(len(possible))
        self._chosen[id(fact)] = (fact, possible[index])
        return possible[index]

    def hold(self, value: Known) -> Known:
        """Note that this world needs the configuration of a value that holds only under one.

        Raises:
            ContradictionError: a choice made before excludes that configuration.
        """
        alone = OneOf((value,))
        if id(value) not in self._chosen:
            if not self._agrees(alone, value):
                raise ContradictionError
            self._chosen[id(value)] = (alone, value)
        return value

    @property
    def conditions(self) -> tuple[str, ...]:
        """The configurations that this world needs, in the order in which they were met, each once."""
        return tuple(dict.fromkeys(option.condition for _, option in self._chosen.values() if option.condition))

    @property
    def documented(self) -> bool:
        """Whether every open choice of this world has a configuration that selects it."""
        return all(option.condition for fact, option in self._chosen.values() if len(fact.options) > 1)

    def _agrees(self, fact: OneOf, option: Known) -> bool:
        return all(
            (not _excludes(option, other) and not _excludes(choice, fact)) or option.condition == choice.condition
            for other, choice in self._chosen.values()
        )


def _excludes(option: Known, fact: OneOf) -> bool:
    """Whether the configuration of `option` decides `fact`, so that only options under it remain there."""
    return bool(option.condition) and any(other.condition == option.condition for other in fact.options)


@dataclass(frozen=True, slots=True)
class Outcome(Generic[_T]):
    """What a judgement came to in one world."""

    world: World
    result: _T


def explore(judge: Callable[[World], _T], given: World | None = None) -> list[Outcome[_T]] | None:
    """Judge in every world that exists, in the order of the options; None when there are more than `MAX_WORLDS`.

    Args:
        judge: called once per world; asks the world for the facts that it needs.
        given: a world whose choices are already made.
    """
    found: list[Outcome[_T]] = []
    pending: list[tuple[int, ...]] = [()]
    seen = 0
    while pending:
        script = pending.pop()
        seen += 1
        if seen > MAX_WORLDS:
            return None
        world = World(script, given)
        with suppress(ContradictionError):  # a world that cannot be; its siblings still can
            found.append(Outcome(world, judge(world)))
        for depth in range(len(script), len(world.path)):
            pending += [(*world.path[:depth], other) for other in range(1, world.width[depth])]
    return sorted(found, key=lambda outcome: outcome.world.path)
