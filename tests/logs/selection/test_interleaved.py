"""Several values per epoch under one name: two test sets or two trainings, and what must stay one series."""

from __future__ import annotations

import math
from pathlib import Path

from cmgan_audit.finding import Severity
from cmgan_audit.logs.judging import judge
from cmgan_audit.logs.roles import RoleBook
from cmgan_audit.logs.search import Search, read_logs
from cmgan_audit.logs.selection.judged import Question
from cmgan_audit.rules.catalogue import load_catalogue

CATALOGUE = load_catalogue()
EVERY = frozenset(rule.id for rule in CATALOGUE if rule.door == "trend")
WOBBLE = [0.0, 0.012, -0.009, 0.004, -0.011]


def rise(epoch: int, top: float) -> float:
    return top - 0.5 * math.exp(-epoch / 4) + WOBBLE[epoch % 5]


def read(tmp_path: Path, lines: list[str]) -> Search:
    path = tmp_path / "train.log"
    path.write_text("".join(f"{line}\n" for line in lines))
    return read_logs([path], RoleBook())


def names(found: Search) -> list[str]:
    return [series.name for reading in found.readings for run in reading.runs for series in run.series]


def test_two_trainings_in_one_log(tmp_path: Path) -> None:
    lines = [
        f"[{run}] epoch {e} pesq {value:.3f}"
        for e in range(20)
        for run, value in (("a", rise(e, 2.9)), ("b", rise(e, 2.2) - max(0, e - 8) * 0.04))
    ]
    found = read(tmp_path, lines)
    assert names(found) == ["pesq (1 of 2 per epoch)", "pesq (2 of 2 per epoch)"]
    assert "several test sets or trainings" in str(found.readings[0].notes[0])
    judgement = judge(found.readings, Question(), CATALOGUE, EVERY)
    assert judgement.verdict(Severity.ERROR) == "degraded"
    assert {f.evidence["series"] for f in judgement.findings if f.rule == "CMG801"} == {"pesq (2 of 2 per epoch)"}


def test_a_killed_run_keeps_its_last_value(tmp_path: Path) -> None:
    lines = [f"Epoch {e}, PESQ: {v:.3f}" for e in range(6) for v in (rise(e, 3.4), rise(e, 2.4))]
    found = read(tmp_path, lines[:-1])
    assert [len(s) for s in found.readings[0].runs[0].series] == [6, 5]


def test_three_evaluations_at_several_snrs_fall_together(tmp_path: Path) -> None:
    lines = []
    for epoch in range(15):
        lines.append(f"Epoch {epoch}: loss {0.3 - epoch / 100}")
        if epoch in (2, 7, 14):
            level = {2: 2.64, 7: 2.2, 14: 2.07}[epoch]
            lines += [f"  SNR {snr} dB: PESQ {level + gain:.2f}" for snr, gain in ((2, -0.5), (7, -0.2), (17, 0.5))]
            lines.append(f"  all SNRs  : PESQ {level:.2f}")
    judgement = judge(read(tmp_path, lines).readings, Question(), CATALOGUE, EVERY)
    assert judgement.verdict(Severity.ERROR) == "degraded"
    assert "PESQ (4 of 4 per epoch)" in {f.evidence["series"] for f in judgement.findings if f.rule == "CMG801"}


def test_three_evaluations_within_each_of_three_epochs_stay_one_series(tmp_path: Path) -> None:
    lines = [f"Epoch {e}, PESQ: {2.7 - (3 * e + third) / 20:.3f}" for e in range(3) for third in range(3)]
    assert names(read(tmp_path, lines)) == ["PESQ"]


def test_two_evaluations_within_an_epoch_stay_one_series(tmp_path: Path) -> None:
    lines = [f"Epoch {e}, PESQ: {2 + (2 * e + half) / 20:.3f}" for e in range(8) for half in (0, 1)]
    assert names(read(tmp_path, lines)) == ["PESQ"]


def test_values_in_no_fixed_order_stay_one_series(tmp_path: Path) -> None:
    lines = [f"Epoch {e}, PESQ: {2.4 + (0.4 if (e + half) % 2 else 0):.2f}" for e in range(8) for half in (0, 1)]
    assert names(read(tmp_path, lines)) == ["PESQ"]
