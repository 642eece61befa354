"""The best of K, and the distance to the paper."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import integrate, stats

from cmgan_audit.statistics.optimism import expected_maximum, selection_optimism
from cmgan_audit.statistics.paper import distance_to_paper


@pytest.mark.parametrize("k", [1, 2, 3, 10, 120, 5000])
def test_expected_maximum_by_scipys_quadrature(k: int) -> None:
    value, _ = integrate.quad(lambda x: x * k * stats.norm.pdf(x) * stats.norm.cdf(x) ** (k - 1), -8, 9, limit=200)
    assert expected_maximum(k) == pytest.approx(value, abs=1e-8)


def test_known_values() -> None:
    assert expected_maximum(2) == pytest.approx(1 / math.sqrt(math.pi), abs=1e-12)
    assert expected_maximum(10) == pytest.approx(1.53875, abs=1e-5)
    with pytest.raises(ValueError, match="at least one"):
        expected_maximum(0)


def test_best_of_equal_checkpoints_by_simulation() -> None:
    means = np.random.default_rng(2).normal(0, 0.007, (20_000, 120))
    assert selection_optimism(120, 0.007) == pytest.approx(float(means.max(axis=1).mean()), rel=0.01)
    assert selection_optimism(120, 0.007) == pytest.approx(0.018, abs=0.001)


FULL = [f"p232_{index:03d}" for index in range(393)] + [f"p257_{index:03d}" for index in range(431)]


def test_the_full_test_set_is_set_beside_the_paper() -> None:
    distance = distance_to_paper(3.20, metric="pesq", segments="full", utterances=FULL)
    assert distance.reason is None
    assert distance.to_cmgan == pytest.approx(-0.21)


@pytest.mark.parametrize(
    ("metric", "segments", "utterances", "why"),
    [
        ("pesq", "3x2s", FULL, "whole utterances"),
        ("pesq_nb", "full", FULL, "this is pesq_nb"),
        ("pesq", "full", FULL[:-1], "this is over 823"),
        ("pesq", "full", [*FULL[:-1], "FB_001"], "no utterance FB_001"),
        ("pesq", "full", [], "this is over 0"),
    ],
)
def test_anything_else_is_refused_with_the_reason(metric: str, segments: str, utterances: list[str], why: str) -> None:
    distance = distance_to_paper(3.2, metric=metric, segments=segments, utterances=utterances)
    assert distance.to_cmgan is None
    assert distance.reason is not None and why in distance.reason
