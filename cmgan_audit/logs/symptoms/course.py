"""CMG808 loss-divergence and CMG809 drop-at-schedule: losses that blow up, falls at a learning-rate step or restart."""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections.abc import Sequence
from statistics import median

from cmgan_audit.finding import Finding, JsonValue, Severity
from cmgan_audit.logs.raising import Raiser, exact
from cmgan_audit.logs.roles import is_of_the_game, table, words_of
from cmgan_audit.logs.selection.judged import JudgedSeries, losses_of
from cmgan_audit.logs.series import EPOCH, INDEX, STEP, Run, Series
from cmgan_audit.statistics.trend import evaluation_sd, expected_maximum, levels, moving_median, per_x

_FEWEST = 5
# A loss that stands this many times as high as at its lowest is lost for good.
_BLOWN_UP = 10.0
_NEAR = 0.1
# A metric ends at the median of so many evaluations.
_LAST = 3
# Losses of single steps scatter; their course is that of so many medians.
_LEVELS = 50
# More steps than these are a smooth schedule (cosine, exponential), not steps.
_MOST_STEPS = 12
_STEP_SHARE = 0.1
# A term that begins at this share of where it ends was switched on by a schedule.
_SWITCHED_ON = 0.05
# A sum over the batches so far mostly lies so near to as many times their mean.
_OF_A_SUM, _MOSTLY = 0.5, 0.9


def divergence(run: Run, judged: Sequence[JudgedSeries], raiser: Raiser) -> list[Finding]:
    """CMG808: a loss ends above its lowest value by more than it had ever gained.

    A note where the metrics of the run gain on while it rises: then a schedule raises it, and not what was learned.
    """
    found: list[Finding] = []
    against = any(s.role.kind == "loss" and s.role.network == "discriminator" for s in run.series)
    for kind in (EPOCH, STEP, INDEX):
        losses = losses_of(run, kind, ("eval", "", "train"))
        for loss in losses:
            xs, ys = levels(*per_x(loss.xs, loss.ys), _LEVELS)
            if len(ys) < _FEWEST or _is_adversarial(loss):
                continue
            smooth = moving_median(ys)
            lowest = min(range(len(smooth)), key=smooth.__getitem__)
            gained, rise = max(smooth[0] - smooth[lowest], 0.0), smooth[-1] - smooth[lowest]
            if rise <= max(gained, 0.5 * abs(smooth[lowest]), _luck(ys)):
                continue
            if kind != EPOCH and _is_a_sum(loss):
                continue
            if _is_part(loss, losses) or _is_switched_on(loss, ys[0], smooth):
                continue
            if against and loss.role.network == "generator" and gained <= _luck(ys):
                continue  # it never learned anything but the game: such a loss rises as its discriminator gets better
            evidence: dict[str, JsonValue] = {
                "lowest": exact(smooth[lowest]),
                "lowest_at": exact(xs[lowest]),
                "last": exact(smooth[-1]),
                "gained": exact(gained),
                "rise": exact(rise),
            }
            blown = smooth[lowest] > 0 and smooth[-1] >= _BLOWN_UP * smooth[lowest]
            # Where the rise begins: behind the last value that is still near the lowest.
            near = max(i for i, y in enumerate(smooth) if y <= smooth[lowest] + _NEAR * rise)
            place = next((p for x, _, p in loss if x > xs[near]), loss.places[-1])
            half = max(i for i, y in enumerate(smooth) if y <= smooth[lowest] + rise / 2)
            improving = bool(judged) and all(_gained_since(one, loss, xs[half]) for one in judged)
            severity = Severity.NOTE if improving else Severity.ERROR if blown else Severity.WARNING
            found += raiser("CMG808", severity, run, loss, place, evidence)
    return found


def _gained_since(judged: JudgedSeries, loss: Series, x: float) -> bool:
    """Whether a metric ends better than all it had reached when the loss was at `x`, by more than its noise."""
    metric = judged.series
    if len(metric) < _FEWEST or judged.decline is not None or judged.ends_without_score:
        return False
    place = max((place for at, _, place in loss if at <= x), default=loss.places[0])
    by_x = metric.x_kind == loss.x_kind
    before = [y for at, y, line in metric if (at <= x if by_x else line <= place)] or [metric.ys[0]]
    sign = 1.0 if judged.higher else -1.0
    return sign * median(metric.ys[-_LAST:]) - max(sign * y for y in before) > judged.floor.half_width


def _is_switched_on(loss: Series, first: float, smooth: Sequence[float]) -> bool:
    """Whether a term begins at nothing and only grows, as one does whose weight is raised: `kl_loss` of a warm-up."""
    return bool(_own_words(loss)) and 0 <= first <= _SWITCHED_ON * smooth[-1] and smooth[0] == min(smooth)


def _is_a_sum(loss: Series) -> bool:
    """Whether a loss only grows, by about as much with every batch: what the batches of an epoch add up to, so far."""
    xs, ys = per_x(loss.xs, loss.ys)
    if xs[0] < 0 or min(ys) <= 0 or any(a >= b for a, b in itertools.pairwise(ys)):
        return False
    each = [y / (x + 1 if xs[0] == 0 else x) for x, y in zip(xs, ys, strict=True)]
    usual = median(each)
    return sum(abs(one - usual) <= _OF_A_SUM * usual for one in each) >= _MOSTLY * len(each)


