"""Counters in brackets and without a name, at the beginning of a line: epochs where nothing else counts."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cmgan_audit.logs.lines.text import read_text
from cmgan_audit.logs.roles import RoleBook
from cmgan_audit.logs.series import Reading, Series

PESQ = [2.1, 2.35, 2.5, 2.58]


def read(folder: Path, text: str) -> Reading:
    path = folder / "train.log"
    path.write_text(text)
    return read_text(path, "train.log", RoleBook())


def series(reading: Reading, name: str, run: int = 0) -> Series:
    (found,) = [one for one in reading.runs[run].series if one.name == name]
    return found


@pytest.mark.parametrize(
    "line",
    [
        "[{e}/40] loss_G: 0.1 loss_D: 0.01 pesq_val: {v}",
        "2024-01-02 10:11:12,345 - INFO - [{e}/40] Valid | pesq_val: {v}",
        "[{e}/40]\tloss=0.2, pesq_val={v}",
    ],
)
def test_one_pair_is_an_epoch(tmp_path: Path, line: str) -> None:
    reading = read(tmp_path, "".join(line.format(e=e, v=v) + "\n" for e, v in enumerate(PESQ, start=1)))
    (found,) = [s for s in reading.runs[0].series if s.role.measure == "pesq"]
    assert (found.x_kind, list(found.xs), list(found.ys)) == ("epoch", [1, 2, 3, 4], PESQ)


def test_two_pairs_are_an_epoch_and_a_batch(tmp_path: Path) -> None:
    lines = [f"[{e}/4][{i}00/362] Loss_D: 0.5 Loss_G: {i}.{e}\n" for e in range(4) for i in range(3)]
    lines.insert(3, "[0/4] Validation PESQ: 2.2\n")
    reading = read(tmp_path, "".join(lines))
    assert list(series(reading, "Loss_G").xs) == [e for e in range(4) for _ in range(3)]
    assert (series(reading, "Validation PESQ").x_kind, list(series(reading, "Validation PESQ").xs)) == ("epoch", [0])


def test_under_named_epochs_the_pair_is_a_batch(tmp_path: Path) -> None:
    text = "".join(
        f"Epoch {e}\n[100/362] loss: 0.{e}\n[200/362] loss: 0.{e}\nval PESQ: {v}\n" for e, v in enumerate(PESQ)
    )
    reading = read(tmp_path, text)
    assert list(series(reading, "loss").xs) == [e for e in range(4) for _ in range(2)]
    assert [s.x_kind for s in reading.runs[0].series] == ["epoch", "epoch"]


@pytest.mark.parametrize("every", [1, 2])
def test_scores_below_such_a_line_are_of_its_epoch(tmp_path: Path, every: int) -> None:
    lines = []
    for e in range(1, 9):
        lines.append(f"[{e}/40] loss_G: 0.{90 - e}\n")
        if e % every == 0:
            lines += [f"  SNR {snr} dB: PESQ {2 + snr / 20 + e / 50}\n" for snr in (0, 5, 10)]
    found = series(read(tmp_path, "".join(lines)), "PESQ")
    assert (found.x_kind, list(found.xs)) == ("epoch", [e for e in range(every, 9, every) for _ in range(3)])


def test_scores_below_the_last_of_them_alone_are_a_list(tmp_path: Path) -> None:
    lines = [f"[{e}/4] loss_G: 0.{90 - e}\n" for e in range(1, 5)]
    lines += [f"  SNR {snr} dB: PESQ {2 + snr / 20}\n" for snr in (0, 5, 10, 15)]
    reading = read(tmp_path, "".join(lines))
    assert {s.name for s in reading.runs[0].series} == {"loss_G"}


def test_very_many_are_steps(tmp_path: Path) -> None:
    reading = read(tmp_path, "".join(f"[{k}00/100000] batch loss : 0.{k}\n" for k in range(1, 9)))
    found = series(reading, "batch loss")
    assert (found.x_kind, list(found.xs)) == ("step", [100.0 * k for k in range(1, 9)])


def test_counters_that_begin_anew_are_runs(tmp_path: Path) -> None:
    one = "".join(f"[{e}/4] loss: 0.1 PESQ: {v}\n" for e, v in enumerate(PESQ, start=1))
    reading = read(tmp_path, one + "[1/4] loss: 0.2 PESQ: 1.9\n[2/4] loss: 0.1 PESQ: 2.0\n")
    assert [list(series(reading, "PESQ", run).ys) for run in (0, 1)] == [PESQ, [1.9, 2.0]]
    assert [run.label for run in reading.runs] == ["run 1 of 2, from line 1", "run 2 of 2, from line 5"]


def test_scores_of_utterances_stay_uncounted(tmp_path: Path) -> None:
    scores = [1.4, 3.6, 2.2, 3.1, 1.2, 2.9, 1.8, 3.9, 1.5, 2.6, 3.3, 1.1]
    reading = read(tmp_path, "".join(f"[{i}/12] PESQ: {v}\n" for i, v in enumerate(scores, start=1)))
    assert all(s.x_kind == "index" for run in reading.runs for s in run.series)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.integers(1, 30), min_size=1, max_size=5),
    st.sampled_from(["[{e}/30] loss: {v} PESQ: 2.5", "[{e}/30] [7/9] loss: {v}"]),
)
def test_no_value_is_lost_or_added(tmp_path: Path, lengths: list[int], line: str) -> None:
    rows = [(e, (37 * e + run) % 101 / 100) for run, n in enumerate(lengths) for e in range(1, n + 1)]
    reading = read(tmp_path, "".join(line.format(e=e, v=v) + "\n" for e, v in rows))
    losses = [s for run in reading.runs for s in run.series if s.role.kind == "loss"]
    assert [y for s in losses for y in s.ys] == [v for _, v in rows]


def evaluated(total: int, step: int, more: str = "") -> str:
    """Scores of every step-th item of a test set, which is sorted from the easy to the hard ones."""
    rows = (f"[{at:05d}/{total}] PSNR {34 - 9 * at / total:.2f}{more}\n" for at in range(0, total, step))
    return "Unified evaluation\n" + "".join(rows) + "MEAN | PSNR 29.51\n"


def test_items_of_a_test_set_are_no_training(tmp_path: Path) -> None:
    reading = read(tmp_path, evaluated(3783, 20))
    assert not reading.runs
    (note,) = [note for note in reading.notes if note.of_a_list]
    assert (
        note.text == "191 values behind a counter such as [3780/3783], of the items of an evaluation: no trend in them"
    )


def test_means_of_several_test_sets_stand_below_all_of_them(tmp_path: Path) -> None:
    """Each set begins anew; the first was stopped, and evaluated once more."""
    begun = evaluated(3783, 20).partition("MEAN")[0].splitlines(keepends=True)[:60]
    sets = "".join(evaluated(total, step).partition("MEAN")[0] for total, step in ((3783, 20), (2047, 100)))
    means = "A | PSNR 29.51 | bad 0\nB | PSNR 29.70 | bad 0\n\nMEAN | PSNR 29.60\n"
    reading = read(tmp_path, "".join(begun) + sets + means)
    assert not [s for run in reading.runs for s in run.series if len(s) > 1]
    assert any(note.of_a_list for note in reading.notes)


@pytest.mark.parametrize(
    ("total", "step", "more"), [(3800, 20, ""), (3783, 1, ""), (3783, 20, " loss 0.2"), (300000, 5000, "")]
)
def test_round_totals_and_losses_are_of_a_training(tmp_path: Path, total: int, step: int, more: str) -> None:
    assert len(read(tmp_path, evaluated(total, step, more)).runs) == 1


@pytest.mark.parametrize("below", ["", "final test PESQ 2.06\n", "best PESQ 2.64\n"])
@pytest.mark.parametrize(("total", "step"), [(37830, 1000), (99, 5), (15, 2)])
def test_trainings_are_counted_in_any_steps(tmp_path: Path, total: int, step: int, below: str) -> None:
    """Steps that do not divide the total are those of a test set only where the mean of the scores stands below."""
    counted = range(step, total + 1, step)
    scores = [2 + 3.2 * at / total if at < total / 5 else 2.64 - 0.6 * at / total for at in counted]
    rows = "".join(f"[{at}/{total}] PESQ {score:.3f}\n" for at, score in zip(counted, scores, strict=True))
    (run,) = read(tmp_path, rows + below).runs
    assert [list(s.xs) for s in run.series if s.name == "PESQ"] == [list(counted)]


@pytest.mark.parametrize("mean", ["MEAN | PSNR 29.51", "Mean PSNR: 29.48", "avg_psnr 29.55"])
def test_the_mean_of_a_test_set_may_have_any_name(tmp_path: Path, mean: str) -> None:
    reading = read(tmp_path, evaluated(3783, 20).replace("MEAN | PSNR 29.51", mean))
    assert sum(note.of_a_list for note in reading.notes) == 1
    assert not [s for run in reading.runs for s in run.series if len(s) > 1]
