"""How often healthy runs are blamed and declines are found; thresholds were frozen before these seeds were drawn."""

from __future__ import annotations

import importlib.util
import os
import random
import sys
from pathlib import Path
from types import ModuleType

import pytest

from cmgan_audit.finding import Severity
from cmgan_audit.logs.roles import RoleBook, infer
from cmgan_audit.logs.search import read_logs
from cmgan_audit.logs.selection.judged import Question, judged_series
from cmgan_audit.logs.series import EPOCH, Run, Series
from cmgan_audit.logs.symptoms.decline import decline_severity

# Drawn with secrets.randbits(32) after the thresholds were fixed.
HEALTHY_SEED, DECLINE_SEED, REAL_SEED = 3469719156, 1253050918, 2120413224
LENGTHS = (20, 30, 40, 60, 80, 100, 120)
DRAWS = 2000


def load_curves() -> ModuleType:
    path = Path(__file__).parents[2] / "benchmarks" / "trend_curves.py"
    spec = importlib.util.spec_from_file_location("trend_curves", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["trend_curves"] = module
    spec.loader.exec_module(module)
    return module


curves = load_curves()


def severity_of(values: list[float]) -> Severity | None:
    series = Series("pesq", infer("pesq"), EPOCH)
    for i, value in enumerate(values):
        series.append(float(i), value, i + 1)
    (judged,) = judged_series(Run("synthetic", series=[series]), Question())
    return None if judged.decline is None else decline_severity(judged, Question())


def blamed(draw: object, seed: int) -> float:
    rng = random.Random(seed)
    found = [severity_of(draw(rng, rng.choice(LENGTHS)).values) for _ in range(DRAWS)]  # type: ignore[operator]
    return sum(severity is not None and severity > Severity.NOTE for severity in found) / DRAWS


@pytest.mark.slow
@pytest.mark.parametrize("kind", curves.HEALTHY)
def test_healthy_runs_are_hardly_ever_above_a_note(kind: str) -> None:
    assert blamed(curves.HEALTHY[kind], HEALTHY_SEED) <= 0.02


@pytest.mark.slow
@pytest.mark.parametrize("kind", curves.DECLINING)
def test_declines_of_three_floors_are_found_within_three_evaluations(kind: str) -> None:
    rng = random.Random(DECLINE_SEED)
    found = sum(severity_of(curves.DECLINING[kind](rng, rng.choice(LENGTHS)).values) is not None for _ in range(DRAWS))
    assert found / DRAWS >= 0.95


@pytest.mark.slow
def test_curves_bootstrapped_from_real_logs_are_hardly_ever_above_a_note() -> None:
    folder = os.environ.get("CMGAN_AUDIT_DATA")
    if not folder:
        pytest.skip("needs real logs: CMGAN_AUDIT_DATA names no folder")
    logs = [Path(folder) / "logs" / name for name in ("cmgan_nohup", "metrics_json", "tensorboard")]
    real = [
        list(series.ys)
        for reading in read_logs(logs, RoleBook()).readings
        if reading.format != "csv"
        for run in reading.runs
        for series in run.series
        if series.role.measure == "pesq" and series.role.kind == "metric" and len(series) >= 8
    ]
    assert len(real) >= 12
    assert blamed(curves.bootstrapped(real), REAL_SEED) <= 0.02
