"""Clean and noisy recordings that belong together, by name, with every mismatch listed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from cmgan_audit.errors import InputError
from cmgan_audit.evaluation.audio import (
    SAMPLE_RATE,
    AudioError,
    SampleRateError,
    audio_files,
    file_sha256,
    probe,
    wrong_rate,
)
from cmgan_audit.lazy_dataclasses import dataclass

NAMES_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Pair:
    """One utterance: its clean and noisy file, the digests of their bytes, and its length in samples at 16 kHz."""

    name: str
    clean: Path
    noisy: Path
    clean_sha256: str
    noisy_sha256: str
    samples: int

    @property
    def seconds(self) -> float:
        """Length of the utterance."""
        return self.samples / SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class PairedSet:
    """The usable pairs, sorted by name, and what could not be used: unpaired names, and files with the reason why."""

    pairs: tuple[Pair, ...]
    only_clean: tuple[str, ...] = ()
    only_noisy: tuple[str, ...] = ()
    unusable: tuple[tuple[str, str], ...] = ()

    @property
    def complete(self) -> bool:
        """Every file found its partner and could be used."""
        return not (self.only_clean or self.only_noisy or self.unusable)


def find_pairs(clean: Path, noisy: Path, *, resample: bool = False) -> PairedSet:
    """Pair the recordings of two folders by name.

    Only headers are read here, and bytes are hashed. A file that is broken, empty, stereo or of another length than its
    partner makes its pair unusable; a wrong sample rate ends the run, because one flag mends it for all files.

    Raises:
        InputError: a folder is missing or holds no audio, or no pair is left.
        SampleRateError: a file is not at 16 kHz and `resample` is off.
    """
    clean_files, noisy_files = _listed(clean, "clean"), _listed(noisy, "noisy")
    common = [name for name in clean_files if name in noisy_files]
    only_clean = tuple(name for name in clean_files if name not in noisy_files)
    only_noisy = tuple(name for name in noisy_files if name not in clean_files)
    if not common:
        raise InputError(
            f"no clean file has a noisy file of the same name: {clean} holds {shortened(clean_files)}; "
            f"{noisy} holds {shortened(noisy_files)}; a pair has one name in both folders: rename or link the files"
        )
    pairs: list[Pair] = []
    unusable: list[tuple[str, str]] = []
    for name in common:
        try:
            pairs.append(_pair(name, clean_files[name], noisy_files[name], resample))
        except AudioError as error:
            unusable.append((name, str(error)))
    if not pairs:
        raise InputError(f"none of the {len(common)} pairs can be used: {unusable[0][1]}")
    return PairedSet(tuple(pairs), only_clean, only_noisy, tuple(unusable))


def names_in_both(clean: Path, noisy: Path) -> list[str]:
    """Names of the utterances that have a recording in both folders, whether or not it can be used."""
    noisy_files = audio_files(noisy)
    return [name for name in audio_files(clean) if name in noisy_files]


def set_digest(entries: Iterable[Sequence[str]]) -> str:
    """Twelve hex digits that stand for an evaluation set: names, bytes and segments, independent of order."""
    lines = sorted("\0".join(entry) for entry in entries)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:12]


def shortened(names: Iterable[str], shown: int = NAMES_SHOWN) -> str:
    """The first few names, and how many more there are."""
    listed = list(names)
    rest = f" and {len(listed) - shown} more" if len(listed) > shown else ""
    return ", ".join(listed[:shown]) + rest


def _listed(folder: Path, role: str) -> dict[str, Path]:
    if not folder.is_dir():
        hint = "; --data DIR needs the folders clean/ and noisy/, or give --clean and --noisy"
        raise InputError(f"{folder}: no such folder ({role} recordings){hint}{_meant(folder.parent)}")
    files = audio_files(folder)
    if not files:
        raise InputError(f"{folder}: no .wav or .flac file in it ({role} recordings){_below(folder)}")
    return files


def _meant(data: Path) -> str:
    """What in a folder without clean/ and noisy/ may be the test set: folders that hold both, or have such names."""
    if not data.is_dir():
        return ""
    folders = sorted(path for path in data.iterdir() if path.is_dir() and not path.name.startswith("."))
    sets = [path for path in folders if (path / "clean").is_dir() and (path / "noisy").is_dir()]
    if sets:
        return f" (in {', '.join(path.as_posix() for path in sets[:NAMES_SHOWN])} there are both)"
    named = [path.as_posix() for path in folders if "clean" in path.name.lower() or "noisy" in path.name.lower()]
    return f" (there are {', '.join(named[:NAMES_SHOWN])})" if named else ""


def _below(folder: Path) -> str:
    """Where recordings are instead, if they lie in folders of this one."""
    folders = sorted(
        path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".") and audio_files(path)
    )
    if not folders:
        return ""
    return f"; sub-folders hold some ({shortened(folders)}): bring all recordings into one folder"


def _pair(name: str, clean: Path, noisy: Path, resample: bool) -> Pair:
    lengths = []
    for path in (clean, noisy):
        header = probe(path)
        if header.rate != SAMPLE_RATE and not resample:
            raise SampleRateError(wrong_rate(path, header.rate))
        lengths.append(header.samples_at_16k)
    if lengths[0] != lengths[1]:
        raise AudioError(f"{noisy}: {lengths[1]} samples, but its clean partner has {lengths[0]}")
    return Pair(name, clean, noisy, file_sha256(clean), file_sha256(noisy), lengths[0])
