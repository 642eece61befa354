"""The page of `trend`: verdict first, curves, findings with what their rules say, and what was read."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("matplotlib")

from cmgan_audit.finding import Severity
from cmgan_audit.logs.judging import judge
from cmgan_audit.logs.roles import RoleBook
from cmgan_audit.logs.search import read_logs
from cmgan_audit.logs.selection.judged import Question
from cmgan_audit.report.html.trend import LISTED, SHOWN, render
from cmgan_audit.rules.catalogue import load_catalogue
from tests.report.html.conftest import Chromium
from tests.report.html.test_comparison import Read
from tests.report.html.test_in_browser import faults, quiet

LOGS = Path(__file__).parents[3] / "fixtures" / "logs"
CATALOGUE = load_catalogue()
RULES = frozenset(rule.id for rule in CATALOGUE if rule.door == "trend")


def page_of(*logs: Path) -> str:
    found = read_logs(logs, RoleBook())
    judgement = judge(found.readings, Question(), CATALOGUE, RULES)
    return render(found, judgement, judgement.verdict(Severity.ERROR), "cmgan-audit trend logs/", CATALOGUE)


def text_of(page: str) -> str:
    return " ".join("".join(Read(page).texts).split())


def test_a_decline_is_told_first_and_drawn():
    page = page_of(LOGS / "declining.log")
    text = text_of(page)
    heading = page.index("degraded: a metric fell from its best and stayed down</h1>")
    assert heading < page.index("chart-curve-0") < page.index("chart-losses") < page.index("CMG801 metric-decline")
    assert "PESQ (test) is best with 2.5814 at epoch 8 and ends with 2.1467" in text
    assert "it stays below the best by more than 0.0316 since epoch 9" in text
    assert "Why this matters: the evaluation metric fell from its best" in text


def test_a_healthy_run_says_so():
    text = text_of(page_of(LOGS / "healthy.csv"))
    assert "healthy: no metric fell and stayed down" in text
    assert "Dotted lines: learning-rate steps." in text


def test_a_fall_that_is_too_small_to_count_is_told_as_such(tmp_path: Path):
    log = tmp_path / "train.log"
    scores = [0.7, 0.75, 0.78, 0.8, *[0.797] * 8]
    log.write_text("".join(f"epoch {e} val_acc: {score}\n" for e, score in enumerate(scores)))
    text = text_of(page_of(log))
    assert "healthy: no metric fell and stayed down" in text
    assert "since epoch 4, too little to count" in text


def test_the_caption_names_only_what_is_drawn():
    assert "Rings:" in text_of(page_of(LOGS / "declining.log"))
    assert "Rings:" not in text_of(page_of(LOGS / "healthy.csv"))


def test_a_long_fall_is_a_broad_line(tmp_path: Path):
    log = tmp_path / "train.log"
    scores = [2.0, 2.3, 2.64, *(2.2 + e % 3 / 100 for e in range(200))]
    log.write_text("".join(f"epoch {e} pesq: {score}\n" for e, score in enumerate(scores)))
    text = text_of(page_of(log))
    assert "Broad lines: below the best" in text
    assert "Rings:" not in text


def test_evaluations_without_a_score_are_said_and_the_farthest_fall_comes_first(tmp_path: Path):
    (tmp_path / "a.csv").write_text("epoch,pesq\n1,2.1\n2,2.2\n3,2.3\n4,nan\n5,nan\n")
    assert "Crosses: evaluations that gave no score." in text_of(page_of(tmp_path / "a.csv"))
    assert "Crosses:" not in text_of(page_of(LOGS / "healthy.csv"))
    for name, last in (("b.csv", 2.3), ("c.csv", 1.9)):
        rows = "".join(f"{epoch},{2.6 if epoch == 2 else last}\n" for epoch in range(8))
        (tmp_path / name).write_text("epoch,pesq\n" + rows)
    text = text_of(page_of(tmp_path / "b.csv", tmp_path / "c.csv"))
    assert text.index("ends with 1.9") < text.index("ends with 2.3")


def test_runs_share_a_chart_and_are_told_apart():
    page = page_of(LOGS / "declining.log", LOGS / "healthy.csv", LOGS / "resumed.jsonl")
    assert page.count('id="chart-curve-') == 1
    assert all(name in page for name in ("declining.log", "healthy.csv", "resumed.jsonl"))


def test_runs_of_one_log_are_called_what_it_calls_them(tmp_path: Path):
    log = tmp_path / "a_log_with_a_long_name_of_its_own.log"
    log.write_text("".join(f"epoch {e}: PESQ {v}\n" for v in (2.1, 2.3) for e in range(1, 9)))
    page = page_of(log)
    assert page.count(">run 1 of 2, from line 1</text>") == page.count(">run 2 of 2, from line 9</text>") > 0


def test_many_findings_of_one_kind_unfold(tmp_path: Path):
    for run in range(SHOWN + 2):
        rows = "".join(f"{epoch},{2.6 if epoch == 2 else 2.1}\n" for epoch in range(8))
        (tmp_path / f"run{run}.csv").write_text("epoch,pesq\n" + rows)
    text = text_of(page_of(tmp_path))
    assert text.count("pesq fell from 2.6") == SHOWN + 2
    assert "2 more" in text


def test_a_page_of_many_runs_lists_some_and_says_how_many_more(tmp_path: Path):
    for number in range(LISTED + 3):
        (tmp_path / f"run{number}.log").write_text("Epoch 1 PESQ: 2.1\nEpoch 2 PESQ: 2.2\nqueue: 3\n")
    page = page_of(tmp_path)
    assert page.count('<th scope="row" class="name">') == 2 * LISTED
    for said in ("3 more series were judged", "3 more runs were read", "and 3 more"):
        assert said in text_of(page)


def test_names_are_text(tmp_path: Path):
    (tmp_path / "a.csv").write_text("epoch,pesq <b>x</b>\n1,2.1\n2,2.2\n3,2.3\n")
    page = page_of(tmp_path / "a.csv")
    assert "<b>x</b>" not in page
    assert "pesq <b>x</b>" in text_of(page)


def test_equal_logs_give_equal_pages():
    assert page_of(LOGS / "declining.log") == page_of(LOGS / "declining.log")


@pytest.mark.parametrize(("width", "dark"), [(400, True), (1400, False)])
def test_in_a_browser(chromium: Chromium, axe: str, tmp_path: Path, width: int, dark: bool):
    path = tmp_path / "report.html"
    path.write_text(page_of(LOGS / "declining.log"), encoding="utf-8")
    opened = chromium.open(path, width=width, dark=dark)
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
    assert faults(opened, axe) == []
    quiet(opened)
    opened.page.close()
