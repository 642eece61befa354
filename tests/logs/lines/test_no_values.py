"""Numbers beside the name of a measure that are no value of it, and words that name the number after them."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.logs.lines.text import read_text
from cmgan_audit.logs.roles import RoleBook
from cmgan_audit.logs.selection.choosing import chosen_series
from cmgan_audit.logs.series import Run

PESQ = [2.1, 2.35, 2.5, 2.58]


def runs(tmp_path: Path, content: str) -> list[Run]:
    path = tmp_path / "train.log"
    path.write_text(content, encoding="utf-8")
    return read_text(path, "train.log", RoleBook()).runs


def points(run: Run, measure: str = "pesq") -> list[tuple[float, float]]:
    return [(x, y) for series in run.series if series.role.measure == measure for x, y, _ in series]


@pytest.mark.parametrize("line", ["loss={v} lr=2.50e-05  epoch={e}\n", "PESQ={v} epoch={e}\n", "PESQ {v} epoch {e}\n"])
def test_an_epoch_behind_another_value_names_the_number_after_it(tmp_path: Path, line: str) -> None:
    content = "".join(line.format(v=v, e=e) for e, v in enumerate(PESQ, start=1))
    (run,) = runs(tmp_path, content)
    assert [list(series.xs) for series in run.series if series.role.kind != "learning_rate"] == [[1, 2, 3, 4]]


@pytest.mark.parametrize(
    "line", ["3rd epoch: PESQ 2.5\n", "after 3 epoch PESQ: 2.5\n", "Train 3 epoch:  40% PESQ=2.5\n"]
)
def test_an_epoch_behind_a_number_of_its_own_still_counts(tmp_path: Path, line: str) -> None:
    (run,) = runs(tmp_path, line)
    assert points(run) == [(3, 2.5)]


def test_the_percentage_of_a_bar_over_epochs_is_no_epoch(tmp_path: Path) -> None:
    lines = (
        f"Epoch:  {5 * e}%|###   | {e}/20 [04:27<1:24:41, 267.44s/it]\nEpoch[{e}/20]: PESQ: {v}\n"
        for e, v in enumerate(PESQ, start=1)
    )
    (run,) = runs(tmp_path, "".join(lines))
    assert points(run) == list(enumerate(PESQ, start=1))


@pytest.mark.parametrize(
    "line",
    [
        "last_layer to multi_layer: PESQ +2.81%, STOI +0.73%\n",
        "PESQ: 2.81% better than before\n",
        "we aim at PESQ > 3.0 and STOI >= 0.9\n",
        "/usr/bin/python3 enhance.py --snr 0.5 --N 30 --pesq=1\n",
        "Epoch: [3][10/40] Acc@5  92.19 ( 91.02)\n",
        "Prec@1   0 79.167 (50.432)\n",
        "Accuracy: 9812/10000 (98%)\n",
        "Accuracy@5: 92.19\n",
        "/usr/lib/python3.9/torch/optim/lr_scheduler.py:134: UserWarning: called before\n",
        "C:\\Users\\me\\lib\\torch\\optim\\lr_scheduler.py:134: UserWarning: called before\n",
    ],
)
def test_changes_bounds_and_settings_are_no_scores(tmp_path: Path, line: str) -> None:
    assert runs(tmp_path, line) == []


def test_shares_and_arrows_stay_scores(tmp_path: Path) -> None:
    (run,) = runs(tmp_path, "Epoch 1 --loss 0.3 --pesq 2.1 | STOI: 92.1% | WER 12.5%\n")
    assert (points(run), points(run, "stoi"), points(run, "wer")) == ([(1, 2.1)], [(1, 92.1)], [(1, 12.5)])


def test_names_of_lightning_that_end_with_a_counter_are_values(tmp_path: Path) -> None:
    bar = (
        "Epoch {e}: 100%|####| 361/361 [01:43<00:00, v_num=3, train_loss_step=0.3, val_pesq_step=9, "
        "val_pesq_epoch={v}, train_loss_epoch=0.31, global_step=90]\n"
    )
    (run,) = runs(tmp_path, "".join(bar.format(e=e, v=v) for e, v in enumerate(PESQ)))
    (series,) = [series for series in run.series if series.name == "val_pesq_epoch"]
    assert list(zip(series.xs, series.ys, strict=True)) == list(enumerate(PESQ))
    assert [one.name for one in chosen_series(run, ())[0]] == ["val_pesq_epoch"]


@pytest.mark.parametrize("clock", ["15:59", "15:59:12", "15:59:12,123"])
def test_times_without_seconds_belong_to_the_logger(tmp_path: Path, clock: str) -> None:
    line = (
        "2019-01-22 {clock} [trainer.py:251 - INFO ] Loss(time/N, lr=1.0e-3) - Epoch {e}: train = -9({e}m/5) | "
        "dev = -{v}(3m/9)\n"
    )
    (run,) = runs(tmp_path, "".join(line.format(clock=clock, e=e, v=v) for e, v in enumerate(PESQ)))
    (series,) = [series for series in run.series if series.role.phase == "eval"]
    assert (list(series.xs), list(series.ys)) == ([0, 1, 2, 3], [-v for v in PESQ])


def test_a_place_in_code_has_no_name_without_a_role(tmp_path: Path) -> None:
    warning = "W0000 gpu_timer.cc:114] Skipping; Triggered internally at ../aten/native/SpectralOps.cpp:862.\n"
    path = tmp_path / "train.log"
    path.write_text("".join(f"{warning}epoch {e}: STOI: 0.9{e}\n" for e in range(1, 5)))
    assert not [note.text for note in read_text(path, "train.log", RoleBook()).notes if "without a role" in note.text]


def test_a_line_of_code_that_warns_behind_a_progress_bar_is_no_score(tmp_path: Path) -> None:
    bar = "Evaluating: 100%|####| 824/824 [01:22<00:00, 10.0it/s]"
    warning = "/usr/lib/python3/dist-packages/pystoi/stoi.py:66: RuntimeWarning: Not enough STFT frames"
    lines = [f"{bar}{warning}\nepoch {e}: STOI: 0.9{e}\n" for e in range(1, 5)]
    (run,) = runs(tmp_path, "".join(lines))
    assert points(run, "stoi") == [(e, float(f"0.9{e}")) for e in range(1, 5)]


@pytest.mark.parametrize("line", ["loss nan (0.14)", "Criterion nan (0.31) 0.2", "PESQ nan -> 2.64"])
def test_a_name_and_nan_without_a_sign_are_read_without_an_error(tmp_path: Path, line: str) -> None:
    path = tmp_path / "train.log"
    path.write_text(f"{line}\nEpoch 1 PESQ: 2.1\nEpoch 2 PESQ: 2.2\n")
    (run,) = read_text(path, "train.log", RoleBook()).runs
    assert [list(series.ys) for series in run.series if series.role.measure == "pesq"] == [[2.1, 2.2]]


@pytest.mark.parametrize("line", ["total_ep = 15\n", "Max epoch: 100\n", "max_epoch=20 lr=0.1\n", "Maximum epoch 40\n"])
def test_how_many_epochs_there_will_be_is_no_epoch(tmp_path: Path, line: str) -> None:
    (run,) = runs(tmp_path, f"seed = 1\n{line}" + "".join(f"epoch {e}: PESQ {v}\n" for e, v in enumerate(PESQ)))
    assert points(run) == list(enumerate(PESQ))
