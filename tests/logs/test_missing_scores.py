"""Evaluations without a score: failed ones at the end, and what stands where nothing was evaluated."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.finding import Severity
from cmgan_audit.logs.judging import Judgement, judge
from cmgan_audit.logs.roles import RoleBook
from cmgan_audit.logs.search import read_logs
from cmgan_audit.logs.selection.judged import Question
from cmgan_audit.logs.selection.placeholders import ends_in_failures, scores_come_in_rhythm
from cmgan_audit.report.trend_text import sentence
from cmgan_audit.rules.catalogue import load_catalogue

CATALOGUE = load_catalogue()
EVERY = frozenset(rule.id for rule in CATALOGUE if rule.door == "trend")


def look(tmp_path: Path, content: str, name: str = "log.csv") -> Judgement:
    path = tmp_path / name
    path.write_text(content)
    return judge(read_logs([path], RoleBook()).readings, Question(), CATALOGUE, EVERY)


def table(scores: list[str]) -> str:
    return "epoch,pesq\n" + "".join(f"{e},{score}\n" for e, score in enumerate(scores, start=1))


@pytest.mark.parametrize("failed", ["0.0", "nan", "-1"])
def test_a_training_whose_evaluations_fail_at_the_end_is_not_healthy(tmp_path: Path, failed: str) -> None:
    judgement = look(tmp_path, table(["2.1", "2.3", "2.4", "2.5", "2.55", failed, failed]))
    assert judgement.verdict(Severity.ERROR) == "undecided"
    assert judgement.errors


@pytest.mark.parametrize(("nothing", "rules"), [("0.0", ["CMG804"]), ("nan", [])])
def test_epochs_without_an_evaluation(tmp_path: Path, nothing: str, rules: list[str]) -> None:
    judgement = look(tmp_path, table([f"{2 + e / 50:.2f}" if e % 5 == 0 else nothing for e in range(1, 33)]))
    assert judgement.verdict(Severity.ERROR) == "healthy"
    told = [f for f in judgement.findings if f.rule in ("CMG804", "CMG805")]
    assert [f.rule for f in told] == rules
    assert all(f.severity is Severity.NOTE and "nothing was evaluated" in f.message for f in told)
    assert "note" in [case.value for case in CATALOGUE["CMG804"].severities]


def test_rhythm() -> None:
    assert scores_come_in_rhythm([True, False] * 4)
    assert scores_come_in_rhythm([False, True, True] * 3)
    assert not scores_come_in_rhythm([False, False, True, False, True, False])
    assert not scores_come_in_rhythm([False, True, False, True])
    assert not scores_come_in_rhythm([False, True] * 3 + [True] * 4)
    assert ends_in_failures([False] * 5 + [True])
    assert not ends_in_failures([False, True] * 4)
    assert not ends_in_failures([])


def test_a_loss_that_is_nan_without_a_sign_before_it(tmp_path: Path) -> None:
    lines = "".join(f"Epoch {e}: loss {'nan' if e > 3 else 0.2} PESQ {2 + e / 20:.2f}\n" for e in range(8))
    judgement = look(tmp_path, lines, "train.log")
    assert [(f.rule, f.severity) for f in judgement.findings if f.rule == "CMG805"] == [("CMG805", Severity.ERROR)]


def test_a_mean_over_the_batches_that_is_nan_in_every_epoch_ends_so(tmp_path: Path) -> None:
    def of(epochs: list[list[str]]) -> list[tuple[Severity, str]]:
        rows = [f"Epoch {e}, Step {s}, loss: {y}\n" for e, ys in enumerate(epochs) for s, y in enumerate(ys)]
        found = [f for f in look(tmp_path, "".join(rows), "train.log").findings if f.rule == "CMG805"]
        return [(f.severity, f.message.rpartition("(")[2]) for f in found]

    healthy, ill = ["0.2"] * 5, ["0.2", "nan", "nan", "nan", "nan"]
    again = "finite values follow, but the last 4 are not"
    assert of([healthy, ill, ill]) == [(Severity.ERROR, f"8 of 15 values), {again}")]
    assert of([healthy, ill, healthy]) == [(Severity.WARNING, "4 of 15 values), but finite values follow")]
    assert of([healthy, ["0.2", "nan", "0.2", "0.2", "nan"]])[0][0] is Severity.WARNING
    assert of([healthy, ["nan"] * 5]) == [(Severity.ERROR, "5 of 10 values), and every value after it")]


@pytest.mark.parametrize("name", ["pesq_imp", "PESQ change", "v2 PESQ+", "ΔPESQ"])
def test_a_change_of_pesq_may_be_negative(tmp_path: Path, name: str) -> None:
    rows = "".join(f"{e},{v}\n" for e, v in enumerate((-0.02, 0.0, 0.1, 0.2, 0.21, 0.22)))
    judgement = look(tmp_path, f"epoch,{name}\n{rows}")
    assert judgement.findings == []
    assert judgement.judged[0].measure.large == 0.2


@pytest.mark.parametrize(("name", "severity"), [("train_pesq", Severity.NOTE), ("test_pesq", Severity.ERROR)])
def test_zeros_all_along_beside_scores(tmp_path: Path, name: str, severity: Severity) -> None:
    rows = "".join(f"{e},0.0,{2.1 + e / 20}\n" for e in range(6))
    judgement = look(tmp_path, f"epoch,{name},val_pesq\n{rows}")
    assert [f.severity for f in judgement.findings if f.rule == "CMG804"] == [severity]


def test_a_log_that_names_only_improved_scores_shows_no_fall(tmp_path: Path) -> None:
    """As Lightning's checkpoints speak, without the lines of its progress bars."""
    better = "Epoch {e}, global step {e}00: 'val/pesq' reached {v:.3f} (best {v:.3f}), saving model to 'a.ckpt'\n"
    worse = "Epoch {e}, global step {e}00: 'val/pesq' was not in top 1\n"
    scores = {0: 1.9, 1: 2.2, 2: 2.4, 4: 2.5, 7: 2.55, 9: 2.6}
    lines = [(better if e in scores else worse).format(e=e, v=scores.get(e, 0)) for e in range(20)]
    only_best = look(tmp_path, "".join(lines), "train.log")
    assert only_best.verdict(Severity.ERROR) == "undecided"
    assert sentence(only_best, "undecided").startswith("undecided: the log has only the scores that improved")
    every = "".join(f"epoch {e} val/pesq {2 + e / 50:.3f}\nval_loss did not improve from 0.3\n" for e in range(20))
    assert look(tmp_path, every, "train.log").verdict(Severity.ERROR) == "healthy"


@pytest.mark.parametrize("top", [{0: 2.0, 1: 2.5, 2: 2.64}, {0: 2.0, 1: 2.5, 2: 2.64, 3: 2.62}])
def test_nobody_knows_what_came_after_the_best_scores(tmp_path: Path, top: dict[int, float]) -> None:
    """The scores are those of every epoch at first, and of none later."""
    better, worse = "Epoch {e} pesq {v:.3f}, saved\n", "Epoch {e}: pesq was not in top 2\n"
    lines = [(better if e in top else worse).format(e=e, v=top.get(e, 0)) for e in range(15)]
    assert look(tmp_path, "".join(lines), "train.log").verdict(Severity.ERROR) == "undecided"


@pytest.mark.parametrize("words", ["val_loss did not improve", "epoch {e} stoi did not improve"])
def test_words_about_another_score_hide_none(tmp_path: Path, words: str) -> None:
    scored = {0: 2.2, 1: 2.3, 3: 2.45, 5: 2.5, 7: 2.6}
    lines = [f"Epoch {e}\n" + (f"val pesq {scored[e]}\n" if e in scored else "") + words.format(e=e) for e in range(8)]
    assert look(tmp_path, "\n".join(lines), "train.log").verdict(Severity.ERROR) == "healthy"
