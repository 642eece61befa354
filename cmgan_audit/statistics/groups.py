"""Mean differences per group of utterances: per speaker, per condition. For reading, never for the verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy import special

from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.statistics.paired import Array

ALPHA = 0.05


@dataclass(frozen=True, slots=True)
class GroupDifference:
    """The mean paired difference within one group.

    Attributes:
        grouping: what the groups are ("speaker", "stratum").
        group: which one.
        n: pairs.
        mean_difference: candidate minus baseline, in units of the metric.
        ci_low: lower end of the 95 % t interval, not corrected for the number of groups; None for one pair.
        ci_high: upper end.
        share_worse: share of the utterances on which the candidate is worse, 0 to 1.
    """

    grouping: str
    group: str
    n: int
    mean_difference: float
    ci_low: float | None
    ci_high: float | None
    share_worse: float


FEWEST_GROUPS = 5
"""Between fewer speakers nothing can be said of others: the interval would be of any width."""


def between_groups(groups: Sequence[GroupDifference]) -> tuple[float, float, float] | None:
    """The mean over groups of their mean differences, with its 95 % t interval; None for fewer than five groups.

    It takes the groups for a sample of others like them, each counting once; of new speakers, where groups are such.
    """
    if len(groups) < FEWEST_GROUPS:
        return None
    means = np.array([group.mean_difference for group in groups])
    mean, freedom = float(means.mean()), len(means) - 1
    reach = float(-special.stdtrit(freedom, ALPHA / 2) * means.std(ddof=1) / np.sqrt(len(means)))
    return mean, mean - reach, mean + reach


def group_differences(
    grouping: str,
    groups: Mapping[str, str],
    utterances: Sequence[str],
    differences: Array,
    *,
    higher_is_better: bool = True,
) -> list[GroupDifference]:
    """Mean differences per group, in the order of the groups' names; utterances without a group are left out."""
    rows = np.array([index for index, utterance in enumerate(utterances) if utterance in groups], dtype=np.intp)
    if len(rows) == 0:
        return []
    names, codes = np.unique([groups[utterances[row]] for row in rows], return_inverse=True)
    values = differences[rows]
    sizes = np.bincount(codes)
    means = np.bincount(codes, weights=values) / sizes
    worse = np.bincount(codes, weights=values < 0 if higher_is_better else values > 0) / sizes
    freedom = np.maximum(sizes - 1, 1)
    deviations = np.bincount(codes, weights=(values - means[codes]) ** 2)
    reach = -special.stdtrit(freedom, ALPHA / 2) * np.sqrt(deviations / freedom / sizes)
    return [
        GroupDifference(
            grouping=grouping,
            group=str(name),
            n=int(sizes[index]),
            mean_difference=float(means[index]),
            ci_low=float(means[index] - reach[index]) if sizes[index] > 1 else None,
            ci_high=float(means[index] + reach[index]) if sizes[index] > 1 else None,
            share_worse=float(worse[index]),
        )
        for index, name in enumerate(names)
    ]
