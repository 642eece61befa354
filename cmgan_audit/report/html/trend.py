"""`report.html` of trend: did a metric fall and stay down, since when, and what else the log shows."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from itertools import groupby

from cmgan_audit.errors import MissingExtraError
from cmgan_audit.finding import Finding, Severity
from cmgan_audit.logs.judging import Judgement
from cmgan_audit.logs.raising import shown
from cmgan_audit.logs.search import Search
from cmgan_audit.logs.selection.batches import is_of_a_batch
from cmgan_audit.logs.selection.judged import JudgedSeries
from cmgan_audit.report.html.charts import Chart
from cmgan_audit.report.html.curves import curve_charts
from cmgan_audit.report.html.losses import Losses, losses_chart
from cmgan_audit.report.html.page import render_page
from cmgan_audit.report.trend_axes import how_far_it_fell
from cmgan_audit.report.trend_text import sentence
from cmgan_audit.report.wording import count
from cmgan_audit.rules.catalogue import Catalogue
from cmgan_audit.statistics.trend import best_index

SHOWN = 3  # findings of one rule and severity; the others unfold
LISTED = 200  # rows of a table, and lines of a list: more make a page that no browser shows at once
OUTCOMES = {"degraded": "fail", "healthy": "pass", "undecided": "note"}
PACKAGES = ("jinja2", "matplotlib")
NONE = "\N{EN DASH}"


def render(found: Search, judgement: Judgement, verdict: str, command: str, catalogue: Catalogue) -> str:
    """Return the report as an HTML page.

    Args:
        found: what was read.
        judgement: what it says.
        verdict: "degraded", "healthy" or "undecided".
        command: how it was made, for the section that tells how to make it again.
        catalogue: for what the rules behind the findings say.

    Raises:
        MissingExtraError: jinja2 or matplotlib is not installed.
    """
    if any(find_spec(package) is None for package in PACKAGES):
        raise MissingExtraError("trend --format html", "plot")
    ordered = sorted(judgement.judged, key=how_far_it_fell)
    rows, series = [_row(one) for one in ordered[:LISTED]], _series(found)
    notes = [str(note) for reading in found.readings for note in reading.notes] + [str(note) for note in found.notes]
    return render_page(
        "trend.html",
        outcome=_outcome(judgement, verdict),
        verdict=sentence(judgement, verdict),
        story=[_told(one) for one in ordered[:3]],
        logs=count(len(found.readings), "log"),
        charts=[*curve_charts(ordered), *_losses(judgement)],
        rows=rows,
        more_rows=len(ordered) - len(rows),
        findings=_folded(judgement.findings),
        rules={finding.rule: catalogue[finding.rule] for finding in judgement.findings},
        counts=_counts(judgement.findings),
        series=series[:LISTED],
        more_series=len(series) - len(series[:LISTED]),
        notes=_listed(notes),
        failed=_listed([str(note) for note in found.failed]),
        without_series=_listed(found.without_series),
        command=command,
    )


def _outcome(judgement: Judgement, verdict: str) -> str:
    """The colour of the page: a run whose loss is NaN has passed nothing, though no metric of it fell."""
    return "error" if verdict != "degraded" and judgement.errors else OUTCOMES[verdict]


def _told(one: JudgedSeries) -> str:
    """What a series did, in one sentence."""
    series = one.series
    if not len(series):
        return f"{one.run.title}: {series.name}: no value that is a score"
    best = best_index(series.ys, one.higher)
    text = (
        f"{one.run.title}: {series.name} is best with {shown(series.ys[best])} at {series.x_kind} "
        f"{shown(series.xs[best])} and ends with {shown(series.ys[-1])}"
        f"{one.without_score}{one.from_batches}"
    )
    if one.decline is not None:
        since = shown(series.xs[one.decline.since])
        floor = shown(one.floor.half_width)
        text += f"; it stays {one.words['side']} the best by more than {floor} since {series.x_kind} {since}"
        if one.decline.drop < one.measure.small:
            text += ", too little to count"
        elif not one.decline.counts:
            text += ", which the luck of the best of so many explains"
    return text


def _losses(judgement: Judgement) -> list[Chart]:
    """The losses beside the metric, where all of it is one run."""
    runs = {one.run.title: one for one in judgement.judged}
    if len(runs) != 1:
        return []
    (one,) = runs.values()
    series = [
        loss.finite()
        for loss in one.run.series
        if loss.role.kind == "loss"
        and loss.x_kind == one.series.x_kind
        and "[rank" not in loss.name
        and not is_of_a_batch(loss.name)
    ]
    series = [loss for loss in series if len(loss) >= 2]
    return [losses_chart(Losses(one.run.title, series))] if series else []


def _row(one: JudgedSeries) -> tuple[str, ...]:
    """Run, series, evaluations, best, where, last, fall, since, floor, origin of the floor: as they are shown."""
    series = one.series
    floor = (shown(one.floor.half_width), one.floor.origin)
    if not len(series):
        return (one.run.title, series.name, "0", NONE, NONE, NONE, NONE, NONE, *floor)
    best = best_index(series.ys, one.higher)
    fall = NONE if one.decline is None else shown(round(one.decline.drop, 6))
    since = NONE if one.decline is None else f"{series.x_kind} {shown(series.xs[one.decline.since])}"
    return (
        one.run.title,
        series.name,
        str(len(series)),
        shown(series.ys[best]),
        f"{series.x_kind} {shown(series.xs[best])}",
        shown(series.ys[-1]),
        fall,
        since,
        *floor,
    )


def _folded(findings: Sequence[Finding]) -> list[tuple[Sequence[Finding], Sequence[Finding]]]:
    """The findings of each rule and severity: those to show, and those that unfold."""
    groups = [list(members) for _, members in groupby(findings, key=lambda one: (one.rule, one.severity))]
    return [(group[:SHOWN], group[SHOWN:]) for group in groups]


def _listed(lines: Sequence[str]) -> list[str]:
    """The first lines of a list, and how many more there are."""
    left = len(lines) - LISTED
    return [*lines[:LISTED], *([f"and {left} more"] if left > 0 else [])]


def _counts(findings: Sequence[Finding]) -> str:
    counted = [(severity, sum(one.severity is severity for one in findings)) for severity in reversed(Severity)]
    return ", ".join(count(number, severity.value) for severity, number in counted if number) or "no findings"


def _series(found: Search) -> list[tuple[str, list[tuple[str, str, str, str]]]]:
    """For every run: the series that were read, their roles, axes and lengths."""
    rows = [
        (run.title, (series.name, str(series.role), series.x_kind, str(len(series))))
        for reading in found.readings
        for run in reading.runs
        for series in run.series
    ]
    return [(title, [row for _, row in members]) for title, members in groupby(rows, key=lambda row: row[0])]
