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
        ("utterance,stoi\nu1,90 %\nu2,80 %\n", r":2: stoi: '90 %' is not a number"),
        ("utterance,pesq\nu1,2,5\nu2,2,25\n", r":2: 3 cells, and 2 columns; with decimal commas, .* semicolons"),
        ("utterance,PESQ,pesq\nu1,2,2.5\n", "two columns have the name pesq"),
        ("utterance,noise\nu1,bus\nu2,cafe\n", "holds no scores"),
        ("utterance,pesq\nu1,2\nu1,3\n", "stands there twice"),
        ("utterance,metric,value,status\nu1,pesq,,broken\n", "status broken: not one of ok"),
        ('{"key": "u1"\n', ":1: not JSON"),
        ('{"pesq": 2}\n', ":1: an object with the utterance"),
    ],
)
def test_wrong_files_name_the_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_scores(written(tmp_path, text))


def test_rows_that_sum_up_the_others_are_no_utterances(tmp_path: Path) -> None:
    for word in ("mean", "Average:", "STD", "Mean_Score", "mean ± std", "MEAN (824 files)", "avg over 24"):
        found = read_scores(written(tmp_path, f"filename,pesq\nu1.wav,2.5\nu2.wav,2.25\n{word},2.375\n"))
        assert [row.utterance for row in found.rows] == ["u1", "u2"]
        assert found.remark == f"scores.csv: no utterance, and left out: the row {word}"
    lines = '{"key": "u1", "pesq": 2.5}\n{"key": "overall", "pesq": 2.5}\n'
    assert len(read_scores(written(tmp_path, lines, "versa.jsonl")).rows) == 1
    kept = read_scores(written(tmp_path, "filename,pesq\nmeans_1,2.5\nmaxim,2.25\nmean_07,2\nall_01,3\n"))
    assert len(kept.rows) == 4 and not kept.remark
    with pytest.raises(InputError, match="no scores of single utterances"):
        read_scores(written(tmp_path, "filename,pesq\nmean,2.5\n"))


@pytest.mark.parametrize(
    "text",
    [
        "filename;PESQ;STOI\nu1.wav;2,5;0,9\nu2.wav;2,25;0,8\n",
        "filename;PESQ;STOI\nu1.wav;2,5;0,9;\nu2.wav;2,25;0,8;\n",
        "filename\tpesq\tstoi\nu1.wav\t2.5\t0.9\nu2.wav\t2.25\t0.8\n",
        "file_path, pesq, stoi\nx/u1.wav, 2.5, 0.9\nx/u2.wav, 2.25, 0.8\n",
        "path,noise,pesq,stoi\nx/u1.wav,bus,2.5,0.9\nx/u2.wav,cafe,2.25,0.8\n",
        "file,split,pesq,stoi,comment\nu1,test,2.5,0.9,\nu2,test,2.25,0.8,\n,,,\n",
        "\n\nfile,pesq,stoi\n\nu1,2.5,0.9\nu2,2.25,0.8\n",
        ",file,pesq,stoi\n0,u1,2.5,0.9\n1,u2,2.25,0.8\n",
        "Unnamed: 0,id,file,pesq,stoi\n0,7,u1,2.5,0.9\n1,8,u2,2.25,0.8\n",
        "Utterance,Metric,Score\nu1,PESQ,2.5\nu1,STOI,0.9\nu2,PESQ,2.25\nu2,STOI,0.8\n",
        '{"key": "u1", "id": 0, "pesq": 2.5, "stoi": 0.9}\n{"key": "u2", "id": 1, "pesq": 2.25, "stoi": 0.8}\n',
    ],
)
def test_other_ways_of_writing_the_same_table(tmp_path: Path, text: str) -> None:
    found = read_scores(written(tmp_path, text))
    assert found.metrics == ("pesq", "stoi")
    assert [(row.utterance, row.value) for row in found.rows] == [("u1", 2.5), ("u1", 0.9), ("u2", 2.25), ("u2", 0.8)]


@pytest.mark.parametrize(
    ("text", "checkpoints"),
    [
        ("file,epoch,pesq\nu1,2,2.5\nu1,7,2.25\n", ("2", "7")),
        ("file,model,epoch,pesq\nu1,net,2,2.5\nu1,net,7,2.25\n", ("net epoch 2", "net epoch 7")),
        ("file,model,epoch,pesq\nu1,net,2,2.5\nu1,other,7,2.25\n", ("net", "other")),
        ('{"key": "u1", "model": "net", "epoch": 0, "pesq": 2.5}\n' * 2, None),
        (
            '{"key": "u1", "sys": "net", "epoch": 0, "pesq": 2}\n{"key": "u1", "sys": "net", "epoch": 1, "pesq": 3}\n',
            ("net epoch 0", "net epoch 1"),
        ),
    ],
)
def test_epochs_of_one_system_are_checkpoints(tmp_path: Path, text: str, checkpoints: tuple[str, ...] | None) -> None:
    path = written(tmp_path, text)
    if checkpoints is None:
        with pytest.raises(InputError, match=r"pesq of u1 \(net\) stands there twice"):
            read_scores(path)
    else:
        assert (read_scores(path).checkpoints, read_scores(path).metrics) == (checkpoints, ("pesq",))


def test_words_for_no_value_are_failures(tmp_path: Path) -> None:
    rows = read_scores(written(tmp_path, "utterance,pesq\nu1,N/A\nu2,-\nu3,2.5\n")).rows
    assert [(row.value, row.status) for row in rows[:2]] == [(None, Status.METRIC_CRASH)] * 2
    assert rows[2].value == 2.5


def test_empty_cells_are_failures_not_zeros(tmp_path: Path) -> None:
    (row,) = read_scores(written(tmp_path, "utterance,pesq\nu1,\n")).rows
    assert (row.value, row.status) == (None, Status.METRIC_CRASH)
