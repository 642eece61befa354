"""Values of training and evaluation beside each other: a phase in words, in brackets, and as a column."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.logs.selection.choosing import chosen_series
from tests.logs.lines.reading import PESQ, named, read


def test_a_phase_alone_speaks_of_the_value_before(tmp_path: Path) -> None:
    lines = "".join(f"Epoch [{e}/9] PESQ Train: {v} | Val: {v - 0.1:.2f}\n" for e, v in enumerate(PESQ, start=1))
    reading = read(tmp_path, lines)
    assert named(reading) == {"PESQ Train": PESQ, "PESQ Val": [2.0, 2.25, 2.4, 2.48]}
    assert [s.role.phase for s in reading.runs[0].series] == ["train", "eval"]


def test_a_phase_alone_is_left_open_between_two_values(tmp_path: Path) -> None:
    assert set(named(read(tmp_path, "Epoch 1 train loss: 0.2 train acc_pesq: 2.1 | val: 0.3\n"))) == {
        "train loss",
        "train acc_pesq",
    }


def test_training_beside_an_only_value_keeps_its_own_phase(tmp_path: Path) -> None:
    reading = read(tmp_path, "".join(f"train_loss: 0.2{e} pesq: {v}\n" for e, v in enumerate(PESQ)))
    assert named(reading)["pesq"] == PESQ
    assert chosen_series(reading.runs[0], ())[1]


@pytest.mark.parametrize(
    "line",
    [
        "第{e}轮训练完成, 训练损失:0.2, 验证损失:0.3, PESQ:{v}\n",
        "Train: epoch {e}, loss 0.2, val loss 0.3, PESQ {v}\n",
    ],
)
def test_a_name_with_another_phase_ends_the_one_of_the_line(tmp_path: Path, line: str) -> None:
    reading = read(tmp_path, "".join(line.format(e=e, v=v) for e, v in enumerate(PESQ)))
    (score,) = [s for s in reading.runs[0].series if s.role.measure == "pesq"]
    assert list(score.ys) == PESQ
    assert score.role.phase != "train"


def test_a_phase_in_brackets_is_part_of_the_name(tmp_path: Path) -> None:
    text = "".join(f"Epoch {e}: (val) PESQ {v}, [test] STOI {v / 3:.3f}\n" for e, v in enumerate(PESQ, start=1))
    assert list(named(read(tmp_path, text))) == ["val PESQ", "test STOI"]


SIDES = {
    "PESQ: train {t:.2f}, val {v:.2f}": ("PESQ train", "PESQ val"),
    "Loss (train 0.2, val 0.3) PESQ=(train {t:.2f}, val {v:.2f})": ("PESQ train", "PESQ val"),
    "PESQ - noisy: {t:.2f}, enhanced: {v:.2f}": ("PESQ noisy", "PESQ enhanced"),
    "PESQ: enhanced {v:.2f}, noisy {t:.2f}": ("PESQ noisy", "PESQ enhanced"),
}


@pytest.mark.parametrize("line", SIDES)
def test_sides_of_one_measure(tmp_path: Path, line: str) -> None:
    content = "".join(f"Epoch {e}: {line.format(v=v, t=v + 0.2)}\n" for e, v in enumerate(PESQ, start=1))
    found = named(reading := read(tmp_path, content))
    first, second = SIDES[line]
    assert (found[first], found[second]) == ([2.3, 2.55, 2.7, 2.78], PESQ)
    assert [s.name for s in chosen_series(reading.runs[0], ())[0]] == [second]


def test_seconds_behind_a_phase_are_no_score(tmp_path: Path) -> None:
    assert named(read(tmp_path, "Epoch 1: train PESQ: 2.1, val 12.3 sec\n")) == {"train PESQ": [2.1]}


def test_epochs_and_batches_of_timm(tmp_path: Path) -> None:
    content = "".join(f"Train: {e} [  10/40 ( 25%)]  Loss: {v} ({v})\n" for e, v in enumerate(PESQ))
    series = read(tmp_path, content).runs[0].series[0]
    assert (series.role.phase, list(series.xs)) == ("train", [0, 1, 2, 3])


def test_short_names_of_validation_and_of_losses(tmp_path: Path) -> None:
    (run,) = read(tmp_path, "Epoch 1 vali_loss: 0.2 train L1: 0.3 valid Nsdr: 6.2\n").runs
    assert {s.name: str(s.role) for s in run.series} == {
        "vali_loss": "eval loss",
        "train L1": "train loss",
        "valid Nsdr": "eval si_sdr metric",
    }


def test_phases_in_brackets_hold_until_the_next(tmp_path: Path) -> None:
    line = "{e}epoch results: [train] time=0.01, loss=-{e}.1, [valid] time=0.02, ci_sdr={e}.5, loss=-{e}.2\n"
    (run,) = read(tmp_path, "".join(line.format(e=e) for e in (1, 2))).runs
    assert {s.name: (s.role.phase, list(s.ys)) for s in run.series} == {
        "loss (train)": ("train", [-1.1, -2.1]),
        "ci_sdr (valid)": ("eval", [1.5, 2.5]),
        "loss (valid)": ("eval", [-1.2, -2.2]),
    }


ROWS = "PESQ        {t:.2f}      {v:.2f}\nSI-SDR      -3.1      -2.{e}\n"


HEADS = [
    "Metric      Train     Val\n-----------------------\n",
    "            train     val\n",
    "| name | Train | Val |\n",
]


@pytest.mark.parametrize("head", HEADS)
def test_tables_of_an_epoch_with_a_column_per_phase(tmp_path: Path, head: str) -> None:
    content = "".join(f"Epoch {e} Summary\n{head}{ROWS.format(e=e, v=v, t=v + 0.1)}" for e, v in enumerate(PESQ))
    reading = read(tmp_path, content)
    (pesq,) = chosen_series(reading.runs[0], ())[0]
    assert (pesq.role.phase, list(pesq.xs), list(pesq.ys)) == ("eval", [0, 1, 2, 3], PESQ)
    (sdr,) = chosen_series(reading.runs[0], ("si_sdr",))[0]
    assert list(sdr.ys) == [-2.0, -2.1, -2.2, -2.3]


def test_rows_without_a_head_of_phases_stay_as_they_are(tmp_path: Path) -> None:
    assert named(read(tmp_path, "Epoch 1\nPESQ 2.40 2.30\nEpoch 2\nPESQ 2.45 2.35\n")) == {"PESQ": [2.4, 2.45]}


@pytest.mark.parametrize("head", ["Phase     Loss    PESQ", "| split | Loss | PESQ |", "          Loss    PESQ"])
@pytest.mark.parametrize("row", ["{phase}   {loss:.4f}   {v:.3f}", "| {phase} | {loss:.4f} | {v:.3f} |"])
def test_rows_of_phases_below_their_measures(tmp_path: Path, head: str, row: str) -> None:
    text = ""
    for e, v in enumerate(PESQ, start=1):
        rows = [
            row.format(phase=name, loss=loss / e, v=v + more)
            for name, loss, more in (("train", 1, 0.3), ("valid", 2, 0))
        ]
        text += f"Epoch {e}/4\n{head}\n" + "".join(f"{line}\n" for line in rows)
    (run,) = read(tmp_path, text).runs
    scores = {s.role.phase: list(s.ys) for s in run.series if s.role.measure == "pesq"}
    assert scores == {"train": [pytest.approx(v + 0.3) for v in PESQ], "eval": PESQ}
    assert [s.role.phase for s in run.series if s.role.kind == "loss"] == ["train", "eval"]
    assert list(run.series[0].xs) == [1, 2, 3, 4]


@pytest.mark.parametrize("head", ["Phase Time PESQ", "Set   Time (s)   PESQ", "split | time | pesq (enhanced)"])
def test_other_columns_beside_the_measures_of_phases(tmp_path: Path, head: str) -> None:
    text = "".join(f"Epoch {e}\n{head}\ntrain  12.3  {v + 0.3}\nvalid  3.1  {v}\n" for e, v in enumerate(PESQ))
    (run,) = read(tmp_path, text).runs
    assert {s.role.phase: list(s.ys) for s in run.series} == {"train": [v + 0.3 for v in PESQ], "eval": PESQ}


def test_what_stands_above_the_first_announced_evaluation_is_of_the_training(tmp_path: Path) -> None:
    log = "".join(
        f"epoch: {e}, acc is: 0.{e + 1}9\ntesting in eval mode\nepoch: {e}, acc is: 0.{e + 1}\nNow continue training\n"
        for e in range(8)
    )
    expected = {"acc (training)": [0.19, 0.29, 0.39, 0.49, 0.59, 0.69, 0.79, 0.89]}
    expected["acc (testing)"] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]
    found = named(read(tmp_path, log))
    assert sorted(found.values()) == sorted(expected.values())
    assert found["acc (testing)"] == expected["acc (testing)"]


def test_a_check_before_the_training_is_an_evaluation(tmp_path: Path) -> None:
    log = "testing before the start\nepoch: 0, acc is: 0.07\n" + "".join(
        f"epoch: {e}, acc is: 0.{e + 1}9\ntesting in eval mode\nepoch: {e}, acc is: 0.{e + 1}\nNow continue training\n"
        for e in range(8)
    )
    assert named(read(tmp_path, log))["acc (testing)"][-7:] == [0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]
