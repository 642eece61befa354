"""Which noisy recording belongs to which clean one, by their names alone.

The same name in both places comes first. Test sets of the DNS challenge write `clean_fileid_12.wav` beside
`book_0_reader_6_fileid_12.wav`, others `p232_001.wav` beside `p232_001_bus_snr5.wav`: such names are taken where every
way of reading them gives the same pairs. A mapping that is guessed wrong would score one utterance against another.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import field
from pathlib import Path

from cmgan_audit.errors import InputError
from cmgan_audit.evaluation.material.names import (
    MEANT,
    by_folded_name,
    word_ends,
    word_spans,
    word_starts,
)
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex

_LABEL = regex(r"([^\W\d_]+)[_\-]?(\d+)(?![^\W_])")


@dataclass(frozen=True, slots=True)
class Matched:
    """What belongs together.

    Attributes:
        pairs: utterance -> its clean and its noisy recording, sorted by name.
        also: utterance -> other names that its outputs may have: the file names of its noisy and its clean recording.
        only_clean: names of clean recordings without a noisy one.
        only_noisy: names of noisy recordings without a clean one.
        how: in a sentence how they were matched ("" by the same plain names).
    """

    pairs: Mapping[str, tuple[Path, Path]]
    also: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    only_clean: tuple[str, ...] = ()
    only_noisy: tuple[str, ...] = ()
    how: str = ""


@dataclass(frozen=True, slots=True)
class _Way:
    """A way of reading the names: noisy name -> (utterance, clean name); `told` says it with one example's names."""

    told: str
    partners: dict[str, tuple[str, str]]

    @property
    def mapping(self) -> frozenset[tuple[str, str]]:
        return frozenset((noisy, clean) for noisy, (_, clean) in self.partners.items())


def match_names(clean: Mapping[str, Path], noisy: Mapping[str, Path], places: str) -> Matched:
    """Match the recordings of two places.

    Args:
        clean: clean recordings by name.
        noisy: noisy recordings by name.
        places: both places in words, for the message.

    Raises:
        InputError: no names in common, or names that can be read in more than one way.
    """
    same = [name for name in sorted(clean) if name in noisy]
    if same:
        return _joined({name: (name, name) for name in same}, clean, noisy, "")
    ways = [way for way in _ways(clean, noisy) if len(way.partners) >= MEANT * min(len(clean), len(noisy))]
    if not ways:
        raise InputError(
            f"no clean file has a noisy file of the same name: {places}; a pair has one name in both folders, or names "
            "that hold the same part, set off from the rest (clean_12.wav, noisy_12.wav): rename or link the files"
        )
    if len({way.mapping for way in ways}) > 1:
        told = "; or ".join(dict.fromkeys(way.told for way in ways))
        raise InputError(f"names do not tell which clean and noisy recordings belong together: {places}: {told}")
    return _joined(ways[0].partners, clean, noisy, ways[0].told)


def _joined(
    partners: Mapping[str, tuple[str, str]], clean: Mapping[str, Path], noisy: Mapping[str, Path], told: str
) -> Matched:
    """Pairs from noisy name -> (utterance, clean name); a clean one with several noisy ones lends them its sound."""
    shared = Counter(clean_name for _, clean_name in partners.values())
    several = any(count > 1 for count in shared.values())
    pairs, also = {}, {}
    for noisy_name, (utterance, clean_name) in partners.items():
        name = noisy_name if several else utterance
        pairs[name] = clean[clean_name], noisy[noisy_name]
        also[name] = noisy[noisy_name].stem, clean[clean_name].stem
    how = told
    if several:
        how += f"; {len(partners)} noisy recordings of {len(shared)} clean ones, each an utterance of its own"
    return Matched(
        dict(sorted(pairs.items())),
        also,
        tuple(name for name in sorted(clean) if name not in shared),
        tuple(name for name in sorted(noisy) if name not in partners),
        how,
    )


def _ways(clean: Mapping[str, Path], noisy: Mapping[str, Path]) -> Iterator[_Way]:
    """Ways of reading the names, those that keep most of a name first; each knows one clean recording per noisy one."""
    clean_names = {name: entry[0] for name, entry in by_folded_name(clean).items()}
    noisy_names = {name: entry[0] for name, entry in by_folded_name(noisy).items()}
    if not clean_names or not noisy_names:
        return
    yield from _by_common_part(clean_names, noisy_names, turned=False)
    yield from _by_common_part(noisy_names, clean_names, turned=True)
    yield from _by_label(clean_names, noisy_names)


