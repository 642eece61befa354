"""Everything on disk that an audit looked at, written down so that a later look can tell whether any of it changed.

`consulted.py` is about one answer of a tree that is open. This is about the whole outcome: it needs no open tree, so a
later look costs no more than reading the files. Listings stand for what ignore files, settings and the searches for
scripts and checkpoints make of them: where all names are the same, so is what is found among them.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from cmgan_audit.source.consulted import Questions, digest, digest_of_words
from cmgan_audit.source.git_index import git_folder, tracked_files

# Kind of question, then path, then what it was answered.
Footprint = dict[str, dict[str, str]]

# A tree with more entries is not written down: listing it again would take longer than what it saves.
MOST_ENTRIES = 100_000
# The coarsest clock of a file system: what changed this long before an audit may have changed during it.
_COARSEST_SECONDS = 2.0
_SETTINGS = ("cmgan-audit.toml", "pyproject.toml")


class _UnsettledError(Exception):
    """Something changed while the audit ran, or there is too much to write down."""


def footprint(root: Path, questions: Questions, shown: Iterable[str], began: float) -> Footprint | None:
    """What an audit of a folder looked at.

    Args:
        root: the folder as it was given.
        questions: what was asked of its files.
        shown: paths, relative to it, of which a report may show lines.
        began: when the audit began, in seconds since 1970.

    Returns:
        The footprint; None where something of it changed since the audit began.
    """
    contents, located, folders, _ = questions
    top = os.path.realpath(root)
    try:
        walked = list(_walked(top))
        names = [f"{folder}/{name}" for folder, entries in walked for name in entries]
        sized, heads = _checkpoints(top, names)
        places = {*located, *folders, str(root.absolute()), *(f"{folder}/.git" for folder in _upwards(root))}
        read = {*contents, *shown, *_own_settings(root), *heads}
        read |= {name for name in names if name.endswith("/.gitignore")}
        for path in (*(folder for folder, _ in walked), *(os.path.join(top, path) for path in (*read, *sized))):  # noqa: PTH118 (thousands of paths)
            _settled(path, began)
        return {
            "root": {"": top},
            "listed": {folder: _listed(folder) for folder, _ in walked},
            "contents": {path: _content(top, path) for path in sorted(read)},
            "places": {path: _place(top, path) for path in sorted(places)},
            "sized": {path: _sized(top, path) for path in sorted(sized)},
            "tracked": {"": _tracked(top)},
        }
    except (_UnsettledError, OSError):
        return None


def unchanged(known: Footprint) -> bool:
    """Whether everything that a footprint holds is still as it was; the likeliest changes are looked at first."""
    top = known["root"][""]
    return (
        all(_content(top, path) == told for path, told in known["contents"].items())
        and all(_listed(folder) == told for folder, told in known["listed"].items())
        and all(_sized(top, path) == told for path, told in known["sized"].items())
        and all(_place(top, path) == told for path, told in known["places"].items())
        and _tracked(top) == known["tracked"][""]
    )


def _walked(top: str) -> Iterator[tuple[str, list[str]]]:
    """Every folder that the search for source files or that for checkpoints may enter, with the names in it.

    Raises:
        _UnsettledError: there are too many.
        OSError: one cannot be listed.
    """
    from cmgan_audit.source.checkpoints.finding import ENTERED  # both come with patterns that a later look needs not
    from cmgan_audit.source.discovery import MAYBE_PACKAGES, SKIPPED_FOLDERS

    skipped = SKIPPED_FOLDERS - MAYBE_PACKAGES - ENTERED
    left = MOST_ENTRIES
    waiting = [top]
    while waiting:
        folder = waiting.pop()
        with os.scandir(folder) as listing:
            entries = list(listing)
        left -= len(entries)
        if left < 0:
            raise _UnsettledError
        yield folder, [entry.name for entry in entries]
        if folder != top and any(entry.name == "pyvenv.cfg" for entry in entries):
            continue
        waiting += [
            entry.path for entry in entries if entry.is_dir(follow_symlinks=False) and entry.name not in skipped
        ]


def _listed(folder: str) -> str:
    """The names in a folder, and which of them are folders or links."""
    try:
        with os.scandir(folder) as listing:
            entries = sorted((entry.name, entry.is_symlink(), entry.is_dir(follow_symlinks=False)) for entry in listing)
    except OSError:
        return ""
    return digest_of_words(f"{name}/{link:d}{inner:d}" for name, link, inner in entries)


def _content(top: str, path: str) -> str:
    try:
        with open(os.path.join(top, path), "rb") as file:  # noqa: PTH118, PTH123 (thousands of files)
            return digest(file.read())
    except (OSError, ValueError):
        return ""


def _place(top: str, path: str) -> str:
    """Where a path leads, and what is there."""
    try:
        real = os.path.realpath(os.path.join(top, path))  # noqa: PTH118 (thousands of paths)
        mode = os.stat(real).st_mode  # noqa: PTH116
    except (OSError, ValueError):
        return ""
    return f"{'folder' if stat.S_ISDIR(mode) else 'file' if stat.S_ISREG(mode) else 'other'} {real}"


def _sized(top: str, path: str) -> str:
    """The size and the times of a file that is too large to be read every time."""
    try:
        status = os.stat(os.path.join(top, path))  # noqa: PTH116, PTH118
    except (OSError, ValueError):
        return ""
    return f"{status.st_size} {status.st_mtime_ns} {status.st_ctime_ns}"


def _settled(path: str, began: float) -> None:
    """Make sure that a file or folder is older than the audit.

    Raises:
        _UnsettledError: it is not, or may not be.
    """
    try:
        status = os.stat(path)  # noqa: PTH116
    except (OSError, ValueError):
        return
    if max(status.st_mtime, status.st_ctime) > began - _COARSEST_SECONDS:
        raise _UnsettledError


def _checkpoints(top: str, names: Iterable[str]) -> tuple[list[str], list[str]]:
    """The files that may be checkpoints and, where there are some, those of git that say where its history ends."""
    from cmgan_audit.source.checkpoints.finding import may_be_checkpoint

    found = [path for path in names if may_be_checkpoint(path.rsplit("/", 1)[1]) and os.path.isfile(path)]  # noqa: PTH113
    return found, _history_of(top) if found else []


def _history_of(top: str) -> list[str]:
    git = next((place for folder in _upwards(Path(top)) if (place := git_folder(folder / ".git")) is not None), None)
    if git is None:
        return []
    shared = git / "commondir"
    common = (git / shared.read_text(encoding="utf-8").strip()).resolve() if shared.is_file() else git
    head = (git / "HEAD").read_text(encoding="utf-8", errors="replace")
    reference = [head.removeprefix("ref:").strip()] if head.startswith("ref:") else []
    return [str(git / "HEAD"), *(str(common / name) for name in (*reference, "packed-refs"))]


def _tracked(top: str) -> str:
    return digest_of_words(sorted(tracked_files(Path(top))))


def _upwards(root: Path) -> tuple[Path, ...]:
    absolute = root.absolute()
    return (absolute, *absolute.parents)


def _own_settings(root: Path) -> list[str]:
    return [str(folder / name) for folder in _upwards(root) for name in _SETTINGS]
