"""What is judged: which series of a run is the metric, in which unit, against which noise floor."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import field, replace
from statistics import median

from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.logs.roles import Measure, is_normalised, is_relative, table
from cmgan_audit.logs.selection.batches import (
    are_batches,
    are_means_so_far,
    epoch_means,
    is_of_a_batch,
    last_of_epochs,
    noise_of_means,
)
from cmgan_audit.logs.selection.choosing import chosen_series
from cmgan_audit.logs.selection.held import without_repetitions
from cmgan_audit.logs.selection.placeholders import ends_in_failures
from cmgan_audit.logs.series import Run, Series
from cmgan_audit.statistics.crop_noise import half_width
from cmgan_audit.statistics.trend import Decline, NoiseFloor, find_decline, noise_floor

# CMGAN's label is (PESQ - 1) / 3.5; 1.041 is what identical signals reach on it.
NORMALISED_SPAN = 3.5
_NORMALISED_TOP = 1.1
# Values that stand for a failed PESQ: -1 as wrappers of `pesq` return it, its normalised image, an empty mean.
SENTINELS = (-1.0, -2.0 / NORMALISED_SPAN, 0.0)
# No network makes so many times more errors than there are words.
_BABBLE = 20
_SENTINEL_SLACK = 1e-5
# What is a share of 1, or percent of it.
_PERCENT = 100.0
_SHARES = ("stoi", "estoi", "wer", "accuracy", "auc", "iou", "f1")
_UNKNOWN = Measure("", (), higher=True, small=0.1, large=0.2, assumed=0.1, finest=0.01)


@dataclass(frozen=True, slots=True)
class Question:
    """What the user asked: which metric, how the evaluation was made, from where on a drop counts as an error."""

    metrics: tuple[str, ...] = ()
    utterances: int | None = None
    seconds: float | None = None
    fail_on_drop: float | None = None
    pesq_warning_from: float = 0.1
    pesq_error_from: float = 0.2

    @property
    def table_floor(self) -> float | None:
        """Half-width that random crops alone cause, when their number and length are known."""
        if self.utterances is None or self.seconds is None:
            return None
        return half_width(self.utterances, self.seconds)


@dataclass(slots=True)
class JudgedSeries:
    """A metric series without failed values, and what was found out about it.

    `measure` is in the unit of the values (a normalised PESQ has its thresholds divided by 3.5). `certain` is false
    where only a training metric, or the scores of saved checkpoints, could be judged. Of scores of batches the epoch
    means are judged; `batches` says how many scores there were (0: the scores are those of evaluations).
    `ends_without_score`: the last evaluations failed, so that nobody knows how the course went on.
    """

    run: Run
    series: Series
    measure: Measure
    floor: NoiseFloor
    decline: Decline | None
    sentinels: list[tuple[float, float, int]] = field(default_factory=list)
    certain: bool = True
    batches: int = 0
    ends_without_score: bool = False

    @property
    def higher(self) -> bool:
        """Whether more is better; a role given by the user wins over the table."""
        said = self.series.role.higher_is_better
        return self.measure.higher if said is None else said

    @property
    def without_score(self) -> str:
        """How many values were left out because no evaluation of this measure can give them; "" for none."""
        n = len(self.sentinels)
        return f"; {n} value{'s' * (n != 1)} that can be no score left out" if n else ""

    @property
    def from_batches(self) -> str:
        """That epoch means are judged of scores as batches have them; "" for scores of evaluations."""
        return f"; means per epoch of {self.batches} scores" if self.batches else ""

    @property
    def words(self) -> dict[str, str]:
        """How getting worse is called: a PESQ falls below its best, a word error rate rises above it."""
        if self.higher:
            return {"moved": "fell", "change": "drop", "side": "below"}
        return {"moved": "rose", "change": "rise", "side": "above"}


def judged_series(run: Run, question: Question) -> list[JudgedSeries]:
    """The metric series of a run that are judged (choosing.py)."""
    chosen, certain = chosen_series(run, question.metrics)
    return [_judge(run, series, question, certain) for series in chosen]


def _judge(run: Run, series: Series, question: Question, certain: bool) -> JudgedSeries:
    finite = series.finite()
    measure = _with_thresholds(measure_of(finite), question)
    sentinels = sentinel_points(finite, measure)
    if sentinels:
        bad = {point[2:] + point[:1] for point in sentinels}
        finite = finite.replaced(p for p in finite if p[2:] + p[:1] not in bad)
    scored = set(zip(finite.places, finite.xs, strict=True))
    ends_without_score = ends_in_failures([(place, x) not in scored for x, _, place in series])
    finite = without_repetitions(finite)
    batches, least = 0, 0.0
    if are_batches(finite, measure.assumed):
        # An evaluation takes the same batches every time, a training others.
        so_far = are_means_so_far(finite)
        least = 0.0 if so_far or series.role.phase == "eval" else noise_of_means(finite)
        batches, finite = len(finite), (last_of_epochs if so_far else epoch_means)(finite)
        certain = certain and series.role.phase == "eval"
    table_floor = question.table_floor if measure.key == "pesq" else None
    if table_floor is not None:
        table_floor *= _scale(measure)
    floor = noise_floor(finite.ys, assumed=measure.assumed, finest=measure.finest, from_table=table_floor)
    if floor.half_width < least:
        floor = NoiseFloor(least, "measured", least)
    higher = measure.higher if series.role.higher_is_better is None else series.role.higher_is_better
    decline = find_decline(finite.ys, floor, higher)
    return JudgedSeries(
        run, finite, measure, floor, decline, sentinels, certain, batches=batches, ends_without_score=ends_without_score
    )


def _with_thresholds(measure: Measure, question: Question) -> Measure:
    """PESQ's thresholds as the settings have them, in the unit of the values."""
    if measure.key != "pesq":
        return measure
    factor = _scale(measure)
    return replace(measure, small=question.pesq_warning_from * factor, large=question.pesq_error_from * factor)


