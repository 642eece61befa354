"""The sign-flip max-t reference: how large the largest of several paired statistics gets when nothing differs.

A candidate is compared with the best of the checkpoints before it, and which one is best is chosen on the same scores.
The reference for that choice is the maximum over all earlier checkpoints of the flipped statistic, with the same signs
for all of them, so that their correlation (they share the candidate) is kept (Westfall and Young 1993, chapter 2).
Residuals are centred within strata before flipping (and corrected for the size of the stratum); the interval is then
dual to the test.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cmgan_audit.statistics.multiple import (
    Array,
    flip_scale,
    flipped_sums,
    resampled_critical,
    resampled_p,
    sign_flips,
)
from cmgan_audit.statistics.paired import ROUNDING, PairedSummary, flip_residuals
from cmgan_audit.statistics.score_matrix import ScoreMatrix

# Two checkpoints whose residuals differ by less than this share of their size: the shortcut would lose digits.
_CANCELLATION = 1e-8


@dataclass(frozen=True, slots=True)
class Reference:
    """Absolute flipped sums in units of their SD, shape (resamples,): the maximum over all, and of one pair alone."""

    maximum: Array
    alone: Array

    def p_adjusted(self, summary: PairedSummary) -> float:
        """p-value of a pair's t against the maximum over all earlier checkpoints."""
        return resampled_p(self.maximum, _observed(summary))

    def p_alone(self, summary: PairedSummary) -> float:
        """p-value of a pair's t against its own flips."""
        return resampled_p(self.alone, _observed(summary))

    def critical(self, alpha: float) -> float:
        """Critical value of the maximum, on the scale of the flipped sums."""
        return resampled_critical(self.maximum, alpha)


def _observed(summary: PairedSummary) -> float:
    if summary.t is None or summary.df is None:
        raise ValueError("differences without spread have no t statistic")
    return abs(flip_scale(summary.t, summary.df))


class SignFlips:
    """Flipped statistics of all pairs of a score matrix, from one set of signs.

    The flipped sum of a difference is the difference of the systems' flipped sums, so one matrix product serves all
    pairs of systems that have every row; pairs with holes are flipped by themselves.
    """

    def __init__(self, matrix: ScoreMatrix, seed: int, resamples: int) -> None:
        self._matrix = matrix
        self._signs = sign_flips(len(matrix.utterances), resamples, seed)
        self._complete = np.array(np.isfinite(matrix.values).all(axis=0), ndmin=1)
        everything = np.ones(len(matrix.utterances), dtype=bool)
        self._residuals = flip_residuals(np.where(self._complete, matrix.values, 0.0), matrix.codes(everything))
        # One row per system: the comparisons below then run over memory that lies together.
        self._sums = np.ascontiguousarray(flipped_sums(self._signs, self._residuals).T)

    def against(self, candidate: str, earlier: Sequence[str], winner: str) -> Reference:
        """The reference for `candidate` against the `winner` among `earlier`."""
        place = self._matrix.column[candidate]
        columns = np.array([self._matrix.column[name] for name in earlier], dtype=np.intp)
        norms = np.linalg.norm(self._residuals[:, [place]] - self._residuals[:, columns], axis=0)
        size = np.linalg.norm(self._residuals[:, place])
        quick = self._complete[place] & self._complete[columns] & (norms > _CANCELLATION * size)
        maximum = np.zeros(len(self._signs))
        alone = np.zeros(len(self._signs))
        slow = [name for name, shortcut in zip(earlier, quick, strict=True) if not shortcut]
        by_hand = dict(zip(slow, self._alone(candidate, slow).T, strict=True)) if slow else {}
        for name, column, norm in zip(earlier, columns, norms, strict=True):
            if name in by_hand:
                statistic = by_hand[name]
            else:
                statistic = np.abs(self._sums[place] - self._sums[column])
                statistic /= norm
            np.maximum(maximum, statistic, out=maximum)
            if name == winner:
                alone = statistic
        return Reference(maximum, alone)

    def _alone(self, candidate: str, earlier: Sequence[str]) -> Array:
        """Flipped statistics, shape (resamples, len(earlier)), each pair centred on the rows that it has.

        A pair without spread (identical outputs) or with fewer than two rows takes no part: its column is zero.
        """
        # Single precision halves the time of the product, and no difference of large sums is taken here.
        residuals = np.zeros((len(self._matrix.utterances), len(earlier)), dtype=np.float32)
        for index, name in enumerate(earlier):
            both, difference = self._matrix.paired(name, candidate)
            if len(difference) < 2:
                continue
            own = flip_residuals(difference, self._matrix.codes(both))
            norm = float(np.linalg.norm(own))
            if norm > ROUNDING * float(np.max(np.abs(difference))) * len(own):
                residuals[both, index] = own / norm
        return np.abs(flipped_sums(self._signs, residuals))
