"""The charts of a comparison, each in a wide and a narrow form; the page shows the one that fits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from cmgan_audit.evaluation.comparing import higher_is_better
from cmgan_audit.evaluation.metrics import METRICS
from cmgan_audit.evaluation.result import CheckpointSummary, ComparisonResult
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.report.compare_plot import half_interval, places_of, scored, short, ticks
from cmgan_audit.report.html.inline_svg import BAND, BETTER, INK, MUTED, OPEN, SAME, WORSE, inline_svg
from cmgan_audit.statistics.compare import Comparison
from cmgan_audit.statistics.crop_noise import half_width
from cmgan_audit.statistics.groups import GroupDifference
from cmgan_audit.statistics.verdict import Verdict

if TYPE_CHECKING:
    from markupsafe import Markup
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDE, NARROW = 10.4, 4.7  # inches of 72 units
FONT_WIDE, FONT_NARROW = 9.5, 11.0
LABELS, FEW_LABELS = 12, 5  # labels on the horizontal axis of each form
CROP_SECONDS = 2.0
SMALL_GROUP = 5  # below it an interval is so wide that it would be all that a chart shows
MANY = 40  # from here on markers are small and intervals have no caps
GROUPS_DRAWN = 48
FEW_VALUES = 60
# Verdicts differ in colour and in the marker's form; the page's key draws the same forms.
LOOKS = {
    Verdict.REGRESSED: (WORSE, "v"),
    Verdict.IMPROVED: (BETTER, "^"),
    Verdict.EQUIVALENT: (SAME, "o"),
    Verdict.UNDECIDED: (OPEN, "D"),
}


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart and what is said about it."""

    name: str
    title: str
    caption: str
    wide: Markup
    narrow: Markup


def label_of(metric: str) -> str:
    """A metric with its unit, as it stands beside an axis."""
    known = METRICS.get(metric)
    if known is None:
        return metric
    return known.label + (f" [{known.unit}]" if known.unit else "")


def _axis(metric: str, what: str) -> str:
    """What stands beside an axis; the title of a chart names the metric."""
    unit = METRICS[metric].unit if metric in METRICS else ""
    return f"{what} [{unit}]" if unit else what


def _draw_means(axes: Axes, known: Sequence[tuple[float, float, float]]) -> None:
    """Means with half their intervals, at their places; small marks without caps where there are many."""
    many = len(known) > MANY
    axes.errorbar(
        [place for place, _, _ in known],
        [mean for _, mean, _ in known],
        yerr=[half for _, _, half in known],
        color=INK,
        ecolor=MUTED,
        marker="o" if many else "s",
        markersize=3 if many else 5,
        capsize=0 if many else 3,
        elinewidth=0.7 if many else 1,
        linewidth=1.3,
    )


def _draw_reference(axes: Axes, name: str, mean: float) -> None:
    """A system that is no checkpoint: a dashed line with its name at the right edge."""
    axes.axhline(mean, color=MUTED, linestyle="--", linewidth=1)
    axes.annotate(
        f"{short(name)} {mean:.2f}", (0.995, mean), xycoords=("axes fraction", "data"), ha="right", va="bottom"
    )