def _luck(ys: Sequence[float]) -> float:
    """How far the last of so many equal values may lie above the lowest of them by chance."""
    return (expected_maximum(len(ys)) + 2.0) * evaluation_sd(ys)


def _is_part(loss: Series, losses: Sequence[Series]) -> bool:
    """Whether a loss is one term of another that comes down: `cos_sim_loss` beside `loss` and `total loss`.

    What is minimised is the sum, and a term may well pay for the others.
    """
    if not _own_words(loss):
        return False
    for whole in losses:
        if whole.role.phase == loss.role.phase and not _own_words(whole) and len(whole) >= _FEWEST:
            smooth = moving_median(levels(*per_x(whole.xs, whole.ys), _LEVELS)[1])
            if smooth[-1] < smooth[0] and smooth[-1] - min(smooth) < smooth[0] - smooth[-1]:
                return True
    return False


def _own_words(loss: Series) -> set[str]:
    """What the name says beside that it is a loss, of which phase and of which network."""
    t = table()
    return set(words_of(loss.name)) - t.losses - t.qualifiers - set(t.phases) - set(t.networks)


def _is_adversarial(loss: Series) -> bool:
    """What the discriminator thinks of a generator: a loss that is called so (`G_GAN`), or that falls below zero."""
    return is_of_the_game(loss.name) or (loss.role.network == "generator" and min(loss.ys) < 0)


def learning_rate_steps(run: Run, x_kind: str) -> list[tuple[float, float, float]]:
    """Where the learning rate falls at once: x, before, after; nothing for smooth schedules."""
    for series in run.series:
        if series.role.kind != "learning_rate" or series.x_kind != x_kind or series.role.network == "discriminator":
            continue
        xs, ys = per_x(series.xs, series.ys)
        falls = [1 - b / a if a > 0 else 0.0 for a, b in itertools.pairwise(ys)]
        steps = [(xs[i + 1], ys[i], ys[i + 1]) for i in range(len(falls)) if _is_step(falls, i)]
        if 0 < len(steps) <= _MOST_STEPS:
            return steps
    return []


def _is_step(falls: Sequence[float], at: int) -> bool:
    """Whether a learning rate falls at once, and did not fall much before or does not after; smooth ends fall steeply.

    So do those of a polynomial schedule: by a tenth, a fifth and a half, in its last steps.
    """
    beside = [falls[i] for i in (at - 1, at + 1) if 0 <= i < len(falls)]
    return falls[at] > _STEP_SHARE and (not beside or min(beside) <= _STEP_SHARE * falls[at])


def schedule(judged: JudgedSeries, raiser: Raiser) -> list[Finding]:
    """CMG809: the metric falls right at a learning-rate step or a restart, beyond the noise floor."""
    run, metric = judged.run, judged.series
    events = [(x, f"the learning rate goes from {a:g} to {b:g}") for x, a, b in learning_rate_steps(run, metric.x_kind)]
    events += [
        (r.x, f"training was resumed{' and counts anew' * r.anew} (last {metric.x_kind} before: {exact(r.before)})")
        for r in run.restarts
    ]
    found: list[Finding] = []
    points = sorted(metric, key=lambda point: point[0]) if events else []
    xs = [at for at, _, _ in points]
    for x, event in events:
        behind = bisect_left(xs, x)
        before = [y for _, y, _ in points[max(0, behind - 3) : behind]]
        after = [(y, place) for _, y, place in points[behind : behind + 3]]
        if len(before) < 2 or len(after) < 2:
            continue
        sign = 1.0 if judged.higher else -1.0
        level = median(sign * y for y in before)
        drop = level - max(sign * y for y, _ in after)
        if drop <= judged.floor.half_width:
            continue
        evidence: dict[str, JsonValue] = {
            "at": exact(x),
            "event": event,
            "before": exact(sign * level),
            "after": exact(median(y for y, _ in after)),
            "drop": exact(drop),
            "noise": round(judged.floor.half_width, 6),
        }
        large = drop >= judged.measure.small and judged.certain
        found += raiser(
            "CMG809", Severity.WARNING if large else Severity.NOTE, run, metric, after[0][1], evidence,
            what=f"{'falls' if judged.higher else 'rises'} by {drop:.3g} where {event}",
        )  # fmt: skip
    return found


def lost_best(run: Run, raiser: Raiser) -> list[Finding]:
    """CMG809: the best value that the log announces gets worse: it was forgotten on resume."""
    found: list[Finding] = []
    for series in run.series:
        if series.role.kind != "best" or series.role.higher_is_better is None or not run.restarts:
            continue
        sign = 1.0 if series.role.higher_is_better else -1.0
        points = list(series.finite())
        for (_, a, _), (x, b, place) in itertools.pairwise(points):
            if sign * b < sign * a - 1e-9:
                evidence: dict[str, JsonValue] = {"at": exact(x), "before": exact(a), "after": exact(b)}
                what = (
                    f"goes back from {exact(a)} to {exact(b)}: the best was not restored on resume, "
                    "and a worse checkpoint replaces it"
                )
                found += raiser("CMG809", Severity.WARNING, run, series, place, evidence, what=what)
                break
    return found
