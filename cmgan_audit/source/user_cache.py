"""The user's cache folder: where it lies, what names this tool in it, and how files in it are written and forgotten.

What cannot be read is computed again and what cannot be written is not kept; nobody is told of either.
"""

from __future__ import annotations

import os
import sys
import time
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
    # Not by `tempfile`, whose loading takes longer than all that is written for a small tree. As there, the file is new
    # and the user's alone: what is kept quotes the audited code.
    temporary = path.with_name(f"{path.name}.{os.getpid()}.{time.monotonic_ns()}.tmp")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def forget_oldest(folder: Path, most: int) -> None:
    """Leave the `most` newest entries of a folder: the user's disk is not ours to fill."""
    with suppress(OSError):
        for old in sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime)[:-most]:
            if old.is_dir():
                import shutil  # slow to load, and there is seldom anything to forget

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
