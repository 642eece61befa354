"""The unit of work of a metric worker: one output against its reference. Never imports torch."""

from __future__ import annotations

from dataclasses import field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cmgan_audit.evaluation.guards.signals import SignalFacts, signal_facts
from cmgan_audit.evaluation.material.audio import Signal, equally_long, probe, read_audio
from cmgan_audit.evaluation.material.segments import Segment
from cmgan_audit.evaluation.metrics import CompositeScale, MetricScore
from cmgan_audit.evaluation.metrics.scoring import score
from cmgan_audit.lazy_dataclasses import dataclass

# Metrics that run PESQ in the same mode stand or fall together; the others must survive a crash of PESQ.
ISOLATED = (("pesq", "csig", "cbak", "covl"), ("pesq_nb",))


@dataclass(frozen=True, slots=True)
class Task:
    """What to score: files of a pair, the output (a file, or the samples of the segment), metrics, and whether
    signal facts are wanted too. `position` is the caller's own mark.
    """

    position: int
    clean: Path
    noisy: Path
    estimate: Path | npt.NDArray[np.float32]
    segment: Segment
    metrics: tuple[str, ...]
    scale: CompositeScale
    with_facts: bool
    resample: bool = False

    def parts(self) -> list[Task]:
        """The task cut so that a crash in one part leaves the results of the others."""
        groups = [tuple(name for name in self.metrics if name in group) for group in ISOLATED]
        rest = tuple(name for name in self.metrics if not any(name in group for group in ISOLATED))
        cut = [(metrics, False) for metrics in groups if metrics]
        if rest or self.with_facts:
            cut.append((rest, self.with_facts))
        return [
            Task(
                self.position,
                self.clean,
                self.noisy,
                self.estimate,
                self.segment,
                metrics,
                self.scale,
                with_facts,
                self.resample,
            )
            for metrics, with_facts in cut
        ]


@dataclass(frozen=True, slots=True)
class TaskResult:
    """Scores by metric, signal facts if they were wanted, and which scores must not be kept for later runs."""

    scores: dict[str, MetricScore] = field(default_factory=dict)
    facts: SignalFacts | None = None
    passing: frozenset[str] = frozenset()


def work_on(task: Task) -> TaskResult:
    """Read the signals of a task, score them, and collect the facts.

    Raises:
        AudioError: a file is not audio; the run ends with its name.
    """
    clean = read_audio(task.clean, resample=task.resample)
    estimate, clean_part = _estimate(task, clean)
    facts = None
    if task.with_facts:
        noisy = read_audio(task.noisy, resample=task.resample)
        noisy_part = noisy if clean_part.size == clean.size else task.segment.cut(noisy)
        facts = signal_facts(clean_part, noisy_part, estimate)
    return TaskResult(score(clean_part, estimate, task.metrics, task.scale), facts)


def _estimate(task: Task, clean: Signal) -> tuple[Signal, Signal]:
    """The output and the part of the reference that it stands for."""
    if not isinstance(task.estimate, Path):
        return np.asarray(task.estimate, dtype=np.float64), task.segment.cut(clean)
    whole = read_audio(task.estimate, resample=task.resample, allow_empty=True)
    if whole.size != clean.size and equally_long(
        probe(task.estimate, allow_empty=True), probe(task.clean, allow_empty=True)
    ):
        whole = np.pad(whole[: clean.size], (0, max(0, clean.size - whole.size)))
    if whole.size != clean.size:
        # A file of another length is compared as it is, whole against whole, and ends as length_mismatch.
        return whole, clean
    return task.segment.cut(whole), task.segment.cut(clean)
