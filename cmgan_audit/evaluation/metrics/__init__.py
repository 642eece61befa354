"""Speech metrics as small registered things: name, unit, range, direction, source.

`METRICS` names them; `score` computes several on one pair of signals and gives every one a value or a typed failure.
Importing this package imports nothing heavy: the algorithms load in the workers.
"""

from __future__ import annotations

from cmgan_audit.evaluation.metrics.registry import (
    DEFAULT_METRICS,
    METRICS,
    CompositeScale,
    Metric,
    MetricScore,
    Status,
    default_floor,
    parse_metrics,
)

__all__ = [
    "DEFAULT_METRICS",
    "METRICS",
    "CompositeScale",
    "Metric",
    "MetricScore",
    "Status",
    "default_floor",
    "parse_metrics",
]
