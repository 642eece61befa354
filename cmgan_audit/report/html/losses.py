"""The losses of a training log, to stand beside the scores of its checkpoints."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cmgan_audit.errors import InputError
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.logs.roles import RoleBook
from cmgan_audit.logs.search import read_logs
from cmgan_audit.logs.series import Series
from cmgan_audit.report.compare_plot import short
from cmgan_audit.report.html.charts import Chart, drawn_twice
from cmgan_audit.report.html.inline_svg import BETTER, INK, OPEN, SAME, WORSE
from cmgan_audit.report.html.legends import legend_below
from cmgan_audit.report.scales import logarithmic, spans_a_decade
from cmgan_audit.statistics.trend import per_x

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_LOSSES = 6
MANY_POINTS = 40
MOST_POINTS = 400
_LOOKS = (
    (SAME, "-", "o"),
    (WORSE, "--", "s"),
    (BETTER, "-.", "^"),
    (INK, ":", "D"),
    (OPEN, "-", "v"),
    (SAME, "--", "x"),
)


@dataclass(frozen=True, slots=True)
class Losses:
    """The losses of one training run, and what the run is called."""

    run: str
    series: Sequence[Series]


def read_losses(path: Path) -> Losses:
    """The losses of the last run in a log or a folder of logs, those counted in epochs if there are any.

    Raises:
        InputError: the log cannot be read, or holds no loss with two points or more.
    """
    runs = [run for reading in read_logs([path], RoleBook()).readings for run in reading.runs]
    for run in reversed(runs):
        found = [series.finite() for series in run.series if series.role.kind == "loss"]
        found = [series for series in found if len(series) >= 2]
        if found:
            kind = "epoch" if any(series.x_kind == "epoch" for series in found) else found[0].x_kind
            return Losses(run.title, [series for series in found if series.x_kind == kind])
    raise InputError(f"--log {path}: no loss in it; `cmgan-audit trend {path}` tells what it holds")


def losses_chart(losses: Losses) -> Chart:
    """The losses over epochs, or over whatever the log counts in."""
    shown = losses.series[:MOST_LOSSES]
    points = [_thinned(*per_x(series.xs, series.ys)) for series in shown]

    def draw(figure: Figure, labels: int) -> None:
        from matplotlib.ticker import MaxNLocator

        axes = figure.subplots()
        for series, (xs, ys), (colour, line, marker) in zip(shown, points, _LOOKS, strict=False):
            few = len(xs) <= MANY_POINTS
            axes.plot(
                xs, ys, line, color=colour, marker=marker if few else None, markersize=4, label=short(series.name)
            )
        if spans_a_decade([ys for _, ys in points]):
            logarithmic(axes, [ys for _, ys in points])
        axes.xaxis.set_major_locator(MaxNLocator(labels, integer=True))
        axes.set_xlabel(shown[0].x_kind)
        axes.set_ylabel("loss")
        axes.grid(axis="y")
        legend_below(figure, axes)

    left = len(losses.series) - len(shown)
    ends = [f"{one.name} from {ys[0]:.4g} to {ys[-1]:.4g}" for one, (_, ys) in zip(shown, points, strict=True)]
    return drawn_twice(
        "losses",
        "Losses in the training log",
        f"{losses.run}; the mean where one {shown[0].x_kind} has several values."
        + (f" {left} more are not drawn." if left else ""),
        "; ".join(ends),
        draw,
        2.8,
        2.8,
    )


def _thinned(xs: Sequence[float], ys: Sequence[float]) -> tuple[Sequence[float], Sequence[float]]:
    """Every n-th point, so that a log of steps does not make a large file; the last one always."""
    step = -(-len(xs) // MOST_POINTS)
    kept = sorted({*range(0, len(xs), step), len(xs) - 1})
    return [xs[at] for at in kept], [ys[at] for at in kept]
