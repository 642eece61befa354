"""Strata of a test set: small ones merged, and an order of utterances whose every prefix is stratified.

The VoiceBank+DEMAND test set is ordered: within a speaker, position mod 4 is the SNR and position mod 20 the SNR and
noise type, so a subset taken by position is another test set (docs/statistics.md). Pure Python.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence

# Every stratum's variance is divided by n_h - 1, so small strata are not biased; but strata of two or three rows leave
# hardly any degrees of freedom (wide intervals), and a single row has no variance at all.
MIN_ROWS = 4


def merge_small(labels: Sequence[str], min_rows: int = MIN_ROWS) -> list[int]:
    """Number the strata of these rows, after merging those with fewer than `min_rows` rows.

    Returns:
        one number per row, counted from 0 without gaps; every number occurs at least `min_rows` times (unless there
        are fewer rows in all).
    """
    number = merge_sizes(Counter(labels), min_rows)
    return [number[label] for label in labels]


def merge_sizes(sizes: Mapping[str, int], min_rows: int = MIN_ROWS) -> dict[str, int]:
    """Number the strata of these sizes, after merging those with fewer than `min_rows` rows; empty ones get none.

    Small strata are joined with each other in the order of their labels until they are large enough; what is left at
    the end joins the last joined one or, if there is none, the smallest large stratum. Merging can only make an
    interval wider, never too narrow.
    """
    groups = [[label] for label in sorted(sizes) if sizes[label] >= max(min_rows, 1)]
    joined: list[list[str]] = []
    pending: list[str] = []
    for label in sorted(label for label in sizes if 0 < sizes[label] < min_rows):
        pending.append(label)
        if sum(sizes[one] for one in pending) >= min_rows:
            joined.append(pending)
            pending = []
    if pending:
        if joined:
            joined[-1].extend(pending)
        elif groups:
            min(groups, key=lambda group: sizes[group[0]]).extend(pending)
        else:
            joined.append(pending)
    return {label: index for index, group in enumerate(groups + joined) for label in group}


def nested_order(utterances: Sequence[str], strata: Mapping[str, str] | None = None) -> list[str]:
    """Order utterances so that every prefix holds each stratum in proportion, to within one utterance.

    Within a stratum the order is that of a hash of the name: it has nothing to do with the position in the set, and
    it is the same on every machine. An utterance that `strata` does not name forms a stratum with its like.
    """

    def digest(name: str) -> str:
        return hashlib.sha256(name.encode()).hexdigest()

    members: dict[str, list[str]] = {}
    for name in sorted(utterances, key=digest):
        members.setdefault("" if strata is None else strata.get(name, ""), []).append(name)
    # The i-th of n members stands at (i + 1/2) / n of the way through the whole order.
    placed = [
        ((index + 0.5) / len(names), digest(name), name)
        for names in members.values()
        for index, name in enumerate(names)
    ]
    return [name for _, _, name in sorted(placed)]
