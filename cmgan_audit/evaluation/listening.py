"""What a comparison sounds like: the utterances that changed most, as they were scored, from every side.

Outputs of folders are read again; a checkpoint enhances the chosen few again, because an evaluation keeps scores and no
audio. How much is made again is limited by the length of the audio, never by the clock, so that equal inputs give
equal reports.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from pathlib import Path

import numpy as np

from cmgan_audit.errors import AuditError
from cmgan_audit.evaluation.comparing import higher_is_better
from cmgan_audit.evaluation.material.audio import SAMPLE_RATE, Signal, read_audio
from cmgan_audit.evaluation.material.matching import Matched
from cmgan_audit.evaluation.material.pairs import Pair, read_pair
from cmgan_audit.evaluation.material.segments import Segment
from cmgan_audit.evaluation.material.sides import match_sides
from cmgan_audit.evaluation.options import CompareOptions
from cmgan_audit.evaluation.result import ComparisonResult
from cmgan_audit.evaluation.scores.store import content_key
from cmgan_audit.evaluation.sources import Source, find_sources
from cmgan_audit.evaluation.systems import NOISY, System
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.statistics.compare import Comparison

MOST_PER_SIDE = 3
# TSCNet takes 3 to 6 seconds of two CPU cores per second of audio: about a minute for each of two checkpoints.
MOST_SECONDS_OF_A_MODEL = 10.0
EXCERPT_SECONDS = 8.0


@dataclass(frozen=True, slots=True)
class Choice:
    """One scored stretch to listen to.

    Attributes:
        utterance: its name.
        segment: label of the stretch, as in scores.csv.
        before: score of the system compared with, None where nothing was compared.
        after: score of the checkpoint that is judged.
    """

    utterance: str
    segment: str
    before: float | None
    after: float

    @property
    def difference(self) -> float | None:
        """Candidate minus baseline, in units of the metric."""
        return None if self.before is None else self.after - self.before


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A stretch of an utterance from every side, cut to at most `EXCERPT_SECONDS` where the outputs differ most.

    Attributes:
        choice: which one, and its scores.
        start: where the excerpt begins in the utterance, in seconds.
        clean: the reference.
        noisy: the input.
        outputs: name of a system -> its output, or why there is nothing to hear of it; the one compared with first.
    """

    choice: Choice
    start: float
    clean: Signal
    noisy: Signal
    outputs: Mapping[str, Signal | str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Listening:
    """The excerpts: most worse first, then most better; `note` says what is not there, and why."""

    worse: Sequence[Excerpt] = ()
    better: Sequence[Excerpt] = ()
    note: str = ""


def compared_pair(result: ComparisonResult) -> tuple[str | None, str]:
    """The two systems to hear beside clean and noisy: the one compared with (None without one), and the judged one."""
    if not result.decisive:
        return None, result.order[-1]
    one: Comparison = result.decisive[-1]
    return one.baseline, one.candidate


def choose(result: ComparisonResult, per_side: int = MOST_PER_SIDE) -> tuple[list[Choice], list[Choice]]:
    """The stretches that got most worse and most better, the largest change first, at most one per utterance.

    Without a comparison: those with the worst and the best scores.
    """
    before_name, after_name = compared_pair(result)
    before = {} if before_name is None else _rows(result, before_name)
    choices = []
    for key, value in _rows(result, after_name).items():
        if before_name is None or key in before:
            choices.append(Choice(*key, before.get(key), value))
    sign = 1.0 if higher_is_better(result.primary) else -1.0

    def change(choice: Choice) -> float:
        return sign * (choice.after if choice.difference is None else choice.difference)

    ranked = sorted(choices, key=lambda choice: (change(choice), choice.utterance, choice.segment))
    if before_name is None:
        half = len(ranked) // 2
        return _distinct(ranked[: len(ranked) - half], per_side), _distinct(ranked[::-1][:half], per_side)
    worse = [choice for choice in ranked if change(choice) < 0]
    better = [choice for choice in reversed(ranked) if change(choice) > 0]
    return _distinct(worse, per_side), _distinct(better, per_side)


def listen(options: CompareOptions, result: ComparisonResult, say: Callable[[str], None]) -> Listening:
    """Gather the excerpts of a finished comparison; a system that cannot be heard is named with the reason.

    Args:
        options: those of the comparison.
        result: what it came to.
        say: told before a model runs.
    """
    if not options.checkpoints:
        return Listening(note="The scores were computed by other programs; there is no audio to listen to.")
    worse, better = choose(result)
    judged = compared_pair(result)[1]
    if not _rows(result, judged):
        return Listening(note=f"{judged} has no score, so there is nothing to choose from.")
    matched = match_sides(options.clean, options.noisy)
    pairs = {
        choice: read_pair(choice.utterance, *matched.pairs[choice.utterance], resample=options.resample)
        for choice in (*worse, *better)
    }
    wanted = [name for name in compared_pair(result) if name not in (None, NOISY)]
    sources = [source for source in find_sources(options).every if source.name in wanted]
    note = ""
    if any(source.is_model for source in sources):
        seconds = {choice: _segment(choice, pair).length / SAMPLE_RATE for choice, pair in pairs.items()}
        worse, better = _affordable(worse, better, seconds)
        chosen = [*worse, *better]
        utterances = "1 utterance" if len(chosen) == 1 else f"{len(chosen)} utterances"
        note = (
            f"Checkpoints keep no audio: enhanced again were {utterances}, "
            f"at most {MOST_SECONDS_OF_A_MODEL:g} s of audio per checkpoint."
        )
        length = sum(seconds[choice] for choice in chosen)
        say(f"report.html: enhancing {utterances} again to listen to ({length:.0f} s per checkpoint)")
        pairs = {choice: pairs[choice] for choice in chosen}
    heard = {
        source.name: _hear(source, pairs, matched)
        for source in sorted(sources, key=lambda source: wanted.index(source.name))
    }
    excerpts = {choice: _excerpt(choice, pair, heard, options.resample) for choice, pair in pairs.items()}
    return Listening([excerpts[one] for one in worse], [excerpts[one] for one in better], note)


def _rows(result: ComparisonResult, name: str) -> dict[tuple[str, str], float]:
    return {
        (row.utterance, row.segment): row.value
        for row in result.table.of(name, result.primary)
        if row.value is not None
    }


def _distinct(choices: Sequence[Choice], at_most: int) -> list[Choice]:
    by_utterance: dict[str, Choice] = {}
    for choice in choices:
        by_utterance.setdefault(choice.utterance, choice)
    return list(by_utterance.values())[:at_most]


def _segment(choice: Choice, pair: Pair) -> Segment:
    """The stretch that a label stands for: "full", or START+LENGTH in samples."""
    if choice.segment == "full":
        return Segment(0, pair.samples, "full")
    start, length = choice.segment.split("+")
    return Segment(int(start), int(length), choice.segment)


def _affordable(
    worse: Sequence[Choice], better: Sequence[Choice], seconds: Mapping[Choice, float]
) -> tuple[list[Choice], list[Choice]]:
    """As many as a model may enhance again, from both sides in turn, at least one."""
    kept: list[Choice] = []
    total = 0.0
    for rank in range(max(len(worse), len(better))):
        for choice in (*worse[rank : rank + 1], *better[rank : rank + 1]):
            if not kept or total + seconds[choice] <= MOST_SECONDS_OF_A_MODEL:
                kept.append(choice)
                total += seconds[choice]
    return [one for one in worse if one in kept], [one for one in better if one in kept]


def _hear(source: Source, pairs: Mapping[Choice, Pair], among: Matched) -> dict[Choice, Signal | str]:
    """The outputs of one system; in the place of one that is not there, the reason."""
    listed = list(pairs.values())
    try:
        system = source.open(listed, among)
    except AuditError as error:
        return dict.fromkeys(pairs, str(error))
    found: dict[Choice, Signal | str] = {}
    try:
        missing = set(system.missing(listed))
        for choice, pair in pairs.items():
            if pair.name in missing:
                found[choice] = "no output of this utterance"
                continue
            try:
                found[choice] = _playable(_output(system, source.options, pair, _segment(choice, pair)))
            except AuditError as error:
                found[choice] = str(error)
    finally:
        system.close()
    return found


def _playable(signal: Signal) -> Signal | str:
    if not signal.size:
        return "the output is empty"
    return signal if np.isfinite(signal).all() else "the output holds values that are not numbers"


def _output(system: System, options: CompareOptions, pair: Pair, segment: Segment) -> Signal:
    key = content_key("output", system.estimate_key(pair, segment), segment.label, str(options.resample))
    kept = None if options.cache is None else options.cache / "outputs" / f"{key}.f32"
    if kept is not None and kept.is_file():
        return np.fromfile(kept, dtype="<f4").astype(np.float64)
    estimate = system.estimate(pair, segment)
    if isinstance(estimate, Path):
        return segment.cut(read_audio(estimate, resample=options.resample, allow_empty=True))
    if kept is not None:
        _keep(kept, np.asarray(estimate, dtype="<f4").tobytes())
    return estimate.astype(np.float64)


def _keep(place: Path, body: bytes) -> None:
    """Write at once or not at all; a cache that cannot be written only costs the next run its time."""
    draft = place.with_name(f".{place.name}.{os.getpid()}")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        draft.write_bytes(body)
        draft.replace(place)
    except OSError:
        draft.unlink(missing_ok=True)


def _excerpt(choice: Choice, pair: Pair, heard: Mapping[str, Mapping[Choice, Signal | str]], resample: bool) -> Excerpt:
    """Cut all sides to the same stretch."""
    segment = _segment(choice, pair)
    clean = segment.cut(read_audio(pair.clean, resample=resample))
    noisy = segment.cut(read_audio(pair.noisy, resample=resample))
    outputs = {name: found[choice] for name, found in heard.items()}
    signals = [output for output in outputs.values() if not isinstance(output, str)]
    first, second, *_ = [*signals[::-1], noisy, clean]
    length = round(EXCERPT_SECONDS * SAMPLE_RATE)
    start = _loudest_stretch(first, second, length)
    stretch = slice(start, start + length)
    return Excerpt(
        choice,
        (segment.start + start) / SAMPLE_RATE,
        clean[stretch],
        noisy[stretch],
        {name: output if isinstance(output, str) else output[stretch] for name, output in outputs.items()},
    )


def _loudest_stretch(one: Signal, other: Signal, length: int) -> int:
    """Where a stretch of `length` samples begins in which two signals differ most; 0 for signals not longer."""
    common = min(one.size, other.size)
    if common <= length:
        return 0
    energy = np.concatenate(([0.0], np.cumsum((one[:common] - other[:common]) ** 2)))
    return int(np.argmax(energy[length:] - energy[:-length]))
