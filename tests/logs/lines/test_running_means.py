"""`loss 0.123 (0.140)`: of the value of a batch and the mean so far, the last mean of an epoch counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.logs.lines.text import read_text
from cmgan_audit.logs.roles import RoleBook
from cmgan_audit.logs.selection.choosing import chosen_series
from cmgan_audit.logs.series import Reading

MEANS = [2.1, 2.35, 2.5, 2.58]


def read(tmp_path: Path, content: str) -> Reading:
    path = tmp_path / "train.log"
    path.write_text(content, encoding="utf-8")
    return read_text(path, "train.log", RoleBook())


def values(reading: Reading) -> dict[str, list[float]]:
    return {s.name: list(s.ys) for run in reading.runs for s in run.series}


def meter(head: str, mean: float) -> str:
    """Four lines of an epoch, as PyTorch's example prints them; the mean comes nearer to that of the epoch."""
    batches = [
        (0, mean + 0.3, mean + 0.3),
        (10, mean - 0.3, mean),
        (20, mean + 0.2, mean + 0.05),
        (30, mean + 0.1, mean),
    ]
    return "".join(f"{head}[{b}/40]\tTime 0.3 (0.3)\tPESQ {v:.3f} ({m:.3f})\n" for b, v, m in batches)


def test_the_mean_of_the_epoch_counts(tmp_path: Path) -> None:
    reading = read(tmp_path, "".join(meter(f"Epoch: [{e}]", m) for e, m in enumerate(MEANS)))
    assert values(reading) == {"PESQ": MEANS}
    assert list(reading.runs[0].series[0].xs) == [0, 1, 2, 3]


def test_meters_of_the_evaluation_are_no_epochs(tmp_path: Path) -> None:
    content = "".join(meter(f"Epoch: [{e}]", m + 0.4) + meter("Test: ", m) for e, m in enumerate(MEANS))
    reading = read(tmp_path, content)
    assert len(reading.runs) == 1
    assert values(reading)["PESQ (Test)"] == MEANS
    assert [s.name for s in chosen_series(reading.runs[0], ())[0]] == ["PESQ (Test)"]


def test_a_line_that_sums_the_epoch_up_goes_before_the_meters(tmp_path: Path) -> None:
    content = "".join(meter(f"Epoch: [{e}]", m + 0.1) + f" * PESQ {m:.3f}\n" for e, m in enumerate(MEANS))
    reading = read(tmp_path, content)
    assert values(reading) == {"PESQ": MEANS, "PESQ (of a batch)": [2.2, 2.45, 2.6, 2.68]}
    assert [s.name for s in chosen_series(reading.runs[0], ())[0]] == ["PESQ"]


def test_brackets_that_say_what_they_hold(tmp_path: Path) -> None:
    content = "".join(
        f"Epoch {e} batch {b} loss: {m + 0.1 * b:.3f} (avg: {m:.3f})\n" for e, m in enumerate(MEANS) for b in (1, -1, 0)
    )
    assert values(read(tmp_path, content)) == {"loss": MEANS}


def test_without_epochs_a_mean_that_begins_anew_ends_the_one_before(tmp_path: Path) -> None:
    assert values(read(tmp_path, "".join(meter("", m) for m in MEANS))) == {"PESQ": MEANS}


@pytest.mark.parametrize("brackets", ["(0.71)", "(+0.12)", "(2.9)", "(824)", "(best 2.58)", "(std: 0.7)"])
@pytest.mark.parametrize("head", ["Epoch {e}/40", "Step {e}00/900"])
def test_brackets_without_a_mean_count_for_nothing(tmp_path: Path, head: str, brackets: str) -> None:
    content = "".join(f"{head.format(e=e)} PESQ: {m} {brackets}\n" for e, m in enumerate(MEANS, start=1))
    assert values(read(tmp_path, content))["PESQ"] == MEANS


def test_brackets_on_lines_of_their_own(tmp_path: Path) -> None:
    """Coqui's trainer counts on one line and prints each loss on another."""
    batches = [(0.35, 0.35), (0.31, 0.33), (0.34, 0.332)]
    content = ""
    for e in range(3):
        content += f" > EPOCH: {e}/9\n"
        for b, (value, mean) in enumerate(batches):
            content += f"   --> STEP: {b}/40\n     | > loss: {value - e / 100:.3f}  ({mean - e / 100:.3f})\n"
        content += f"     | > avg_loss: {0.4 - e / 100:.2f} (-0.01)\n"
    assert values(read(tmp_path, content)) == {"loss": [0.332, 0.322, 0.312], "avg_loss": [0.4, 0.39, 0.38]}


@pytest.mark.parametrize("head", ["", "Step {e}00/900\n"])
def test_the_best_so_far_is_no_mean(tmp_path: Path, head: str) -> None:
    scores = [2.1, 2.35, 2.3, 2.41, 2.2, 2.15]
    best = [max(scores[: i + 1]) for i in range(len(scores))]
    lines = [f"{head.format(e=e)}PESQ: {v} ({b})\n" for e, (v, b) in enumerate(zip(scores, best, strict=True))]
    assert values(read(tmp_path, "".join(lines))) == {"PESQ": scores}
