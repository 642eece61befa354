"""Noise of a series, sustained declines: on cases small enough to check by hand, and properties."""

from __future__ import annotations

import random
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmgan_audit.statistics.trend import (
    evaluation_sd,
    expected_maximum,
    find_decline,
    moving_median,
    noise_floor,
    per_x,
)

QUOTED = [2.45, 2.6394, 2.2148, 2.2043, 2.07]


def floor_of(values: list[float]) -> float:
    return noise_floor(values, assumed=0.1, finest=0.01).half_width


@pytest.mark.parametrize("n", [8, 10, 12, 16, 24, 60, 120])
def test_noise_is_measured_without_bias(n: int) -> None:
    rng = random.Random(3)
    mean = fmean(evaluation_sd([rng.gauss(0, 1) for _ in range(n)]) for _ in range(2000))
    assert mean == pytest.approx(1, abs=0.08)


def test_a_steady_rise_is_not_noise() -> None:
    rng = random.Random(4)
    flat = [rng.gauss(0, 0.02) for _ in range(60)]
    rising = [y + i / 10 for i, y in enumerate(flat)]
    assert evaluation_sd(rising) == pytest.approx(evaluation_sd(flat), rel=0.25)


def test_one_collapse_hardly_moves_the_noise() -> None:
    rng = random.Random(5)
    flat = [rng.gauss(2.6, 0.02) for _ in range(40)]
    fallen = [y - (0.5 if i >= 37 else 0) for i, y in enumerate(flat)]
    assert evaluation_sd(fallen) == pytest.approx(evaluation_sd(flat), rel=0.25)


def test_origin_of_the_floor() -> None:
    assert noise_floor(QUOTED, assumed=0.1, finest=0.01).origin == "assumed"
    assert noise_floor(QUOTED, assumed=0.1, finest=0.01, from_table=0.02).half_width == 0.02
    smooth = noise_floor([2.0 + i / 100 for i in range(8)], assumed=0.1, finest=0.01)
    assert (smooth.origin, smooth.half_width) == ("measured", 0.01)


def test_quoted_case() -> None:
    decline = find_decline(QUOTED, noise_floor(QUOTED, assumed=0.1, finest=0.01))
    assert decline is not None
    assert (decline.best, decline.since) == (1, 2)
    assert decline.drop == pytest.approx(0.5694)
    assert decline.beyond_selection


@given(st.lists(st.floats(1, 4.6), min_size=3, max_size=40), st.floats(0.5, 2))
def test_a_decline_is_what_it_says(values: list[float], scale: float) -> None:
    floor = noise_floor(values, assumed=0.1, finest=0.01)
    decline = find_decline(values, floor)
    if decline is None:
        return
    best = values[decline.best]
    assert best == max(values)
    assert all(best - y > floor.half_width for y in values[decline.since :])
    after = len(values) - 1 - decline.best
    assert len(values) - decline.since >= min(3, after) >= 2


@given(st.lists(st.floats(1, 4.6), min_size=3, max_size=40))
def test_direction_is_a_mirror(values: list[float]) -> None:
    floor = noise_floor(values, assumed=0.1, finest=0.01)
    up = find_decline(values, floor)
    down = find_decline([-y for y in values], floor, higher_is_better=False)
    assert (up is None) == (down is None)
    if up is not None and down is not None:
        assert (up.best, up.since, up.drop) == (down.best, down.since, down.drop)


@pytest.mark.parametrize(("k", "exact"), [(1, 0.0), (2, 0.5642), (10, 1.5388), (100, 2.5076)])
def test_expected_maximum_against_tables(k: int, exact: float) -> None:
    assert expected_maximum(k) == pytest.approx(exact, abs=0.03)


def test_helpers() -> None:
    assert moving_median([1, 9, 2, 3]) == [5, 2, 3, 2.5]
    assert per_x([2, 1, 2], [4.0, 1.0, 6.0]) == ([1, 2], [1.0, 5.0])


def noisy(levels: list[float], sd: float, seed: int) -> list[float]:
    drawn = random.Random(seed)
    return [level + drawn.gauss(0, sd) for level in levels]


def falls(values: list[float]) -> bool:
    decline = find_decline(values, noise_floor(values, assumed=0.1, finest=0.01))
    return decline is not None and decline.counts


def test_a_long_low_stretch_is_no_luck_of_the_best() -> None:
    """The best of many noisy evaluations lies far above their level; what counts then are the levels."""
    courses = [noisy([2.65] * 25 + [2.25] * 12, 0.1, seed) for seed in range(60)]
    assert sum(map(falls, courses)) >= 50


def test_noise_alone_has_no_low_stretch() -> None:
    courses = [noisy([2.65] * 40, 0.1, seed) for seed in range(200)]
    assert sum(map(falls, courses)) <= 1


@pytest.mark.parametrize("spike", [0.25, 0.5])
def test_a_fall_that_rests_on_one_evaluation_is_none(spike: float) -> None:
    courses = [noisy([2.5] * 9 + [2.5 + spike] + [2.5] * 10, 0.03, seed) for seed in range(100)]
    assert sum(map(falls, courses)) <= 1


def test_a_fall_as_steep_as_the_rise_before_it_rests_on_more_than_its_peak() -> None:
    """The evaluations before and after the peak are equal: below the second best of them lie only two."""
    tent = [2.0, 2.1, 2.2, 2.3, 2.4, 2.3, 2.2, 2.1]
    assert falls(tent)
    courses = [noisy(tent, 0.005, seed) for seed in range(100)]
    assert sum(map(falls, courses)) >= 90
    # One evaluation far up, and a next one that is as low as all others.
    assert not falls([2.0, 2.02, 2.01, 2.02, 2.4, 2.01, 2.0, 2.01])


def test_a_thousand_lone_values_above_a_fall_are_told_apart_from_it() -> None:
    """As PESQ of every training step has them: each is the best once those above it are left out."""
    course = noisy([2.9 - 1.2 * i / 6000 for i in range(6000)], 0.02, 9)
    spiky = [y + (0.4 + i / 4000 if i % 6 == 1 else 0) for i, y in enumerate(course)]
    decline = find_decline(spiky, noise_floor(spiky, assumed=0.1, finest=0.01))
    assert decline is not None
    assert decline.counts
