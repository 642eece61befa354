"""Comparisons from score files alone: what decides, and tables that are not what they are read as."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.errors import InputError
from cmgan_audit.evaluation.result import ComparisonResult
from cmgan_audit.evaluation.score_files import compare_score_files
from cmgan_audit.statistics.verdict import Verdict
from tests.evaluation.helpers import options


def judged(folder: Path, tables: dict[str, str], **changes: object) -> ComparisonResult:
    paths = []
    for name, text in tables.items():
        paths.append(folder / f"{name}.csv")
        paths[-1].write_text(text)
    return compare_score_files(options(checkpoints=(), scores=tuple(paths), **{"metrics": (), **changes}))


def by_columns(header: str, *columns: float) -> str:
    """Twelve rows: each column rises a little from row to row."""
    rows = [",".join([f"u{at}", *(f"{value + 0.01 * at:.3f}" for value in columns)]) for at in range(12)]
    return "\n".join([header, *rows])


def test_what_is_the_same_for_all_systems_does_not_decide(tmp_path: Path) -> None:
    for metric in ("si_sdr", "dnsmos"):
        header = f"file,seconds,{metric}"
        result = judged(tmp_path, {"a": by_columns(header, 3.0, 2.9), "b": by_columns(header, 3.0, 2.1)})
        assert result.primary == metric
        assert [one.verdict for one in result.decisive] == [Verdict.REGRESSED]
    header = "file,utmos,stoi,pesq"
    both = {"a": by_columns(header, 3.0, 0.7, 2.5), "b": by_columns(header, 3.1, 0.8, 2.6)}
    assert judged(tmp_path, both).primary == "pesq"


def test_columns_that_are_checkpoints_are_no_metrics(tmp_path: Path) -> None:
    table = by_columns("utterance,epoch_2,epoch_7", 2.5, 2.1)
    with pytest.raises(
        InputError, match=r"read as the metrics epoch_2, epoch_7 of run, .* a row per utterance and check"
    ):
        judged(tmp_path, {"run": table})
    with pytest.raises(InputError, match="read as the metrics epoch_2, epoch_7 of pesq, stoi, "):
        judged(tmp_path, {"pesq": table, "stoi": table})
    assert judged(tmp_path, {"run": table}, metrics=("epoch_7",)).primary == "epoch_7"


def test_metrics_that_are_not_known_here_are_compared(tmp_path: Path) -> None:
    header = "file,dnsmos,utmos"
    result = judged(tmp_path, {"a": by_columns(header, 2.5, 3.0), "b": by_columns(header, 2.1, 3.0)})
    assert (result.primary, result.decisive[0].verdict) == ("dnsmos", Verdict.REGRESSED)
    assert judged(tmp_path, {"a": by_columns("file,dnsmos", 2.5)}).primary == "dnsmos"
