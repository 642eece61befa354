"""The plot of `trend` holds what its caption says."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("matplotlib")

from cmgan_audit.logs.judged import JudgedSeries, Question, judged_series
from cmgan_audit.logs.roles import RoleBook
from cmgan_audit.logs.search import read_logs
from cmgan_audit.report.trend_plot import draw

LOGS = Path(__file__).parents[2] / "fixtures" / "logs"


def judged(*names: str) -> list[JudgedSeries]:
    found = read_logs([LOGS / name for name in names], RoleBook())
    return [one for r in found.readings for run in r.runs for one in judged_series(run, Question())]


def labels(panel: object) -> list[str]:
    return [text.get_text() for text in panel.get_legend().get_texts()]  # type: ignore[attr-defined]


def test_one_run_has_its_losses_below() -> None:
    metric, losses = draw(judged("declining.log")).axes
    assert metric.get_ylabel() == "PESQ (MOS)"
    assert "since epoch 9" in metric.get_title(loc="left")
    assert any(label.startswith("noise floor") for label in labels(metric))
    assert "Test Gen loss" in labels(losses)
    assert losses.get_yscale() == "log"


def test_learning_rate_steps_are_lines() -> None:
    assert "learning-rate step" in labels(draw(judged("healthy.csv")).axes[0])


def test_several_runs_share_a_panel() -> None:
    (panel,) = draw(judged("declining.log", "healthy.csv", "resumed.jsonl")).axes
    assert len(labels(panel)) == 3
    assert "(1 runs)" in panel.get_title(loc="left")


def test_nothing_to_draw() -> None:
    assert len(draw([]).axes) == 1
