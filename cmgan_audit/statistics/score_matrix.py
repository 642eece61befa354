"""Scores of several systems as one matrix, with the holes that failed rows leave."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import field

import numpy as np
from numpy.typing import NDArray

from cmgan_audit.errors import InputError
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.statistics.paired import Array, PairedSummary, summarise_coded
from cmgan_audit.statistics.strata import merge_sizes
from cmgan_audit.statistics.verdict import MIN_PAIRS

Mask = NDArray[np.bool_]

UNNAMED_STRATUM = "(no stratum)"


@dataclass
class ScoreMatrix:
    """Scores of shape (utterances, systems); NaN where a system has no valid score.

    Attributes:
        utterances: row names, sorted, so that nothing depends on the order in which scores came.
        column: system name -> column.
        values: the scores.
        strata: labels of the strata, sorted; one for all without stratification.
        stratum: index of each row's label in `strata`.
    """

    utterances: list[str]
    column: dict[str, int]
    values: Array
    strata: list[str]
    stratum: NDArray[np.intp]
    _summaries: dict[tuple[str, str], PairedSummary] = field(default_factory=dict)

    @classmethod
    def build(cls, scores: Mapping[str, Mapping[str, float]], strata: Mapping[str, str] | None) -> ScoreMatrix:
        """Gather the scores.

        Raises:
            InputError: a score is not finite; a failed row must be left out, not carried as a number.
        """
        utterances = sorted({utterance for rows in scores.values() for utterance in rows})
        row = {utterance: index for index, utterance in enumerate(utterances)}
        values = np.full((len(utterances), len(scores)), np.nan)
        for place, (system, rows) in enumerate(scores.items()):
            for utterance, score in rows.items():
                if not math.isfinite(score):
                    raise InputError(f"{system}, {utterance}: the score is {score}, not a finite number")
                values[row[utterance], place] = score
        labels = [strata.get(utterance, UNNAMED_STRATUM) if strata else UNNAMED_STRATUM for utterance in utterances]
        names = sorted(set(labels))
        index = {name: place for place, name in enumerate(names)}
        stratum = np.array([index[label] for label in labels], dtype=np.intp)
        return cls(utterances, {system: place for place, system in enumerate(scores)}, values, names, stratum)

    def scores(self, system: str) -> Array:
        """The column of one system, shape (utterances,)."""
        column: Array = self.values[:, self.column[system]]
        return column

    def paired(self, baseline: str, candidate: str) -> tuple[Mask, Array]:
        """Which rows both systems have, and candidate minus baseline on those rows."""
        difference = self.scores(candidate) - self.scores(baseline)
        both = np.isfinite(difference)
        return both, difference[both]

    def differences(self, baseline: str, candidate: str) -> tuple[list[str], Array]:
        """Utterances that both systems have, and candidate minus baseline on them."""
        both, difference = self.paired(baseline, candidate)
        return [self.utterances[index] for index in np.flatnonzero(both)], difference

    def codes(self, rows: Mask) -> NDArray[np.intp]:
        """Numbers of the strata of the rows that a mask selects, small ones merged as these rows need it."""
        present = self.stratum[rows]
        sizes = np.bincount(present, minlength=len(self.strata))
        number = merge_sizes({name: int(size) for name, size in zip(self.strata, sizes, strict=True)})
        return np.array([number.get(name, -1) for name in self.strata], dtype=np.intp)[present]

    def summary(self, baseline: str, candidate: str) -> PairedSummary:
        """The paired summary of two systems.

        Raises:
            InputError: they share no utterance.
        """
        key = baseline, candidate
        if key not in self._summaries:
            both, difference = self.paired(baseline, candidate)
            if len(difference) == 0:
                raise InputError(f"{candidate} and {baseline}: no utterance has a valid score in both")
            self._summaries[key] = summarise_coded(difference, self.codes(both))
        return self._summaries[key]

    def best_of(self, earlier: Sequence[str], candidate: str, higher_is_better: bool) -> str:
        """The earlier system that is ahead of the candidate by most, on the utterances that both have.

        With complete scores that is the one with the best mean; the first of equals. Systems that share fewer than 10
        utterances with the candidate are passed over as long as any other is left.
        """
        columns = [self.column[name] for name in earlier]
        lead = self.values[:, columns] - self.scores(candidate)[:, None]
        present = np.isfinite(lead)
        shared = present.sum(axis=0)
        means = np.where(present, lead, 0.0).sum(axis=0) / np.maximum(shared, 1)
        eligible = shared >= (MIN_PAIRS if int(shared.max()) >= MIN_PAIRS else max(int(shared.max()), 1))
        if not eligible.any():
            raise InputError(f"{candidate}: no utterance with a valid score is shared with any earlier checkpoint")
        ahead = np.where(eligible, means if higher_is_better else -means, -np.inf)
        return earlier[int(np.argmax(ahead))]
