"""From intervals to a verdict in one word. Pure Python."""

from __future__ import annotations

import enum

# Below this number of pairs no statement is made in either direction.
MIN_PAIRS = 10


class Verdict(enum.StrEnum):
    """What a comparison says about the candidate."""

    REGRESSED = "regressed"
    IMPROVED = "improved"
    EQUIVALENT = "equivalent"
    UNDECIDED = "undecided"


def judge(
    n: int,
    difference: tuple[float, float] | None,
    equivalence: tuple[float, float] | None,
    floor: float,
    *,
    higher_is_better: bool = True,
) -> Verdict:
    """The verdict on a mean paired difference, candidate minus baseline.

    Args:
        n: pairs; below 10 the verdict is always `undecided`.
        difference: the adjusted 95 % interval, None if there is none.
        equivalence: the adjusted 90 % interval, None where equivalence must not be claimed (an early look).
        floor: half-width of the band of differences that do not matter, in units of the metric.
        higher_is_better: direction of the metric.

    Returns:
        `equivalent` if the 90 % interval lies within plus and minus floor (two one-sided tests at 5 %, Schuirmann
        1987), also when it excludes 0; else `regressed` or `improved` if the 95 % interval excludes 0; else
        `undecided`.
    """
    if n < MIN_PAIRS or difference is None:
        return Verdict.UNDECIDED
    if equivalence is not None and -floor <= equivalence[0] and equivalence[1] <= floor:
        return Verdict.EQUIVALENT
    low, high = difference
    if low > 0:
        return Verdict.IMPROVED if higher_is_better else Verdict.REGRESSED
    if high < 0:
        return Verdict.REGRESSED if higher_is_better else Verdict.IMPROVED
    return Verdict.UNDECIDED
