"""Losses of a log beside the scores."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.errors import InputError
from cmgan_audit.evaluation.listening import Listening
from cmgan_audit.evaluation.result import ComparisonResult
from cmgan_audit.report.html.comparison import to_html
from cmgan_audit.report.html.losses import losses_chart, read_losses

LOGS = Path(__file__).parents[3] / "fixtures" / "logs"


def test_losses_of_epochs_stand_beside_the_scores(result: ComparisonResult) -> None:
    losses = read_losses(LOGS / "quoted_decline.csv")
    assert {series.name for series in losses.series} == {"gen_loss", "disc_loss"}
    page = to_html(result, Listening(), "", losses)
    assert "Losses in the training log" in page
    assert "gen_loss from 0.1098 to" in page
    assert "math" not in page  # the powers of ten of a logarithmic axis are plain text
    assert page.index("chart-means") < page.index("chart-losses") < page.index("chart-differences")


def test_without_a_log_there_is_no_such_chart(result: ComparisonResult) -> None:
    assert "chart-losses" not in to_html(result, Listening(), "")


def test_a_log_of_many_steps_stays_small(tmp_path: Path) -> None:
    rows = "".join(f"{step},{1 / (step + 1):.6f}\n" for step in range(20_000))
    (tmp_path / "steps.csv").write_text("step,train_loss\n" + rows)
    losses = read_losses(tmp_path / "steps.csv")
    assert len(losses.series[0]) == 20_000
    chart = losses_chart(losses)
    assert len(chart.wide) < 60_000
    assert "train_loss from 1 to 5e-05" in chart.wide


def test_a_log_without_losses_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "only.csv").write_text("epoch,pesq\n1,2.0\n2,2.1\n")
    with pytest.raises(InputError, match=r"--log .*only.csv: no loss in it; `cmgan-audit trend"):
        read_losses(tmp_path / "only.csv")
