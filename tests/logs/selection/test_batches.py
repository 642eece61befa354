"""Scores of batches: several in every epoch and far apart; epoch means are judged, and evaluations go first."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.finding import Severity
from cmgan_audit.logs.judging import Judgement, judge
from cmgan_audit.logs.roles import RoleBook
from cmgan_audit.logs.search import read_logs
from cmgan_audit.logs.selection.judged import JudgedSeries, Question
from cmgan_audit.rules.catalogue import load_catalogue

CATALOGUE = load_catalogue()
EVERY = frozenset(rule.id for rule in CATALOGUE if rule.door == "trend")
SCATTER = [0.31, -0.22, 0.05, -0.35, 0.21]


def look(tmp_path: Path, lines: list[str]) -> Judgement:
    path = tmp_path / "train.log"
    path.write_text("".join(f"{line}\n" for line in lines))
    return judge(read_logs([path], RoleBook()).readings, Question(), CATALOGUE, EVERY)


def test_scores_beside_a_learning_rate_are_of_the_training(tmp_path: Path) -> None:
    """Its batches get worse while every evaluation is better than the one before."""
    lines = []
    for e in range(12):
        lines += [
            f"Epoch: [{e}/40] Iter: [{i * 10}/50] lr: [0.01] Loss: 1.{e}, Acc: {0.7 - e / 50 + y / 50:.3f}"
            for i, y in enumerate(SCATTER)
        ]
        lines.append(f"Loss: 0.9, MeanIU: {0.3 + e / 100:.4f}")
    found = look(tmp_path, lines)
    assert [one.series.name for one in found.judged] == ["MeanIU"]
    assert found.verdict(Severity.ERROR) == "healthy"


@pytest.mark.parametrize("line", ["[Epoch {e}/24] [step 290/290] lr: 5e-4", "[step {step}/200000] lr: 5e-4"])
def test_one_score_an_epoch_beside_a_learning_rate_may_be_an_evaluation(tmp_path: Path, line: str) -> None:
    scores = [2.4, 2.5, 2.58, 2.63, 2.66, 2.61, 2.55, 2.47, 2.38, 2.3, 2.24, 2.2]
    beside = [line.format(e=e, step=5000 * e) for e in range(1, 13)]
    lines = [f"{start} loss: {0.3 - y / 50:.4f} pesq: {y}" for start, y in zip(beside, scores, strict=True)]
    assert look(tmp_path, lines).verdict(Severity.ERROR) == "degraded"


def batches(epoch: int, level: float, label: str = "pesq") -> list[str]:
    turned = SCATTER[epoch % 5 :] + SCATTER[: epoch % 5]
    return [f"Epoch {epoch} step {i * 200} {label} {level + y:.2f} loss 0.21" for i, y in enumerate(turned)]


def only(judgement: Judgement) -> JudgedSeries:
    (one,) = judgement.judged
    return one


def test_epoch_means_of_training_batches_are_judged_with_less_confidence(tmp_path: Path) -> None:
    judgement = look(tmp_path, [line for e in range(10) for line in batches(e, 2.9 - max(0, e - 3) * 0.15)])
    one = only(judgement)
    assert (len(one.series), one.batches, one.certain) == (10, 50, False)
    assert one.series.ys[0] == pytest.approx(2.9)
    (decline,) = [f for f in judgement.findings if f.rule == "CMG801"]
    assert (decline.severity, decline.confidence.value) == (Severity.WARNING, "low")


def test_a_handful_of_noisy_epoch_means_is_no_decline(tmp_path: Path) -> None:
    lines = [line for e, level in enumerate((2.3, 2.5, 2.3, 2.25, 2.2)) for line in batches(e, level)]
    one = only(look(tmp_path, lines))
    assert one.decline is None
    assert (one.floor.origin, one.floor.half_width) == ("measured", pytest.approx(0.347, abs=0.001))


def test_a_few_evaluations_go_before_batches(tmp_path: Path) -> None:
    lines: list[str] = []
    for e in range(20):
        lines += batches(e, 2.2 + e / 50)
        if e % 5 == 4:
            lines.append(f"Epoch {e} done, val pesq {2.2 + e / 50}")
    assert only(look(tmp_path, lines)).series.name == "val pesq"


def test_means_of_an_evaluation_go_before_its_batches(tmp_path: Path) -> None:
    lines = []
    for e in range(5):
        lines += batches(e, 2.2 + e / 50, "[Val] batch PESQ")
        lines.append(f"Epoch {e} [Val] average PESQ: {2.2 + e / 50}")
    one = only(look(tmp_path, lines))
    assert (one.series.name, one.batches) == ("Val average PESQ", 0)


def test_evaluations_within_an_epoch_stay_what_they_are(tmp_path: Path) -> None:
    scores = [2.64, 2.6, 2.5, 2.41, 2.3, 2.2, 2.15, 2.1, 2.08, 2.07]
    judgement = look(tmp_path, [f"Epoch {i // 2} step {i * 500} pesq {y}" for i, y in enumerate(scores)])
    assert len(only(judgement).series) == 10
    assert judgement.verdict(Severity.ERROR) == "degraded"


def test_several_scores_of_one_epoch_are_no_course(tmp_path: Path) -> None:
    one = only(look(tmp_path, ["Epoch 150", "PESQ 1.60", "PESQ 1.47", "PESQ 1.45"]))
    assert (len(one.series), one.decline) == (1, None)


def test_a_progress_bar_that_ends_with_the_score_says_it_twice(tmp_path: Path) -> None:
    lines = []
    for e, y in enumerate((1.7912, 2.0001, 2.0430, 1.8998, 2.1756, 2.2428), start=1):
        lines += [f"Epoch {e}", f"Validation: 100%| 824/824 [03:11<00:00, PESQ={y:.3f}]", f"PESQ:   {y:.4f}"]
    assert only(look(tmp_path, lines)).series.ys.tolist() == [1.7912, 2.0001, 2.0430, 1.8998, 2.1756, 2.2428]


def test_lines_within_the_epoch_beside_those_that_sum_it_up(tmp_path: Path) -> None:
    """Demucs' progress says the score of the batches so far, its summary that of the epoch."""
    lines, scores = [], (2.7, 3.3, 4.0, 4.4, 4.9, 5.1)
    for e, score in enumerate(scores, start=1):
        lines += [f"Valid | Epoch {e} | {b}/30 | 1.4 it/sec | Loss 0.2 | Nsdr {score + 0.4:.3f}" for b in (10, 20)]
        lines += [f"Valid Summary | Epoch {e} | Loss=0.2223 | Nsdr={score:.3f}"]
    judged = only(look(tmp_path, lines))
    assert (judged.series.ys.tolist(), judged.batches, judged.series.role.phase) == (list(scores), 0, "eval")