def _scale(measure: Measure) -> float:
    """How many units of the values a MOS is."""
    plain = table().measure(measure.key)
    return measure.finest / plain.finest if plain is not None else 1.0


def measure_of(series: Series) -> Measure:
    """The table's row for a series, scaled where the values are: PESQ to 0..1 or to 100..465, shares to percent."""
    measure = table().measure(series.role.measure) or _UNKNOWN
    values = [y for y in series.ys if math.isfinite(y)]
    if is_relative(series.name):
        return replace(measure, low=None, high=None)
    if measure.key == "pesq" and (is_normalised(series.name) or (values and max(values) <= _NORMALISED_TOP)):
        return _scaled(measure, 1 / NORMALISED_SPAN, 0.0, _NORMALISED_TOP)
    if measure.key in _SHARES and values and _are_percent(values, measure.higher):
        return _scaled(measure, _PERCENT, None, _PERCENT)
    if values and measure.unit == "MOS" and measure.low is not None and measure.high is not None:
        low, high = _PERCENT * measure.low, _PERCENT * measure.high
        return _scaled(measure, _PERCENT, low, high) if low <= median(values) <= high else measure
    return measure


def _are_percent(values: Sequence[float], higher: bool) -> bool:
    """Shares above 2 are percent; but more errors than words are usual where an untrained network babbles."""
    return max(values) > 2 and (higher or max(values) > _BABBLE or median(values) > 1)


def _scaled(measure: Measure, factor: float, low: float | None, high: float | None) -> Measure:
    return replace(
        measure,
        small=measure.small * factor,
        large=measure.large * factor,
        assumed=measure.assumed * factor,
        finest=measure.finest * factor,
        low=low,
        high=high,
    )


def sentinel_points(series: Series, measure: Measure) -> list[tuple[float, float, int]]:
    """Points of a PESQ series that no PESQ can be: failure values, and means below the floor of the scale."""
    if measure.key != "pesq" or measure.low is None:
        return []
    if min(series.ys, default=math.inf) > max(measure.low, _SENTINEL_SLACK):
        return []
    return [p for p in series if p[1] < measure.low - 1e-9 or is_sentinel(p[1])]


def is_sentinel(value: float) -> bool:
    """Whether a value is one of those that stand for a failed PESQ."""
    return any(abs(value - sentinel) < _SENTINEL_SLACK for sentinel in SENTINELS)


def losses_of(run: Run, x_kind: str, phases: Sequence[str]) -> list[Series]:
    """The generator's losses of a run over the same axis, in the order of the phases; adversarial parts left out."""
    found = [
        s.finite()
        for s in run.series
        if s.role.kind == "loss" and s.role.network != "discriminator" and s.x_kind == x_kind
        and not is_of_a_batch(s.name)
        and not any(word in s.name.lower() for word in ("metric loss", "adv", "gan", "[rank"))
    ]  # fmt: skip
    return [s for phase in phases for s in found if s.role.phase == phase and len(s)]
