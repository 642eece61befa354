"""Which files are recordings, by their names alone. Light: nothing is opened."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

AUDIO_SUFFIXES = (".wav", ".flac")
# Recordings that are not read: most of these lose something, and scores would be of the coder, too.
OTHER_AUDIO = (".mp3", ".ogg", ".opus", ".m4a", ".aac", ".aif", ".aiff", ".sph", ".raw", ".pcm")


def is_recording(path: Path) -> bool:
    """Whether this is a file with the name of a recording; hidden ones are other programs' affair."""
    return path.suffix.lower() in AUDIO_SUFFIXES and not path.name.startswith(".") and path.is_file()


def not_read(names: Iterable[str]) -> str:
    """What to say where there are recordings in formats that are not read, else ""."""
    found = sorted({suffix for name in names if (suffix := Path(name).suffix.lower()) in OTHER_AUDIO})
    return f"; {', '.join(found)} files are not read, convert them to {' or '.join(AUDIO_SUFFIXES)}" if found else ""


def recordings_below(folder: Path, deepest: int | None = None) -> Iterator[Path]:
    """Recordings in a folder and the folders in it, sorted by folder and name.

    Args:
        folder: where to look.
        deepest: how many folders below it are gone into; None for all of them.
    """
    above = len(folder.parts)
    for root, folders, names in os.walk(folder):
        here = Path(root)
        inside = deepest is None or len(here.parts) - above < deepest
        folders[:] = sorted(name for name in folders if inside and not name.startswith("."))
        # Most files of a tree are none; to make paths of them all takes longer than to list them.
        for name in sorted(name for name in names if name.lower().endswith(AUDIO_SUFFIXES)):
            if is_recording(path := here / name):
                yield path
