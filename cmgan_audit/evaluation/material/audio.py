"""Audio files: reading, checking and hashing. Everything inside is mono float64 in [-1, 1] at 16 kHz."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from cmgan_audit.errors import InputError
from cmgan_audit.evaluation.in_its_place import in_its_place
from cmgan_audit.evaluation.material.listing import is_recording
from cmgan_audit.lazy_dataclasses import dataclass

SAMPLE_RATE = 16_000

Signal: TypeAlias = npt.NDArray[np.float64]
"""Mono audio at 16 kHz, shape [samples]; full scale is 1.0."""


class SampleRateError(InputError):
    """A file has another sample rate than 16 kHz and nobody asked for resampling."""


class AudioError(InputError):
    """A file is not readable, mono, non-empty audio; names the file and what is wrong with it."""


def audio_files(folder: Path) -> dict[str, Path]:
    """The audio files that stand directly in a folder, by utterance name (file name without suffix), sorted.

    Raises:
        AudioError: no folder that can be read, or two of its files stand for the same utterance (`a.wav` and `a.flac`).
    """
    try:
        listed = sorted(folder.iterdir())
    except OSError as error:
        raise AudioError(f"{folder}: cannot be read: {error.strerror or error}") from error
    found: dict[str, Path] = {}
    for path in listed:
        if not is_recording(path):
            continue
        if path.stem in found:
            raise AudioError(f"{folder}: {found[path.stem].name} and {path.name} are the same utterance; keep one")
        found[path.stem] = path
    return found


def file_sha256(path: Path) -> str:
    """Hex digest of a file's bytes.

    Raises:
        AudioError: the file cannot be read.
    """
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise AudioError(f"{path}: cannot be read: {error.strerror or error}") from error


@dataclass(frozen=True, slots=True)
class Header:
    """What an audio file says of itself: sample rate in Hz, number of samples, and of channels, all the same."""

    rate: int
    samples: int
    channels: int = 1

    @property
    def samples_at_16k(self) -> int:
        """The length after resampling to 16 kHz (the polyphase filter rounds up)."""
        return -(-self.samples * SAMPLE_RATE // self.rate)


def equally_long(one: Header, other: Header) -> bool:
    """Whether recordings of different rates last equally long, but for how their resampler rounded.

    Less than one sample of the slower of the two: 8 kHz of an odd number of samples at 16 kHz are one sample more.
    """
    apart = abs(one.samples * other.rate - other.samples * one.rate)
    return one.rate != other.rate and apart < max(one.rate, other.rate)


def probe(path: Path, *, allow_empty: bool = False) -> Header:
    """Read the header of a mono audio file; of one with several channels, also whether they are the same.

    Raises:
        AudioError: not audio, channels that differ, or (unless allowed) no samples.
    """
    import soundfile

    try:
        info = soundfile.info(path)
    except (soundfile.LibsndfileError, OSError) as error:
        raise AudioError(f"{path}: not readable as audio: {_reason(path, error)}") from error
    _check_length(path, info.frames, allow_empty)
    if info.channels > 1:
        _read_one_channel(path)
    return Header(info.samplerate, info.frames, info.channels)


def read_audio(path: Path, *, resample: bool = False, allow_empty: bool = False) -> Signal:
    """Read a mono audio file at 16 kHz, or one whose channels are the same, sample by sample.

    Args:
        path: WAV or FLAC, any sample format that libsndfile reads.
        resample: bring another sample rate to 16 kHz (polyphase filter) instead of refusing it.
        allow_empty: return no samples for an empty recording instead of refusing it.

    Returns:
        Float64 samples; integer formats are scaled by their full scale, so PCM16 times 32768 is exact.

    Raises:
        AudioError: not audio, channels that differ, or no samples.
        SampleRateError: another sample rate, and `resample` is off.
    """
    signal, rate = _read_one_channel(path)
    _check_length(path, signal.size, allow_empty)
    if rate == SAMPLE_RATE or signal.size == 0:
        return signal
    if not resample:
        raise SampleRateError(wrong_rate(path, rate))
    return _to_16k(signal, rate)


def wrong_rate(path: Path, rate: int) -> str:
    """The sentence for a file that is not at 16 kHz."""
    return f"{path}: {rate} Hz where {SAMPLE_RATE} Hz is needed; resample the files, or pass --resample to have it done"


def same_channels(several: int, total: int) -> str:
    """The sentence for recordings that hold one signal more than once."""
    return f"{several} of {total} recordings have several channels, the same sample by sample; the first is scored"


def same_samples(one: Path, other: Path) -> bool:
    """Whether two files hold the same recording, but for how its samples were rounded to 16 bits."""
    try:
        headers = probe(one), probe(other)
        if (headers[0].rate, headers[0].samples) != (headers[1].rate, headers[1].samples):
            return False
        first, second = (_read_one_channel(path)[0] for path in (one, other))
    except AudioError:
        return False
    return bool(np.max(np.abs(first - second)) < 2 / 2**15)


def _read_one_channel(path: Path) -> tuple[Signal, int]:
    """The samples of a file and their rate; stereo files whose channels are the same hold one signal."""
    import soundfile

    try:
        samples, rate = soundfile.read(path, dtype="float64", always_2d=True)
    except (soundfile.LibsndfileError, OSError) as error:
        raise AudioError(f"{path}: not readable as audio: {_reason(path, error)}") from error
    first = np.ascontiguousarray(samples[:, 0])
    for other in samples.T[1:]:
        if not np.array_equal(first, other, equal_nan=True):
            raise AudioError(
                f"{path}: {samples.shape[1]} channels that differ; the metrics are defined for one: "
                "take one out, as in `sox IN OUT remix 1`"
            )
    return first, rate


def _check_length(path: Path, samples: int, allow_empty: bool) -> None:
    if samples == 0 and not allow_empty:
        raise AudioError(f"{path}: no samples (an empty recording)")


def _to_16k(signal: Signal, rate: int) -> Signal:
    from math import gcd

    from scipy.signal import resample_poly

    common = gcd(SAMPLE_RATE, rate)
    resampled: Signal = np.asarray(resample_poly(signal, SAMPLE_RATE // common, rate // common), dtype=np.float64)
    return resampled


def _reason(path: Path, error: Exception) -> str:
    text = getattr(error, "error_string", None) or getattr(error, "strerror", None) or str(error)
    said = str(text).strip().rstrip(".")
    if isinstance(error, OSError) or not path.is_file():
        return said
    try:
        with path.open("rb") as file:
            start = file.read(64)
    except OSError as denied:
        return denied.strerror or said
    return f"{said}{in_its_place(start)}" if start else "an empty file"
