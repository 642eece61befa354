"""What is known of tests on one way through the program: each test, by its formula, with its outcome.

A test of which nothing is known, `lab.is_ready()`, has a formula of its own each time it is asked, so that what one
side of it made is not there on the other one: a *fork*. How it came out tells nothing of another pass of a loop.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

Facts = frozenset[tuple[str, bool]]

# More are kept of no value: a flag that is set in one of thousands of branches would else carry all of them.
MOST_FACTS = 64
_FORK = "!"


def is_fork(formula: str) -> bool:
    """Whether a formula is that of a test of which nothing is known but its outcome."""
    return formula.startswith(_FORK)


def both(first: Facts, second: Facts) -> Facts:
    """The facts of two branches, one inside the other or one after the other; of too many, the first's forks go."""
    together = first | second
    if len(together) <= MOST_FACTS:
        return together
    return frozenset(fact for fact in first if not is_fork(fact[0])) | second


class Forks:
    """The forks that were met, and which of them still tell something: those of no pass that has ended."""

    def __init__(self) -> None:
        self._met = 0
        self._lasting: dict[str, None] = {}

    def new(self) -> str:
        """The formula of one more test of which nothing is known."""
        self._met += 1
        formula = f"{_FORK}{self._met}"
        self._lasting[formula] = None
        return formula

    @contextmanager
    def in_a_pass(self) -> Iterator[None]:
        """Execute one pass that stands for many: what one of them made may meet what another one made."""
        before = len(self._lasting)
        try:
            yield
        finally:
            while len(self._lasting) > before:
                self._lasting.popitem()

    def lasting(self, facts: Facts) -> Facts:
        """Facts without those of passes that have ended."""
        ended = [fact for fact in facts if is_fork(fact[0]) and fact[0] not in self._lasting]
        return facts.difference(ended) if ended else facts
