"""The recordings of a place, by name: those of a folder, or of the folders in it where it holds none itself."""

from __future__ import annotations

from pathlib import Path

from cmgan_audit.evaluation.material.audio import AudioError, audio_files
from cmgan_audit.evaluation.material.listing import recordings_below
from cmgan_audit.lazy_dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Recordings:
    """Recordings of a place by the names that they can have.

    Attributes:
        by_name: by file name without suffix; None where two have the same.
        by_path: by path below the place, without suffix.
        below: whether they lie in folders of the place.
        repeated: two recordings of the same file name, where there are such.
    """

    by_name: dict[str, Path] | None
    by_path: dict[str, Path]
    below: bool = False
    repeated: tuple[Path, Path] | None = None


def recordings_in(folder: Path, deepest: int | None = None) -> Recordings:
    """The recordings that stand in a folder; where none does, those in its folders.

    Args:
        folder: where to look.
        deepest: how many folders below it are gone into; None for all of them.

    Raises:
        AudioError: two files of one folder stand for the same utterance (`a.wav` and `a.flac`).
    """
    direct = audio_files(folder)
    if direct:
        return Recordings(direct, direct)
    by_name: dict[str, Path] = {}
    by_path: dict[str, Path] = {}
    repeated: tuple[Path, Path] | None = None
    for path in recordings_below(folder, deepest):
        name = path.relative_to(folder).with_suffix("").as_posix()
        if name in by_path:
            raise AudioError(f"{path.parent}: {by_path[name].name} and {path.name} are the same utterance; keep one")
        by_path[name] = path
        if path.stem in by_name and repeated is None:
            repeated = by_name[path.stem], path
        by_name.setdefault(path.stem, path)
    return Recordings(None if repeated else by_name, by_path, bool(by_path), repeated)
