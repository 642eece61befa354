"""What a value has to do with the scores of a batch: nothing, one number of all of them, or a score per item."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

from cmgan_audit.finding import Location
from cmgan_audit.lazy_dataclasses import dataclass


class Grade(IntEnum):
    """How much of the scores a value holds; of two values that are combined, the richer one counts."""

    NONE = 0
    ONE_FOR_ALL = 1
    PER_ITEM = 2


@dataclass(frozen=True, slots=True)
class Scores:
    """What a value holds of the scores of a batch.

    Attributes:
        grade: how much.
        reduced: for one number of all scores the place where they were reduced to it.
        raw: where PESQ was computed, while nothing has been reckoned with it: it is still between 1.03 and 4.64.
    """

    grade: Grade = Grade.NONE
    reduced: Location | None = None
    raw: Location | None = None

    def reckoned(self) -> Scores:
        """The same where something was reckoned with it."""
        return self if self.raw is None else Scores(self.grade, self.reduced)


NO_SCORES = Scores()

# A value, or the items of a tuple that is known item by item.
Graded = Scores | tuple[Scores, ...]


def whole(graded: Graded) -> Scores:
    """The grade of a tuple as one value."""
    return combine(graded) if isinstance(graded, tuple) else graded


def combine(parts: Iterable[Graded]) -> Scores:
    """The grade of a value that is made of others; it is as the metric gave it only where all scores in it are."""
    scores = [single for part in parts if (single := whole(part)).grade is not Grade.NONE]
    if not scores:
        return NO_SCORES
    found = max(scores, key=lambda each: each.grade)
    return found if all(each.raw is not None for each in scores) else found.reckoned()


def either(left: Graded, right: Graded) -> Graded:
    """The grade of a value that is one of two; tuples of the same length stay tuples."""
    if isinstance(left, tuple) and isinstance(right, tuple) and len(left) == len(right):
        return tuple(combine(pair) for pair in zip(left, right, strict=True))
    if isinstance(left, tuple) and right == NO_SCORES:
        return left
    if isinstance(right, tuple) and left == NO_SCORES:
        return right
    return combine((left, right))
