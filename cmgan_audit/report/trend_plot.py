"""The plots of `trend`: metric over epochs with best, decline and noise band marked, losses below it; PNG and SVG."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cmgan_audit.errors import UsageError
from cmgan_audit.logs.judging import Judgement
from cmgan_audit.logs.raising import shown
from cmgan_audit.logs.selection.batches import is_of_a_batch
from cmgan_audit.logs.selection.judged import JudgedSeries
from cmgan_audit.logs.series import Series
from cmgan_audit.logs.symptoms.course import learning_rate_steps
from cmgan_audit.report.scales import logarithmic, outline, said_of_outline, spans_a_decade
from cmgan_audit.report.trend_axes import MOST_EVENTS, axis_label, failed_at, has_rings, measured, over, panels, unit_of
from cmgan_audit.statistics.trend import best_index, per_x

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's colours, told apart by the colour-blind; lines also differ in dash and marker for greyscale.
_COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
_DASHES = ("-", "--", "-.", ":")
_MARKERS = ("o", "s", "^", "D", "v", "x")
_GREY = "0.45"
_MOST_PANELS = 4
_MOST_RUNS = 14
# A label at the best in the outer parts of a panel is written inwards.
_OUTER = 0.1
_MOST_LOSSES = 6
# As many letters of a legend stand beside each other in the figure; the key of a name is as wide as some of them.
_LETTERS_OF_A_LINE, _LETTERS_OF_A_KEY = 128, 8
# Inches from the axes to their legend, past the numbers and the name of the axis.
_BELOW_AXIS = 0.5
_ORIGIN = {"measured": "measured on the series", "table": "random crops", "assumed": "assumed"}


def write_plots(judgement: Judgement, folder: Path) -> list[Path]:
    """Write trend.png and trend.svg; equal logs give equal files.

    Raises:
        UsageError: the folder cannot be written.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    figure = draw(judgement.judged)
    paths = [folder / "trend.png", folder / "trend.svg"]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with mpl.rc_context({"svg.hashsalt": "cmgan-audit", "svg.fonttype": "none"}):
            figure.savefig(paths[0], dpi=130)
            figure.savefig(paths[1], metadata={"Date": None})
    except OSError as error:
        raise UsageError(f"--out {folder}: cannot be written: {error.strerror or error}") from error
    return paths


def draw(judged: list[JudgedSeries]) -> Figure:
    """One panel per metric and axis; the losses of an only run below."""
    from matplotlib.figure import Figure

    found = panels(judged)
    groups = found[:_MOST_PANELS]
    runs = {one.run.title for one in judged}
    losses = _losses(groups[0][0]) if len(runs) == 1 and len(groups) == 1 else []
    rows = max(1, len(groups)) + bool(losses)
    heights = [3.4] * max(1, len(groups)) + ([2.4] if losses else [])
    figure = Figure(figsize=(9, sum(heights) + 0.5), layout="constrained")
    axes = figure.subplots(rows, 1, squeeze=False, height_ratios=heights)[:, 0]
    if not groups:
        axes[0].text(0.5, 0.5, "no metric has more than one value", ha="center", transform=axes[0].transAxes)
    for axis, group in zip(axes, groups, strict=False):
        _metric_panel(axis, group)
    if len(found) > len(groups):
        more = ", ".join(f"{measured(group)} {over(group[0].series.x_kind)}" for group in found[len(groups) :])
        figure.supxlabel(f"not drawn: {_shortened(more, 110)}", fontsize=8)
    if losses:
        axes[-1].sharex(axes[0])
        _loss_panel(axes[-1], losses, groups[0][0])
    return figure


