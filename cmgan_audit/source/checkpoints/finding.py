"""Which files of a tree may be checkpoints, by their names; ignore files do not hide them, settings do.

Checkpoints are what every ignore file names first. So this walk goes where the walk for source files does not, and
past what is neither: version control, environments, caches.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import field
from pathlib import Path

from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex
from cmgan_audit.source.discovery import DEEPEST, SKIPPED_FOLDERS, is_text
from cmgan_audit.source.path_patterns import PathPatterns

# Training frameworks write checkpoints here.
ENTERED = frozenset({"wandb", "lightning_logs", "build", "dist"})
_SUFFIXES = (
    ".pt", ".pth", ".ckpt", ".chkpt", ".tar", ".bin", ".th", ".pkl", ".pickle", ".safetensors", ".weights", ".model",
)  # fmt: skip
# Names that scripts give without a suffix: CMGAN_epoch_7_0.105, g_00005000, latest_checkpoint.
_BARE = regex(r"(^|[_\-.])(ckpt|checkpoint|epoch|model|weights?|best|last|latest|g|do)([_\-.\d]|$)", re.IGNORECASE)
_WORDY_SUFFIX = regex(r"\.[a-z][a-z0-9]{0,9}$", re.IGNORECASE)

# Entries of folders that are listed: a data set may lie beside the code.
MOST_ENTRIES = 300_000


@dataclass(slots=True)
class Candidates:
    """Files that may be checkpoints, sorted, relative to the root; `unsearched` are folders that were left out."""

    files: list[str] = field(default_factory=list)
    unsearched: list[str] = field(default_factory=list)


def checkpoint_candidates(root: Path, exclude: Iterable[str] = ()) -> Candidates:
    """List the files under a root whose names may be those of checkpoints.

    Args:
        root: a folder; links in it are not followed.
        exclude: patterns of paths that are left out, as in .gitignore, relative to the root.
    """
    found = Candidates()
    excluded = PathPatterns(exclude)
    seen = 0
    waiting = [("", 0)]
    while waiting:
        folder, depth = waiting.pop()
        if seen > MOST_ENTRIES or depth > DEEPEST:
            found.unsearched.append(folder)
            continue
        entries = list(_listed(root / folder))
        seen += len(entries)
        if folder and any(entry.name == "pyvenv.cfg" for entry in entries):
            continue
        for entry in entries:
            path = f"{folder}/{entry.name}" if folder else entry.name
            if entry.is_dir(follow_symlinks=False):
                if _entered(entry.name) and not excluded.match(f"{path}/"):
                    waiting.append((path, depth + 1))
            elif may_be_checkpoint(entry.name) and entry.is_file(follow_symlinks=False) and is_text(path):
                if not excluded.match(path):
                    found.files.append(path)
    found.files.sort()
    found.unsearched.sort()
    return found


def _listed(folder: Path) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            yield from sorted(entries, key=lambda entry: entry.name, reverse=True)
    except OSError:
        return  # the walk for source files names what cannot be listed


def _entered(name: str) -> bool:
    return (name not in SKIPPED_FOLDERS or name in ENTERED) and not name.endswith(".egg-info")


def may_be_checkpoint(name: str) -> bool:
    """Whether a file may be a checkpoint by its name."""
    lowered = name.lower()
    if lowered.endswith(_SUFFIXES):
        return True
    return _WORDY_SUFFIX.search(lowered) is None and _BARE.search(lowered) is not None
