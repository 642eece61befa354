"""Which files git tracks: read from its index, without running git. A tracked file is never an ignored one."""

from __future__ import annotations

import struct
from pathlib import Path

_LARGEST_INDEX = 200_000_000
_HEADER = struct.Struct(">4sII")
_ENTRY_FIXED = 62  # bytes of an entry before its path, without the extended flags of version 3


def tracked_files(root: Path) -> frozenset[str]:
    """Paths of the tracked files below `root`, relative to it; empty without a repository or a readable index."""
    found = repository_of(root)
    if found is None:
        return frozenset()
    folder, place = found
    prefix = root.relative_to(folder).as_posix()
    start = "" if prefix == "." else f"{prefix}/"
    return frozenset(path[len(start) :] for path in _read_index(place / "index") if path.startswith(start))


def repository_of(root: Path) -> tuple[Path, Path] | None:
    """The work tree that a folder lies in and its repository (`.git`); None where it lies in none."""
    for folder in (root, *root.parents):
        place = git_folder(folder / ".git")
        if place is not None:
            return folder, place
    return None


def git_folder(path: Path) -> Path | None:
    """The folder of a repository that `path`, a `.git`, is or names, as in a work tree; None where there is none."""
    try:
        if path.is_dir():
            return path
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    if not text.startswith("gitdir:"):
        return None
    return (path.parent / text.removeprefix("gitdir:").strip()).resolve()


def _read_index(path: Path) -> list[str]:
    """The paths of an index of version 2, 3 or 4; empty for anything else."""
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST_INDEX)
        signature, version, count = _HEADER.unpack_from(data)
        if signature != b"DIRC" or version not in {2, 3, 4}:
            return []
        return _paths(data, version, count)
    except (OSError, struct.error, IndexError, ValueError):
        return []


def _paths(data: bytes, version: int, count: int) -> list[str]:
    paths: list[str] = []
    offset = _HEADER.size
    previous = b""
    for _ in range(count):
        start = offset
        (flags,) = struct.unpack_from(">H", data, start + _ENTRY_FIXED - 2)
        offset = start + _ENTRY_FIXED + (2 if version >= 3 and flags & 0x4000 else 0)
        if version == 4:
            strip, offset = _variable_length(data, offset)
            end = data.index(b"\0", offset)
            name = previous[: len(previous) - strip] + data[offset:end]
            offset = end + 1
        else:
            end = data.index(b"\0", offset)
            name = data[offset:end]
            # Entries are padded with NULs to a multiple of eight bytes, at least one.
            offset = start + (end - start + 8) // 8 * 8
        previous = name
        paths.append(name.decode("utf-8", errors="surrogateescape"))
    return paths


def _variable_length(data: bytes, offset: int) -> tuple[int, int]:
    """The offset encoding of git's pack format: big-endian groups of seven bits, each further one adds one."""
    byte = data[offset]
    value = byte & 0x7F
    while byte & 0x80:
        offset += 1
        byte = data[offset]
        value = ((value + 1) << 7) | (byte & 0x7F)
    return value, offset + 1
