"""One paired comparison: the mean difference over utterances, its standard error, test, interval and power.

The estimand is the mean paired difference over utterances like these (same speakers, same conditions); the unit is the
utterance. Strata are fixed, so the standard error takes the spread within strata only; the test and the interval are
those of the paired t statistic with that standard error (with one stratum: the ordinary paired t test).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import special

from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.statistics.strata import merge_small
from cmgan_audit.statistics.verdict import MIN_PAIRS

Array = NDArray[np.float64]

# Relative size below which a spread is rounding, not data: differences that are constant except for their last bits.
ROUNDING = 1e-12
# p-values below this underflow; they are reported as this upper limit, because no p-value is zero.
SMALLEST_P = 1e-300
MOST_PAIRED = 2_000


@dataclass(frozen=True, slots=True)
class PairedSummary:
    """What a sample of paired differences says about their mean.

    Attributes:
        n: pairs.
        mean: mean difference, candidate minus baseline.
        se: standard error of the mean; 0.0 when all differences are equal, None for fewer than two pairs.
        df: degrees of freedom of `se` (Satterthwaite over strata), None where `se` is None.
        differing: pairs whose difference is not zero, but for its last bits.
    """

    n: int
    mean: float
    se: float | None
    df: float | None
    differing: int

    @property
    def identical(self) -> bool:
        """Every difference is exactly zero."""
        return self.differing == 0

    @property
    def t(self) -> float | None:
        """The t statistic of the mean against zero; None where there is no spread to compare with."""
        return None if not self.se else self.mean / self.se

    @property
    def least_p(self) -> float:
        """What no p-value may fall below where fewer than 10 pairs differ and the others do not: 2 / 2^differing.

        So often do all of the signs agree by chance, and a t statistic of hardly anything but zeros does not know it.
        """
        return 2.0 ** (1 - self.differing) if 0 < self.differing < min(self.n, MIN_PAIRS) else 0.0


def summarise(differences: Array, labels: Sequence[str] | None = None) -> PairedSummary:
    """Mean and standard error of paired differences.

    Args:
        differences: shape (n,), one finite number per utterance, at least one.
        labels: stratum of each utterance; strata below 4 rows are merged.
    """
    codes = np.zeros(len(differences)) if labels is None else np.array(merge_small(labels))
    return summarise_coded(differences, codes.astype(np.intp))


def summarise_coded(differences: Array, codes: NDArray[np.intp]) -> PairedSummary:
    """As `summarise`, with strata merged already and numbered from 0 without gaps, shape (n,)."""
    n = len(differences)
    mean = float(np.mean(differences))
    largest = float(np.max(np.abs(differences)))
    differing = int(np.count_nonzero(np.abs(differences) > ROUNDING * largest))
    if n < 2:
        return PairedSummary(n, mean, None, None, differing)
    sizes = np.bincount(codes).astype(np.float64)
    residuals = within_strata(differences, codes)
    if float(np.max(np.abs(residuals))) <= ROUNDING * largest:
        return PairedSummary(n, mean, 0.0, n - 1.0, differing)
    variances = np.bincount(codes, weights=residuals**2) / (sizes - 1)
    parts = sizes * variances / n**2  # strata weighted by their share of the rows
    total = float(parts.sum())
    df = total**2 / float(np.sum(parts**2 / (sizes - 1)))
    return PairedSummary(n, mean, math.sqrt(total), df, differing)


def flip_residuals(values: Array, codes: NDArray[np.intp]) -> Array:
    """Residuals within strata, scaled so that their sum of squares is `n^2 se^2`: by `sqrt(n_h / (n_h - 1))`.

    Without the factor the flips of small strata would vary too little (a stratum of one row, not at all).
    """
    sizes = np.bincount(codes)
    factor = np.sqrt(sizes / np.maximum(sizes - 1, 1))[codes]
    residuals: Array = (within_strata(values, codes).T * factor).T
    return residuals


def within_strata(values: Array, codes: NDArray[np.intp]) -> Array:
    """Residuals after taking out the mean of each stratum.

    Args:
        values: shape (n,) or (n, k).
        codes: stratum of each row, shape (n,), numbered from 0 without gaps.
    """
    sizes = np.bincount(codes)
    columns = values.reshape(len(values), -1)
    means = np.stack([np.bincount(codes, weights=column) / sizes for column in columns.T], axis=1)
    return (columns - means[codes]).reshape(values.shape)


def p_value(summary: PairedSummary) -> float | None:
    """Two-sided p-value of the paired t test; None when the outputs are identical or there are fewer than two pairs.

    Differences that are all the same number have no t statistic; there the exact sign-flip test answers: 2 / 2^n. Where
    few pairs differ, it is the limit.
    """
    if summary.identical or summary.se is None or summary.df is None:
        return None
    if summary.t is None:
        return float(max(2.0 ** (1 - summary.differing), SMALLEST_P))
    return max(float(2.0 * special.stdtr(summary.df, -abs(summary.t))), summary.least_p, SMALLEST_P)


def critical_t(df: float, alpha: float) -> float:
    """The two-sided critical value of t at level alpha."""
    return float(-special.stdtrit(df, alpha / 2))


def interval(summary: PairedSummary, critical: float) -> tuple[float, float]:
    """Mean plus and minus `critical` standard errors; the interval dual to the test with that critical value.

    Raises:
        ValueError: fewer than two pairs have no standard error.
    """
    if summary.se is None:
        raise ValueError("an interval needs at least two pairs")
    return summary.mean - critical * summary.se, summary.mean + critical * summary.se


def minimum_detectable_effect(summary: PairedSummary, critical: float, power: float = 0.8) -> float | None:
    """The true mean difference that a test with this critical value finds with the given power.

    Sum of the critical value and the t quantile of the power, times the standard error (Cohen 1988, section 2.5, in
    its usual approximation); None where the standard error is unknown or zero.
    """
    if not summary.se or summary.df is None or not math.isfinite(critical):
        return None
    return (critical + float(special.stdtrit(summary.df, power))) * summary.se


def share_worse(differences: Array, higher_is_better: bool = True) -> float:
    """Share of the utterances on which the candidate is worse; ties do not count as worse."""
    worse = differences < 0 if higher_is_better else differences > 0
    return float(np.mean(worse))


def typical_difference(differences: Array) -> float:
    """The Hodges-Lehmann estimate: median of all pairwise averages of differences of shape (n,).

    What happens to the typical utterance. It says nothing about the mean and never enters a verdict; set beside the
    mean it shows a difference that few utterances make.
    """
    if len(differences) > MOST_PAIRED:  # pairs grow with the square; as many evenly spaced quantiles stand for all
        differences = np.quantile(differences, (np.arange(MOST_PAIRED) + 0.5) / MOST_PAIRED)
    upper = np.triu_indices(len(differences))
    return float(np.median((differences[upper[0]] + differences[upper[1]]) / 2))
