"""Real training logs (CMGAN_AUDIT_DATA): every PESQ read exactly, and the findings that they must have."""

from __future__ import annotations

import csv
import itertools
import json
import os
import re
from pathlib import Path

import pytest

from cmgan_audit.finding import Finding, Severity
from cmgan_audit.logs.formats.event_file import read_scalars
from cmgan_audit.logs.judging import judge
from cmgan_audit.logs.roles import RoleBook
from cmgan_audit.logs.search import read_logs
from cmgan_audit.logs.selection.judged import Question
from cmgan_audit.logs.series import Run
from cmgan_audit.rules.catalogue import load_catalogue

CATALOGUE = load_catalogue()
EVERY = frozenset(rule.id for rule in CATALOGUE if rule.door == "trend")


@pytest.fixture
def logs() -> Path:
    folder = os.environ.get("CMGAN_AUDIT_DATA")
    if not folder:
        pytest.skip("needs real logs: CMGAN_AUDIT_DATA names no folder")
    return Path(folder) / "logs"


def runs(path: Path) -> list[Run]:
    return [run for reading in read_logs([path], RoleBook()).readings for run in reading.runs]


def pesq(run: Run) -> list[tuple[float, float]]:
    (series,) = [s for s in run.series if s.role.measure == "pesq" and s.role.kind == "metric"]
    return list(zip(series.xs, series.ys, strict=True))


def findings(path: Path, question: Question | None = None) -> list[Finding]:
    return judge(read_logs([path], RoleBook()).readings, question or Question(), CATALOGUE, EVERY).findings


@pytest.mark.parametrize("name", ["cmgan_denoiser", "mpsenet_base"])
def test_event_files_scalar_by_scalar(logs: Path, name: str) -> None:
    scalars = read_scalars(logs / "tensorboard" / f"events.out.tfevents.{name}", name)
    ours = {(tag, step): value for tag, step, value, _ in scalars.points}
    compared = 0
    with (logs / "tensorboard" / f"{name}_expected.csv").open() as stream:
        for row in csv.DictReader(stream):
            step = int(row.pop("step"))
            for tag, cell in row.items():
                if cell:
                    assert ours[tag, step] == float(cell)
                    compared += 1
    assert compared > 60


def test_nohup_evaluations_and_runs(logs: Path) -> None:
    text = (logs / "cmgan_nohup" / "nohup.out").read_text(errors="replace")
    printed = [
        (float(e), float(v))
        for e, v in re.findall(
            r"^(?:\x1b\[1m|\d{4}-[^;]*;INFO;\x1b\[1m)? *Evaluation Summary: +\| Epoch (\d+) \| Pesq ([\d.]+)",
            text,
            re.M,
        )
    ]
    evaluated = [pesq(run) for run in runs(logs / "cmgan_nohup")]
    assert [point for run in evaluated for point in run] == printed
    assert all(a < b for run in evaluated for (a, _), (b, _) in itertools.pairwise(run))
    assert [len(run) for run in evaluated] == [10, 8, 60, 30, 25, 30, 9, 17, 20, 12]


@pytest.mark.parametrize("name", ["gtcrn_metrics", "gtcrn_rat_16_metrics"])
def test_json_columns(logs: Path, name: str) -> None:
    path = logs / "metrics_json" / f"{name}.json"
    (run,) = runs(path)
    assert [y for _, y in pesq(run)] == json.loads(path.read_text())["val_pesq"]


def test_text_log(logs: Path) -> None:
    path = logs / "text" / "gtcrn_train.log"
    (run,) = runs(path)
    assert [y for _, y in pesq(run)] == [float(v) for v in re.findall(r'pesq="N/A"/([\d.]+)', path.read_text())]
    assert [x for x, _ in pesq(run)] == list(range(1, 101))


@pytest.mark.parametrize("asked", [Question(), Question(utterances=824, seconds=2.0)])
def test_healthy_runs_have_no_decline_above_a_note(logs: Path, asked: Question) -> None:
    for folder in ("cmgan_nohup", "metrics_json", "tensorboard", "text"):
        declines = [f for f in findings(logs / folder, asked) if f.rule == "CMG801"]
        assert all(f.severity is Severity.NOTE for f in declines), folder


def test_quoted_case(logs: Path) -> None:
    found = findings(logs / "quoted" / "from_docs_baseline.csv")
    assert [(f.rule, f.severity) for f in found] == [("CMG801", Severity.ERROR), ("CMG802", Severity.WARNING)]
    assert found[0].evidence["since"] == 7
    assert found[0].evidence["drop"] == 0.5694


def test_wandb_summaries_hold_failed_scores(logs: Path) -> None:
    found = findings(logs / "wandb")
    assert [f.rule for f in found] == ["CMG804", "CMG804"]
    assert "(-1 - 1) / 3.5" in found[0].message


def test_printed_batches_hold_failed_scores(logs: Path) -> None:
    assert "CMG804" in [f.rule for f in findings(logs / "cmgan_nohup")]


def test_log_without_metrics(logs: Path) -> None:
    found = read_logs([logs / "text" / "cmgan_denoiser_train.log"], RoleBook())
    assert found.readings == []
    assert "hold numbers that are no metric" in found.notes[0].text
