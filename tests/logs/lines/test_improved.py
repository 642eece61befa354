"""`PESQ improved from 2.07 to 2.20`: the score of epochs that say no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.logs.lines.text import read_text
from cmgan_audit.logs.roles import RoleBook
from cmgan_audit.logs.series import Series


def scores(tmp_path: Path, text: str) -> list[Series]:
    path = tmp_path / "train.log"
    path.write_text(text, encoding="utf-8")
    (run,) = read_text(path, "train.log", RoleBook()).runs
    return [series for series in run.series if series.role.kind == "metric"]


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ("PESQ improved from {a} to {b}, saving checkpoint", "PESQ: {b}"),
        ("Epoch {e}: val_pesq improved from {a} to {b}, saving model to best.h5", "Epoch {e}: val_pesq {b} (best {a})"),
        ("Validation PESQ increased ({a} --> {b}).  Saving model ...", "Validation PESQ: {b}"),
        ("mean PESQ has improved: {a} -> {b}", "mean PESQ {b}, no improvement"),
        ("PESQ: improved from {a} to {b}", "PESQ: {b}"),
    ],
)
def test_it_fills_the_gaps_of_the_plain_course(tmp_path: Path, better: str, worse: str) -> None:
    courses = [(2, "-inf", 2.07, True), (7, 2.07, 2.64, True), (9, 2.64, 2.5, False), (14, 2.64, 2.2, False)]
    text = "".join(
        f"Epoch {e} | train loss 0.{30 - e}\n{(better if up else worse).format(e=e, a=a, b=b)}\n"
        for e, a, b, up in courses
    )
    (series,) = scores(tmp_path, text)
    assert [(x, y) for x, y, _ in series] == [(e, b) for e, _, b, _ in courses]


def test_a_plain_line_of_the_same_epoch_counts(tmp_path: Path) -> None:
    text = "".join(
        f"Epoch {e}\nPESQ: {b:.4f}\nPESQ improved from {a:.2f} to {b:.2f}\n"
        for e, (a, b) in enumerate([(1.9712, 2.0712), (2.0712, 2.2001), (2.2001, 2.6449)])
    )
    (series,) = scores(tmp_path, text)
    assert list(series.ys) == [2.0712, 2.2001, 2.6449]


def test_alone_it_tells_only_the_best(tmp_path: Path) -> None:
    text = "".join(f"Epoch {e} | loss 0.2\nPESQ improved from {2 + e / 10} to {2.1 + e / 10}\n" for e in range(5))
    assert scores(tmp_path, text) == []


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ("PESQ improved from {a} to {b}", "PESQ decreased from {a} to {b}"),
        ("Validation PESQ increased ({a} --> {b})", "Validation PESQ dropped ({a} --> {b})"),
        ("val_pesq rose: {a} -> {b}", "val_pesq fell: {a} -> {b}"),
        ("PESQ improved from {a} to {b}", "PESQ dropped from the previous best {a} to {b}"),
        ("mean PESQ has improved: {a} -> {b}", "mean PESQ has worsened: {a} -> {b}"),
    ],
)
def test_with_lines_that_say_a_fall_it_is_the_whole_course(tmp_path: Path, better: str, worse: str) -> None:
    courses = [(1, 2.07, 2.64), (2, 2.64, 2.5), (3, 2.5, 2.55), (4, 2.55, 2.2)]
    text = "".join(
        f"Epoch {e} | train loss 0.{30 - e}\n{(better if b > a else worse).format(a=a, b=b)}\n" for e, a, b in courses
    )
    (series,) = scores(tmp_path, text)
    assert [(x, y) for x, y, _ in series] == [(e, b) for e, _, b in courses]


def test_of_a_score_where_less_is_better_a_decrease_tells_only_the_best(tmp_path: Path) -> None:
    text = "".join(f"Epoch {e} | loss 0.2\nval WER decreased from {30 - e} to {29 - e}\n" for e in range(5))
    assert scores(tmp_path, text) == []


def test_of_another_split_it_is_another_score(tmp_path: Path) -> None:
    text = "".join(f"Epoch {e}\nTest PESQ: 2.{e}\n" for e in range(4))
    (series,) = scores(tmp_path, text + "Epoch 4\nTrain PESQ improved from 2.8 to 2.9\n")
    assert list(series.ys) == [2.0, 2.1, 2.2, 2.3]
