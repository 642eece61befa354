"""The first line of `trend`: a run whose loss became NaN is not called healthy because no metric of it fell."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cmgan_audit.finding import Severity
from cmgan_audit.logs.judging import judge
from cmgan_audit.logs.roles import RoleBook
from cmgan_audit.logs.search import read_logs
from cmgan_audit.logs.selection.judged import Question
from cmgan_audit.report.trend_json import trend_document
from cmgan_audit.report.trend_text import TrendText
from cmgan_audit.rules.catalogue import load_catalogue

CATALOGUE = load_catalogue()
RULES = frozenset(rule.id for rule in CATALOGUE if rule.door == "trend")


def first_line(log: Path) -> str:
    found = read_logs([log], RoleBook())
    judgement = judge(found.readings, Question(), CATALOGUE, RULES)
    return TrendText(color=False).render(found, judgement, judgement.verdict(Severity.ERROR)).splitlines()[0]


def write(path: Path, losses: list[str]) -> Path:
    scores = (2.1, 2.3, 2.4, 2.5, 2.55, 2.6)
    rows = (f"{epoch},{scores[epoch]},{loss}\n" for epoch, loss in enumerate(losses))
    path.write_text("epoch,pesq,loss\n" + "".join(rows))
    return path


def test_a_rising_metric_and_a_finite_loss_are_healthy(tmp_path: Path):
    log = write(tmp_path / "log.csv", ["0.5", "0.4", "0.35", "0.3", "0.29", "0.28"])
    assert first_line(log) == "healthy: no metric fell and stayed down"


@pytest.mark.parametrize("page", [False, True])
def test_errors_of_another_kind_are_said_in_the_verdict(tmp_path: Path, page: bool):
    log = write(tmp_path / "log.csv", ["0.5", "0.4", "0.35", "nan", "nan", "nan"])
    expected = "no metric fell and stayed down, but 1 error of another kind"
    if not page:
        assert first_line(log) == expected
        return
    pytest.importorskip("matplotlib")
    from cmgan_audit.report.html.trend import render

    found = read_logs([log], RoleBook())
    judgement = judge(found.readings, Question(), CATALOGUE, RULES)
    text = render(found, judgement, judgement.verdict(Severity.ERROR), "cmgan-audit trend log.csv", CATALOGUE)
    assert f'<h1 class="outcome error">{expected}</h1>' in text


def test_many_restarts_do_not_flood_the_table(tmp_path: Path):
    log = tmp_path / "train.log"
    log.write_text("".join(f"step {i - 2 * (i % 10 == 0)}, pesq: {2.4 + i / 999:.3f}\n" for i in range(1, 1000)))
    found = read_logs([log], RoleBook())
    judgement = judge(found.readings, Question(), CATALOGUE, RULES)
    lines = TrendText(color=False).render(found, judgement, judgement.verdict(Severity.ERROR)).splitlines()
    assert len(lines) < 80
    assert any(line.endswith(" more like these") for line in lines)


def test_epochs_that_are_counted_on_are_told_in_the_text_and_in_the_document(tmp_path: Path):
    log = tmp_path / "train.log"
    part = "".join(f"Epoch {e}/4 PESQ {2 + e / 10}\n" for e in range(1, 5))
    log.write_text(f"{part}Resuming training from last.pth\n{part}")
    found = read_logs([log], RoleBook())
    judgement = judge(found.readings, Question(), CATALOGUE, RULES)
    verdict = judgement.verdict(Severity.ERROR)
    assert "-- resumed; the log counts from here on anew" in TrendText(color=False).render(found, judgement, verdict)
    (run,) = json.loads(trend_document(found, judgement, verdict, None))["runs"]
    assert run["restarts"] == [{"at": 5, "before": 4, "place": 6, "counts_anew": True}]
    assert [x for x, _ in run["series"][0]["points"]] == [1, 2, 3, 4, 5, 6, 7, 8]
