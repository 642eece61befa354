"""Clean and noisy recordings that belong together, by name, with every mismatch listed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import field
from pathlib import Path

from cmgan_audit.errors import InputError
from cmgan_audit.evaluation.material.audio import (
    SAMPLE_RATE,
    AudioError,
    SampleRateError,
    file_sha256,
    probe,
    wrong_rate,
)
from cmgan_audit.evaluation.material.matching import Matched
from cmgan_audit.evaluation.material.sides import match_sides
from cmgan_audit.lazy_dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pair:
    """One utterance: its clean and noisy file, the digests of their bytes, and its length in samples at 16 kHz.

    `rate` is the lower of the sample rates that the two files had, in Hz, `channels` the most that one of them has.
    """

    name: str
    clean: Path
    noisy: Path
    clean_sha256: str
    noisy_sha256: str
    samples: int
    rate: int = SAMPLE_RATE
    channels: int = 1

    @property
    def seconds(self) -> float:
        """Length of the utterance."""
        return self.samples / SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class PairedSet:
    """The usable pairs, sorted by name, and what could not be used: unpaired names, and files with the reason why.

    `matched` is what they were made from: all utterances, usable or not, with the other names of their outputs.
    """

    pairs: tuple[Pair, ...]
    only_clean: tuple[str, ...] = ()
    only_noisy: tuple[str, ...] = ()
    unusable: tuple[tuple[str, str], ...] = ()
    matched: Matched = field(default_factory=lambda: Matched({}))

    @property
    def complete(self) -> bool:
        """Every file found its partner and could be used."""
        return not (self.only_clean or self.only_noisy or self.unusable)


def find_pairs(clean: Path, noisy: Path, *, resample: bool = False) -> PairedSet:
    """Pair the recordings of two folders or lists by name.

    Only headers are read here, and bytes are hashed. A file that is broken, empty, of channels that differ, or of
    another length than its partner makes its pair unusable; a wrong sample rate ends the run, because one flag mends
    it for all files.

    Raises:
        MissingPathError: a place is not there.
        InputError: it holds no audio, names can be read in several ways, or no pair is left.
        SampleRateError: a file is not at 16 kHz and `resample` is off.
    """
    matched = match_sides(clean, noisy)
    pairs: list[Pair] = []
    unusable: list[tuple[str, str]] = []
    for name, (clean_file, noisy_file) in matched.pairs.items():
        try:
            pairs.append(read_pair(name, clean_file, noisy_file, resample=resample))
        except AudioError as error:
            unusable.append((name, str(error)))
    if not pairs:
        raise InputError(f"none of the {len(matched.pairs)} pairs can be used: {unusable[0][1]}")
    return PairedSet(tuple(pairs), matched.only_clean, matched.only_noisy, tuple(unusable), matched)


def set_digest(entries: Iterable[Sequence[str]]) -> str:
    """Twelve hex digits that stand for an evaluation set: names, bytes and segments, independent of order."""
    lines = sorted("\0".join(entry) for entry in entries)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:12]


def read_pair(name: str, clean: Path, noisy: Path, *, resample: bool = False) -> Pair:
    """A pair from its two files.

    Raises:
        AudioError: a file is not mono audio, or the two differ in length.
        SampleRateError: a file is not at 16 kHz and `resample` is off.
    """
    lengths, rates, channels = [], [], []
    for path in (clean, noisy):
        header = probe(path)
        if header.rate != SAMPLE_RATE and not resample:
            raise SampleRateError(wrong_rate(path, header.rate))
        lengths.append(header.samples_at_16k)
        rates.append(header.rate)
        channels.append(header.channels)
    if lengths[0] != lengths[1]:
        raise AudioError(
            f"{noisy}: {lengths[1]} samples, but its clean partner has {lengths[0]}; cut both to the same stretch"
        )
    digests = file_sha256(clean), file_sha256(noisy)
    return Pair(name, clean, noisy, *digests, lengths[0], min(rates), max(channels))
