"""Logs that come through a pipe: `ssh gpu cat train.log | cmgan-audit trend -`, or `<(zcat old.log.gz)` of a shell.

A log is read more than once, and a pipe only once: what comes through it is kept in a file until the end.
"""

from __future__ import annotations

import contextlib
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from cmgan_audit.errors import InputError, UsageError

STDIN = "-"
_NAMED = "standard input"


@contextlib.contextmanager
def on_disk(paths: Sequence[Path]) -> Iterator[dict[Path, str]]:
    """The paths, those of pipes replaced by files that hold what came through them; and how each is called.

    Raises:
        UsageError: standard input is asked for, and it is a terminal.
        InputError: a pipe cannot be read.
    """
    with tempfile.TemporaryDirectory(prefix="cmgan-audit-") as folder:
        found: dict[Path, str] = {}
        for number, path in enumerate(paths):
            if str(path) == STDIN:
                if sys.stdin is None:  # its caller closed it (`<&-`, a service)
                    raise UsageError(f"{STDIN}: standard input is closed: pipe a log into it, or name a file")
                if sys.stdin.isatty():
                    raise UsageError(f"{STDIN}: standard input is a terminal: pipe a log into it, or name a file")
                if _NAMED not in found.values():
                    found[_kept(sys.stdin.buffer, Path(folder) / f"{number}.log")] = _NAMED
            elif _is_pipe(path):
                try:
                    with path.open("rb") as stream:
                        found[_kept(stream, Path(folder) / f"{number}.log")] = str(path)
                except OSError as error:
                    raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
            else:
                found[path] = path.as_posix()
        yield found


def _is_pipe(path: Path) -> bool:
    try:
        mode = path.stat().st_mode
    except OSError:
        return False  # the reader says what is wrong with it
    return stat.S_ISFIFO(mode) or stat.S_ISCHR(mode)


def _kept(stream: BinaryIO, path: Path) -> Path:
    with path.open("wb") as kept:
        shutil.copyfileobj(stream, kept)
    return path
