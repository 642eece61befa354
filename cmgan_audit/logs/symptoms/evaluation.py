"""CMG806 incomparable-evaluation, CMG807 plateau, CMG810 selection-optimism: what the evaluation itself does."""

from __future__ import annotations

from statistics import median

from cmgan_audit.finding import Finding, JsonValue, Severity
from cmgan_audit.logs.raising import Raiser, exact
from cmgan_audit.logs.selection.judged import JudgedSeries, Question
from cmgan_audit.logs.series import Run
from cmgan_audit.statistics.trend import best_index, expected_maximum

# Wobble between these multiples of the crop table's looks as if random crops made it.
_LIKE_CROPS = (0.6, 1.7)
_PLATEAU_SHARE, _PLATEAU_LEAST = 0.4, 8
_MANY = 10


def incomparable_evaluation(judged: JudgedSeries, question: Question, raiser: Raiser) -> list[Finding]:
    """CMG806: evaluations wobble as much as random crops make them (needs `--utterances` and `--seconds`)."""
    table, measured = question.table_floor, judged.floor.measured
    if table is None or measured is None or judged.measure.key != "pesq":
        return []
    if not _LIKE_CROPS[0] * table <= measured <= _LIKE_CROPS[1] * table:
        return []
    evidence: dict[str, JsonValue] = {
        "wobble": round(measured, 4),
        "crops": round(table, 4),
        "utterances": question.utterances,
        "seconds": question.seconds,
    }
    what = (
        f"two evaluations differ by up to {measured:.2g} (95 %), which is what random {question.seconds:g} s crops of "
        f"{question.utterances} utterances do by themselves ({table:.2g})"
    )
    return raiser("CMG806", Severity.NOTE, judged.run, judged.series, judged.series.places[-1], evidence, what=what)


def changing_count(run: Run, raiser: Raiser) -> list[Finding]:
    """CMG806: the number of evaluated utterances is not the same in all evaluations."""
    found: list[Finding] = []
    for series in run.series:
        if series.role.kind != "count" or series.role.phase == "train" or len(series) < 2:
            continue
        changed = next((p for p in series if p[1] != series.ys[0]), None)
        if changed is None:
            continue
        evidence: dict[str, JsonValue] = {
            "first": exact(series.ys[0]),
            "then": exact(changed[1]),
            "at": exact(changed[0]),
        }
        what = f"the evaluation scores {exact(series.ys[0])} utterances first and {exact(changed[1])} later"
        found += raiser("CMG806", Severity.WARNING, run, series, changed[2], evidence, what=what)
    return found


def plateau(judged: JudgedSeries, raiser: Raiser) -> list[Finding]:
    """CMG807: nothing was gained, beyond the noise floor, over the last part of the training."""
    series = judged.series
    length = max(_PLATEAU_LEAST, round(_PLATEAU_SHARE * len(series)))
    if judged.decline is not None or len(series) < length + 4:
        return []
    sign = 1.0 if judged.higher else -1.0
    course = [sign * y for y in series.ys]
    start = len(course) - length
    gain = median(course[-3:]) - median(course[start - 1 : start + 2])
    if abs(gain) > judged.floor.half_width:
        return []
    best = best_index(series.ys, judged.higher)
    evidence: dict[str, JsonValue] = {
        "since": exact(series.xs[start]),
        "evaluations": length,
        "gain": round(gain, 6),
        "noise": round(judged.floor.half_width, 6),
        "best": exact(series.ys[best]),
        "best_at": exact(series.xs[best]),
    }
    moved = "improved" if gain > 0 else "changed"
    return raiser("CMG807", Severity.NOTE, judged.run, series, series.places[start], evidence, moved=moved)


def selection_optimism(judged: JudgedSeries, raiser: Raiser) -> list[Finding]:
    """CMG810: the best of many noisy evaluations is higher than the network behind it."""
    series, floor = judged.series, judged.floor
    if floor.measured is None or not judged.certain or len(series) < _MANY:
        return []
    sign = 1.0 if judged.higher else -1.0
    best = best_index(series.ys, judged.higher)
    level = sum(1 for y in series.ys if sign * (series.ys[best] - y) <= 2 * floor.measured)
    optimism = expected_maximum(level) * floor.measured / 2.772
    if level < _MANY or optimism < judged.measure.finest:
        return []
    evidence: dict[str, JsonValue] = {
        "best": exact(series.ys[best]),
        "best_at": exact(series.xs[best]),
        "evaluations": level,
        "optimism": round(optimism, 4),
    }
    return raiser("CMG810", Severity.NOTE, judged.run, series, series.places[best], evidence)
