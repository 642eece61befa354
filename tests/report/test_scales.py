"""What is drawn of a long curve."""

from __future__ import annotations

import random

import pytest

from cmgan_audit.report.scales import MOST_DRAWN, logarithmic, outline, said_of_outline


def test_a_curve_of_usual_length_is_drawn_as_it_is() -> None:
    xs, ys = list(range(MOST_DRAWN)), [0.5] * MOST_DRAWN
    assert outline(xs, ys) == (xs, ys)
    assert said_of_outline(MOST_DRAWN) == ""


def test_of_a_long_curve_the_ends_and_every_extreme_are_drawn() -> None:
    rng = random.Random(2)
    ys = [rng.gauss(2.5, 0.1) for _ in range(30_001)]
    ys[1234], ys[20_000] = 9.0, -9.0
    at, drawn = outline(range(len(ys)), ys)
    assert len(at) <= MOST_DRAWN + 2
    assert [ys[x] for x in at] == list(drawn)
    assert list(at) == sorted(set(at))
    assert {0, 1234, 20_000, 30_000} <= set(at)
    assert said_of_outline(len(ys)) == "lowest and highest of every 16 values drawn"


@pytest.mark.parametrize(("highest", "numbers"), [(0.4, ["0.02", "0.05", "0.1", "0.2"]), (30.0, ["0.1", "1", "10"])])
def test_a_logarithmic_axis_has_several_numbers(highest: float, numbers: list[str]) -> None:
    pytest.importorskip("matplotlib")
    from matplotlib.figure import Figure

    axes = Figure().subplots()
    axes.plot([1, 2], [0.02, highest])
    logarithmic(axes, [[0.02, highest]])
    low, high = axes.get_ylim()
    labels = [axes.yaxis.get_major_formatter()(at) for at in axes.yaxis.get_majorticklocs() if low <= at <= high]
    assert labels == numbers
