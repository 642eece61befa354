"""When a value in a file was last changed, told by git; nothing of the repository is written or run.

Commits and blobs are read, never the working tree through git: its filters and drivers are programs that a repository
names. Where there is no git, no repository or no history, nothing is known.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from cmgan_audit.lazy_dataclasses import dataclass

_MOST_STEPS = 20  # commits that touched the line without changing the value
_SECONDS = 20
_NUMBER = r"[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?"
# Settings of a repository that name programs, and remotes that a missing object would be fetched from.
_QUIET = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "log.showSignature=false")
_ENVIRONMENT = {"GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0", "GIT_PAGER": "cat"}


@dataclass(frozen=True, slots=True)
class ValueChange:
    """A change of a number in a file.

    Attributes:
        commit: the hash of the commit that made it; "" for a change that is not committed.
        time: when, in seconds since 1970: of the commit, or of the file where it is not committed.
        before: the number that stood there before, as it was written.
    """

    commit: str
    time: float
    before: str


@dataclass(frozen=True, slots=True)
class _Blame:
    commit: str
    time: int
    line: int
    path: str
    previous: tuple[str, str] | None


class _NoAnswerError(Exception):
    """Git does not know."""


class History:
    """The history of a folder in a git repository."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def committed(self, path: str) -> float | None:
        """When the last commit was made that touched a file, in seconds since 1970; None where there is none."""
        try:
            told = self._git("log", "-1", "--format=%ct", "HEAD", "--", self._prefix + path).strip()
        except _NoAnswerError:
            return None
        return float(told) if told.isdigit() else None

    def last_change(self, path: str, content: bytes, line: int, begin: int, end: int) -> ValueChange | None:
        """The last change of the number at a place of a file.

        Args:
            path: relative to the folder.
            content: what the file holds now.
            line: from 1.
            begin: the offset in the line at which the number begins.
            end: the offset behind it.
        """
        try:
            lines = _lines(content)
            wanted = _Wanted(lines[line - 1], begin, end)
            return self._last_change(path, lines, line - 1, wanted, (self._root / path).stat().st_mtime)
        except (OSError, IndexError, _NoAnswerError):
            return None

    def _last_change(
        self, path: str, lines: list[str], index: int, wanted: _Wanted, modified: float
    ) -> ValueChange | None:
        revision, name = self._git("rev-parse", "HEAD").strip(), self._prefix + path
        older = _older(self._blob(revision, name), lines, index, wanted)
        if older.value != wanted.value:
            return ValueChange("", modified, older.value)
        for _ in range(_MOST_STEPS):
            blame = self._blame(revision, name, older.index + 1)
            if blame.previous is None:
                return None
            revision, name = blame.previous
            older = _older(self._blob(revision, name), self._blob(blame.commit, blame.path), blame.line - 1, wanted)
            if older.value != wanted.value:
                return ValueChange(blame.commit, blame.time, older.value)
        return None

    @cached_property
    def _top(self) -> Path:
        return Path(self._run(self._root, "rev-parse", "--show-toplevel").rstrip("\n"))

    @cached_property
    def _prefix(self) -> str:
        return self._run(self._root, "rev-parse", "--show-prefix").rstrip("\n")

    def _blob(self, revision: str, path: str) -> list[str]:
        return _lines(self._git("cat-file", "blob", f"{revision}:{path}").encode("utf-8", "surrogateescape"))

    def _blame(self, revision: str, path: str, line: int) -> _Blame:
        told = self._git("blame", "--porcelain", "--no-textconv", "-L", f"{line},{line}", revision, "--", path)
        head, *rest = told.split("\n")
        commit, original, *_ = head.split(" ")
        fields = dict(entry.partition(" ")[::2] for entry in rest if not entry.startswith("\t"))
        before, _, name = fields.get("previous", "").partition(" ")
        return _Blame(
            commit=commit,
            time=int(fields["committer-time"]),
            line=int(original),
            path=fields["filename"],
            previous=(before, name) if before else None,
        )

    def _git(self, *arguments: str) -> str:
        return self._run(self._top, *arguments)

    def _run(self, folder: Path, *arguments: str) -> str:
        """What git prints.

        Raises:
            _NoAnswerError: git is missing, fails or takes too long.
        """
        import subprocess  # slow to load, and only trees with checkpoint files ask for their history

        # A hook (pre-commit) sets GIT_DIR and GIT_INDEX_FILE for its own repository: they would point us elsewhere.
        environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")} | _ENVIRONMENT
        command = ["git", "-c", "core.quotepath=off", *_QUIET, *arguments]
        try:
            done = subprocess.run(
                command, cwd=folder, env=environment, capture_output=True, check=True, timeout=_SECONDS
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise _NoAnswerError from error
        return done.stdout.decode("utf-8", "surrogateescape")


class _Wanted:
    """A number in a line, known again by what stands before it."""

    def __init__(self, line: str, begin: int, end: int) -> None:
        self.value = line[begin:end].strip()
        words = line[:begin].split()
        if not any(re.search(r"\w", word) for word in words):
            raise _NoAnswerError
        self._pattern = re.compile(r"\s*".join(map(re.escape, words)) + rf"\s*({_NUMBER})(?![\w.])")

    def value_in(self, line: str) -> str | None:
        """The number at this place in another version of the line."""
        found = self._pattern.search(line)
        return found[1] if found else None


@dataclass(frozen=True, slots=True)
class _Older:
    index: int
    value: str


def _older(old: Sequence[str], new: Sequence[str], index: int, wanted: _Wanted) -> _Older:
    """Where the number of a line stood in an older version of a file, and what it was.

    Raises:
        _NoAnswerError: that version has no such line.
    """
    if not 0 <= index < len(new):
        raise _NoAnswerError
    for kind, old_begin, old_end, new_begin, new_end in _pieces(old, new):
        if not new_begin <= index < new_end:
            continue
        if kind == "equal":
            return _Older(old_begin + index - new_begin, wanted.value)
        for at in range(old_begin, old_end):
            value = wanted.value_in(old[at])
            if value is not None:
                return _Older(at, value)
    raise _NoAnswerError


def _pieces(old: Sequence[str], new: Sequence[str]) -> list[tuple[str, int, int, int, int]]:
    """What became of the lines of a file; most of it is equal at both ends, and only the rest is compared."""
    import difflib  # slow to load

    shorter = min(len(old), len(new))
    head = next((at for at in range(shorter) if old[at] != new[at]), shorter)
    tail = next((at for at in range(shorter - head) if old[-1 - at] != new[-1 - at]), shorter - head)
    middle = difflib.SequenceMatcher(
        None, old[head : len(old) - tail], new[head : len(new) - tail], autojunk=False
    ).get_opcodes()
    return [
        ("equal", 0, head, 0, head),
        *((kind, head + a, head + b, head + c, head + d) for kind, a, b, c, d in middle),
        ("equal", len(old) - tail, len(old), len(new) - tail, len(new)),
    ]


def _lines(content: bytes) -> list[str]:
    return content.decode("utf-8", "replace").replace("\r\n", "\n").split("\n")
