"""What a comparison is asked to do: the command line, parsed, without its syntax."""

from __future__ import annotations

from pathlib import Path

from cmgan_audit.evaluation.material.segments import SegmentSpec
from cmgan_audit.evaluation.metrics import CompositeScale
from cmgan_audit.evaluation.models.sources import ModelOptions
from cmgan_audit.finding import Severity
from cmgan_audit.lazy_dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CompareOptions:
    """Options of `compare-ckpts`; every field is a flag of the same name (docs/compare-ckpts.md).

    `model` holds all flags on the network; `cache` is None for `--no-cache`.
    """

    checkpoints: tuple[str, ...]
    clean: Path
    noisy: Path
    metrics: tuple[str, ...]
    segments: SegmentSpec | Path
    segment_lock: Path | None
    baseline: str | None
    floor: float | None
    gate_any: bool
    fail_on: Severity | None
    model: ModelOptions
    jobs: int
    limit: int | None
    until_decided: bool
    strata: Path | None
    train_data: Path | None
    scores: tuple[Path, ...]
    composite_scale: CompositeScale
    resample: bool
    strict: bool
    cache: Path | None
