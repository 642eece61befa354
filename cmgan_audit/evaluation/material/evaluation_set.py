"""What is evaluated: the pairs, the subset that `--limit` asks for, and the segments that are scored of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from cmgan_audit.errors import InputError, UsageError
from cmgan_audit.evaluation.material.audio import SAMPLE_RATE, same_channels
from cmgan_audit.evaluation.material.pairs import Pair, PairedSet, find_pairs, set_digest
from cmgan_audit.evaluation.material.segments import Segment, choose_segments, read_lock, write_lock
from cmgan_audit.evaluation.material.strata import Strata, infer_strata, limited, read_strata
from cmgan_audit.evaluation.options import CompareOptions
from cmgan_audit.evaluation.run import Request
from cmgan_audit.lazy_dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EvaluationSet:
    """The utterances of an evaluation.

    Attributes:
        paired: all that was found in the folders, with what could not be used.
        pairs: what is evaluated, sorted by name.
        segments: utterance -> the stretches that are scored.
        spec: what was asked for, as in `--segments`.
        strata: labels of the utterances.
    """

    paired: PairedSet
    pairs: tuple[Pair, ...]
    segments: Mapping[str, Sequence[Segment]]
    spec: str
    strata: Strata

    def requests(self, metrics: tuple[str, ...], pairs: Sequence[Pair] | None = None) -> list[Request]:
        """A request for every segment of the pairs, all of them unless some are named."""
        chosen = self.pairs if pairs is None else pairs
        return [Request(pair, segment, metrics) for pair in chosen for segment in self.segments[pair.name]]

    @property
    def digest(self) -> str:
        """Twelve hex digits that stand for recordings and segments."""
        return set_digest(
            (pair.name, pair.clean_sha256, pair.noisy_sha256, segment.label)
            for pair in self.pairs
            for segment in self.segments[pair.name]
        )

    @property
    def remarks(self) -> list[str]:
        """What a reader must know of how the set was put together."""
        how = self.paired.matched.how
        several = sum(pair.channels > 1 for pair in self.pairs)
        channels = [f"test set: {same_channels(several, len(self.pairs))}"] if several else []
        return [*([how] if how else []), *channels, *self._narrow()]

    def _narrow(self) -> list[str]:
        """Where recordings were brought up to 16 kHz: what they did not hold is still not there."""
        narrow = [pair.rate for pair in self.pairs if pair.rate < SAMPLE_RATE]
        if not narrow:
            return []
        return [
            f"{len(narrow)} of {len(self.pairs)} utterances were recorded at {min(narrow)} Hz and hold nothing above "
            f"{min(narrow) / 2000:g} kHz: wide-band scores of them are not comparable with those of other recordings; "
            "P.862 itself is meant for them (--metrics pesq_nb)"
        ]

    @property
    def left_out(self) -> int:
        """Usable pairs that `--limit` left out."""
        return len(self.paired.pairs) - len(self.pairs)


def prepare_set(options: CompareOptions) -> EvaluationSet:
    """Pair the recordings, take the subset, choose or read the segments.

    Raises:
        InputError: the data cannot be used; with `strict`, also if any of it cannot.
    """
    paired = find_pairs(options.clean, options.noisy, resample=options.resample)
    if options.strict and not paired.complete:
        raise InputError(
            f"--strict: {len(paired.only_clean)} clean and {len(paired.only_noisy)} noisy recordings without partner, "
            f"{len(paired.unusable)} pairs not usable{': ' + paired.unusable[0][1] if paired.unusable else ''}"
        )
    names = [pair.name for pair in paired.pairs]
    strata = read_strata(options.strata, names) if options.strata else infer_strata(names)
    kept = set(names if options.limit is None else limited(names, options.limit, strata))
    pairs = tuple(pair for pair in paired.pairs if pair.name in kept)
    segments, spec = _segments(options, pairs)
    return EvaluationSet(paired, pairs, segments, spec, strata)


def _segments(options: CompareOptions, pairs: Sequence[Pair]) -> tuple[dict[str, list[Segment]], str]:
    if isinstance(options.segments, Path):
        lock = read_lock(options.segments)
        return lock.segments_of(pairs), lock.segments
    if options.segment_lock is not None and options.segment_lock.exists():
        lock = read_lock(options.segment_lock)
        if lock.segments != str(options.segments):
            raise UsageError(
                f"--segment-lock {options.segment_lock}: holds --segments {lock.segments}, not {options.segments}"
            )
        return lock.segments_of(pairs), lock.segments
    chosen = choose_segments(pairs, options.segments, resample=options.resample)
    if options.segment_lock is not None:
        write_lock(options.segment_lock, options.segments, pairs, chosen)
    return chosen, str(options.segments)
