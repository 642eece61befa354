"""`trend.png` of compare-ckpts: the deciding metric over the checkpoints, and the paired differences."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from cmgan_audit.evaluation.metrics import METRICS
from cmgan_audit.evaluation.result import CheckpointSummary, ComparisonResult, MetricSummary
from cmgan_audit.statistics.compare import ALPHA
from cmgan_audit.statistics.paired import critical_t
from cmgan_audit.statistics.verdict import Verdict

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito's colours: told apart by the colour-blind; the markers tell the same in greyscale.
LOOKS = {
    Verdict.REGRESSED: ("#D55E00", "v"),
    Verdict.IMPROVED: ("#009E73", "^"),
    Verdict.EQUIVALENT: ("#0072B2", "o"),
    Verdict.UNDECIDED: ("#666666", "D"),
}
LABELS_SHOWN = 12
LABEL_CHARACTERS = 7  # for each of them, with the space beside it


def trend_png(result: ComparisonResult) -> bytes:
    """The plot as PNG without time stamps: mean with its interval above, paired differences below."""
    import matplotlib as mpl

    # A name may hold a dollar sign or letters that the font lacks: it is shown as it is, or as boxes, in silence.
    with mpl.rc_context({"text.parse_math": False}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        return _drawn(result)


def _drawn(result: ComparisonResult) -> bytes:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 6.4), dpi=150, layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    entries = [entry for entry in result.checkpoints if entry.name in result.order]
    entries.sort(key=lambda entry: list(result.order).index(entry.name))
    places = places_of(entries)
    _means(above, result, entries, places)
    _differences(below, result, entries, places)
    ticks(below, entries, places)
    figure.suptitle(_title(result), fontsize=11)
    figure.text(0.01, -0.01, _caption(result), fontsize=7.5, va="top", wrap=True)
    stream = io.BytesIO()
    figure.savefig(stream, format="png", metadata={"Software": None}, bbox_inches="tight")
    return stream.getvalue()


def places_of(entries: Sequence[CheckpointSummary]) -> list[float]:
    """Where each checkpoint stands: at its epoch if all have one and they rise, else at its position."""
    return [float(place) for place in rising_epochs(entries) or range(len(entries))]


def rising_epochs(entries: Sequence[CheckpointSummary]) -> list[int]:
    """The epochs of checkpoints, if all have one and they rise: others are of several trainings, or out of order."""
    epochs = [entry.epoch for entry in entries if entry.epoch is not None]
    rising = len(epochs) == len(entries) and all(before < after for before, after in pairwise(epochs))
    return epochs if rising else []


def scored(result: ComparisonResult) -> str:
    """Over how many utterances the drawn means are: "n = 14 utterances", or from the fewest to the most."""
    numbers = sorted(entry.metrics[result.primary].n for entry in result.checkpoints if entry.metrics[result.primary].n)
    if not numbers or numbers[0] == numbers[-1]:
        return f"n = {numbers[0] if numbers else len(result.utterances)} utterances"
    return f"n = {numbers[0]} to {numbers[-1]} utterances, not the same for all checkpoints"


def half_interval(metric: MetricSummary) -> float | None:
    """Half of the 95 % interval of a mean over utterances, by Student's t; None where one utterance has no spread."""
    return None if metric.sd is None else critical_t(metric.n - 1.0, ALPHA) * metric.sd / metric.n**0.5


def _means(axes: Axes, result: ComparisonResult, entries: Sequence[CheckpointSummary], places: Sequence[float]) -> None:
    known, means, halves = [], [], []
    for place, entry in zip(places, entries, strict=True):
        metric = entry.metrics[result.primary]
        if metric.mean is not None:
            known.append(place)
            means.append(metric.mean)
            halves.append(half_interval(metric) or 0.0)
    axes.errorbar(known, means, yerr=halves, color="black", marker="s", markersize=5, capsize=3, linewidth=1.2)
    outside = [entry for entry in result.checkpoints if entry.name == result.baseline not in result.order]
    for entry in outside:
        mean = entry.metrics[result.primary].mean
        if mean is not None:
            axes.axhline(mean, color="#666666", linestyle="--", linewidth=1)
            axes.annotate(
                f"{entry.name} {mean:.2f}",
                (0.995, mean),
                xycoords=("axes fraction", "data"),
                ha="right",
                va="bottom",
                fontsize=8,
                color="#444444",
            )
    unit = METRICS[result.primary].unit if result.primary in METRICS else ""
    label = METRICS[result.primary].label if result.primary in METRICS else result.primary
    axes.set_ylabel(f"mean {label}" + (f" [{unit}]" if unit else ""))
    axes.margins(y=0.15)
    axes.grid(axis="y", color="#dddddd", linewidth=0.6)


