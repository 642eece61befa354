"""CMG801 metric-decline and CMG802 loss-metric-divergence."""

from __future__ import annotations

from cmgan_audit.finding import Finding, JsonValue, Severity
from cmgan_audit.logs.raising import Raiser, exact
from cmgan_audit.logs.selection.judged import JudgedSeries, Question, losses_of
from cmgan_audit.logs.series import Series
from cmgan_audit.statistics.trend import MEASURABLE, Decline, evaluation_sd, per_x

# What it says that a loss improves while the metric falls; the loss of the training alone does so when it over-fits,
# and of one that names no phase nobody knows.
_UNLIKE = "the loss does not measure what the metric measures"
_MEANINGS = {
    "eval": _UNLIKE,
    "train": f"over-fitting, or {_UNLIKE}; a loss on the evaluation set would tell",
    "": f"{_UNLIKE}, or, if it is that of the training, over-fitting",
}
# A loss that falls by less than this share does not count as improving.
_IMPROVED = 0.01


def decline_severity(judged: JudgedSeries, question: Question) -> Severity:
    """By the size of the drop; a note where the luck of the best explains it, no error where the role is guessed."""
    decline = judged.decline
    if decline is None or not decline.counts:
        return Severity.NOTE
    error_from = judged.measure.large if question.fail_on_drop is None else question.fail_on_drop
    # Drops are compared as printed numbers are: 2.6 - 2.4 is 0.2, not 0.20000000000000018.
    drop = round(decline.drop, 9)
    if drop >= error_from:
        return Severity.ERROR if judged.certain else Severity.WARNING
    return Severity.WARNING if drop >= judged.measure.small else Severity.NOTE


def metric_decline(judged: JudgedSeries, question: Question, raiser: Raiser) -> list[Finding]:
    """CMG801: the last evaluations all lie below the best by more than the noise floor."""
    decline, series, floor = judged.decline, judged.series, judged.floor
    if decline is None:
        return []
    evidence: dict[str, JsonValue] = {
        "best": exact(series.ys[decline.best]),
        "best_at": exact(series.xs[decline.best]),
        "last": exact(series.ys[-1]),
        "last_at": exact(series.xs[-1]),
        "since": exact(series.xs[decline.since]),
        "drop": exact(decline.drop),
        "typical_drop": exact(decline.typical_drop),
        "noise": round(floor.half_width, 6),
        "noise_from": floor.origin,
        "noise_measured": None if floor.measured is None else round(floor.measured, 6),
        "evaluations": len(series),
        "low_evaluations": len(series) - decline.since,
        "beyond_selection": decline.beyond_selection,
        "lone_best": decline.lone_best,
    }
    return raiser(
        "CMG801",
        decline_severity(judged, question),
        judged.run,
        series,
        series.places[decline.since],
        evidence,
        certain=judged.certain,
        luck=_luck(decline),
        **judged.words,
    )


def _luck(decline: Decline) -> str:
    """Why a fall is no decline of the network."""
    if not decline.beyond_selection:
        return "; picking the best of so many noisy evaluations explains it"
    if decline.lone_best:
        return "; it rests on the best alone, which stands out from the evaluations before and after it"
    return ""


def loss_divergence(judged: JudgedSeries, question: Question, raiser: Raiser) -> list[Finding]:
    """CMG802: from the best metric on, the loss got better while the metric fell, by more than luck explains."""
    decline, metric = judged.decline, judged.series
    if decline is None or not decline.counts:
        return []
    best_x = metric.xs[decline.best]
    losses = losses_of(judged.run, metric.x_kind, ("eval", "")) or losses_of(judged.run, metric.x_kind, ("train",))
    for loss in losses:
        change = _improvement(loss, best_x)
        if change is None:
            continue
        before, after = change
        evidence: dict[str, JsonValue] = {
            "loss": loss.name,
            "loss_at_best": exact(before),
            "loss_after": exact(after),
            "loss_change_percent": round(100 * (after - before) / abs(before), 2),
            "best_at": exact(best_x),
            "since": exact(metric.xs[decline.since]),
            "drop": exact(decline.drop),
        }
        severity = min(Severity.WARNING, decline_severity(judged, question))
        return raiser(
            "CMG802", severity, judged.run, metric, metric.places[decline.since], evidence,
            certain=judged.certain, meaning=_MEANINGS[loss.role.phase], **judged.words,
        )  # fmt: skip
    return []


def _improvement(loss: Series, best_x: float) -> tuple[float, float] | None:
    """The loss at the metric's best and its mean after it, when that is lower by more than the loss's own noise."""
    xs, ys = per_x(loss.xs, loss.ys)
    before = [y for x, y in zip(xs, ys, strict=True) if x <= best_x]
    after = [y for x, y in zip(xs, ys, strict=True) if x > best_x]
    if not before or not after:
        return None
    if len(ys) < MEASURABLE:
        at_best, later, noise = before[-1], sum(after) / len(after), 0.0
    else:
        recent, last = before[-3:], after[-3:]
        at_best, later, noise = sum(recent) / len(recent), sum(last) / len(last), 2 * evaluation_sd(ys)
    if at_best == 0 or at_best - later <= max(_IMPROVED * abs(at_best), noise):
        return None
    return at_best, later
