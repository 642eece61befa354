"""Mean differences per group of utterances: per speaker, per condition. For reading, never for the verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cmgan_audit.statistics.paired import Array, critical_t, interval, share_worse, summarise

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


def group_differences(
    grouping: str,
    groups: Mapping[str, str],
    utterances: Sequence[str],
    differences: Array,
    *,
    higher_is_better: bool = True,
) -> list[GroupDifference]:
    """Mean differences per group, in the order of the groups' names; utterances without a group are left out."""
    members: dict[str, list[int]] = {}
    for index, utterance in enumerate(utterances):
        if utterance in groups:
            members.setdefault(groups[utterance], []).append(index)
    found = []
    for group in sorted(members):
        values = differences[np.array(members[group])]
        summary = summarise(values)
        bounds = None
        if summary.df is not None:
            bounds = interval(summary, critical_t(summary.df, ALPHA))
        found.append(
            GroupDifference(
                grouping=grouping,
                group=group,
                n=summary.n,
                mean_difference=summary.mean,
                ci_low=None if bounds is None else bounds[0],
                ci_high=None if bounds is None else bounds[1],
                share_worse=share_worse(values, higher_is_better),
            )
        )
    return found