def _by_common_part(plain: Mapping[str, str], other: Mapping[str, str], *, turned: bool) -> Iterator[_Way]:
    """Ways in which what all names of one side have before and after their own part is taken off.

    Args:
        plain: folded name -> name, of the side whose names are taken apart.
        other: of the side whose names hold that part somewhere, set off from the rest.
        turned: whether `plain` is the noisy side.
    """
    spans = {name: _WordSpans(name) for name in other}
    for start, end in _affixes(list(plain)):
        keys = {name[start : len(name) - end]: name for name in plain}
        lengths = {len(key) for key in keys}
        found = {name: held for name in other if (held := spans[name].held(keys, lengths))}
        # A name that holds the parts of two others may belong to either.
        if any(len(held) > 1 for held in found.values()):
            continue
        partners: dict[str, tuple[str, str]] = {}
        for name, (key,) in found.items():
            ours, theirs = plain[keys[key]], other[name]
            # Folding may make a name longer or shorter; then places in the folded one are none in the other.
            utterance = ours[start : len(ours) - end] if len(ours) == len(keys[key]) else key
            partners[ours if turned else theirs] = (utterance, theirs if turned else ours)
        if len(partners) == len(found) > 0:
            yield _Way(_told(partners), partners)


class _WordSpans:
    """Where words of a name begin and end, found once: a long name is asked for many parts."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._starts: dict[int, list[int]] = {}  # by length
        for start, end in word_spans(name):
            self._starts.setdefault(end - start, []).append(start)

    def held(self, keys: Collection[str], lengths: Collection[int]) -> set[str]:
        """Which of these parts the name holds as whole words; one that lies within another counts as that one.

        Args:
            keys: the parts.
            lengths: of the parts.
        """
        spans = [
            (start, start + length)
            for length in lengths
            for start in self._starts.get(length, ())
            if self._name[start : start + length] in keys
        ]
        widest = [
            (start, end)
            for start, end in spans
            if not any(a <= start and end <= b and (a, b) != (start, end) for a, b in spans)
        ]
        return {self._name[start:end] for start, end in widest}


def _affixes(names: list[str]) -> Iterator[tuple[int, int]]:
    """How much all names share before and after a part of their own: nothing first, whole words only."""
    before, after = _shared(names), _shared([name[::-1] for name in names])
    first = names[0]
    starts = [at for at in word_starts(first) if at <= before]
    ends = [len(first) - at for at in reversed(word_ends(first)) if len(first) - at <= after]
    shortest = min(len(name) for name in names)
    for start, end in sorted(((start, end) for start in starts for end in ends), key=sum):
        if start + end < shortest and all(_set_off(name, start, end) for name in names):
            yield start, end


def _shared(names: list[str]) -> int:
    """How many characters all names begin with."""
    first, last = min(names), max(names)
    return next((at for at, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), len(first))


def _set_off(name: str, start: int, end: int) -> bool:
    """Whether what lies between so many characters of a name is set off from them."""
    before, after = name[:start][-1:], name[len(name) - end :][:1]
    return not before.isalnum() and not after.isalnum()


def _by_label(clean: Mapping[str, str], noisy: Mapping[str, str]) -> Iterator[_Way]:
    """Ways in which all names of both sides hold one word with a number of their own: `..._fileid_12`."""
    labels = {name: _numbers(name) for name in (*clean, *noisy)}
    for label in sorted(set.intersection(*(set(found) for found in labels.values()))):
        by_number = {labels[name][label]: name for name in clean}
        if len(by_number) < len(clean) or len({labels[name][label] for name in noisy}) < len(noisy):
            continue
        partners = {
            noisy[name]: (f"{label}_{number}", clean[by_number[number]])
            for name in noisy
            if (number := labels[name][label]) in by_number
        }
        if partners:
            yield _Way(_told(partners), partners)


def _numbers(name: str) -> dict[str, int]:
    """The numbers in a folded name by the words before them, of those words that stand there once."""
    found = _LABEL.findall(name)
    counted = Counter(word for word, _ in found)
    return {word: int(number) for word, number in found if counted[word] == 1}


def _told(partners: Mapping[str, tuple[str, str]]) -> str:
    noisy, (_, clean) = min(partners.items(), key=lambda entry: entry[1])
    return (
        "clean and noisy recordings are matched by the part of their names that is the same: "
        f"{clean} is taken for the clean side of {noisy}"
    )
