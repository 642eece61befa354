"""Excerpts as a page shows them: players and spectrograms, as many as fit into the file."""

from __future__ import annotations

from collections.abc import Sequence

from cmgan_audit.evaluation.listening import Excerpt, Listening
from cmgan_audit.evaluation.material.audio import SAMPLE_RATE, Signal
from cmgan_audit.evaluation.systems import NOISY
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.report.html.sound import flac, spectrogram, spectrum_peak

# Sounds and pictures that one page may hold, in characters; with the rest it stays below 10 MB.
MOST_CHARACTERS = 8_000_000


@dataclass(frozen=True, slots=True)
class Side:
    """One column of an excerpt: what it is, its audio and its picture, or why there is none."""

    role: str
    name: str
    score: str
    audio: str = ""
    picture: str = ""
    absent: str = ""


@dataclass(frozen=True, slots=True)
class Heard:
    """An excerpt: the utterance, how its score changed, which stretch it is and how long, and its sides."""

    utterance: str
    change: str
    stretch: str
    seconds: str
    sides: Sequence[Side]


@dataclass(frozen=True, slots=True)
class HeardAll:
    """Everything that can be heard on a page, how many excerpts found no room, and what must be said about it."""

    worse: Sequence[Heard]
    better: Sequence[Heard]
    left_out: int
    note: str


def within_budget(listening: Listening, compared: tuple[str | None, str]) -> HeardAll:
    """Make the players and pictures, the largest changes of both directions first, until the file is full.

    Args:
        listening: the excerpts.
        compared: names of the system compared with (None without one) and of the judged one.
    """
    worse: list[Heard] = []
    better: list[Heard] = []
    size = left_out = 0
    for rank in range(max(len(listening.worse), len(listening.better))):
        for kept, excerpts in ((worse, listening.worse), (better, listening.better)):
            for excerpt in excerpts[rank : rank + 1]:
                made = _heard(excerpt, *compared)
                weight = sum(len(side.audio) + len(side.picture) for side in made.sides)
                if size + weight > MOST_CHARACTERS:
                    left_out += 1
                    continue
                kept.append(made)
                size += weight
    return HeardAll(worse, better, left_out, listening.note)


def _heard(excerpt: Excerpt, before: str | None, after: str) -> Heard:
    choice = excerpt.choice
    scores = {before: choice.before, after: choice.after}
    heard = [excerpt.clean, excerpt.noisy, *(one for one in excerpt.outputs.values() if not isinstance(one, str))]
    length = max(signal.size for signal in heard)
    # One scale for all sides: what is brighter is louder.
    peak = max(spectrum_peak(excerpt.clean), spectrum_peak(excerpt.noisy))

    def side(role: str, name: str, score: float | None, signal: Signal | str) -> Side:
        told = "" if score is None else f"{score:.3f}"
        if isinstance(signal, str):
            return Side(role, name, told, absent=signal)
        if not signal.size:
            return Side(role, name, told, absent="the output ends before this stretch")
        return Side(role, name, told, flac(signal), spectrogram(signal, length, peak))

    noisy_score = scores.get(NOISY) if NOISY not in excerpt.outputs else None
    sides = [side("clean", "reference", None, excerpt.clean), side("noisy", "input", noisy_score, excerpt.noisy)]
    for name, signal in excerpt.outputs.items():
        sides.append(side("judged" if name == after else "compared with", name, scores.get(name), signal))
    change = f"{choice.after:.3f}" if choice.difference is None else f"{choice.difference:+z.3f}"
    what = "whole utterance" if choice.segment == "full" else f"segment {choice.segment}"
    seconds = f"{length / SAMPLE_RATE:.1f}"
    return Heard(choice.utterance, change, f"{what}, from {excerpt.start:.1f} s", seconds, sides)
