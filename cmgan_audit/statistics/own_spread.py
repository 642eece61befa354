"""The part of a checkpoint's error that is its own: what makes the best of many look better than it is."""

from __future__ import annotations

import math

import numpy as np

from cmgan_audit.statistics.paired import Array


def own_sd_of_mean(scores: Array) -> float:
    """SD of a checkpoint's mean score that comes from how it happens to fit this sample of utterances.

    What remains of the scores after taking out the mean of each utterance (its difficulty, the same for all) and of
    each checkpoint (its quality): the interaction of a two-way analysis of variance.

    Args:
        scores: shape (utterances, checkpoints), finite, at least 2 x 2.

    Returns:
        in units of the metric; for `selection_optimism`.
    """
    n, k = scores.shape
    rest = scores - scores.mean(axis=1, keepdims=True) - scores.mean(axis=0, keepdims=True) + scores.mean()
    interaction = float(np.sum(rest**2)) / ((n - 1) * (k - 1))
    return math.sqrt(interaction / n)
