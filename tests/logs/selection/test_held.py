"""Scores that are said again until the next evaluation count once."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from cmgan_audit.finding import Severity
from cmgan_audit.logs.judging import Judgement, judge
from cmgan_audit.logs.roles import RoleBook
from cmgan_audit.logs.search import read_logs
from cmgan_audit.logs.selection.judged import Question
from cmgan_audit.rules.catalogue import load_catalogue

CATALOGUE = load_catalogue()
EVERY = frozenset(rule.id for rule in CATALOGUE if rule.door == "trend")
NOISE = [0.031, -0.044, 0.012, -0.027, 0.05, -0.018, 0.036, -0.041, 0.008, -0.033]
SCORES = [2.6 - 0.5 * math.exp(-i / 2) + noise for i, noise in enumerate(NOISE)]


def look(tmp_path: Path, scores: list[float], digits: int = 4) -> Judgement:
    path = tmp_path / "log.csv"
    path.write_text("epoch,pesq\n" + "".join(f"{e},{y:.{digits}f}\n" for e, y in enumerate(scores)))
    return judge(read_logs([path], RoleBook()).readings, Question(), CATALOGUE, EVERY)


@pytest.mark.parametrize("digits", [2, 4])
def test_one_low_score_that_is_repeated_is_no_fall(tmp_path: Path, digits: int) -> None:
    """Without that, five equal values at the end would all lie below the best."""
    found = look(tmp_path, [y for y in [*SCORES, 2.2] for _ in range(5)], digits)
    assert "CMG801" not in {finding.rule for finding in found.findings}
    assert len(found.judged[0].series) == len(SCORES) + 1


def test_evaluations_at_irregular_epochs(tmp_path: Path) -> None:
    scores = [y for i, y in enumerate(SCORES) for _ in range(1 + 2 * (i % 3))]
    assert len(look(tmp_path, scores).judged[0].series) == len(SCORES)


def test_scores_that_few_digits_make_equal_are_evaluations_each(tmp_path: Path) -> None:
    falling = [2.1, 2.3, 2.5, 2.6, 2.6, 2.6, 2.5, 2.5, 2.4, 2.4, 2.3, 2.3, 2.2]
    found = look(tmp_path, falling, 1)
    assert len(found.judged[0].series) == len(falling)
    assert found.verdict(Severity.ERROR) == "degraded"


def test_a_fall_that_is_repeated_is_one(tmp_path: Path) -> None:
    scores = [2.6 - 0.5 * math.exp(-i / 2) + noise / 4 for i, noise in enumerate(NOISE)]
    found = look(tmp_path, [y for y in [*scores, 2.4, 2.3, 2.2] for _ in range(5)])
    assert found.verdict(Severity.ERROR) == "degraded"


def test_a_network_that_has_collapsed_scores_the_same_to_the_end(tmp_path: Path) -> None:
    found = look(tmp_path, [2.112, 2.334, 2.523, 2.641, *[1.043] * 6], digits=3)
    assert "CMG801" in {finding.rule for finding in found.findings}


@pytest.mark.parametrize("held", [1, 5])
def test_a_network_that_has_collapsed_scores_the_same_every_time(tmp_path: Path, held: int) -> None:
    """PESQ of silence is one number; all of its evaluations taken for one would be one low evaluation."""
    found = look(tmp_path, [y for y in SCORES for _ in range(held)] + [1.0416] * 40)
    assert len(found.judged[0].series) == len(SCORES) + 40 // held
    assert found.verdict(Severity.ERROR) == "degraded"


def test_few_stretches_may_have_a_common_length_by_chance(tmp_path: Path) -> None:
    scores = [2.3, 2.4, 2.4, 2.5, 2.5, 2.6, 2.6, 2.7, 2.7, 2.5, 2.5, 2.4]
    assert len(look(tmp_path, scores, 1).judged[0].series) == len(scores)