def means_chart(result: ComparisonResult) -> Chart | None:
    """The deciding metric over the checkpoints; None where none has a score."""
    entries = _entries(result)
    places = places_of(entries)
    known = [
        (place, metric.mean, half_interval(metric) or 0.0)
        for place, metric in zip(places, (entry.metrics[result.primary] for entry in entries), strict=True)
        if metric.mean is not None
    ]
    if not known:
        return None
    means = [mean for _, mean, _ in known]
    outside = [entry for entry in result.checkpoints if entry.name not in result.order]
    n = max(entry.metrics[result.primary].n for entry in entries)
    noise = half_width(n, CROP_SECONDS) if result.primary == "pesq" else None
    best = max(means) if higher_is_better(result.primary) else min(means)

    def draw(figure: Figure, labels: int) -> None:
        axes = figure.subplots()
        if noise is not None:
            axes.axhspan(best - noise, best + noise, color=BAND, linewidth=0)
        _draw_means(axes, known)
        for entry in outside:
            mean = entry.metrics[result.primary].mean
            if mean is not None:
                _draw_reference(axes, entry.name, mean)
        axes.set_ylabel(_axis(result.primary, "mean"))
        axes.margins(y=0.15)
        axes.grid(axis="y")
        ticks(axes, entries, places, labels)

    band = ""
    if noise is not None:
        band = (
            f" Shaded: ±{noise:.3f} around the best mean, as far as two evaluations of {n} utterances lie apart (95 %) "
            "when each scores new random crops of 2 s (measured table). The scores here are of fixed segments."
        )
    decides = "; the chart of paired differences below decides" if result.decisive else ""
    return drawn_twice(
        "means",
        f"{_label(result)} over the checkpoints",
        f"Mean over {scored(result)} with its 95 % interval, which is wide because utterances differ{decides}.{band}",
        f"From {means[0]:.3f} at the first to {means[-1]:.3f} at the last of {len(means)}; best {best:.3f}.",
        draw,
        3.5,
        2.9,
    )


def differences_chart(result: ComparisonResult) -> Chart | None:
    """The paired differences on which the verdict rests; None where nothing was compared."""
    entries = _entries(result)
    places = places_of(entries)
    place = {entry.name: at for entry, at in zip(entries, places, strict=True)}
    shown = [one for one in result.deciding_family if one.candidate in place]
    if not shown:
        return None

    def draw(figure: Figure, labels: int) -> None:
        axes = figure.subplots()
        axes.axhspan(-result.floor, result.floor, color=BAND, linewidth=0)
        axes.axhline(0, color=INK, linewidth=0.8)
        many = len(shown) > MANY
        for one in shown:
            colour, marker = LOOKS[one.verdict]
            axes.errorbar(
                [place[one.candidate]],
                [one.mean_difference],
                yerr=_reach(one.mean_difference, one.ci_low, one.ci_high),
                color=colour,
                marker=marker,
                markersize=4 if many else 7,
                capsize=0 if many else 3,
                linestyle="none",
            )
        axes.set_ylabel(_axis(result.primary, "difference"))
        axes.grid(axis="y")
        ticks(axes, entries, places, labels)

    against = result.baseline or "the best checkpoint before"
    last = shown[-1]
    return drawn_twice(
        "differences",
        f"Paired differences in {_label(result)} to {against}",
        "What decides: the mean difference on the same utterances with its adjusted 95 % interval. "
        f"Shaded: ±{result.floor:g}, within which a difference counts as none.",
        f"The last, {last.candidate}, is {last.verdict.value}: {last.mean_difference:+z.3f}.",
        draw,
        3.0,
        2.6,
    )


def groups_chart(result: ComparisonResult, groups: Sequence[GroupDifference]) -> Chart | None:
    """The difference in each group of utterances (speaker, condition); None without groups, or with too many."""
    if not groups or len(groups) > GROUPS_DRAWN:
        return None
    rows = list(reversed(groups))

    def draw(figure: Figure, labels: int) -> None:
        axes = figure.subplots()
        axes.axvspan(-result.floor, result.floor, color=BAND, linewidth=0)
        axes.axvline(0, color=INK, linewidth=0.8)
        for position, group in enumerate(rows):
            reach = _reach(group.mean_difference, group.ci_low, group.ci_high) if group.n >= SMALL_GROUP else None
            axes.errorbar([group.mean_difference], [position], xerr=reach, color=INK, marker="o", capsize=3)
        axes.set_yticks(range(len(rows)), [f"{short(group.group)} (n = {group.n})" for group in rows])
        axes.set_ylim(-0.7, len(rows) - 0.3)
        axes.set_xlabel(_axis(result.primary, "difference"))
        axes.grid(axis="x")

    lowest = min(groups, key=lambda group: group.mean_difference)
    height = 0.75 + 0.27 * len(rows)
    return drawn_twice(
        "groups",
        f"Difference in {_label(result)} per group",
        "Mean paired difference in each group with its 95 % t interval, not corrected for the number of groups: for "
        f"reading, not for the verdict. Intervals of groups below {SMALL_GROUP} utterances stand in the table only.",
        f"The lowest is {lowest.grouping} {lowest.group}: {lowest.mean_difference:+z.3f}, n = {lowest.n}.",
        draw,
        height,
        height,
    )


