"""The outcome of an audit that was asked for before in the same words, of a tree that has not changed since.

It is looked for before anything else is loaded: a gate runs on every commit, and most of what a run of a small tree
takes is loading the collectors and the rules. What cannot be read is found again.
"""

from __future__ import annotations

import datetime
import json
import os
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from cmgan_audit.source.consulted import Questions, digest_of_words
from cmgan_audit.source.footprint import footprint, unchanged
from cmgan_audit.source.user_cache import cache_folder, forget_oldest, this_tool, user_cache, write_whole

MOST_OUTCOMES = 100

# Variables in which CI systems name the checkout, from which the paths in their formats start.
CHECKOUTS = ("GITHUB_WORKSPACE", "CI_PROJECT_DIR")


class Asked:
    """A command line, with all else but files that its outcome depends on."""

    def __init__(self, arguments: Sequence[str]) -> None:
        self._began = time.time()
        terminal = f"{sys.stdout.isatty()} {os.environ.get('NO_COLOR')} {os.environ.get('TERM')}"
        day = datetime.date.today().isoformat()  # suppressions end on one
        checkouts = " ".join(os.environ.get(name, "") for name in CHECKOUTS)
        words = [this_tool(), os.getcwd(), terminal, checkouts, day, *arguments]  # noqa: PTH109
        self._name = digest_of_words(words)

    def recalled(self) -> tuple[str, int] | None:
        """The document and the exit status; None when they are not known, or when something changed."""
        folder = user_cache()
        if folder is None:
            return None
        try:
            kept = json.loads(self._path(folder).read_text(encoding="utf-8"))
            document, status = kept["document"], kept["status"]
            if isinstance(document, str) and isinstance(status, int) and unchanged(kept["footprint"]):
                return document, status
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None
        return None

    def keep(self, document: str, status: int, root: Path, asked: Questions, shown: Iterable[str]) -> None:
        """Keep an outcome, unless something that it was made from changed meanwhile.

        Args:
            document: what was printed.
            status: the exit status.
            root: the audited folder.
            asked: the questions to its files.
            shown: paths in it of which the document may show lines.
        """
        folder = cache_folder(root)
        seen = footprint(root, asked, shown, self._began) if folder is not None and asked else None
        if folder is None or seen is None:
            return
        path = self._path(folder)
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, json.dumps({"footprint": seen, "document": document, "status": status}))
            forget_oldest(path.parent, MOST_OUTCOMES)

    def _path(self, folder: Path) -> Path:
        return folder / "outcomes" / f"{self._name}.json"
