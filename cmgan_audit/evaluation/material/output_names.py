"""Which recording of a folder is the output of which utterance.

Enhancement scripts write `p232_001.wav`, but also `p232_001_enhanced.wav`, `enhanced_p232_001.wav`, or a folder per
speaker. What stands before and after the utterance's name is taken off where it is the same for all of them, but for a
number perhaps (`0012_p232_001.wav`), and leaves every utterance exactly one recording; a mapping that is guessed wrong
would score one utterance against another.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from cmgan_audit.errors import InputError
from cmgan_audit.evaluation.material.audio import AudioError
from cmgan_audit.evaluation.material.manifests import ROLE_WORDS
from cmgan_audit.evaluation.material.names import MEANT, UTTERANCE, by_folded_name, folded, shortened, word_spans
from cmgan_audit.evaluation.material.recordings import recordings_in
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex

# Words of what an evaluation script may write beside its outputs, as in `p232_001_clean.wav`, `p232_001_noisy.wav`;
# `p232_001_noisy_enhanced.wav` is an output.
_INPUTS = {word for words in ROLE_WORDS.values() for word in words}
_OF_ANY = {"audio", "signal", "speech", "wav"}
_OUTPUTS = {
    "enhanced",
    "enh",
    "denoised",
    "cleaned",
    "est",
    "estimate",
    "estimated",
    "out",
    "output",
    "pred",
    "processed",
}
# Of `p232_001_clean.wav` and `p232_001_noise.wav` the first is the output of a network that separates the two.
_RESTS = {"noise", "residual", "removed", "diff", "difference", "error"}
# Of `0012_p232_001` and `p232_001_snr2.5` what is another one for every recording.
_NUMBER = regex(r"\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class MatchedOutputs:
    """The recordings of a folder by utterance, and in a sentence how they were matched ("" by their plain names).

    `inputs` are copies of the test set beside them, `unused` names of recordings that belong to no utterance.
    """

    files: Mapping[str, Path]
    how: str = ""
    inputs: tuple[Path, ...] = ()
    unused: tuple[str, ...] = ()


def match_outputs(
    folder: Path,
    utterances: Sequence[str],
    also: Mapping[str, tuple[str, str]] | None = None,
    is_copy: Callable[[str, Path], bool] = lambda utterance, recording: False,
) -> MatchedOutputs:
    """Match the recordings of a folder with the utterances of a test set.

    The names of the utterances themselves come first, then those of their recordings; with such names an utterance may
    be without an output. Where nobody used them, something before and after the name is taken off, and every utterance
    must have its output, or every recording its utterance. Recordings of the plain names that all are copies of the
    test set are no outputs where others beside them can be.

    Args:
        folder: with recordings, or with folders of recordings.
        utterances: of the whole test set, so that a part of it is matched as the whole is.
        also: utterance -> other names that its output may have, where clean and noisy recordings are named otherwise.
        is_copy: whether a recording holds what the clean or the noisy one of an utterance holds.

    Raises:
        InputError: no recording, none of the test set, or no telling which is meant; the message says what is there.
    """
    recordings, below = _recordings(folder, utterances)
    matched = _match(folder, utterances, also or {}, recordings, below)
    matched = _beside_copies(folder, recordings, matched, below, is_copy) or matched
    taken = {*matched.files.values(), *matched.inputs}
    return replace(matched, unused=tuple(name for name, path in recordings.items() if path not in taken))


def _beside_copies(
    folder: Path,
    recordings: Mapping[str, Path],
    plain: MatchedOutputs,
    below: bool,
    is_copy: Callable[[str, Path], bool],
) -> MatchedOutputs | None:
    """What lies beside copies of the test set that have its names, if that is one recording for each of them."""
    names = {path: name for name, path in recordings.items()}
    if any(names.get(path) != utterance for utterance, path in plain.files.items()):
        return None
    folds = {name: path for name, (_, path) in by_folded_name(recordings).items()}
    others = {
        way: found
        for way, found in _ways(folds, {UTTERANCE: {name: name for name in plain.files}}).items()
        if found.keys() == plain.files.keys() and not _is_of_an_input(way) and _says_output(way, surely=False)
    }
    if len(others) != 1 or not all(is_copy(*each) for each in plain.files.items()):
        return None
    ((way, files),) = others.items()
    told = f"{_told(folder, files, below, way, {})}; the copies of the test set beside them are not scored"
    return MatchedOutputs(files, told, (*plain.files.values(), *plain.inputs))


def _match(
    folder: Path,
    utterances: Sequence[str],
    also: Mapping[str, tuple[str, str]],
    recordings: Mapping[str, Path],
    below: bool,
) -> MatchedOutputs:
    folds = {name: path for name, (_, path) in by_folded_name(recordings).items()}
    called = _called(utterances, also)
    files: dict[str, Path] = {}
    named_as_inputs: dict[str, dict[str, Path]] = {}
    for kind, names in called.items():
        found = {
            utterance: path
            for name, utterance in names.items()
            if (path := recordings.get(name) or folds.get(folded(name)))
        }
        if len(found) < MEANT * len(utterances):
            files = files or found
        elif kind == UTTERANCE or len(found) == len(recordings) or not all(map(_says_input, names)):
            return MatchedOutputs(found, _told(folder, found, below, "", names))
        else:  # `p232_001_noisy.wav` is a copy of the input if `p232_001_enhanced.wav` lies beside it
            named_as_inputs[kind] = found
    ways = {**named_as_inputs, **_ways(folds, called)}
    likely = _likely(ways, utterances)
    if not likely and not files:
        # Of two numbers nothing tells which is the utterance's.
        named = {kind: names for kind, names in called.items() if not all(map(_NUMBER.fullmatch, names))}
        ways |= _ways(folds, named, around=lambda text: _NUMBER.sub("#", text))
        likely = _likely(ways, utterances)
    if files and not likely:
        return MatchedOutputs(files, _told(folder, files, below, "", called[UTTERANCE]))
    # Ways that give every utterance the same recording are one, told in two manners.
    distinct = list({frozenset(ways[way].items()): way for way in reversed(likely)}.values())
    distinct += [UTTERANCE] if files else []
    distinct, inputs = _without_inputs(distinct, named_as_inputs)
    if len(distinct) > 1:
        raise InputError(
            f"{folder}: more than one recording may be the output of an utterance: {', '.join(sorted(distinct))}; "
            "put those that are meant into a folder of their own"
        )
    if not distinct:
        raise InputError(
            f"{folder}: no recording has the name of a test utterance: it holds {shortened(recordings)}; "
            f"the test set has {shortened(utterances)}"
        )
    (way,) = distinct
    copies = tuple(path for one in inputs for path in ways[one].values())
    if way in named_as_inputs:  # nothing beside them is an output, so that these are
        return MatchedOutputs(ways[way], _told(folder, ways[way], below, "", called[way]), copies)
    if way == UTTERANCE:  # only the inputs are named after it with more around
        return MatchedOutputs(files, _told(folder, files, below, "", called[UTTERANCE]), copies)
    files = {name: ways[way][name] for name in utterances if name in ways[way]}
    absent = [name for name in utterances if name not in files]
    # Where every recording was told, an utterance without one has none; else one of the others may be its output.
    if absent and len(files) + len(copies) < len(recordings):
        raise InputError(
            f"{folder}: recordings are named {way}, but {len(absent)} of {len(utterances)} utterances have none "
            f"({shortened(absent)}); give the recordings the names of the test set, then those without one are left out"
        )
    beside = f"; {' and '.join(sorted(inputs))} beside them are not scored" if inputs else ""
    return MatchedOutputs(files, _told(folder, files, below, way, {}) + beside, copies)


def _likely(ways: Mapping[str, Mapping[str, Path]], utterances: Sequence[str]) -> list[str]:
    """The ways that give most utterances a recording."""
    return [way for way, matched in ways.items() if len(matched) >= MEANT * len(utterances)]


def _without_inputs(ways: list[str], named_as_inputs: Collection[str]) -> tuple[list[str], list[str]]:
    """The ways that outputs may be named in, and those of copies of the test set beside them, where both are told."""
    others = [way for way in ways if way not in named_as_inputs and not _is_of_an_input(way)]
    if named_as_inputs and not others:
        return [*named_as_inputs][:1], []
    if len(others) != 1 or not _says_output(others[0], surely=bool(named_as_inputs)):
        return ways, []
    return others, [way for way in ways if way not in others]


def _is_of_an_input(way: str) -> bool:
    """Whether what stands around the utterance's name says nothing but that the recordings are clean or noisy ones."""
    words = _words(way)
    return bool(words & _INPUTS) and words <= _INPUTS | _OF_ANY