def distribution_chart(result: ComparisonResult, differences: Sequence[float], one: Comparison) -> Chart | None:
    """How the paired differences of the deciding comparison are distributed; None without any."""
    if not differences:
        return None

    def draw(figure: Figure, labels: int) -> None:
        import numpy as np

        axes = figure.subplots()
        axes.axvspan(-result.floor, result.floor, color=BAND, linewidth=0)
        values = np.asarray(differences)
        edges = np.histogram_bin_edges(values, bins="auto")
        if len(edges) > MANY:
            edges = np.linspace(values.min(), values.max(), MANY + 1)
        axes.hist(values, bins=list(edges), color=SAME, alpha=0.75, edgecolor=INK, linewidth=0.4)
        if len(differences) <= FEW_VALUES:
            axes.plot(values, np.zeros(len(values)), "|", color=INK, markersize=12, clip_on=False)
        axes.axvline(0, color=INK, linewidth=0.8)
        axes.axvline(one.mean_difference, color=WORSE if one.verdict is Verdict.REGRESSED else INK, linestyle="--")
        axes.set_xlabel(_axis(result.primary, "difference"))
        axes.set_ylabel("utterances")
        axes.grid(axis="y")

    ordered = sorted(differences)
    middle = ordered[len(ordered) // 2]
    return drawn_twice(
        "distribution",
        f"Distribution of the paired differences in {_label(result)}",
        f"{one.candidate} minus {one.baseline} on each of {len(differences)} utterances; "
        f"{100 * one.share_worse:.0f} % are worse. Dashed: the mean, {one.mean_difference:+z.3f}. "
        f"Shaded: ±{result.floor:g}.",
        f"From {ordered[0]:+z.3f} to {ordered[-1]:+z.3f}, half of them below {middle:+z.3f}.",
        draw,
        2.8,
        2.6,
    )


def drawn_twice(
    name: str,
    title: str,
    caption: str,
    description: str,
    draw: Callable[[Figure, int], None],
    height_wide: float,
    height_narrow: float,
) -> Chart:
    """Make both forms of a chart.

    Args:
        name: unique in the page.
        title: what it shows.
        caption: how to read it, for everybody.
        description: what it shows, for those who do not see it.
        draw: puts it into a figure; gets the number of labels that fit on the horizontal axis.
        height_wide: inches of 72 units.
        height_narrow: inches of 72 units.
    """

    def form(kind: str, width: float, height: float, font: float, labels: int) -> Markup:
        return inline_svg(
            lambda figure: draw(figure, labels),
            name=f"{name}-{kind}",
            title=title,
            description=description,
            size=(width, height),
            font=font,
        )

    return Chart(
        name,
        title,
        caption,
        form("wide", WIDE, height_wide, FONT_WIDE, LABELS),
        form("narrow", NARROW, height_narrow, FONT_NARROW, FEW_LABELS),
    )


def _entries(result: ComparisonResult) -> list[CheckpointSummary]:
    """The checkpoints in the order given, without a baseline that is none of them."""
    position = {name: at for at, name in enumerate(result.order)}
    return sorted(
        (entry for entry in result.checkpoints if entry.name in position), key=lambda entry: position[entry.name]
    )


def _label(result: ComparisonResult) -> str:
    known = METRICS.get(result.primary)
    return result.primary if known is None else known.label


def _reach(mean: float, low: float | None, high: float | None) -> list[list[float]] | None:
    return None if low is None or high is None else [[mean - low], [high - mean]]
