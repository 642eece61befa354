"""Legends cover no curve, and lose no letter at the border of the chart."""

from __future__ import annotations

import pytest

pytest.importorskip("matplotlib")

from matplotlib.figure import Figure

from cmgan_audit.report.html.charts import NARROW, WIDE
from cmgan_audit.report.html.legends import legend_below

LABELS = ["PESQ", *(f"...{'x' * 29} PESQ ({number} of 4 per epoch)" for number in range(1, 5))]


@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("labels", [LABELS[:1], LABELS])
def test_the_legend_stands_below_the_axes_and_within_the_figure(width: float, labels: list[str]) -> None:
    figure = Figure(figsize=(width, 3.0), layout="constrained")
    axes = figure.subplots()
    for label in labels:
        axes.plot([1, 2], [1, 2], label=label)
    legend_below(figure, axes)
    figure.draw_without_rendering()
    (legend,) = figure.legends
    place = legend.get_window_extent()
    assert not place.overlaps(axes.get_tightbbox())
    assert figure.bbox.x0 <= place.x0 and place.x1 <= figure.bbox.x1 and figure.bbox.y0 <= place.y0
    assert axes.get_window_extent().height > 2.0 * figure.dpi


def test_without_curves_there_is_none() -> None:
    figure = Figure()
    legend_below(figure, figure.subplots())
    assert not figure.legends
