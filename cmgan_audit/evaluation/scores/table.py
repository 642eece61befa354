"""The score table: a row per checkpoint, utterance, segment and metric; everything that follows reads only rows."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import field

from cmgan_audit.evaluation.metrics import Status
from cmgan_audit.lazy_dataclasses import dataclass

COLUMNS = ("checkpoint", "utterance", "segment", "metric", "value", "status")


@dataclass(frozen=True, slots=True)
class Row:
    """One score; `value` is None exactly when `status` is not ok, and `detail` then says why."""

    checkpoint: str
    utterance: str
    segment: str
    metric: str
    value: float | None
    status: Status
    detail: str = ""


@dataclass(slots=True)
class ScoreTable:
    """All rows of a comparison."""

    rows: list[Row] = field(default_factory=list)

    def of(self, checkpoint: str, metric: str) -> list[Row]:
        """The rows of one checkpoint and metric."""
        return [row for row in self.rows if row.checkpoint == checkpoint and row.metric == metric]

    def per_utterance(self, metric: str) -> dict[str, dict[str, float]]:
        """Checkpoint -> utterance -> mean over its segments; an utterance counts only if all its segments are ok.

        A checkpoint that failed on one segment of three would otherwise be compared on the two easier ones.
        """
        values: dict[str, dict[str, list[float]]] = {}
        failed: set[tuple[str, str]] = set()
        for row in self.rows:
            if row.metric != metric:
                continue
            if row.value is None:
                failed.add((row.checkpoint, row.utterance))
            else:
                values.setdefault(row.checkpoint, {}).setdefault(row.utterance, []).append(row.value)
        return {
            checkpoint: {
                utterance: sum(scores) / len(scores)
                for utterance, scores in by_utterance.items()
                if (checkpoint, utterance) not in failed
            }
            for checkpoint, by_utterance in values.items()
        }

    def failures(self, metric: str) -> dict[str, dict[str, Row]]:
        """Checkpoint -> utterance -> the first failed row."""
        found: dict[str, dict[str, Row]] = {}
        for row in self.rows:
            if row.metric == metric and row.value is None:
                found.setdefault(row.checkpoint, {}).setdefault(row.utterance, row)
        return found


def to_csv(rows: Iterable[Row]) -> str:
    """The rows as CSV with a header; values in the shortest form that reads back exactly, failures without a value."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        value = "" if row.value is None else repr(row.value)
        writer.writerow((row.checkpoint, row.utterance, row.segment, row.metric, value, row.status.value))
    return stream.getvalue()


def mean_and_sd(values: Sequence[float]) -> tuple[float | None, float | None]:
    """Mean and sample standard deviation; None where there are too few values for it."""
    if not values:
        return None, None
    mean = sum(values) / len(values)
    if len(values) < 2:
        return mean, None
    return mean, (sum((value - mean) ** 2 for value in values) / (len(values) - 1)) ** 0.5
