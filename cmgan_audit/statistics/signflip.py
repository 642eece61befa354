"""The sign-flip max-t reference: how large the largest of several paired statistics gets when nothing differs.

A candidate is compared with the best of the checkpoints before it, and which one is best is chosen on the same scores.
The reference for that choice is the maximum over all earlier checkpoints of the flipped statistic, with the same signs
for all of them, so that their correlation (they share the candidate) is kept (Westfall and Young 1993, chapter 2).
Residuals are centred within strata before flipping (and corrected for the size of the stratum); the interval is then
dual to the test.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cmgan_audit.lazy_dataclasses import dataclass
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


def jointly(references: Sequence[Reference]) -> list[Reference]:
    """The same references with one maximum over all of them, for claims that must hold together."""
    if not references:
        return []
    maximum = np.max([reference.maximum for reference in references], axis=0)
    return [Reference(maximum, reference.alone) for reference in references]


def _observed(summary: PairedSummary) -> float:
    if summary.t is None or summary.df is None:
        raise ValueError("differences without spread have no t statistic")
    return abs(flip_scale(summary.t, summary.df))


class SignFlips:
    """Flipped statistics of all pairs of a score matrix, from one set of signs.

    The flipped sum of a difference is the difference of the systems' flipped sums, so one matrix product serves all
    pairs. Where a system lacks a row, the other's part of that row is taken out again.
    """

    def __init__(self, matrix: ScoreMatrix, seed: int, resamples: int) -> None:
        self._matrix = matrix
        signs = sign_flips(len(matrix.utterances), resamples, seed)
        self._present = np.isfinite(matrix.values)
        self._residuals = np.zeros_like(matrix.values)
        self._holes = []
        for column, rows in enumerate(self._present.T):
            self._residuals[rows, column] = flip_residuals(matrix.values[rows, column], matrix.codes(rows))
            self._holes.append(np.flatnonzero(~rows))
        # One row per system and per utterance: what is summed below then lies together in memory.
        self._sums = np.ascontiguousarray(flipped_sums(signs, self._residuals).T)
        self._signs = np.ascontiguousarray(signs.T)

    def against(self, candidate: str, earlier: Sequence[str], winner: str) -> Reference:
        """The reference for `candidate` against the `winner` among `earlier`."""
        place = self._matrix.column[candidate]
        columns = [self._matrix.column[name] for name in earlier]
        both = self._present[:, [place]] & self._present[:, columns]
        differences = np.where(both, self._residuals[:, [place]] - self._residuals[:, columns], 0.0)
        norms = np.linalg.norm(differences, axis=0)
        size = float(np.linalg.norm(self._residuals[:, place]))
        maximum = np.zeros(self._signs.shape[1])
        alone = np.zeros(self._signs.shape[1])
        for name, column, norm in zip(earlier, columns, norms.tolist(), strict=True):
            if norm > _CANCELLATION * size:
                statistic = np.abs(self._sum_of_difference(place, column))
                statistic /= norm
            else:
                statistic = self._by_itself(name, candidate)
            np.maximum(maximum, statistic, out=maximum)
            if name == winner:
                alone = statistic
        return Reference(maximum, alone)

    def _sum_of_difference(self, place: int, column: int) -> Array:
        """Flipped sum, shape (resamples,), of the difference of two systems over the rows that both have."""
        sums: Array = self._sums[place] - self._sums[column]
        sums -= self._part(place, self._holes[column])
        sums += self._part(column, self._holes[place])
        return sums

    def _part(self, column: int, rows: NDArray[np.intp]) -> Array | float:
        """What these rows contribute to a system's flipped sum."""
        if len(rows) == 0:
            return 0.0
        part: Array = self._residuals[rows, column] @ self._signs[rows].astype(np.float64)
        return part

    def _by_itself(self, baseline: str, candidate: str) -> Array:
        """The statistic of two systems that hardly differ, from their difference; zero where it has no spread."""
        rows, difference = self._matrix.paired(baseline, candidate)
        residuals = flip_residuals(difference, self._matrix.codes(rows)) if len(difference) > 1 else np.zeros(0)
        norm = float(np.linalg.norm(residuals))
        if norm <= ROUNDING * float(np.max(np.abs(difference), initial=0.0)) * len(difference):
            return np.zeros(self._signs.shape[1])
        sums: Array = np.abs((residuals / norm) @ self._signs[rows].astype(np.float64))
        return sums