def _differences(
    axes: Axes, result: ComparisonResult, entries: Sequence[CheckpointSummary], places: Sequence[float]
) -> None:
    place = {entry.name: at for entry, at in zip(entries, places, strict=True)}
    shown = [one for one in result.deciding_family if one.candidate in place]
    axes.axhspan(-result.floor, result.floor, color="#0072B2", alpha=0.12, linewidth=0)
    axes.axhline(0, color="black", linewidth=0.8)
    used = set()
    for one in shown:
        colour, marker = LOOKS[one.verdict]
        errors = None
        if one.ci_low is not None and one.ci_high is not None:
            errors = [[one.mean_difference - one.ci_low], [one.ci_high - one.mean_difference]]
        axes.errorbar(
            [place[one.candidate]],
            [one.mean_difference],
            yerr=errors,
            color=colour,
            marker=marker,
            capsize=3,
            markersize=7,
            linestyle="none",
            label=None if one.verdict in used else one.verdict.value,
        )
        used.add(one.verdict)
    if used:
        # Above the axes: the best free place within them may cover an interval.
        axes.legend(fontsize=8, frameon=False, loc="lower right", bbox_to_anchor=(1.0, 0.99), borderaxespad=0, ncols=4)
    against = result.baseline or "the best before"
    axes.set_ylabel(f"difference to\n{against}")
    axes.grid(axis="y", color="#dddddd", linewidth=0.6)


def ticks(
    axes: Axes, entries: Sequence[CheckpointSummary], places: Sequence[float], at_most: int = LABELS_SHOWN
) -> None:
    """Label the horizontal axis with epochs, or with names where checkpoints do not stand at theirs."""
    epochs = rising_epochs(entries)
    if epochs:
        labels = [str(epoch) for epoch in epochs]
        axes.set_xlabel("epoch")
    else:
        names, room = [entry.name for entry in entries], at_most * LABEL_CHARACTERS
        before, own, after = ("", names, "") if _widest(names) * len(names) <= room else own_parts(names)
        labels = [short(name) for name in own]
        axes.set_xlabel(_named("checkpoint, in the order given", f"{short(before)}*{short(after)}", room))
    fitting = max(1, min(at_most, at_most * LABEL_CHARACTERS // _widest(labels)))
    shown = range(0, len(entries), -(-len(entries) // fitting))
    axes.set_xticks([places[at] for at in shown], [labels[at] for at in shown])
    margin = 0.05 * (places[-1] - places[0]) or 0.5
    axes.set_xlim(places[0] - margin, places[-1] + margin)


def _named(axis: str, names: str, room: int) -> str:
    """What an axis shows, with what its names have in common beside it or below."""
    if names == "*":
        return axis
    return f"{axis}: {names}" if len(axis) + len(names) < room else f"{axis}\n{names}"


def _widest(labels: Sequence[str]) -> int:
    """Characters of the longest label as it is shown, and of the space beside it."""
    return max(len(short(label)) for label in labels) + 2


def own_parts(names: Sequence[str]) -> tuple[str, list[str], str]:
    """What all names begin with, what is each one's own, and what all end with; words and numbers stay whole."""
    if len(names) < 2:
        return "", list(names), ""
    start = _common_words(names)
    end = _common_words([name[len(start) :][::-1] for name in names])[::-1]
    own = [name[len(start) : len(name) - len(end)] for name in names]
    return (start, own, end) if all(own) else ("", list(names), "")


def _common_words(names: Sequence[str]) -> str:
    """What all names begin with, without the beginning of a word that goes on differently."""
    first, last = min(names), max(names)
    length = next((at for at, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), len(first))
    while length and first[length - 1].isalnum():
        length -= 1
    return first[:length]


def _title(result: ComparisonResult) -> str:
    if not result.decisive:
        return f"{len(result.order)} checkpoint(s), {len(result.utterances)} utterances"
    one = result.decisive[-1]
    return f"{short(one.candidate)} against {short(one.baseline)}: {one.verdict.value} ({one.mean_difference:+z.3f})"


def _caption(result: ComparisonResult) -> str:
    what = "whole utterances" if result.segments == "full" else f"segments {result.segments}"
    return (
        f"Above: mean over {scored(result)} ({what}); bars: 95 % interval of the mean, "
        "wide because utterances differ. Below, what decides: mean paired difference on the same utterances with its "
        f"adjusted 95 % interval; band: ±{result.floor:g}, within which a difference counts as none. {result.signature}"
    )


def short(name: str) -> str:
    """A name as it fits beside a plot."""
    return name if len(name) <= 24 else f"{name[:10]}...{name[-11:]}"
