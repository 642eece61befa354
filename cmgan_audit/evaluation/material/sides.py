"""The two sides of a test set: where clean and noisy recordings lie, and which belong together."""

from __future__ import annotations

import re
from pathlib import Path

from cmgan_audit.errors import InputError, MissingPathError
from cmgan_audit.evaluation.material.listing import not_read
from cmgan_audit.evaluation.material.manifests import read_list, read_table
from cmgan_audit.evaluation.material.matching import Matched, match_names
from cmgan_audit.evaluation.material.names import NAMES_SHOWN, shortened
from cmgan_audit.evaluation.material.recordings import Recordings, recordings_in
from cmgan_audit.lazy_regex import regex

SIDES = ("clean", "noisy")
# Where both sides stand together, the first of them lie in so many folders at most, of a speaker and a book, say.
# Whoever names a whole disc by mistake should be told so and not wait for it to be listed.
DEEPEST = 3
# With what sets it off from the rest of a name, and what follows it, as in `p232_001_noisy_snr5`.
_NOISY_WORD = regex(r"(?<![^/])noisy[_.\- ]|[_.\- ]?noisy(?![a-z]).*$", re.IGNORECASE)


def sides_of(data: Path) -> tuple[Path, Path]:
    """Where the clean and the noisy recordings of `--data` are.

    A file is a table that names both. In a folder they are `clean/` and `noisy/`, or the only two folders whose names
    are the same but for these words (`clean_testset_wav`, `noisy_testset_wav`). Without such folders both sides may
    stand together, told by the word in the files' names: that folder is then both.
    """
    if data.is_file():
        return data, data
    plain = data / SIDES[0], data / SIDES[1]
    if not data.is_dir() or any(folder.is_dir() for folder in plain):
        return plain
    alike = _alike(data)
    if not alike and _together(data) is not None:
        return data, data
    return alike[0] if len(alike) == 1 else plain


def match_sides(clean: Path, noisy: Path) -> Matched:
    """Match the recordings of two places, each a folder or a list of recordings; one file for both is a table of pairs.

    Raises:
        MissingPathError: a place is not there.
        InputError: it holds no recording, or the names do not tell what belongs together.
    """
    if clean == noisy and clean.is_file():
        table = read_table(clean)
        also = {name: (theirs.stem, ours.stem) for name, (ours, theirs) in table.pairs.items()}
        how = f"pairs are those of {clean.name}"
        return Matched(table.pairs, also, table.only_clean, table.only_noisy, how)
    together = _together(clean) if clean == noisy and clean.is_dir() else None
    if together is not None:
        return match_names(*together, f"{clean} holds {shortened(together[0])} and {shortened(together[1])}")
    found = [_recordings(place, role) for place, role in zip((clean, noisy), SIDES, strict=True)]
    by_path = any(side.by_name is None for side in found)
    ours, theirs = (side.by_path if by_path or side.by_name is None else side.by_name for side in found)
    places = f"{clean} holds {shortened(ours)}; {noisy} holds {shortened(theirs)}"
    return match_names(ours, theirs, places)


def _recordings(place: Path, role: str) -> Recordings:
    if place.is_file():
        listed = read_list(place, role)
        return Recordings(listed, listed)
    if not place.is_dir():
        hint = "; --data DIR needs the folders clean/ and noisy/, or give --clean and --noisy"
        raise MissingPathError(f"{place}: no such folder ({role} recordings){hint}{_meant(place.parent)}")
    found = recordings_in(place)
    if not found.by_path:
        hint = not_read(path.name for path in place.iterdir())
        raise InputError(f"{place}: no .wav or .flac file in it ({role} recordings){hint}")
    return found


def _together(folder: Path) -> tuple[dict[str, Path], dict[str, Path]] | None:
    """Clean and noisy recordings of one folder by the word in their file names; None where it does not tell them apart.

    The clean ones may be called so, or have the name without the word: `p232_001.wav` beside `p232_001_noisy.wav`.
    """
    # What lies deeper counts where the folder holds both sides: nothing of a test set is left out in silence.
    return _told_apart(folder, None) if _told_apart(folder, DEEPEST) is not None else None


def _told_apart(folder: Path, deepest: int | None) -> tuple[dict[str, Path], dict[str, Path]] | None:
    found = recordings_in(folder, deepest).by_path
    words = {name: set(re.findall(r"[a-z]+", path.stem.lower())) for name, path in found.items()}
    noisy = {name: path for name, path in found.items() if SIDES[1] in words[name] and SIDES[0] not in words[name]}
    clean = {name: path for name, path in found.items() if SIDES[0] in words[name] and SIDES[1] not in words[name]}
    if not clean:  # `p232_001_enhanced.wav` beside them is no clean recording
        plain = {_NOISY_WORD.sub("", name) for name in noisy}
        clean = {name: path for name, path in found.items() if name in plain}
    return (clean, noisy) if clean and noisy else None


def _alike(data: Path) -> list[tuple[Path, Path]]:
    """Pairs of folders whose names are the same but for `clean` and `noisy`."""
    folders = {path.name.lower(): path for path in _folders(data)}
    pairs = [(path, folders.get(name.replace(*SIDES))) for name, path in folders.items() if SIDES[0] in name]
    return [(clean, noisy) for clean, noisy in pairs if noisy is not None and clean != noisy]


def _folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))


def _meant(data: Path) -> str:
    """What in a folder without clean/ and noisy/ may be the test set: folders that hold both, or have such names."""
    if not data.is_dir():
        return ""
    folders = _folders(data)
    sets = [path for path in folders if all((path / side).is_dir() for side in SIDES)]
    if sets:
        return f" (in {', '.join(path.as_posix() for path in sets[:NAMES_SHOWN])} there are both)"
    named = [path.as_posix() for path in folders if re.search("|".join(SIDES), path.name, re.IGNORECASE)]
    return f" (there are {', '.join(named[:NAMES_SHOWN])})" if named else ""
