"""From systems and pairs to rows: what is recorded is read, what is missing is computed and recorded at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import field
from typing import Protocol

from cmgan_audit.evaluation.guards.signals import FACTS_VERSION, SignalFacts
from cmgan_audit.evaluation.material.pairs import Pair
from cmgan_audit.evaluation.material.segments import Segment
from cmgan_audit.evaluation.metrics import METRICS, CompositeScale, MetricScore
from cmgan_audit.evaluation.scores.store import ScoreStore, content_key
from cmgan_audit.evaluation.systems import System
from cmgan_audit.evaluation.workers.pool import MetricPool
from cmgan_audit.evaluation.workers.task import Task
from cmgan_audit.lazy_dataclasses import dataclass

RESAMPLED = "resampled, rounded lengths taken"


@dataclass(frozen=True, slots=True)
class Request:
    """Which metrics of one segment of one utterance are wanted; signal facts always come along."""

    pair: Pair
    segment: Segment
    metrics: tuple[str, ...]


@dataclass(slots=True)
class Outcome:
    """What is known of one request so far."""

    scores: dict[str, MetricScore] = field(default_factory=dict)
    facts: SignalFacts | None = None


class Progress(Protocol):
    """Is told how far a system has come."""

    def __call__(self, system: str, done: int, total: int) -> None:
        """`done` of `total` missing segments of a system are scored."""
        ...


@dataclass(frozen=True, slots=True)
class Settings:
    """What holds for all systems of a run."""

    scale: CompositeScale
    resample: bool = False


@dataclass(frozen=True, slots=True)
class _Keys:
    scores: dict[str, str]
    facts: str


class Evaluator:
    """Scores systems through the store."""

    def __init__(self, store: ScoreStore, pool: MetricPool, settings: Settings, progress: Progress) -> None:
        """Use an open store and a pool of workers; `progress` is called for every finished segment."""
        self._store = store
        self._pool = pool
        self._settings = settings
        self._progress = progress

    def recorded(self, system: System, requests: Sequence[Request]) -> tuple[list[Outcome], list[int]]:
        """What the store holds, and the positions of the requests of which something is missing."""
        keys = [self._keys(system, request) for request in requests]
        scores = self._store.scores([key for entry in keys for key in entry.scores.values()])
        facts = self._store.facts([entry.facts for entry in keys])
        outcomes = [
            Outcome(
                {metric: scores[key] for metric, key in entry.scores.items() if key in scores}, facts.get(entry.facts)
            )
            for entry in keys
        ]
        missing = [
            position
            for position, (request, outcome) in enumerate(zip(requests, outcomes, strict=True))
            if outcome.facts is None or len(outcome.scores) < len(request.metrics)
        ]
        return outcomes, missing

    def evaluate(self, system: System, requests: Sequence[Request]) -> list[Outcome]:
        """Outcomes of all requests, in their order; what is missing is computed and recorded as it comes.

        Raises:
            AuditError: a file cannot be read, a model fails, the store cannot be written, or no worker stays alive.
        """
        outcomes, missing = self.recorded(system, requests)
        if not missing:
            return outcomes
        open_metrics = {position: self._open(requests[position], outcomes[position]) for position in missing}
        done = 0
        for task, result in self._pool.run(self._tasks(system, requests, outcomes, missing)):
            request, outcome = requests[task.position], outcomes[task.position]
            keys = self._keys(system, request)
            kept = {keys.scores[name]: score for name, score in result.scores.items() if name not in result.passing}
            self._store.add(kept, {keys.facts: result.facts} if result.facts is not None else {})
            outcome.scores.update(result.scores)
            outcome.facts = result.facts or outcome.facts
            open_metrics[task.position] -= set(result.scores)
            if not open_metrics[task.position] and task.with_facts <= (outcome.facts is not None):
                done += 1
                self._progress(system.name, min(done, len(missing)), len(missing))
        return outcomes

    def _tasks(
        self, system: System, requests: Sequence[Request], outcomes: Sequence[Outcome], missing: Sequence[int]
    ) -> Iterator[Task]:
        for position in missing:
            request, outcome = requests[position], outcomes[position]
            yield Task(
                position=position,
                clean=request.pair.clean,
                noisy=request.pair.noisy,
                estimate=system.estimate(request.pair, request.segment),
                segment=request.segment,
                metrics=tuple(name for name in request.metrics if name not in outcome.scores),
                scale=self._settings.scale,
                with_facts=outcome.facts is None,
                resample=self._settings.resample,
            )

    def _open(self, request: Request, outcome: Outcome) -> set[str]:
        return {name for name in request.metrics if name not in outcome.scores}

    def _keys(self, system: System, request: Request) -> _Keys:
        pair = request.pair
        parts = (
            pair.clean_sha256,
            system.estimate_key(pair, request.segment),
            request.segment.label,
            RESAMPLED if self._settings.resample else "",
        )
        scores = {
            name: content_key("score", name, METRICS[name].signature(self._settings.scale), *parts)
            for name in request.metrics
        }
        return _Keys(scores, content_key("facts", str(FACTS_VERSION), pair.noisy_sha256, *parts))
