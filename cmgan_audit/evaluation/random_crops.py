"""Monte Carlo of random evaluation crops: what `noise --data` measures on a test set of one's own."""

from __future__ import annotations

import random
from dataclasses import field
from pathlib import Path

from cmgan_audit.errors import UsageError
from cmgan_audit.evaluation.material.audio import SAMPLE_RATE
from cmgan_audit.evaluation.material.names import shortened
from cmgan_audit.evaluation.material.pairs import Pair, find_pairs
from cmgan_audit.evaluation.material.segments import MIN_SECONDS, Segment
from cmgan_audit.evaluation.metrics import CompositeScale
from cmgan_audit.evaluation.run import Evaluator, Progress, Request, Settings
from cmgan_audit.evaluation.scores.store import ScoreStore
from cmgan_audit.evaluation.systems import System, noisy_system, open_folder
from cmgan_audit.evaluation.workers.pool import MetricPool
from cmgan_audit.lazy_dataclasses import dataclass

METRIC = "pesq"


@dataclass(frozen=True, slots=True)
class CropScores:
    """PESQ of random crops.

    Attributes:
        scores: system -> utterance -> scores of its crops.
        failed: system -> crops that could not be scored.
        utterances: utterances that were cropped.
        too_short: names of those not longer than a crop, which were left out.
        remarks: how pairs and the outputs of a system were found, where that does not go without saying.
    """

    scores: dict[str, dict[str, list[float]]]
    failed: dict[str, int]
    utterances: int
    too_short: tuple[str, ...]
    remarks: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class CropOptions:
    """What to crop: the folders, `crops` random crops of `seconds` of each utterance, and how to work."""

    clean: Path
    noisy: Path
    enhanced: Path | None
    seconds: float
    crops: int
    jobs: int
    cache: Path | None


def score_random_crops(options: CropOptions, progress: Progress) -> CropScores:
    """Score random crops of the noisy recordings, and of enhanced ones if given, against the clean ones.

    Starts are drawn uniformly, from a generator seeded with the utterance's name: the same crops on every machine, for
    every system, and a longer run begins with the crops of a shorter one. Scores go through the store.

    Raises:
        UsageError: crops too short for PESQ, or no utterance is longer than a crop.
        InputError: the recordings cannot be used.
    """
    if options.seconds < MIN_SECONDS:
        raise UsageError(f"crops of {options.seconds:g} s: PESQ needs at least {MIN_SECONDS} s")
    length = round(options.seconds * SAMPLE_RATE)
    paired = find_pairs(options.clean, options.noisy)
    pairs = paired.pairs
    long_enough = [pair for pair in pairs if pair.samples > length]
    if not long_enough:
        names = shortened(pair.name for pair in pairs)
        raise UsageError(f"crops of {options.seconds:g} s: no utterance is longer ({names})")
    requests = [
        Request(pair, segment, (METRIC,)) for pair in long_enough for segment in _crops(pair, length, options.crops)
    ]
    found = CropScores({}, {}, len(long_enough), tuple(pair.name for pair in pairs if pair.samples <= length))
    found.remarks.extend([paired.matched.how] if paired.matched.how else [])
    with ScoreStore(options.cache) as store, MetricPool(options.jobs) as pool:
        evaluator = Evaluator(store, pool, Settings(CompositeScale.INT16), progress)
        systems: list[System] = [noisy_system(long_enough, options.noisy.as_posix())]
        if options.enhanced is not None:
            systems.append(open_folder(options.enhanced, options.enhanced.name, long_enough, among=paired.matched))
        for system in systems:
            _collect(system, requests, evaluator, found)
            found.remarks.extend([system.remark] if system.remark else [])
    return found


def _crops(pair: Pair, length: int, count: int) -> list[Segment]:
    """Random stretches of an utterance; the same start may come twice, as it may in a training run."""
    draw = random.Random(f"crop:{pair.name}:{length}")
    starts = [draw.randint(0, pair.samples - length) for _ in range(count)]
    return [Segment(start, length, f"{start}+{length}") for start in starts]


def _collect(system: System, requests: list[Request], evaluator: Evaluator, found: CropScores) -> None:
    absent = set(system.missing([request.pair for request in requests]))
    present = [request for request in requests if request.pair.name not in absent]
    scores = found.scores.setdefault(system.name, {})
    found.failed[system.name] = 0
    for request, outcome in zip(present, evaluator.evaluate(system, present), strict=True):
        value = outcome.scores[METRIC].value
        if value is None:
            found.failed[system.name] += 1
        else:
            scores.setdefault(request.pair.name, []).append(value)
