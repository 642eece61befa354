"""Answers of earlier audits in the user's cache folder, each with the questions that it was made from.

An answer is used again when every question that was put to the tree still has the same answer; a rename, a new file or
another version of the tool makes another folder. The audited tree is never written to. A cache that cannot be read or
written is no cache: everything is computed.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from cmgan_audit.facts.units.archive import packed, unpacked
from cmgan_audit.source.consulted import Consulted, digest_of_words, still_holds
from cmgan_audit.source.tree import SourceTree
from cmgan_audit.source.user_cache import forget_oldest, this_tool, write_whole

_Answer = TypeVar("_Answer")

# Trees, and states of their folders, whose answers are kept.
MOST_TREES = 40


class AnswerCache:
    """The kept answers about one tree, under one set of settings."""

    def __init__(self, folder: Path, tree: SourceTree, settings: str) -> None:
        """`folder` is the user's cache folder; `settings` is whatever else an answer depends on."""
        paths = (tree.python_files, tree.notebooks, tree.data_files, tree.launcher_files, tree.requirement_files)
        words = [this_tool(), settings, *("\0".join(group) for group in paths)]
        self._tree = tree
        self._all = folder / "check"
        self._folder = self._all / digest_of_words(words)

    def read(self, name: str, kind: type[_Answer]) -> _Answer | None:
        """The kept answer of this name; None when there is none, or when something that it was made from changed."""
        try:
            held = json.loads(self._path(name).read_text(encoding="utf-8"))
            if not still_holds(held["answered"], self._tree):
                return None
            answer = unpacked(held["answer"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None
        return answer if isinstance(answer, kind) else None

    def write(self, name: str, answer: object, consulted: Consulted) -> None:
        """Keep an answer; another process that writes the same one at the same time does no harm."""
        document = {"answered": consulted.answered(self._tree), "answer": packed(answer)}
        held = json.dumps(document, separators=(",", ":"))
        with suppress(OSError):
            if not self._folder.is_dir():
                self._folder.mkdir(parents=True, exist_ok=True)
                forget_oldest(self._all, MOST_TREES)
            write_whole(self._path(name), held)

    def _path(self, name: str) -> Path:
        return self._folder / f"{digest_of_words([name])}.json"
