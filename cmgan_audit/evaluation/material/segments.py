"""Fixed segments: which stretches of an utterance are scored, the same for every checkpoint, run and machine."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from cmgan_audit.errors import InputError, UsageError
from cmgan_audit.evaluation.material.audio import SAMPLE_RATE, Signal, read_audio
from cmgan_audit.evaluation.material.names import shortened
from cmgan_audit.evaluation.material.pairs import Pair
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex

LOCK_SCHEMA = "cmgan-audit/segments/v1"
MIN_SECONDS = 0.25  # PESQ refuses less
ACTIVITY_FRAME = SAMPLE_RATE // 100
SPEECH_BELOW_PEAK = 30.0  # dB: a frame of 10 ms counts as speech down to here below the utterance's loudest
ENOUGH_SPEECH = 0.4  # seconds in one go; of 436 random crops that PESQ refused none had more than 0.36
BRIDGED_FRAMES = 5
SEARCH_STEP = SAMPLE_RATE // 50

_COUNTED = regex(r"(\d+)x(\d+(?:\.\d+)?)s")
_CENTRE = regex(r"cent(?:er|re):(\d+(?:\.\d+)?)s")


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of an utterance, in samples at 16 kHz; `label` is "full" or "START+LENGTH"."""

    start: int
    length: int
    label: str

    def cut(self, signal: Signal) -> Signal:
        """The stretch of a signal."""
        return signal[self.start : self.start + self.length]


@dataclass(frozen=True, slots=True)
class SegmentSpec:
    """What `--segments` asks for: `count` segments of `seconds`, evenly spaced; count 0 means whole utterances."""

    count: int
    seconds: float

    def __str__(self) -> str:
        return "full" if self.count == 0 else f"{self.count}x{self.seconds:g}s"


FULL = SegmentSpec(0, 0.0)


def parse_spec(text: str) -> SegmentSpec | Path:
    """Read `full`, `3x2s`, `center:2s` or the path of a segment lock file.

    Raises:
        UsageError: neither a known form nor an existing file, or segments too short for PESQ.
    """
    if text == "full":
        return FULL
    if found := _COUNTED.fullmatch(text):
        spec = SegmentSpec(int(found[1]), float(found[2]))
    elif found := _CENTRE.fullmatch(text):
        spec = SegmentSpec(1, float(found[1]))
    elif Path(text).is_file():
        return Path(text)
    else:
        raise UsageError(f"--segments {text}: not full, NxSs (3x2s), center:Ss (center:2s) or an existing lock file")
    if spec.count < 1 or spec.seconds < MIN_SECONDS:
        raise UsageError(f"--segments {text}: needs at least one segment of at least {MIN_SECONDS} s")
    return spec


def choose_segments(pairs: Sequence[Pair], spec: SegmentSpec, *, resample: bool = False) -> dict[str, list[Segment]]:
    """Fixed segments of every utterance, chosen from the clean recording alone.

    Evenly spaced over the utterance; one without enough speech for PESQ moves to the nearest place that has it. An
    utterance not longer than a segment is taken whole.
    """
    chosen: dict[str, list[Segment]] = {}
    for pair in pairs:
        if spec.count == 0:
            chosen[pair.name] = [Segment(0, pair.samples, "full")]
        else:
            clean = read_audio(pair.clean, resample=resample)
            chosen[pair.name] = _spaced(clean, spec)
    return chosen