def _says_output(way: str, *, surely: bool) -> bool:
    """Whether the recordings beside those of inputs are outputs by their name, or else may be."""
    return not _words(way).isdisjoint(_OUTPUTS) if surely else _words(way).isdisjoint(_RESTS)


def _says_input(name: str) -> bool:
    return not _words(name).isdisjoint(_INPUTS)


def _words(name: str) -> set[str]:
    """The words of a name, or of what stands around the utterance in it."""
    return {*re.findall(r"[a-z]+", re.sub(r"<[^>]*>", " ", name.lower()))}


def _called(utterances: Sequence[str], also: Mapping[str, tuple[str, str]]) -> dict[str, dict[str, str]]:
    """What outputs may be named after, the plainest first: name -> utterance, for each kind of name."""
    called = {UTTERANCE: {name: name for name in utterances}}
    kinds = {
        "<folder>_<utterance>": [(name.replace("/", "_"), name) for name in utterances],
        "<noisy recording>": [(also[name][0], name) for name in utterances if name in also],
        "<clean recording>": [(also[name][1], name) for name in utterances if name in also],
    }
    for kind, names in kinds.items():
        # Names that two utterances share tell nothing.
        if len(dict(names)) == len(utterances) and dict(names) not in called.values():
            called[kind] = dict(names)
    return called


