"""Charts of metric series in training logs: the course, its best, the noise floor, and where it fell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cmgan_audit.logs.raising import shown
from cmgan_audit.logs.selection.judged import JudgedSeries
from cmgan_audit.logs.symptoms.course import learning_rate_steps
from cmgan_audit.report.compare_plot import short
from cmgan_audit.report.html.charts import Chart, drawn_twice
from cmgan_audit.report.html.inline_svg import BAND, BETTER, INK, MUTED, OPEN, SAME, WORSE
from cmgan_audit.report.html.legends import legend_below
from cmgan_audit.report.scales import outline, said_of_outline
from cmgan_audit.report.trend_axes import MOST_EVENTS, axis_label, failed_at, has_rings, measured, over, panels, unit_of
from cmgan_audit.statistics.trend import best_index

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_CHARTS = 8
MOST_RUNS = 6  # in one chart; more cannot be told apart in greyscale
MANY_POINTS = 40
LONGEST = 32  # characters of a run's title in a legend
LOOKS = ((SAME, "-", "o"), (INK, "--", "s"), (BETTER, "-.", "^"), (OPEN, ":", "D"), (SAME, "--", "v"), (INK, ":", "x"))


def curve_charts(judged: Sequence[JudgedSeries]) -> list[Chart]:
    """A chart for each metric and axis; the runs that share both share a chart."""
    return [_chart(f"curve-{number}", panel) for number, panel in enumerate(panels(judged)[:MOST_CHARTS])]


def _chart(name: str, panel: Sequence[JudgedSeries]) -> Chart:
    drawn = panel[:MOST_RUNS]
    first, name_of = drawn[0], measured(panel)

    def draw(figure: Figure, labels: int) -> None:
        from matplotlib.ticker import MaxNLocator

        axes = figure.subplots()
        for one, label, look in zip(drawn, _labels(drawn), LOOKS, strict=False):
            _course(axes, one, label, *look)
        if len(drawn) == 1:
            _floor(axes, first)
            _events(axes, first)
            _failures(axes, first)
        axes.xaxis.set_major_locator(MaxNLocator(labels, integer=True))
        axes.set_xlabel(axis_label(first.series.x_kind))
        axes.set_ylabel(f"{short(name_of)}{unit_of(panel)}")
        axes.margins(y=0.12)
        axes.grid(axis="y")
        legend_below(figure, axes)

    title = f"{name_of} {over(first.series.x_kind)}"
    return drawn_twice(name, title, _caption(drawn, len(panel)), _description(drawn), draw, 3.6, 3.2)


def _labels(drawn: Sequence[JudgedSeries]) -> list[str]:
    """What tells the runs of a chart apart: what they are called within their only log, or the ends of their titles.

    And the series, where a run has several.
    """
    if len(drawn) == 1:
        return [short(drawn[0].series.name)]
    titles = [one.run.title for one in drawn]
    of_one_log = len({one.run.source for one in drawn}) == 1
    names = [(of_one_log and one.run.label) or one.run.title for one in drawn]
    ends = [name if len(name) <= LONGEST else f"...{name[3 - LONGEST :]}" for name in names]
    if len(set(titles)) == len(titles):
        return ends
    return [f"{end} {short(one.series.name)}" for end, one in zip(ends, drawn, strict=True)]


def _course(axes: Axes, one: JudgedSeries, label: str, colour: str, line: str, marker: str) -> None:
    series = one.series
    few = len(series) <= MANY_POINTS
    axes.plot(
        *outline(series.xs, series.ys), line, color=colour, marker=marker if few else None, markersize=4, linewidth=1.4,
        label=label,
    )  # fmt: skip
    best = best_index(series.ys, one.higher)
    axes.plot([series.xs[best]], [series.ys[best]], marker="*", markersize=13, color=colour, linestyle="none")
    if one.decline is not None:
        points = outline(series.xs[one.decline.since :], series.ys[one.decline.since :])
        if has_rings(one):
            axes.plot(
                *points, linestyle="none", marker="o", markersize=9, markerfacecolor="none", markeredgecolor=WORSE,
                markeredgewidth=1.6,
            )  # fmt: skip
        else:
            axes.plot(*points, color=WORSE, linewidth=7, alpha=0.35, zorder=1)


def _floor(axes: Axes, one: JudgedSeries) -> None:
    best = one.series.ys[best_index(one.series.ys, one.higher)]
    edge = best - one.floor.half_width if one.higher else best + one.floor.half_width
    axes.axhspan(min(best, edge), max(best, edge), color=BAND, linewidth=0)


def _events(axes: Axes, one: JudgedSeries) -> None:
    for x, _, _ in learning_rate_steps(one.run, one.series.x_kind):
        axes.axvline(x, color=MUTED, linestyle=":", linewidth=1)
    for restart in one.run.restarts[:MOST_EVENTS]:
        axes.axvline(restart.x, color=MUTED, linestyle="--", linewidth=1)


def _failures(axes: Axes, one: JudgedSeries) -> None:
    xs = failed_at(one)
    axes.plot(
        xs, [0.03] * len(xs), transform=axes.get_xaxis_transform(), linestyle="none", marker="x", markersize=7,
        markeredgewidth=1.8, color=WORSE,
    )  # fmt: skip


def _caption(drawn: Sequence[JudgedSeries], runs: int) -> str:
    fallen = [one for one in drawn if one.decline is not None]
    text = "Star: the best."
    if fallen:
        marks = sorted({"Rings" if has_rings(one) else "Broad lines" for one in fallen}, reverse=True)
        sides = " or ".join(sorted({one.words["side"] for one in fallen}, reverse=True))
        text += f" {', '.join(marks)}: {sides} the best by more than the noise floor, to the end of the log."
    if len(drawn) == 1:
        one = drawn[0]
        floor = f"{shown(one.floor.half_width)} {one.words['side']} the best ({one.floor.origin})"
        text += f" Shaded: the noise floor of {floor}."
        if learning_rate_steps(one.run, one.series.x_kind):
            text += " Dotted lines: learning-rate steps."
        if one.run.restarts:
            text += " Dashed lines: the run was resumed"
            more = len(one.run.restarts) - MOST_EVENTS
            text += f" (and {more} times more, not drawn)" if more > 0 else ""
            text += "; its log counts anew there, and is counted on." if any(r.anew for r in one.run.restarts) else "."
        if failed_at(one):
            text += " Crosses: evaluations that gave no score."
    if said := said_of_outline(max(len(one.series) for one in drawn)):
        text += f" Of the longest series: {said}."
    left = runs - len(drawn)
    return text + (f" {left} more runs are not drawn." if left else "")


def _description(drawn: Sequence[JudgedSeries]) -> str:
    return "; ".join(
        f"{one.run.title}, {one.series.name}: from {shown(one.series.ys[0])} to {shown(one.series.ys[-1])}, "
        f"best {shown(one.series.ys[best_index(one.series.ys, one.higher)])}"
        for one in drawn
    )
