"""Which recording of a folder is the output of which utterance.

Enhancement scripts write `p232_001.wav`, but also `p232_001_enhanced.wav`, `enhanced_p232_001.wav`, or a folder per
speaker. What stands before and after the utterance's name is taken off where it is the same for all of them and leaves
every utterance exactly one recording; a mapping that is guessed wrong would score one utterance against another.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path

from cmgan_audit.errors import InputError
from cmgan_audit.evaluation.audio import AudioError, audio_files
from cmgan_audit.evaluation.listing import recordings_below
from cmgan_audit.evaluation.pairs import shortened
from cmgan_audit.lazy_dataclasses import dataclass

# From this share of the utterances on, another way of reading the names is one that may have been meant.
MEANT = 0.5
PLAIN = "<utterance>"


@dataclass(frozen=True, slots=True)
class MatchedOutputs:
    """The recordings of a folder by utterance, and in a sentence how they were matched ("" by their plain names)."""

    files: Mapping[str, Path]
    how: str = ""


def match_outputs(folder: Path, utterances: Sequence[str]) -> MatchedOutputs:
    """Match the recordings of a folder with the utterances of a test set.

    The names of the utterances themselves come first; with them an utterance may be without a recording. Where nobody
    used them, something before and after the name is taken off, and every utterance must have its recording.

    Args:
        folder: with recordings, or with folders of recordings.
        utterances: of the whole test set, so that a part of it is matched as the whole is.

    Raises:
        InputError: no recording, none of the test set, or no telling which is meant; the message says what is there.
    """
    recordings, below = _recordings(folder)
    by_name = _by_folded_name(recordings)
    files = {name: path for name in utterances if (path := recordings.get(name) or by_name.get(_folded(name)))}
    if len(files) >= MEANT * len(utterances):
        return MatchedOutputs(files, _told(folder, files, below, ""))
    ways = _ways(recordings, utterances)
    likely = [way for way, matched in ways.items() if len(matched) >= MEANT * len(utterances)]
    if files and not likely:
        return MatchedOutputs(files, _told(folder, files, below, ""))
    likely += [PLAIN] if files else []
    if len(likely) > 1:
        raise InputError(
            f"{folder}: more than one recording may be the output of an utterance: {', '.join(sorted(likely))}; "
            "put those that are meant into a folder of their own"
        )
    if not likely:
        raise InputError(
            f"{folder}: no recording has the name of a test utterance: it holds {shortened(recordings)}; "
            f"the test set has {shortened(utterances)}"
        )
    (way,) = likely
    files = {name: ways[way][name] for name in utterances if name in ways[way]}
    absent = [name for name in utterances if name not in files]
    if absent:
        raise InputError(
            f"{folder}: recordings are named {way}, but {len(absent)} of {len(utterances)} utterances have none "
            f"({shortened(absent)}); give the recordings the names of the test set, then those without one are left out"
        )
    return MatchedOutputs(files, _told(folder, files, below, way))


def _recordings(folder: Path) -> tuple[dict[str, Path], bool]:
    """The recordings by name, and whether they lie in folders of this one because it holds none itself."""
    direct = audio_files(folder)
    if direct:
        return direct, False
    found: dict[str, Path] = {}
    for path in recordings_below(folder):
        if path.stem in found:
            first, second = (one.parent.relative_to(folder).as_posix() for one in (found[path.stem], path))
            raise AudioError(
                f"{folder}: its folders {first} and {second} both hold a recording {path.stem}; name the one that is "
                f"meant: {folder / first}"
                if first != second
                else f"{folder / first}: {found[path.stem].name} and {path.name} are the same utterance; keep one"
            )
        found[path.stem] = path
    if not found:
        raise InputError(
            f"{folder}: no .wav or .flac file in it; a CKPT is a checkpoint file or a folder of recordings"
        )
    return found, True


def _folded(name: str) -> str:
    """A name as all file systems would write it: accents may be letters of their own, capitals small ones."""
    return unicodedata.normalize("NFC", name).casefold()


def _by_folded_name(recordings: Mapping[str, Path]) -> dict[str, Path]:
    """The recordings by folded name; names that only their capitals tell apart are left out."""
    found: dict[str, list[Path]] = {}
    for name, path in recordings.items():
        found.setdefault(_folded(name), []).append(path)
    return {name: paths[0] for name, paths in found.items() if len(paths) == 1}


def _ways(recordings: Mapping[str, Path], utterances: Sequence[str]) -> dict[str, dict[str, Path]]:
    """Ways in which recordings may be named after utterances (`<utterance>_enhanced`), and whom each of them gives."""
    names = {_folded(name): name for name in utterances}
    found: dict[str, dict[str, Path]] = {}
    for folded, path in _by_folded_name(recordings).items():
        for start, end in _words(folded):
            name = names.get(folded[start:end])
            if name is not None and folded[start:end] != folded:
                found.setdefault(f"{folded[:start]}{PLAIN}{folded[end:]}", {})[name] = path
    return found


def _words(name: str) -> list[tuple[int, int]]:
    """Where parts of a name begin and end that are set off from the rest: `a_1` in `x-a_1.wav`, not in `xa_1`."""
    starts = [at for at in range(len(name)) if at == 0 or not name[at - 1].isalnum()]
    ends = [at for at in range(1, len(name) + 1) if at == len(name) or not name[at].isalnum()]
    return [(start, end) for start in starts for end in ends if start < end]


def _told(folder: Path, files: Mapping[str, Path], below: bool, way: str) -> str:
    """How the recordings were matched, with the first that is named otherwise than its utterance."""
    renamed = {name: path for name, path in files.items() if path.stem != name}
    if not renamed and not below:
        return ""
    name, path = next(iter((renamed or files).items()))
    if way:
        told = f"outputs are named {way}"
    elif renamed:
        told = f"{len(renamed)} outputs differ from their utterances in capitals or in the coding of accents"
    else:
        told = "outputs lie in folders of their own"
    return f"{told}: {path.relative_to(folder).as_posix()} is taken for {name}"
