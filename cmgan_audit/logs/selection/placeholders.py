"""What stands in a series where nothing was evaluated: 0.0 or NaN in all epochs but every fifth, say."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from cmgan_audit.logs.series import Series

# So many scores in the same distance show that the values between them were never meant as scores.
_FEWEST = 3


def scores_come_in_rhythm(failed: Sequence[bool]) -> bool:
    """Whether scores stand in equal distances and all between them is no score: the evaluation runs every n epochs.

    Args:
        failed: for every value in order, whether it can be no score.
    """
    scores = [place for place, bad in enumerate(failed) if not bad]
    if len(scores) < _FEWEST:
        return False
    distances = {b - a for a, b in itertools.pairwise(scores)}
    step = min(distances)
    return len(distances) == 1 and step > 1 and scores[0] <= step and len(failed) - scores[-1] <= step


def is_zero_throughout(series: Series) -> bool:
    """Whether a score is printed as 0 at every one of several evaluations: what was never computed."""
    return len(series) > 1 and not any(series.ys)


def ends_in_failures(failed: Sequence[bool]) -> bool:
    """Whether the last values are no scores, and not merely those before the next evaluation is due."""
    return bool(failed) and failed[-1] and not scores_come_in_rhythm(failed)