def _metric_panel(axis: Axes, group: list[JudgedSeries]) -> None:
    alone = len(group) == 1
    for number, one in enumerate(group[:_MOST_RUNS]):
        series, color = one.series, _COLORS[number % len(_COLORS)]
        many = len(series) > 40
        axis.plot(
            *outline(series.xs, series.ys),
            _DASHES[number // len(_COLORS) % len(_DASHES)],
            marker=None if many else _MARKERS[number % len(_MARKERS)],
            markersize=4,
            linewidth=1.4,
            color=color,
            label=_shortened(series.name) if alone else _short(one, group),
        )
        _mark(axis, one, color, alone)
    if alone:
        _events(axis, group[0])
        _failures(axis, group[0])
    first = group[0]
    axis.set_ylabel(f"{_shortened(measured(group), 34)}{unit_of(group)}")
    axis.set_xlabel(axis_label(first.series.x_kind))
    _whole_numbers(axis)
    left_out = f"; {len(group) - _MOST_RUNS} more runs not drawn" if len(group) > _MOST_RUNS else ""
    axis.set_title(_caption(group) + left_out, fontsize=9, loc="left", wrap=True)
    axis.grid(alpha=0.25)
    if alone:
        _legend_below(axis)
    else:
        axis.legend(fontsize=7, loc="center left", bbox_to_anchor=(1.0, 0.5))


def _mark(axis: Axes, one: JudgedSeries, color: str, alone: bool) -> None:
    series, floor = one.series, one.floor.half_width
    best = best_index(series.ys, one.higher)
    x, y = series.xs[best], series.ys[best]
    axis.plot([x], [y], marker="*", markersize=13, color=color, markeredgecolor="black", linestyle="none")
    if alone:
        edge = y - floor if one.higher else y + floor
        axis.axhspan(min(y, edge), max(y, edge), color="0.6", alpha=0.25, linewidth=0,
                     label=f"noise floor {shown(floor)} ({_ORIGIN[one.floor.origin]})")  # fmt: skip
        span = max(series.ys) - min(series.ys) or 1.0
        axis.annotate(f"best {shown(y)}", (x, y), xytext=(0, 9), textcoords="offset points", fontsize=8,
                      ha=_inwards(x, series.xs))  # fmt: skip
        axis.set_ylim(min(min(series.ys), edge) - 0.06 * span, max(max(series.ys), edge) + 0.14 * span)
    if one.decline is not None:
        points = outline(series.xs[one.decline.since :], series.ys[one.decline.since :])
        label = _low_label(one) if alone else None
        if has_rings(one):
            axis.plot(*points, linestyle="none", marker="o", markersize=8, markerfacecolor="none",
                      markeredgecolor=color, markeredgewidth=1.6, label=label)  # fmt: skip
        else:
            axis.plot(*points, color=_COLORS[1], linewidth=7, alpha=0.35, zorder=1, label=label)


def _inwards(x: float, xs: Sequence[float]) -> str:
    """How a label at x is aligned, so that it does not cross the border of its panel."""
    share = (x - min(xs)) / (max(xs) - min(xs) or 1.0)
    return "left" if share < _OUTER else "right" if share > 1 - _OUTER else "center"


def _whole_numbers(axis: Axes) -> None:
    """Nobody evaluates at epoch 2.5."""
    from matplotlib.ticker import MaxNLocator

    axis.xaxis.set_major_locator(MaxNLocator(nbins="auto", integer=True))


def _low_label(one: JudgedSeries) -> str:
    return f"{one.words['side']} the best by more than the floor, to the end"


def _events(axis: Axes, one: JudgedSeries) -> None:
    steps = learning_rate_steps(one.run, one.series.x_kind)
    for i, (x, _, _) in enumerate(steps):
        axis.axvline(x, color=_GREY, linestyle=":", linewidth=1, label="learning-rate step" if i == 0 else None)
    restarts = one.run.restarts
    left_out = len(restarts) > MOST_EVENTS
    said = f"resumed {len(restarts)} times, the first {MOST_EVENTS} drawn" if left_out else "resumed"
    for i, restart in enumerate(restarts[:MOST_EVENTS]):
        axis.axvline(restart.x, color=_GREY, linestyle="--", linewidth=1, label=said if i == 0 else None)


def _failures(axis: Axes, one: JudgedSeries) -> None:
    """Crosses at the bottom where an evaluation gave no score: a curve that merely ends looks like a short training."""
    xs = failed_at(one)
    if xs:
        axis.plot(xs, [0.03] * len(xs), transform=axis.get_xaxis_transform(), linestyle="none", marker="x",
                  markersize=7, markeredgewidth=1.8, color="black", label="evaluation without a score")  # fmt: skip


def _losses(one: JudgedSeries) -> list[Series]:
    found = [
        s.finite()
        for s in one.run.series
        if s.role.kind == "loss" and s.x_kind == one.series.x_kind and "[rank" not in s.name and len(s.finite()) >= 2
        and not is_of_a_batch(s.name)  # beside the means of the epochs
    ]  # fmt: skip
    return found[:_MOST_LOSSES]


def _loss_panel(axis: Axes, losses: list[Series], one: JudgedSeries) -> None:
    courses = [per_x(loss.xs, loss.ys) for loss in losses]
    for number, (loss, (xs, ys)) in enumerate(zip(losses, courses, strict=True)):
        axis.plot(
            *outline(xs, ys),
            _DASHES[number % len(_DASHES)],
            linewidth=1.3,
            color=_COLORS[(number + 1) % len(_COLORS)],
            marker=_MARKERS[number % len(_MARKERS)] if len(xs) <= 40 else None,
            markersize=3.5,
            label=_shortened(loss.name),
        )
    axis.set_title(said_of_outline(max(len(xs) for xs, _ in courses)), fontsize=8, loc="left")
    curves = [ys for _, ys in courses]
    over_decades = spans_a_decade(curves)
    if over_decades:
        logarithmic(axis, curves)
    if one.decline is not None:
        axis.axvline(one.series.xs[one.decline.best], color=_GREY, linewidth=1, label="best metric")
    _events(axis, one)
    axis.set_ylabel("loss (log scale)" if over_decades else "loss")
    axis.set_xlabel(axis_label(one.series.x_kind))
    _whole_numbers(axis)
    axis.grid(alpha=0.25)
    _legend_below(axis)


def _legend_below(axis: Axes) -> None:
    """A legend below the axes, in which it would cover points; of so many columns as the figure has room for."""
    from matplotlib.transforms import ScaledTranslation

    handles, labels = axis.get_legend_handles_labels()
    columns = max(1, min(3, _LETTERS_OF_A_LINE // (max(map(len, labels)) + _LETTERS_OF_A_KEY)))
    below = ScaledTranslation(0, -_BELOW_AXIS, axis.figure.dpi_scale_trans)
    axis.legend(
        handles,
        labels,
        fontsize=8,
        loc="upper left",
        bbox_to_anchor=(0.0, 0.0),
        bbox_transform=axis.transAxes + below,
        ncols=columns,
        frameon=False,
    )


def _caption(group: list[JudgedSeries]) -> str:
    if len(group) > 1:
        lower = sum(1 for one in group if one.decline is not None)
        runs = len({one.run.title for one in group})
        what = f"{runs} runs" if runs == len(group) else f"{len(group)} series"
        side = " or ".join(sorted({one.words["side"] for one in group}, reverse=True))
        marks = "circles" if all(has_rings(one) for one in group if one.decline is not None) else "circles, broad lines"
        return f"{what}; star: best of each; {marks}: {side} the best to the end ({lower} of {len(group)})"
    one = group[0]
    series = one.series
    text = f"{_shortened(one.run.title)}: {len(series)} evaluations{one.from_batches}"
    if said := said_of_outline(len(series)):
        text += f"; {said}"
    if one.decline is not None:
        text += (
            f"; {one.words['moved']} by {shown(round(one.decline.drop, 6))} from the best, since {series.x_kind} "
            f"{shown(series.xs[one.decline.since])}"
        )
    return text


def _short(one: JudgedSeries, group: list[JudgedSeries]) -> str:
    """The end of the run's path, long enough to tell the runs of a panel apart."""
    sources = {other.run.source for other in group}
    name = one.run.label if len(sources) == 1 else one.run.title
    name = _shortened(name, 34)
    same_run = sum(1 for other in group if other.run.title == one.run.title) > 1
    return f"{name} {one.series.name}" if same_run else name


def _shortened(text: str, longest: int = 60) -> str:
    return text if len(text) <= longest else f"...{text[3 - longest :]}"
