"""Is a change between two evaluations more than their random crops explain? Pure Python."""

from __future__ import annotations

import enum
import math
from statistics import NormalDist

from cmgan_audit.errors import UsageError
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.statistics.crop_noise import FULL_TEST_SET, CropSpread

LEVEL = 0.95


class Explanation(enum.StrEnum):
    """Whether random crops explain a change: `inside` their noise, `beyond` it, or `undecided`."""

    INSIDE = "inside"
    BEYOND = "beyond"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class CropNoise:
    """What random crops do to the mean over n utterances, in units of the metric.

    Attributes:
        n: utterances per evaluation, one random crop of each.
        test_set: utterances from which the n were taken.
        spread: the spread of one crop that this rests on.
        sd_of_mean: SD of the mean when only the crops change.
        half_width: 95 % half-width of the difference of two evaluations of the same n utterances.
        half_width_other_utterances: the same if each evaluation drew its own n of the test set; equal to `half_width`
            when n is the whole set.
    """

    n: int
    test_set: int
    spread: CropSpread
    sd_of_mean: float
    half_width: float
    half_width_other_utterances: float


def crop_noise(spread: CropSpread, n: int, test_set: int = FULL_TEST_SET) -> CropNoise:
    """What crops of this spread do to the mean over n utterances of a test set.

    A draw of n from N utterances has the variance between utterances times `(1 - n / N) / n` (sampling without
    replacement, Cochran 1977, eq. 2.8). A set smaller than n is taken to be those n.

    Raises:
        UsageError: n is below 1.
    """
    if n < 1:
        raise UsageError(f"{n} utterances: the number of utterances must be at least 1")
    size = max(n, test_set)
    z = NormalDist().inv_cdf(0.5 + LEVEL / 2)
    within = spread.within**2 / n
    between = max(spread.total**2 - spread.within**2, 0.0) * (1 - n / size) / n
    return CropNoise(
        n=n,
        test_set=size,
        spread=spread,
        sd_of_mean=math.sqrt(within),
        half_width=z * math.sqrt(2 * within),
        half_width_other_utterances=z * math.sqrt(2 * (within + between)),
    )


def explain_change(noise: CropNoise, change: float) -> Explanation:
    """Whether crop noise explains a change of the mean.

    `inside` if even the same utterances with other crops move as far; `beyond` if not even other utterances of the set
    would; in between it depends on whether both evaluations had the same utterances: `undecided`.
    """
    if abs(change) <= noise.half_width:
        return Explanation.INSIDE
    if abs(change) > noise.half_width_other_utterances:
        return Explanation.BEYOND
    return Explanation.UNDECIDED
