"""CMG803 discriminator-starved, CMG804 sentinel-in-metric, CMG805 not-finite: values that should not be there."""

from __future__ import annotations

import itertools
import math

from cmgan_audit.finding import Finding, JsonValue, Severity
from cmgan_audit.logs.raising import Raiser, exact
from cmgan_audit.logs.selection.judged import NORMALISED_SPAN, measure_of, sentinel_points
from cmgan_audit.logs.selection.placeholders import is_zero_throughout, scores_come_in_rhythm
from cmgan_audit.logs.series import PrintedBatch, Role, Run, Series

# Share of zero discriminator losses from which on it is worth knowing, and from which on it is a warning.
_ZERO_NOTE, _ZERO_WARNING = 0.01, 0.1
# Healthy official logs go down to 5.6e-4: "small" is reported beside the zeros and never judged.
_SMALL = 1e-3
# So many values at the end are how the training ended, though a mean over the batches so far was finite in between.
_ENDS_SO = 3
_NO_ROLE = Role("other")


def discriminator_starved(run: Run, raiser: Raiser) -> list[Finding]:
    """CMG803: steps whose discriminator loss is exactly zero, told apart from small ones."""
    series = [s.finite() for s in run.series if s.role.kind == "loss" and s.role.network == "discriminator"]
    series = [s for s in series if len(s) >= 2]
    if not series:
        return []
    finest = max(series, key=len)
    zeros = sum(1 for y in finest.ys if y == 0)
    small = sum(1 for y in finest.ys if 0 < abs(y) < _SMALL)
    share = zeros / len(finest)
    if zeros < 2 or share < _ZERO_NOTE:
        return []
    place = next(place for _, y, place in finest if y == 0)
    evidence: dict[str, JsonValue] = {
        "values": len(finest),
        "zeros": zeros,
        "zero_percent": round(100 * share, 1),
        "small": small,
        "small_percent": round(100 * small / len(finest), 1),
        "thinned_by": finest.stride,
    }
    severity = Severity.WARNING if share >= _ZERO_WARNING else Severity.NOTE
    return raiser("CMG803", severity, run, finest, place, evidence)


def sentinel_in_metric(run: Run, raiser: Raiser) -> list[Finding]:
    """CMG804: values that no PESQ can be, in a series of means or among printed values."""
    found: list[Finding] = []
    for series in run.series:
        if series.role.kind in ("metric", "saved") and series.role.measure == "pesq":
            found += _sentinel_in_series(run, series, raiser)
    for name, batch in run.printed.items():
        if batch.sentinels:
            found += _sentinel_in_batch(run, name, batch, raiser)
    return found


def _sentinel_in_series(run: Run, series: Series, raiser: Raiser) -> list[Finding]:
    """Values among means; those that are zero in the rhythm of evaluations were never computed."""
    finite = series.finite()
    points = sentinel_points(finite, measure_of(finite))
    if not points:
        return []
    x, y, place = points[0]
    evidence: dict[str, JsonValue] = {
        "value": exact(y),
        "at": exact(x),
        "values": len(points),
        "evaluations": len(finite),
    }
    failed = {point[:1] + point[2:] for point in points}
    failures = [(x, place) in failed for x, _, place in finite]
    never_meant = all(not point[1] for point in points) and (
        scores_come_in_rhythm(failures) or (all(failures) and _has_scores_elsewhere(run, series))
    )
    severity = Severity.NOTE if never_meant else Severity.ERROR
    explanation = "0.0 stands where nothing was evaluated" if never_meant else _explanation(y)
    if not never_meant and is_zero_throughout(series) and _others_have_scores(run, series):
        severity = Severity.WARNING
        explanation = "0.0 throughout beside scores of other metrics: PESQ is switched off, or fails on every utterance"
    return raiser("CMG804", severity, run, series, place, evidence, explanation=explanation)


def _others_have_scores(run: Run, series: Series) -> bool:
    """Whether other metrics were computed where PESQ says 0, and PESQ nowhere."""
    places = set(series.places)
    metrics = [other for other in run.series if other.role.kind == "metric" and not is_zero_throughout(other)]
    if any(other.role.measure == series.role.measure for other in metrics):
        return False
    return any(place in places and y != 0 and math.isfinite(y) for other in metrics for _, y, place in other)


def _sentinel_in_batch(run: Run, name: str, batch: PrintedBatch, raiser: Raiser) -> list[Finding]:
    """Values among the scores of single items that the log prints."""
    evidence: dict[str, JsonValue] = {
        "value": -1,
        "at": batch.first_place,
        "values": batch.sentinels,
        "evaluations": batch.values,
    }
    series = Series(f"a printed batch of {name}", _NO_ROLE, "line")
    explanation = "a failed PESQ; the log does not say whether it enters a mean or a label"
    return raiser("CMG804", Severity.WARNING, run, series, batch.first_place, evidence, explanation=explanation)


def _has_scores_elsewhere(run: Run, series: Series) -> bool:
    """Whether another PESQ of the run has scores: one of training that is 0 all along beside it was never computed."""
    if series.role.phase == "eval":
        return False
    others = [
        s.finite() for s in run.series if s is not series and s.role.measure == "pesq" and s.role.kind == "metric"
    ]
    return any(len(other) > len(sentinel_points(other, measure_of(other))) for other in others)


def _explanation(value: float) -> str:
    if math.isclose(value, -2 / NORMALISED_SPAN, abs_tol=1e-5):
        return "(-1 - 1) / 3.5: a failed PESQ of -1 was normalised and counted as a score"
    if math.isclose(value, -1.0, abs_tol=1e-6):
        return "-1 stands for a failed PESQ"
    if value == 0:
        return "0.0 stands for a failed PESQ or for no evaluation at all"
    return "below the lowest score that PESQ can give: a failure value is inside the mean"


def not_finite(run: Run, raiser: Raiser) -> list[Finding]:
    """CMG805: NaN or infinity in a metric or a loss."""
    found: list[Finding] = []
    for series in run.series:
        if series.role.kind not in ("metric", "loss"):
            continue
        bad = [point for point in series if not math.isfinite(point[1])]
        if not bad:
            continue
        if series.role.kind == "metric" and scores_come_in_rhythm([not math.isfinite(y) for y in series.ys]):
            continue  # an evaluation every few epochs, and NaN in the table between them
        x, y, place = bad[0]
        at_end = _not_finite_at_end(series)
        until_end = at_end == len(bad) or at_end >= _ENDS_SO
        evidence: dict[str, JsonValue] = {
            "value": "NaN" if math.isnan(y) else "infinity",
            "first_at": exact(x),
            "values": len(bad),
            "of": len(series),
            "until_end": until_end,
            "at_end": at_end,
        }
        severity = Severity.ERROR if until_end else Severity.WARNING
        last = "but finite values follow"
        if until_end:
            last = (
                "and every value after it"
                if at_end == len(bad)
                else f"finite values follow, but the last {at_end} are not"
            )
        found += raiser("CMG805", severity, run, series, place, evidence, ending=last)
    return found


def _not_finite_at_end(series: Series) -> int:
    """How many values behind the last finite one are NaN or infinite."""
    return sum(1 for _ in itertools.takewhile(lambda y: not math.isfinite(y), reversed(series.ys)))
