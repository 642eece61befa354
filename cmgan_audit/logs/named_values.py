"""Logs without epochs and steps: values of one thing after the other, or of different things, each under its name.

A list of systems (`Testing SEGAN`, `PESQ: 2.16`, `Testing DEMUCS`, `PESQ: 3.07`) reads like the evaluations of a
training. What differs are the words: a training says the same at every evaluation, and only its numbers change.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

from cmgan_audit.lazy_regex import regex
from cmgan_audit.logs.roles import table, words_of
from cmgan_audit.logs.rows import numbers_name_rows
from cmgan_audit.logs.series import INDEX, Note, Reading, Run, Series
from cmgan_audit.logs.single_scores import is_a_course

# Whole words, without a number at their end (`factory1`, `model12`): that counts something, as `p232` and `0x7f3a` do.
_WORD = regex(r"(?<![^\W_])([^\W\d_]{3,}|[^\W\d_]{2}(?!\d))\d{0,2}(?![^\W_])")
# Speakers (`p226` of VCTK), numbered conditions, and runs that are named after the time at which they began: each is
# another one.
_NUMBERED = regex(
    r"(?<![^\W_])(?:[ps]\d{3}|(?:speaker|spk|talker|subject|condition|scene|room)[ _#\-]{0,2}\d{1,3})(?![^\W_]|\.\d)"
    r"|\b[a-z][a-z_\-]*20\d{6}[_\-]?\d{6}(?!\d)"
)
# A recording in the line above its scores.
_RECORDING = regex(
    r"[\w.\-]+\.(?:wav|flac|mp3|ogg)(?![^\W_])|(?<![^\W_])(?:p\d{3}_\d{3}|sp\d{2}_\w+_sn\d{1,2})(?![^\W_])"
    # `LJ001-0032`, LibriSpeech's `1089-134686-0007`, the DNS challenge's `fileid_12`.
    r"|(?<!\w)(?:lj\d{3}-\d{4}|\d{2,5}-\d{3,6}-\d{4})(?![\w\-])|(?<![^\W_])fileid_\d+"
)
# `Sample 12:`, `audio number 3`, `File: noisy_1`; a training may count in the same words what it has seen.
_COUNTED = regex(
    r"(?<![^\W_])(?<!step )(?<!log )(?<!config )(?<!model )(?<!checkpoint )(?<!ckpt )(?:"
    r"(?:utterance|utt|file|audio|wav|sample|item|track|clip|sentence|recording|mixture|mix|segment|example|test case"
    r"|noisy|signal)"
    r"(?:[ _]?(?:number|num|no\b\.?|id|idx|index))?[ _#\-:]{0,2}\d{1,6}(?![^\W_]|\.\d)"
    r"|(?:utterance|utt|file|audio|wav|sample|track|clip|recording)(?:[ _]?(?:name|id))? ?[:=] ?[\w\-]*\d(?!\S))"
)
# The round SNR of mixtures: `=== 20 dB ===`; a training may draw one for its batches.
_MIXTURES = regex(r"(?<![\w.])-?(?:\d?[05]|[27]\.5|1[27]\.5) ?db(?![^\W_])")
# `S_56_03`; a checkpoint counts its epochs and steps in the same way, whatever it is called.
_SHORT = regex(
    r"(?<![^\W_])(?!ep|e_|it|st|ck|cp|run|exp|log|v_|net|gen|g_|d_|mod|sav|bes|lr|bs)[a-z]{1,4}(?:_\d{1,4}){2,3}"
    r"(?![^\W_]|\.\d)"
)
# One that is saved may be the example of an evaluation.
_SAVED = regex(r"\b(?:sav(?:e|ed|es|ing)|writ(?:e|es|ten|ing)|wrote|export\w*|dump\w*)\b")
_MOMENT = regex(r"\b(?:mon|tue|wed|thu|fri|sat|sun|jan|feb|mar|apr|may|june?|july?|aug|sep|oct|nov|dec)\w{0,6}\b")
# A line of such words alone says how a training goes on, and names nothing.
_USUAL = frozenset(
    "new best better worse so far no not an any yet for in of the is was has did and at since to early out counter "
    "improve improves improved improving improvement patience plateau stop stopping stopped evaluation evaluations "
    "epoch epochs model models checkpoint checkpoints weights state save saves saved saving learning rate reduce "
    "reduces reduced reducing halved decayed".split()
)
# Fewer values show no habit; more than this many are no list that someone wrote.
_FEWEST, _MOST = 3, 5000
# Of so many of the values something is said that is said of few others: then each is a value of another thing.
_SHARE, _RARE = 0.8, 1 / 3
# Its name stands on the line of a value, or on one of the few before it.
_NEAR = 4
_SAID = (
    "{} values under different names and without epochs or steps, as a list of systems, of noises or of test sets "
    "has them: no trend in them"
)


Blocks = Callable[[], Iterable[bytes]]


def leave_out_named(reading: Reading, text: Blocks) -> None:
    """Take the metrics out of a reading whose values stand under different names, and say so.

    Args:
        reading: what was read.
        text: gives the text once more, in blocks of whole lines.
    """
    for run in reading.runs:
        listed = [s for s in run.series if s.x_kind == INDEX and s.role.kind == "metric" and not s.role.given]
        mixtures = _are_mixtures(listed)
        recordings = _recordings_in(run, listed)
        told: dict[tuple[int, ...], bool] = {}
        for series in listed:
            places = tuple(series.places)
            if _FEWEST <= len(places) <= _MOST and places not in told:
                told[places] = mixtures or _are_named(text, places, recordings)
        named = [places for places, is_named in told.items() if is_named]
        if named:
            taken = listed if len(named) == len(told) else [s for s in listed if tuple(s.places) in named]
            taken = [s for s in listed if s in taken or _is_of_the_input(s, taken)]
            run.series = [s for s in run.series if s not in taken]
            text_of = _SAID.format(len(named[0]))
            reading.notes.append(Note(reading.path, named[0][0], text_of, of_a_list=True))
    leave_out_single(reading)


def _recordings_in(run: Run, listed: Sequence[Series]) -> list[re.Pattern[str]]:
    """How recordings and mixtures are named whose scores these may be; in no way where a loss shows a training.

    It is called one of training, has more values than they have, or comes down. Scores that come in an order are of no
    recordings that are only counted, as checkpoints are too.
    """
    longest = max(map(len, listed), default=0)
    losses = [s for s in run.series if s.x_kind == INDEX and s.role.kind == "loss" and len(s) >= _FEWEST]
    if any(s.role.phase == "train" or len(s) > longest or is_a_course(s) or _falls(s) for s in losses):
        return []
    return [_RECORDING, _MIXTURES] if any(map(is_a_course, listed)) else [_RECORDING, _MIXTURES, _COUNTED, _SHORT]


def _falls(series: Series) -> bool:
    """Whether every value is below the one before it."""
    return all(a > b for a, b in itertools.pairwise(series.ys))


def _is_of_the_input(series: Series, taken: Sequence[Series]) -> bool:
    """Whether a score is that of what went into the network, beside those that it gave, which are a list."""
    measured = any(other.role.measure == series.role.measure for other in taken)
    return measured and not table().inputs.isdisjoint(words_of(series.name))


def leave_out_single(reading: Reading) -> None:
    """Take out metrics of which a reading holds one value under each of several names: `SEGAN PESQ: 2.16`."""
    for run in reading.runs:
        single = [s for s in run.series if s.x_kind == INDEX and s.role.kind == "metric" and s.seen == 1]
        names = {(s.role.measure, _own_words(s.name)) for s in single if not s.role.given}
        listed = {m for m, n in Counter(measure for measure, _ in names).items() if n >= _FEWEST}
        taken = {id(s): s for s in single if s.role.measure in listed}
        if taken:
            run.series = [s for s in run.series if id(s) not in taken]
            first = next(iter(taken.values()))
            reading.notes.append(Note(reading.path, first.places[0], _SAID.format(len(taken)), of_a_list=True))
    reading.runs = [run for run in reading.runs if run.series or run.printed]


def _own_words(name: str) -> tuple[str, ...]:
    """What a name says beside its measure and its phase: `val_pesq_wb` nothing, `SEGAN PESQ` segan."""
    t = table()
    known = t.qualifiers | set(t.phases) | {word for m in t.metrics for names in m.names for word in names}
    return tuple(word for word in words_of(name) if word not in known)


def _are_mixtures(listed: Sequence[Series]) -> bool:
    """Whether the values stand at the SNRs of mixtures: `SNR 5 dB: PESQ 2.25`."""
    return any(numbers_name_rows(series.name, set(series.ys)) for series in listed)


def _are_named(text: Blocks, places: Sequence[int], recordings: Sequence[re.Pattern[str]]) -> bool:
    said = [set(block) for block in _said_before(text, sorted(set(places)), recordings)]
    often = Counter(words for block in said for words in block)
    rare = [[words for words in block if often[words] <= max(1.0, _RARE * len(said))] for block in said]
    return len(said) >= _FEWEST and sum(1 for words in rare if words) >= _SHARE * len(said)


def _said_before(
    text: Blocks, places: Sequence[int], recordings: Sequence[re.Pattern[str]]
) -> Iterator[list[tuple[str, ...]]]:
    """The words of the lines up to each value, those before the first as far as those before the second.

    Among them are the names of `recordings`.
    """
    if len(places) < _FEWEST:
        return
    block: list[tuple[str, ...]] = []
    next_place, first = 0, places[0] - (places[1] - places[0])
    for number, line in numbered(text):
        if number > first:
            said = line.lower()
            words = tuple(word for word in _WORD.findall(said) if not _MOMENT.fullmatch(word))
            words += tuple(_NUMBERED.findall(said))
            if not _SAVED.search(said):
                words += tuple(name for pattern in recordings for name in pattern.findall(said))
            if not _USUAL.issuperset(words):
                block.append(words)
        if number == places[next_place]:
            yield block[-_NEAR:]
            block = []
            next_place += 1
            if next_place == len(places):
                return


def numbered(text: Blocks) -> Iterator[tuple[int, str]]:
    """The lines of a text with their numbers."""
    number = 0
    for block in text():
        for line in block.decode("utf-8", errors="replace").removesuffix("\n").split("\n"):
            number += 1
            yield number, line