def test_lines_within_the_epoch_alone_are_what_there_is(tmp_path: Path) -> None:
    lines = [f"Epoch {e} [10/10] pesq {y}" for e, y in enumerate((2.1, 2.2, 2.3), start=1)]
    assert only(look(tmp_path, lines)).series.name == "pesq"


def test_of_means_over_the_batches_so_far_the_last_counts(tmp_path: Path) -> None:
    """The mean over the first batch of an epoch is a score of one batch, and the best of many such is no best."""
    lines, expected = [], []
    for epoch in range(12):
        scores = [2.2 + 0.03 * epoch + SCATTER[(3 * epoch + b) % 5] + (epoch == 8 and b == 0) for b in range(10)]
        means = [sum(scores[: n + 1]) / (n + 1) for n in range(10)]
        lines += [f"Epoch: [{epoch}/12] Iter: [{b}0/99], PESQ: {mean:.4f}" for b, mean in enumerate(means)]
        expected.append(round(means[-1], 4))
    judgement = look(tmp_path, lines)
    one = only(judgement)
    assert (one.series.ys.tolist(), one.batches, one.certain) == (expected, 120, False)
    assert judgement.verdict(Severity.ERROR) == "healthy"


def within_epochs(place: str, last: int = 9) -> list[str]:
    """Lines whose steps begin anew in every epoch, which another line names above or below them."""
    lines: list[str] = []
    for e in range(last):
        level = round(0.5 + 0.02 * e, 3)
        loss = f"{1 / (e + 1):.3f}"
        steps = [f"  Batch {20 * i}/100 | Loss: {loss} | Acc: {level + y:.3f}" for i, y in enumerate(SCATTER, 1)]
        summary = f"Epoch {e + 1}/{last} | Train Loss: {loss} Acc: {level:.3f} | Val PSNR: {20 + e / 5:.2f}"
        lines += [f"Epoch {e + 1}/{last}", *steps, summary] if place == "above" else [*steps, summary]
    return lines


@pytest.mark.parametrize("place", ["above", "below"])
@pytest.mark.parametrize("last", [9, 3])
def test_steps_that_begin_anew_in_every_epoch_belong_to_it(tmp_path: Path, place: str, last: int) -> None:
    judgement = look(tmp_path, within_epochs(place, last))
    assert sorted(one.series.name for one in judgement.judged) == ["Acc", "Val PSNR"]
    (run,) = {id(one.run): one.run for one in judgement.judged}.values()
    loss = next(series for series in run.series if series.name == "Loss")
    assert [(x, y) for x, y, _ in loss] == [(e + 1, round(1 / (e + 1), 3)) for e in range(last) for _ in SCATTER]
    assert not [finding for finding in judgement.findings if finding.severity > Severity.NOTE]


def test_steps_of_the_whole_training_stay_steps(tmp_path: Path) -> None:
    lines = [line for e in range(5) for line in (f"Epoch {e}", *(f"step {e * 3 + i} loss 0.3" for i in range(3)))]
    path = tmp_path / "train.log"
    path.write_text("".join(f"{line}\n" for line in [*lines, "step 4 loss 0.2"]))
    (run,) = read_logs([path], RoleBook()).readings[0].runs
    assert {series.x_kind for series in run.series} == {"step"}
