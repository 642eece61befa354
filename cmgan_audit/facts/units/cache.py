"""Answers of earlier audits in the user's cache folder, each with the questions that it was made from.

An answer is used again when every question that was put to the tree still has the same answer; a rename, a new file or
another version of the tool makes another folder. The audited tree is never written to. A cache that cannot be read or
written is no cache: everything is computed.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TypeVar

from cmgan_audit import __version__
from cmgan_audit.facts.units.archive import pack, unpack
from cmgan_audit.source.consulted import Consulted, digest_of_words, still_holds
from cmgan_audit.source.tree import SourceTree

_Answer = TypeVar("_Answer")

# Trees, and states of their folders, whose answers are kept.
MOST_TREES = 40


class AnswerCache:
    """The kept answers about one tree, under one set of settings."""

    def __init__(self, folder: Path, tree: SourceTree, settings: str) -> None:
        """`folder` is the user's cache folder; `settings` is whatever else an answer depends on."""
        paths = (tree.python_files, tree.notebooks, tree.data_files, tree.launcher_files, tree.requirement_files)
        words = [_tool(), settings, *("\0".join(group) for group in paths)]
        self._tree = tree
        self._all = folder / "check"
        self._folder = self._all / digest_of_words(words)

    def read(self, name: str, kind: type[_Answer]) -> _Answer | None:
        """The kept answer of this name; None when there is none, or when something that it was made from changed."""
        try:
            held = json.loads(self._path(name).read_text(encoding="utf-8"))
            if not still_holds(held["answered"], self._tree):
                return None
            answer = unpack(held["answer"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None
        return answer if isinstance(answer, kind) else None

    def write(self, name: str, answer: object, consulted: Consulted) -> None:
        """Keep an answer; another process that writes the same one at the same time does no harm."""
        held = json.dumps({"answered": consulted.answered(self._tree), "answer": pack(answer)}, separators=(",", ":"))
        with suppress(OSError):
            if not self._folder.is_dir():
                self._folder.mkdir(parents=True, exist_ok=True)
                self._forget_oldest()
            handle, temporary = tempfile.mkstemp(dir=self._folder, suffix=".tmp")
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    file.write(held)
                Path(temporary).replace(self._path(name))
            except OSError:
                Path(temporary).unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self._folder / f"{digest_of_words([name])}.json"

    def _forget_oldest(self) -> None:
        """The user's disk is not ours to fill."""
        kept = sorted(self._all.iterdir(), key=lambda path: path.stat().st_mtime)
        for old in kept[:-MOST_TREES]:
            shutil.rmtree(old, ignore_errors=True)


def cache_folder(root: Path) -> Path | None:
    """The user's cache folder for this tool; None where it would lie inside the audited tree, which is not written."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    try:
        folder = (Path(base) if base else Path.home() / ".cache") / "cmgan-audit"
        inside = folder.resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError):  # no home folder
        return None
    return None if inside else folder


@cache
def _tool() -> str:
    """What this tool is: its version, and its own files, which change without one in a checkout."""
    package = Path(__file__).resolve().parents[2]
    found = []
    for folder, _, names in os.walk(package):
        for name in names:
            if name.endswith(".py"):
                status = os.stat(f"{folder}/{name}")  # noqa: PTH116 (hundreds of files at every start)
                found.append(f"{folder[len(str(package)) :]}/{name} {status.st_size} {status.st_mtime_ns}")
    return "\n".join([__version__, sys.version, *sorted(found)])
