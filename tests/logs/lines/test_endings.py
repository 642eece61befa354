"""What is evaluated once more when a training is over is no evaluation of its course."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.logs.lines.events import says_over
from tests.logs.lines.reading import named, read

FALLEN = [2.1, 2.4, 2.6, 2.5, 2.4, 2.3, 2.2, 2.1]
BY_EPOCH = "".join(f"Epoch {i}/8 loss 0.3\nPESQ: {y:.4f}\n" for i, y in enumerate(FALLEN, start=1))
UNCOUNTED = "".join(f"val stoi 0.9, pesq: {y:.4f}\n" for y in FALLEN)


@pytest.mark.parametrize(
    "announced",
    [
        "Loading best checkpoint ckpt/best.pth",
        "=> loaded model_best.pth.tar",
        "Evaluating the best model (epoch 3) on the test set",
        "Testing best generator",
        "Averaging the 5 best checkpoints",
        "Training finished.",
        "Running the final test",
        "Restoring model weights from the end of the best epoch: 3.",
        "best epoch: 3 \t PESQ = 2.60",
        "=== Final Val Metrics ===",
        "Final results",
        "\x1b[1mwandb\x1b[0m: Run summary:",
    ],
)
def test_its_score_stands_apart(tmp_path: Path, announced: str) -> None:
    found = named(read(tmp_path, f"{BY_EPOCH}{announced}\nPESQ: 2.6100\n"))
    assert found["PESQ"] == FALLEN
    assert found["PESQ (after the training)"] == [2.61]
    found = named(read(tmp_path, f"{UNCOUNTED}{announced}\nval stoi 0.91, pesq: 2.6100\n"))
    assert found["pesq (val)"] == FALLEN
    assert found["pesq (val) (after the training)"] == [2.61]


@pytest.mark.parametrize("said", ["Final results: PESQ: 2.6100", "Final metrics | PESQ 2.61 | STOI 0.94"])
def test_the_line_that_says_so_may_hold_it(tmp_path: Path, said: str) -> None:
    found = named(read(tmp_path, f"{BY_EPOCH}{said}\n"))
    assert (found["PESQ"], found["PESQ (after the training)"]) == (FALLEN, [2.61])
    each = "".join(f"Epoch {i}/8 loss 0.3\nFinal results: PESQ: {y}\n" for i, y in enumerate(FALLEN, start=1))
    assert named(read(tmp_path, each))["PESQ"] == FALLEN
    of_the_last = BY_EPOCH.rpartition("PESQ")[0] + said
    assert named(read(tmp_path, of_the_last))["PESQ"] == [*FALLEN[:-1], 2.61]


def test_over_steps_too(tmp_path: Path) -> None:
    course = "".join(f"step {1000 * i}: loss 0.3\npesq 2.{i}\n" for i in range(1, 6))
    found = named(read(tmp_path, f"{course}Loading the best checkpoint\npesq 2.55\n"))
    assert found["pesq"] == [2.1, 2.2, 2.3, 2.4, 2.5] and found["pesq (after the training)"] == [2.55]
    on = "".join(f"step {1000 * i}: loss 0.3\npesq 2.{i}\n" for i in range(6, 8))
    assert "pesq (after the training)" not in named(read(tmp_path, f"{course}Loading the best checkpoint\n{on}"))


@pytest.mark.parametrize(
    "announced", ["Saving best model", "New best model at epoch 3", "Loading checkpoint ckpt/epoch_8.pth"]
)
def test_what_speaks_of_no_best_is_followed_by_the_course(tmp_path: Path, announced: str) -> None:
    assert not says_over(announced)
    assert named(read(tmp_path, f"{BY_EPOCH}{announced}\nPESQ: 2.0500\n"))["PESQ"] == [*FALLEN, 2.05]


def test_a_training_that_goes_on_from_its_best_is_one_course(tmp_path: Path) -> None:
    on = "Restoring the best model, lr 1e-4\nEpoch 9/10 loss 0.3\nPESQ: 2.6200\nEpoch 10/10 loss 0.3\nPESQ: 2.6300\n"
    assert named(read(tmp_path, BY_EPOCH + on))["PESQ"] == [*FALLEN, 2.62, 2.63]
    on = "Restoring the best model, lr 1e-4\n" + UNCOUNTED
    assert named(read(tmp_path, UNCOUNTED + on))["pesq (val)"] == [*FALLEN, *FALLEN]


def test_what_is_said_in_every_epoch_is_about_the_training_so_far(tmp_path: Path) -> None:
    text = "".join(f"Epoch {i}/8\nbest epoch: 3\nPESQ: {y:.4f}\n" for i, y in enumerate(FALLEN, start=1))
    assert named(read(tmp_path, text)) == {"PESQ": FALLEN}


def test_each_of_several_trainings_is_closed_by_its_own(tmp_path: Path) -> None:
    found = read(tmp_path, 2 * f"{BY_EPOCH}Loading best checkpoint ckpt/best.pth\nPESQ: 2.6100\n")
    scores = [[(s.role.kind, list(s.ys)) for s in run.series if s.role.measure] for run in found.runs]
    assert scores == 2 * [[("metric", FALLEN), ("saved", [2.61])]]


RISEN = [2.1, 2.2, 2.3, 2.4, 2.45, 2.5, 2.52, 2.54, 2.55, 2.56]


@pytest.mark.parametrize("announced", ["Loading best model", "Training finished", "Restoring best.ckpt"])
def test_the_rows_of_a_table_go_on_below_it(tmp_path: Path, announced: str) -> None:
    rows = [f"| {e} | {0.5 - e / 100:.2f} | {y} |\n" for e, y in enumerate(RISEN, start=1)]
    text = "".join(["| epoch | train_loss | pesq |\n|---|---|---|\n", *rows[:7], f"{announced}\n", *rows[7:]])
    found = named(read(tmp_path, text))
    assert found.keys() == {"train_loss", "pesq"} and found["pesq"] == RISEN


@pytest.mark.parametrize(("each", "above"), [(1, 0), (2, 1), (5, 2)])
def test_what_each_epoch_has_is_of_the_course_in_the_last_one_too(tmp_path: Path, each: int, above: int) -> None:
    lines = [f"PESQ: {y}\n" if i % each else f"Epoch {i // each}\nPESQ: {y}\n" for i, y in enumerate(RISEN)]
    if not above:
        lines[-1] = lines[-1].replace("\n", "\nTraining finished\n", 1)
    else:
        lines.insert(len(lines) - each + above, "Training finished\n")
    assert named(read(tmp_path, "".join(lines))) == {"PESQ": RISEN}


def test_an_evaluation_out_of_the_rhythm_of_the_course_is_none_of_it(tmp_path: Path) -> None:
    def course(epochs: int) -> str:
        lines = [f"Epoch {e}, loss 0.3\n" + f"PESQ: {FALLEN[e // 5 - 1]}\n" * (e % 5 == 0) for e in range(1, epochs)]
        return "".join(lines) + f"Epoch {epochs}, loss 0.3\nTraining finished\n"

    assert named(read(tmp_path, f"{course(38)}PESQ: 2.6\n"))["PESQ (after the training)"] == [2.6]
    assert named(read(tmp_path, f"{course(40)}PESQ: 2.1\n"))["PESQ"] == FALLEN


@pytest.mark.parametrize("processes", [["", ""], ["[rank 0] ", "[rank 1] ", "[rank 2] "]])
def test_several_processes_say_it_together(tmp_path: Path, processes: list[str]) -> None:
    said = "".join(f"{process}Training finished.\n" for process in processes)
    assert named(read(tmp_path, f"{BY_EPOCH}{said}PESQ: 2.61\n"))["PESQ (after the training)"] == [2.61]


def test_where_a_loss_goes_on_the_training_does(tmp_path: Path) -> None:
    lines = [f"loss: 0.{40 - i}\nval pesq: {y}\n" for i, y in enumerate(RISEN)]
    text = "".join([*lines[:-2], "Restoring the best model\n", *lines[-2:]])
    assert named(read(tmp_path, text))["val pesq"] == RISEN


def test_the_best_that_is_loaded_when_the_learning_rate_decays_ends_nothing() -> None:
    assert not says_over("Loading best model, lr decays to 1e-4") and not says_over("Resuming from best.ckpt")