def _recordings(folder: Path, utterances: Sequence[str]) -> tuple[dict[str, Path], bool]:
    """The recordings by name, and whether they lie in folders of this one because it holds none itself."""
    found = recordings_in(folder)
    if not found.by_path:
        raise InputError(
            f"{folder}: no .wav or .flac file in it; a CKPT is a checkpoint file or a folder of recordings"
        )
    if any("/" in name for name in utterances):
        return found.by_path, found.below
    if found.by_name is None:
        assert found.repeated is not None
        known = {*map(folded, utterances)}
        if folded(found.repeated[0].stem) not in known:
            # `p232_001/enhanced.wav`; but of `p232_001/p232_001.wav` and `p232_001/noise.wav` the first.
            counted = Counter(path.stem for path in found.by_path.values())
            named = {path.stem: path for path in found.by_path.values() if counted[path.stem] == 1}
            are_named = len(known.intersection(map(folded, named))) >= MEANT * len(utterances)
            return (named if are_named else found.by_path), found.below
        first, second = (path.parent.relative_to(folder).as_posix() for path in found.repeated)
        raise AudioError(
            f"{folder}: its folders {first} and {second} both hold a recording {found.repeated[0].stem}; name the one "
            f"that is meant: {folder / first}"
        )
    return found.by_name, found.below


def _ways(
    recordings: Mapping[str, Path], called: Mapping[str, Mapping[str, str]], around: Callable[[str], str] = str
) -> dict[str, dict[str, Path]]:
    """Ways in which recordings may be named after utterances (`<utterance>_enhanced`), and whom each of them gives.

    `around` makes one of what stands around the utterance; a way in which two recordings are then one's is none.
    """
    found: dict[str, dict[str, Path]] = {}
    doubtful: set[str] = set()
    for kind, names in called.items():
        known = {folded(name): utterance for name, utterance in names.items()}
        for name, path in recordings.items():
            for start, end in word_spans(name):
                utterance = known.get(name[start:end])
                if utterance is not None and name[start:end] != name:
                    way = f"{around(name[:start])}{kind}{around(name[end:])}"
                    if found.setdefault(way, {}).setdefault(utterance, path) != path:
                        doubtful.add(way)
    return {way: files for way, files in found.items() if way not in doubtful}


def _told(folder: Path, files: Mapping[str, Path], below: bool, way: str, names: Mapping[str, str]) -> str:
    """How the recordings were matched, with the first that is named otherwise than its utterance."""
    own = {utterance: name for name, utterance in names.items()}
    renamed = {name: path for name, path in files.items() if path.stem != Path(own.get(name, name)).name}
    others = {name: path for name, path in files.items() if own.get(name, name) != name}
    if not renamed and not below and not others:
        return ""
    name, path = next(iter((renamed or others or files).items()))
    if way:
        told = f"outputs are named {way}{' (# is a number)' * ('#' in way)}"
    elif renamed:
        told = f"{len(renamed)} outputs differ from their utterances in capitals or in the coding of accents"
    elif others:
        told = "outputs are named after the recordings"
    else:
        told = "outputs lie in folders of their own"
    return f"{told}: {path.relative_to(folder).as_posix()} is taken for {name}"
