"""Score files of other programs: forms, names, and numbers that are no scores."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.errors import InputError
from cmgan_audit.evaluation.metrics import Status
from cmgan_audit.evaluation.scores.external import read_scores
from cmgan_audit.evaluation.scores.table import Row, to_csv


def written(tmp_path: Path, text: str, name: str = "scores.csv") -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


def test_our_own_rows_come_back(tmp_path: Path) -> None:
    rows = [
        Row("a", "u1", "full", "pesq", 2.123456789, Status.OK),
        Row("a", "u1", "full", "stoi", None, Status.TOO_SHORT),
        Row("b, c", "u1", "full", "pesq", 3.0, Status.OK),
    ]
    found = read_scores(written(tmp_path, to_csv(rows)))
    assert [(row.checkpoint, row.metric, row.value, row.status) for row in found.rows] == [
        (row.checkpoint, row.metric, row.value, row.status) for row in rows
    ]
    assert (found.checkpoints, found.metrics) == (("a", "b, c"), ("pesq", "stoi"))


def test_wide_csv_is_named_after_the_file_and_knows_other_names(tmp_path: Path) -> None:
    found = read_scores(written(tmp_path, "filename,PESQ_WB,UTMOS\nx/u1.wav,2.5,3.1\nx/u2.wav,2.25,3.2\n", "run7.csv"))
    assert found.checkpoints == ("run7",)
    assert found.metrics == ("pesq", "utmos")
    assert [row.utterance for row in found.rows] == ["u1", "u1", "u2", "u2"]


def test_versa_lines_and_its_zero_for_a_failure(tmp_path: Path) -> None:
    text = '{"key": "u1", "pesq": 0.0, "stoi": 0.9, "text": "hello"}\n\n{"key": "u2", "pesq": 2.5, "stoi": 0.8}\n'
    found = read_scores(written(tmp_path, text, "versa.jsonl"))
    first = found.rows[0]
    assert (first.metric, first.status, first.value) == ("pesq", Status.METRIC_CRASH, None)
    assert "0 is outside the range" in first.detail
    assert found.metrics == ("pesq", "stoi")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no column for the utterance"),
        ("a,b\n1,2\n", "no column for the utterance"),
        ("utterance,pesq\n", "holds no scores"),
        ("utterance,pesq\nu1,high\n", r":2: pesq: 'high' is not a number"),
        ("utterance,pesq\nu1,2\nu1,3\n", "stands there twice"),
        ("utterance,metric,value,status\nu1,pesq,,broken\n", "status broken: not one of ok"),
        ('{"key": "u1"\n', ":1: not JSON"),
        ('{"pesq": 2}\n', ":1: an object with the utterance"),
    ],
)
def test_wrong_files_name_the_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_scores(written(tmp_path, text))


def test_empty_cells_are_failures_not_zeros(tmp_path: Path) -> None:
    (row,) = read_scores(written(tmp_path, "utterance,pesq\nu1,\n")).rows
    assert (row.value, row.status) == (None, Status.METRIC_CRASH)
