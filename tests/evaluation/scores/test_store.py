"""The score store: recording, reopening, sharing, and what it says when it cannot go on."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cmgan_audit.evaluation.guards.signals import SignalFacts
from cmgan_audit.evaluation.metrics import MetricScore, Status
from cmgan_audit.evaluation.scores import store as module
from cmgan_audit.evaluation.scores.store import ScoreStore, StoreError, content_key

FACTS = SignalFacts("d", 3, 3, 0.5, 0, 0, None, "", -20.0, -30.0)


def test_what_is_recorded_is_there_after_reopening(tmp_path: Path) -> None:
    rows = {"a": MetricScore(Status.OK, 1.2345678901), "b": MetricScore(Status.METRIC_CRASH, detail="SIGSEGV")}
    with ScoreStore(tmp_path / "deep" / "cache") as store:
        store.add(rows, {"f": FACTS})
    with ScoreStore(tmp_path / "deep" / "cache") as store:
        assert store.scores(["a", "b", "c"]) == rows
        assert store.facts(["f", "g"]) == {"f": FACTS}


def test_rows_are_never_changed(tmp_path: Path) -> None:
    with ScoreStore(tmp_path) as store:
        store.add({"a": MetricScore(Status.OK, 1.0)}, {})
        store.add({"a": MetricScore(Status.OK, 2.0)}, {})
        assert store.scores(["a"])["a"].value == 1.0


def test_many_keys(tmp_path: Path) -> None:
    rows = {f"k{i}": MetricScore(Status.OK, float(i)) for i in range(3000)}
    with ScoreStore(tmp_path) as store:
        store.add(rows, {})
        assert store.scores([*rows, "other"]) == rows


def test_without_a_folder_nothing_is_kept() -> None:
    with ScoreStore(None) as store:
        store.add({"a": MetricScore(Status.OK, 1.0)}, {})
        assert store.scores(["a"])
    with ScoreStore(None) as store:
        assert not store.scores(["a"])


def test_keys_do_not_run_together() -> None:
    assert content_key("a", "bc") != content_key("ab", "c")
    assert content_key("a", "") != content_key("a")


def test_a_file_that_is_no_store(tmp_path: Path) -> None:
    (tmp_path / module.FILE_NAME).write_bytes(b"something else" * 1000)
    with pytest.raises(StoreError, match=r"not a database; delete this file"):
        ScoreStore(tmp_path)


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="--cache DIR or --no-cache"):
        ScoreStore(tmp_path / "file" / "cache")


def test_a_full_disk_keeps_what_was_recorded(tmp_path: Path) -> None:
    with ScoreStore(tmp_path) as store:
        store.add({"a": MetricScore(Status.OK, 1.0)}, {})
        pages = store._db.execute("PRAGMA page_count").fetchone()[0]
        store._db.execute(f"PRAGMA max_page_count={pages}")  # SQLite's own "database or disk is full"
        with pytest.raises(StoreError, match="full; what was recorded before is safe"):
            for index in range(1000):
                store.add({f"k{index}-{part}": MetricScore(Status.OK, 1.0) for part in range(100)}, {})
    with ScoreStore(tmp_path) as store:
        assert store.scores(["a"]) == {"a": MetricScore(Status.OK, 1.0)}
        assert store._db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_locked_store_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BUSY_SECONDS", 0.1)
    with ScoreStore(tmp_path) as store:
        other = sqlite3.connect(tmp_path / module.FILE_NAME, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreError, match="another run held it"):
            store.add({"a": MetricScore(Status.OK, 1.0)}, {})
        other.execute("ROLLBACK")
        other.close()
        store.add({"a": MetricScore(Status.OK, 1.0)}, {})


def test_runs_that_make_a_store_at_once_all_get_it(tmp_path: Path) -> None:
    together = threading.Barrier(8)

    def opened(folder: Path) -> None:
        together.wait()
        with ScoreStore(folder) as store:
            assert store.scores(["a"]) == {}

    with ThreadPoolExecutor(8) as threads:
        for number in range(60):
            list(threads.map(opened, [tmp_path / str(number)] * 8))


def test_two_processes_write_at_once(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path\n"
        "from cmgan_audit.evaluation.scores.store import ScoreStore\n"
        "from cmgan_audit.evaluation.metrics import MetricScore, Status\n"
        "with ScoreStore(Path(sys.argv[1])) as store:\n"
        "    for i in range(200): store.add({f'{sys.argv[2]}{i}': MetricScore(Status.OK, float(i))}, {})\n"
    )
    running = [subprocess.Popen([sys.executable, "-c", program, str(tmp_path), label]) for label in ("a", "b")]
    assert [process.wait(60) for process in running] == [0, 0]
    with ScoreStore(tmp_path) as store:
        assert len(store.scores([f"{label}{i}" for label in ("a", "b") for i in range(200)])) == 400
