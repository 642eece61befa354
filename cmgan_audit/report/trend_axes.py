"""What the charts of a trend are called, which of them show a course, and which runs they draw first."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence

from cmgan_audit.logs.roles import contains, words_of
from cmgan_audit.logs.selection.judged import JudgedSeries
from cmgan_audit.logs.series import INDEX

_FIRST = "pesq"
# What is no abbreviation, or not written in capitals alone.
_SPELT = {
    "acc": "accuracy", "accuracy": "accuracy", "top 1": "top-1 accuracy", "acc 1": "top-1 accuracy",
    "prec 1": "top-1 accuracy", "io u": "IoU", "iou": "IoU", "miou": "mIoU", "dice": "Dice", "f 1": "F1", "fb 1": "F1",
}  # fmt: skip
# Their parts belong together: SI-SDR, CI-SDR.
_PREFIXES = ("si", "ci")
_PERCENT = 100.0
# More restarts than these are no lines in a chart, but a grey area.
MOST_EVENTS = 40

# More rings than these hide the curve that they are about.
MOST_RINGS = 60


def has_rings(one: JudgedSeries) -> bool:
    """Whether the evaluations of a fall are ringed; the curve of a long one is drawn on a broad shade instead."""
    return one.decline is not None and len(one.series) - one.decline.since <= MOST_RINGS


def panels(judged: Sequence[JudgedSeries]) -> list[list[JudgedSeries]]:
    """The series of each metric and axis; runs that fell first and farthest, for they are what a reader looks for.

    So come the metrics that fell, and of them PESQ. A single value is no course, and alone at epoch 140 it presses
    those of 20 epochs together: it is left to the table.
    """
    found: dict[tuple[str, str], list[JudgedSeries]] = defaultdict(list)
    for one in judged:
        if len(one.series) > 1:
            found[one.measure.key or one.series.name, one.series.x_kind].append(one)
    return sorted((sorted(panel, key=how_far_it_fell) for panel in found.values()), key=_how_soon)


def _how_soon(panel: Sequence[JudgedSeries]) -> tuple[bool, bool, float]:
    """Sorts panels: those in which something fell come first, PESQ before others, a large fall before a small one."""
    falls = [one.decline.drop / one.measure.large for one in panel if one.decline is not None and one.decline.counts]
    return not falls, panel[0].measure.key != _FIRST, -max(falls, default=0.0)


def how_far_it_fell(one: JudgedSeries) -> tuple[bool, bool, float]:
    """Sorts what fell first and farthest first; falls that are mere luck come behind those that are none."""
    decline = one.decline
    return (True, True, 0.0) if decline is None else (False, not decline.counts, -decline.drop)


def failed_at(one: JudgedSeries) -> list[float]:
    """Where an evaluation gave no score: NaN, or a value that no score can be."""
    if one.batches:
        return []
    name, kind = one.series.name, one.series.x_kind
    tried = {x for series in one.run.series if series.name == name and series.x_kind == kind for x in series.xs}
    return sorted(x for x in tried - set(one.series.xs) if math.isfinite(x))


def measured(panel: Sequence[JudgedSeries]) -> str:
    """What a panel shows, as its series are called: PER and not WER, the measure that PER is one of."""
    first = panel[0]
    names = [words_of(one.series.name) for one in panel]
    known = [(*name,) for name in first.measure.names] + [(name,) for name in first.measure.alone]
    common = [name for name in known if all(contains(words, name) for words in names)]
    if common:
        name = max((("-" if name[0] in _PREFIXES else " ").join(name) for name in common), key=len)
        return _SPELT.get(name, name.upper())
    alike = {one.series.name for one in panel}
    return alike.pop() if len(alike) == 1 else (first.measure.key.upper().replace("_", "-") or first.series.name)


def unit_of(panel: Sequence[JudgedSeries]) -> str:
    """The unit of a panel in brackets, with a blank before it; "" for a share of 1."""
    measure = panel[0].measure
    unit = measure.unit or ("%" if measure.high == _PERCENT else "")
    return f" [{unit}]" if unit else ""


def axis_label(x_kind: str) -> str:
    """What stands below the axis."""
    return "values in the order of the log" if x_kind == INDEX else x_kind


def over(x_kind: str) -> str:
    """`over epochs`, or what is true where the log names none."""
    return "in the order of the log" if x_kind == INDEX else f"over {x_kind}s"
