"""Scores of single utterances in a list that counts nothing: they scatter far and come in no order.

`{"pesq": [1.9, 3.6, 2.4, ...]}` is the course of a training or the test set of one network, and no word tells which.
The numbers do: evaluations lie near those before them, utterances lie anywhere.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import pstdev

from cmgan_audit.logs.roles import Measure
from cmgan_audit.logs.selection.judged import measure_of
from cmgan_audit.logs.series import Run, Series
from cmgan_audit.statistics.trend import NoiseFloor, evaluation_sd

# So many values show how they scatter; the noise of evaluations hides no fall that is so many times a large one.
_FEWEST, _HIDDEN = 8, 3.0
# What of the scatter is left from one value to the next: a course leaves less; so little is left by no chance.
_NO_ORDER, _COURSE = 0.7, 0.35
SAID = "{} values that scatter as the scores of single utterances do, without epochs and in no order: no trend in them"


def hides_large_falls(floor: NoiseFloor, measure: Measure) -> bool:
    """Whether even a large fall would be lost in the noise: scores of single utterances scatter so, no evaluations."""
    return floor.half_width > _HIDDEN * measure.large


def are_single(series: Series) -> bool:
    """Whether the values of a metric are in no order of a training and scatter as utterances do."""
    ys = [y for y in series.ys if math.isfinite(y)]
    if series.role.kind != "metric" or series.role.given or len(ys) < _FEWEST:
        return False
    sd = evaluation_sd(ys)
    floor = NoiseFloor(NoiseFloor.of_sd(sd), "measured")
    return hides_large_falls(floor, measure_of(series)) and sd >= _NO_ORDER * pstdev(ys)


def is_a_course(series: Series) -> bool:
    """Whether each value lies near the one before it, as the evaluations of a training do; False for few values."""
    ys = [y for y in series.ys if math.isfinite(y)]
    return len(ys) >= _FEWEST and evaluation_sd(ys) < _COURSE * pstdev(ys)


def of_single_utterances(runs: Sequence[Run]) -> int:
    """How many values a reading without counters has of every utterance; 0 where something in it looks like a course.

    A loss is kept per epoch or per step, and so is what stands beside it.
    """
    series = [s for run in runs for s in run.series if s.role.kind in ("metric", "loss", "learning_rate")]
    metrics = [s for s in series if s.role.kind == "metric" and len(s) > 1]
    if not metrics or any(s.role.kind != "metric" and len(s) > 1 for s in series):
        return 0
    return max(map(len, metrics)) if all(map(are_single, metrics)) else 0