def speech_frames(clean: Signal) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which frames of 10 ms hold speech: within 30 dB of the loudest frame, pauses up to 50 ms bridged."""
    count = clean.size // ACTIVITY_FRAME
    if count == 0:
        return np.zeros(0, dtype=np.bool_)
    energy = np.mean(clean[: count * ACTIVITY_FRAME].reshape(count, ACTIVITY_FRAME) ** 2, axis=1)
    active = energy > max(float(energy.max()), 1e-20) * 10.0 ** (-SPEECH_BELOW_PEAK / 10.0)
    gap = np.flatnonzero(active)
    for left, right in pairwise(gap):
        if 1 < right - left <= BRIDGED_FRAMES + 1:
            active[left:right] = True
    return np.asarray(active, dtype=np.bool_)


def _spaced(clean: Signal, spec: SegmentSpec) -> list[Segment]:
    length = round(spec.seconds * SAMPLE_RATE)
    if clean.size <= length:
        return [Segment(0, clean.size, f"0+{clean.size}")]
    room = clean.size - length
    wanted = [room // 2] if spec.count == 1 else [round(i * room / (spec.count - 1)) for i in range(spec.count)]
    active = speech_frames(clean)
    starts: list[int] = []
    for start in wanted:
        moved = _nearest_with_speech(active, start, length, room)
        if moved not in starts:
            starts.append(moved)
    return [Segment(start, length, f"{start}+{length}") for start in starts]


def _nearest_with_speech(active: np.ndarray[tuple[int], np.dtype[np.bool_]], start: int, length: int, room: int) -> int:
    if _speech_run(active, start, length) >= ENOUGH_SPEECH:
        return start
    candidates = sorted(range(0, room + 1, SEARCH_STEP), key=lambda place: (abs(place - start), place))
    best, best_run = start, _speech_run(active, start, length)
    for place in candidates:
        run = _speech_run(active, place, length)
        if run >= ENOUGH_SPEECH:
            return place
        if run > best_run:
            best, best_run = place, run
    return best


def _speech_run(active: np.ndarray[tuple[int], np.dtype[np.bool_]], start: int, length: int) -> float:
    """Seconds of the longest stretch of speech inside a segment."""
    inside = active[-(-start // ACTIVITY_FRAME) : (start + length) // ACTIVITY_FRAME]
    edges = np.flatnonzero(np.diff(np.concatenate(([0], inside.astype(np.int8), [0]))))
    runs = edges[1::2] - edges[::2]
    return float(runs.max()) * ACTIVITY_FRAME / SAMPLE_RATE if runs.size else 0.0


def write_lock(path: Path, spec: SegmentSpec, pairs: Sequence[Pair], chosen: Mapping[str, Sequence[Segment]]) -> None:
    """Write which segments were chosen, with the digests of the clean files, for later runs and other machines.

    Raises:
        UsageError: the file cannot be written.
    """
    document = {
        "schema": LOCK_SCHEMA,
        "segments": str(spec),
        "sample_rate": SAMPLE_RATE,
        "utterances": {
            pair.name: {
                "clean_sha256": pair.clean_sha256,
                "segments": [[segment.start, segment.length] for segment in chosen[pair.name]],
            }
            for pair in pairs
        },
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"--segment-lock {path}: cannot be written: {error.strerror or error}") from error


@dataclass(frozen=True, slots=True)
class SegmentLock:
    """A lock file as read: what was asked for, and per utterance the digest of the clean file and the segments."""

    path: Path
    segments: str
    utterances: Mapping[str, tuple[str, tuple[tuple[int, int], ...]]]

    def segments_of(self, pairs: Sequence[Pair]) -> dict[str, list[Segment]]:
        """The locked segments of these pairs.

        Raises:
            InputError: an utterance is not in the lock file, its clean file is another, or a segment leaves it.
        """
        missing = [pair.name for pair in pairs if pair.name not in self.utterances]
        if missing:
            raise InputError(
                f"{self.path}: has no segments for {shortened(missing)}; delete it to choose segments anew"
            )
        chosen: dict[str, list[Segment]] = {}
        for pair in pairs:
            digest, stretches = self.utterances[pair.name]
            if digest != pair.clean_sha256:
                raise InputError(
                    f"{self.path}: {pair.name} was locked for another clean recording "
                    f"(sha256 {digest[:12]}..., here {pair.clean_sha256[:12]}...); use the recordings it was made for"
                )
            beyond = [[start, length] for start, length in stretches if start < 0 or start + length > pair.samples]
            if beyond:
                raise InputError(f"{self.path}: {pair.name}: segment {beyond[0]} leaves its {pair.samples} samples")
            full = self.segments == "full"
            chosen[pair.name] = [
                Segment(start, length, "full" if full else f"{start}+{length}") for start, length in stretches
            ]
        return chosen


def read_lock(path: Path) -> SegmentLock:
    """Read a lock file.

    Raises:
        InputError: not a segment lock file; the message says what is missing.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: not readable as a segment lock file: {error}") from error
    if not isinstance(document, dict) or document.get("schema") != LOCK_SCHEMA:
        raise InputError(f"{path}: not a segment lock file (no schema {LOCK_SCHEMA})")
    try:
        utterances = {
            str(name): (
                str(entry["clean_sha256"]),
                tuple((int(start), int(length)) for start, length in entry["segments"]),
            )
            for name, entry in document["utterances"].items()
        }
        return SegmentLock(path, str(document["segments"]), utterances)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{path}: a broken segment lock file: {type(error).__name__}: {error}") from error
