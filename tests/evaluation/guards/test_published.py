"""Scores that are compared with the published ones, and recordings that are taken for the published set."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from cmgan_audit.evaluation.guards.published import (
    check_published,
    is_published_set,
    published_rows,
    rows_to_check,
    self_check,
)
from cmgan_audit.finding import Severity
from tests.evaluation.helpers import compared, half, rules


def test_self_check_tells_exact_close_and_different() -> None:
    published = {name: row["pesq"] for name, row in list(published_rows().items())[:20]}
    assert self_check(published).result == "exact"
    assert check_published(self_check(published)) == []
    close = self_check({name: value + 0.01 for name, value in published.items()})
    assert close.result == "close"
    assert [finding.severity for finding in check_published(close)] == [Severity.NOTE]
    different = check_published(self_check({name: value + 0.6 for name, value in published.items()}))
    assert [finding.severity for finding in different] == [Severity.WARNING]
    assert self_check({"other": 2.0}) is None


def test_only_names_of_the_set_are_taken_for_the_set() -> None:
    names = list(published_rows())
    assert is_published_set(names)
    assert is_published_set(names[:14])
    assert not is_published_set(["p232_001", *(f"mine_{index}" for index in range(20))])
    assert not is_published_set([])
    assert len(rows_to_check(names)) == 24
    assert {name[:4] for name in rows_to_check(names)} == {"p232", "p257"}


def test_other_recordings_under_published_names(small_set: Path, outputs: Callable[..., Path]) -> None:
    for side in ("clean", "noisy"):
        for path, name in zip(sorted((small_set / side).iterdir()), ("p232_001", "p232_002", "p257_003"), strict=True):
            path.rename(path.with_name(f"{name}.wav"))
    result = compared(small_set, outputs(small_set, "a", half))
    assert "CMG711" in rules(result)
    assert result.self_check is not None and result.self_check.result == "different"
