"""How far random evaluation crops alone move a mean PESQ: the table that the package ships, and what follows from it.

An evaluation that scores one fresh random crop of each of n utterances has, next to the same evaluation with other
crops, a difference with standard deviation `sqrt(2 / n) * sd_within`, where `sd_within` is the spread of one crop's
score around its utterance's mean. The table holds that spread, measured on 14 utterances (data/crop_noise.json, made
by scripts/make_crop_noise_table.py). Pure Python: the log door and `noise` import nothing heavy.
"""

from __future__ import annotations

import bisect
import functools
import json
import math
from importlib.resources import files
from statistics import NormalDist

from cmgan_audit.errors import UsageError
from cmgan_audit.lazy_dataclasses import dataclass

# The VoiceBank+DEMAND test set; an evaluation of all of it has the same utterances every time.
FULL_TEST_SET = 824


@dataclass(frozen=True, slots=True)
class CropSpread:
    """Spread of the score of one random crop, in units of the metric.

    Attributes:
        seconds: length of the crop; None where a score table does not say it.
        within: SD around the mean of its own utterance, root mean square over utterances.
        total: SD of a random crop of a freshly drawn utterance.
        failure_rate: share of the crops that the metric could not score (they are in neither SD).
        interpolated: the length lies between two measured ones.
    """

    seconds: float | None
    within: float
    total: float
    failure_rate: float
    interpolated: bool = False


@dataclass(frozen=True, slots=True)
class CropTable:
    """The shipped table: where it comes from, and the spread at each measured length, shortest first."""

    origin: str
    lengths: tuple[float, ...]
    spreads: tuple[CropSpread, ...]


@functools.cache
def crop_table() -> CropTable:
    """The table that the package ships; of the two measured systems (noisy, enhanced) always the larger spread."""
    text = files("cmgan_audit.statistics").joinpath("data/crop_noise.json").read_text(encoding="utf-8")
    table = json.loads(text)
    lengths = tuple(float(row["seconds"]) for row in table["lengths"])
    spreads = tuple(
        CropSpread(
            seconds=float(row["seconds"]),
            within=max(float(system["sd_within"]) for system in row["systems"].values()),
            total=max(float(system["sd_total"]) for system in row["systems"].values()),
            failure_rate=float(row["failure_rate"]),
        )
        for row in table["lengths"]
    )
    origin = f"{table['utterances']} utterances of {table['set']}, {table['implementation']} {table['mode']}"
    return CropTable(origin, lengths, spreads)


def crop_spread(seconds: float) -> CropSpread:
    """The spread of a random crop of this length, from the table.

    Between measured lengths the logarithm of the SD is interpolated linearly in the logarithm of the length.

    Raises:
        UsageError: the length lies outside what was measured; nothing is extrapolated.
    """
    table = crop_table()
    shortest, longest = table.lengths[0], table.lengths[-1]
    if not shortest <= seconds <= longest:  # also catches NaN
        raise UsageError(
            f"crops of {seconds:g} s: the crop-noise table was measured from {shortest:g} to {longest:g} s "
            "and says nothing about other lengths"
        )
    place = bisect.bisect_left(table.lengths, seconds)
    above = table.spreads[place]
    if table.lengths[place] == seconds:
        return above
    below = table.spreads[place - 1]
    share = math.log(seconds / table.lengths[place - 1]) / math.log(table.lengths[place] / table.lengths[place - 1])

    def between(low: float, high: float) -> float:
        return math.exp((1 - share) * math.log(low) + share * math.log(high))

    return CropSpread(
        seconds=seconds,
        within=between(below.within, above.within),
        total=between(below.total, above.total),
        failure_rate=(1 - share) * below.failure_rate + share * above.failure_rate,
        interpolated=True,
    )


def sd_of_mean(n: int, seconds: float) -> float:
    """SD of the mean PESQ over n utterances, one random crop of `seconds` each, when only the crops change.

    Raises:
        UsageError: n is below 1, or the length is outside the table.
    """
    if n < 1:
        raise UsageError(f"{n} utterances: the number of utterances must be at least 1")
    return crop_spread(seconds).within / math.sqrt(n)


def half_width(n: int, seconds: float, level: float = 0.95) -> float:
    """Half-width of the interval in which the difference of two evaluations lies when only the crops differ.

    Args:
        n: utterances per evaluation, the same ones in both, one fresh random crop of each.
        seconds: length of the crops.
        level: coverage of the interval, between 0 and 1.

    Returns:
        PESQ units; 0.02 for 824 utterances and 2 s.

    Raises:
        UsageError: n is below 1, or the length is outside the table.
    """
    return NormalDist().inv_cdf(0.5 + level / 2) * math.sqrt(2) * sd_of_mean(n, seconds)
