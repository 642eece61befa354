"""Tables on their side: a row per measure and a column per epoch."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.logs.roles import RoleBook
from cmgan_audit.logs.search import read_logs
from cmgan_audit.logs.series import Series

PESQ = [2.1, 2.35, 2.5, 2.58]


def scores(tmp_path: Path, name: str, content: str) -> list[Series]:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    found = [run for reading in read_logs([path], RoleBook()).readings for run in reading.runs]
    return [series for run in found for series in run.series if series.role.kind == "metric"]


def row(name: str, sign: str = ",") -> str:
    return sign.join([name, *map(str, PESQ)]) + "\n"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("named.csv", "metric,epoch_1,epoch_2,epoch_3,epoch_4\n" + row("val_pesq")),
        ("short.csv", ",ep1,ep2,ep3,ep4\n" + row("pesq")),
        ("counted.csv", "epoch,1,2,3,4\n" + row("val_pesq")),
        ("pandas.csv", ",0,1,2,3\nepoch,1,2,3,4\n" + row("val_pesq")),
        ("blanks.txt", "Metric  Ep1  Ep2  Ep3  Ep4\n" + row("PESQ", "  ")),
        ("report.md", "| | Epoch 1 | Epoch 2 | Epoch 3 | Epoch 4 |\n|-|-|-|-|-|\n" + "| " + row("PESQ", " | ")),
    ],
)
def test_each_row_is_a_series_over_the_epochs_of_the_head(tmp_path: Path, name: str, content: str) -> None:
    (series,) = scores(tmp_path, name, content)
    assert (series.x_kind, list(series.xs), list(series.ys)) == ("epoch", [1, 2, 3, 4], PESQ)


def test_a_finding_stands_in_the_row_of_its_measure_and_gaps_stay_gaps(tmp_path: Path) -> None:
    content = "metric,step_1000,step_2000,step_3000\ntrain_loss,0.3,0.2,0.1\nval_pesq,2.1,,2.4\n"
    (series,) = scores(tmp_path, "log.csv", content)
    assert (series.x_kind, list(series)) == ("step", [(1000, 2.1, 3), (3000, 2.4, 3)])


def test_numbers_alone_are_epochs_where_a_loss_comes_down_over_them(tmp_path: Path) -> None:
    content = ",0,1,2,3,4,5\ntrain_loss,0.3,0.28,0.26,0.25,0.24,0.23\nval_pesq,2.1,2.3,2.5,2.6,2.4,2.2\n"
    (series,) = scores(tmp_path, "pandas.csv", content)
    assert (series.x_kind, list(series.xs)) == ("epoch", [0, 1, 2, 3, 4, 5])


@pytest.mark.parametrize(
    "content",
    [
        ",1,2,3,4,5,6\nval_loss,0.3,0.28,0.31,0.25,0.29,0.24\n" + row("val_pesq").strip() + ",2.1,2.0\n",  # folds
        ",0,5,10,15,20\nsnr_loss,0.5,0.4,0.3,0.2,0.1\n" + row("pesq").strip() + ",2.6\n",
        "metric,batch_1,batch_2,batch_3,batch_4\nloss,0.3,0.2,0.3,0.2\n" + row("pesq"),
        "steps,1,5,10,25\n" + row("pesq"),
        "metric,fold_1,fold_2,fold_3,fold_4\nepoch,10,12,14,20\nloss,0.4,0.3,0.2,0.1\n" + row("pesq"),
        "metric,1,2,3,4,5\n" + row("pesq").strip() + ",2.6\n",  # may be folds
        "system,epoch_1,epoch_2,epoch_9\nSEGAN,2.16,2.2,2.3\nCMGAN,3.4,3.41,3.4\n",
        "metric,epoch_3,epoch_2,epoch_1\npesq,2.1,2.35,2.5\n",
        "epoch,pesq,stoi,csig\n1,2.1,0.9,3.1\n2,2.2,0.9,3.2\n3,2.3,0.9,3.3\n",
    ],
)
def test_other_tables_are_not_turned(tmp_path: Path, content: str) -> None:
    assert all(list(series.places) != [2] * len(series) for series in scores(tmp_path, "log.csv", content))
