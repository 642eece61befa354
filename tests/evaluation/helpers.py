"""A comparison in one call, with the fastest metric and nothing kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cmgan_audit.evaluation.material.segments import FULL
from cmgan_audit.evaluation.metrics import CompositeScale
from cmgan_audit.evaluation.models.sources import ModelOptions
from cmgan_audit.evaluation.options import CompareOptions
from cmgan_audit.evaluation.result import ComparisonResult
from cmgan_audit.evaluation.session import compare_systems
from cmgan_audit.finding import Severity


class Silent:
    def __call__(self, system: str, done: int, total: int) -> None: ...

    def say(self, text: str) -> None: ...


def compared(data: Path, *checkpoints: Path, **changes) -> ComparisonResult:
    paths = tuple(str(path) for path in checkpoints)
    return compare_systems(
        options(**{"checkpoints": paths, "clean": data / "clean", "noisy": data / "noisy", **changes}), Silent()
    )


def options(**changes) -> CompareOptions:
    values = {
        "checkpoints": (),
        "clean": Path("clean"),
        "noisy": Path("noisy"),
        "metrics": ("ssnr",),  # the fastest; guards do not depend on the metric
        "segments": FULL,
        "segment_lock": None,
        "baseline": None,
        "floor": 0.25,
        "gate_any": False,
        "fail_on": Severity.ERROR,
        "model": ModelOptions(),
        "jobs": 2,
        "limit": None,
        "until_decided": False,
        "strata": None,
        "train_data": None,
        "scores": (),
        "composite_scale": CompositeScale.INT16,
        "resample": False,
        "strict": False,
        "cache": None,
        **changes,
    }
    return CompareOptions(**values)


def rules(result: ComparisonResult) -> set[str]:
    return {finding.rule for finding in result.findings}


def half(_: str, clean: np.ndarray, noisy: np.ndarray) -> np.ndarray:
    return 0.5 * (clean + noisy)
