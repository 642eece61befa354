"""The score store: SQLite, content-addressed, safe to kill, to share between runs and processes, and to delete.

A key is the digest of everything that decides the value, so nothing in the store is ever out of date; rows are only
added. Every finished task is committed at once: a run that is killed loses at most what was being computed.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cmgan_audit.errors import InputError
from cmgan_audit.evaluation.guards.signals import SignalFacts
from cmgan_audit.evaluation.metrics import MetricScore, Status

FILE_NAME = "scores-1.sqlite"  # the number is the version of the tables; another version is another file
BUSY_SECONDS = 60
_PAUSE = 0.02  # seconds
_CHUNK = 500  # below SQLite's limit of variables in one statement

_TABLES = """
CREATE TABLE IF NOT EXISTS scores (key TEXT PRIMARY KEY, status TEXT NOT NULL, value REAL, detail TEXT NOT NULL)
WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS facts (key TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
"""


class StoreError(InputError):
    """The score store cannot be opened, read or written; names the file and a way out."""


def content_key(*parts: str) -> str:
    """Hex digest of a sequence of strings; no two different sequences share their text."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


class ScoreStore:
    """Scores and signal facts by content key. Use as a context manager; `folder=None` keeps all in memory."""

    def __init__(self, folder: Path | None) -> None:
        """Open or make the store.

        Raises:
            StoreError: the folder cannot be made, or the file is not a store.
        """
        self.place = "memory" if folder is None else str(folder / FILE_NAME)
        if folder is not None:
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise StoreError(
                    f"score store {folder}: cannot be made: {error.strerror}; use --cache DIR or --no-cache"
                ) from error
        with self._explained():
            target = ":memory:" if folder is None else self.place
            self._db = sqlite3.connect(target, timeout=BUSY_SECONDS, isolation_level=None)
            self._prepare()

    def _prepare(self) -> None:
        # Readers and one writer at a time do not block each other; where the file system cannot do it, SQLite stays
        # with its rollback journal, which is as safe and only slower. For this change SQLite does not wait as it does
        # for all others: of two runs that make a store at once, one is refused at once.
        until = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                self._db.execute("PRAGMA journal_mode=WAL")
                break
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() >= until:
                    raise
                time.sleep(_PAUSE)
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(_TABLES)

    def __enter__(self) -> ScoreStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; what was recorded stays."""
        self._db.close()

    def scores(self, keys: Sequence[str]) -> dict[str, MetricScore]:
        """The recorded scores among the keys."""
        rows = self._select("SELECT key, status, value, detail FROM scores WHERE key IN", keys)
        return {key: MetricScore(Status(status), value, detail) for key, status, value, detail in rows}

    def facts(self, keys: Sequence[str]) -> dict[str, SignalFacts]:
        """The recorded signal facts among the keys."""
        rows = self._select("SELECT key, body FROM facts WHERE key IN", keys)
        return {key: SignalFacts(**json.loads(body)) for key, body in rows}

    def add(self, scores: Mapping[str, MetricScore], facts: Mapping[str, SignalFacts]) -> None:
        """Record scores and facts in one transaction; what is there already stays as it is.

        Raises:
            StoreError: the disk is full, or the file is locked or broken.
        """
        with self._explained():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                self._db.executemany(
                    "INSERT OR IGNORE INTO scores VALUES (?, ?, ?, ?)",
                    [(key, score.status.value, score.value, score.detail) for key, score in scores.items()],
                )
                self._db.executemany(
                    "INSERT OR IGNORE INTO facts VALUES (?, ?)",
                    [(key, json.dumps(asdict(entry), sort_keys=True)) for key, entry in facts.items()],
                )
                self._db.execute("COMMIT")
            except sqlite3.Error:
                # A full disk may have ended the transaction already; rolling back again would hide the first error.
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def _select(self, statement: str, keys: Sequence[str]) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = []
        with self._explained():
            for chunk in _chunks(keys):
                marks = ", ".join("?" * len(chunk))
                rows.extend(self._db.execute(f"{statement} ({marks})", chunk).fetchall())
        return rows

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StoreError(f"score store {self.place}: {error}; {_way_out(str(error))}") from error


def _way_out(message: str) -> str:
    if "full" in message:
        return "what was recorded before is safe: free some space, or point --cache DIR elsewhere, and run again"
    if "locked" in message:
        return f"another run held it for {BUSY_SECONDS} s: wait for it, or use --cache DIR"
    if "not a database" in message or "malformed" in message:
        return "delete this file (it is a cache and will be made again), or use --cache DIR"
    return "use --cache DIR for another place, or --no-cache"


def _chunks(keys: Iterable[str]) -> Iterator[list[str]]:
    chunk: list[str] = []
    for key in keys:
        chunk.append(key)
        if len(chunk) == _CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
