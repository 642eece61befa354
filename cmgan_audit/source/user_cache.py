"""The user's cache folder: where it lies, what names this tool in it, and how files in it are written and forgotten.

What cannot be read is computed again and what cannot be written is not kept; nobody is told of either.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path

from cmgan_audit import __version__

_PACKAGE = Path(__file__).resolve().parents[1]
# The catalogue lies beside the package in a checkout, inside of it in a wheel.
_OWN_FOLDERS = (_PACKAGE, _PACKAGE.parent / "rules")


def user_cache() -> Path | None:
    """The user's cache folder for this tool, `$XDG_CACHE_HOME/cmgan-audit`, else `~/.cache/cmgan-audit`.

    None where there is no home. A relative path in the variable says nothing, as its specification has it: it would be
    another folder wherever the command runs, the audited tree too.
    """
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    try:
        return (base if base.is_absolute() else Path.home() / ".cache") / "cmgan-audit"
    except RuntimeError:
        return None


def cache_folder(root: Path) -> Path | None:
    """The same for what is kept about a tree; None where it would lie inside of it: the tree is not written to."""
    folder = user_cache()
    try:
        inside = folder is None or folder.resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError):
        return None
    return None if inside else folder


def write_whole(path: Path, text: str) -> None:
    """Write a file at once; another process that writes the same one at the same time does no harm.

    Raises:
        OSError: it cannot be written.
    """
    import tempfile  # not needed to look for what is kept, and slow to load

    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(temporary).replace(path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise


def forget_oldest(folder: Path, most: int) -> None:
    """Leave the `most` newest entries of a folder: the user's disk is not ours to fill."""
    import shutil

    with suppress(OSError):
        for old in sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime)[:-most]:
            if old.is_dir():
                shutil.rmtree(old, ignore_errors=True)
            else:
                old.unlink(missing_ok=True)


@cache
def this_tool() -> str:
    """What this tool is: its version, and its own files, which change without one in a checkout."""
    found = []
    for own in _OWN_FOLDERS:
        for folder, _, names in os.walk(own):
            if folder.endswith("__pycache__"):
                continue
            for name in names:
                status = os.stat(f"{folder}/{name}")  # noqa: PTH116 (hundreds of files at every start)
                found.append(f"{folder}/{name} {status.st_size} {status.st_mtime_ns}")
    return "\n".join([__version__, sys.version, *sorted(found)])
