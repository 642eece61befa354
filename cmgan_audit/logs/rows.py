"""What the rows of a list are that counts no epochs and no steps: evaluations in their order, or different things.

A table of systems, of noise types or of utterances looks like a training log without its epochs. Words tell them apart:
where every row has a name of its own, the order of the rows is nobody's training.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from cmgan_audit.lazy_regex import regex
from cmgan_audit.logs.roles import infer, words_of

# A number at the end of a name: `epoch_7`, `ckpt-120.pth`, `iter=4000`.
TRAILING_NUMBER = regex(r"(?:^|[^A-Za-z])(?:epoch|ep|step|iter|g|ckpt)?[_\- =]*(\d+)(?:\.\w+)?$", re.IGNORECASE)
_EPOCH_IN_NAME = regex(r"(?<![A-Za-z])(?:epoch|ep)[_\-= ]?(\d+)", re.IGNORECASE)
_COUNTED = regex(r"(?:epoch|ep|step|iter|ckpt|checkpoint)[_\- =:]*\d", re.IGNORECASE)
_AUDIO = regex(r"\.(?:wav|flac)$|^p\d{3}_\d+", re.IGNORECASE)
_MOMENT = regex(
    r"\d:\d\d|\d{4}[-/.]\d\d|\d\d?[/.]\d\d?[/.]\d{2,4}|^(?:mon|tue|wed|thu|fri|sat|sun)\b"
    r"|\d\s*(?:d|h|m|s|ms|mins?|secs?|days?|hours?|minutes?|seconds?)\b",
    re.IGNORECASE,
)
_LAST_NUMBER = regex(r"(\d+)(?:\.\w+)?$")
_FLAGS = {"true", "false", "yes", "no", "y", "n", "best", "saved", "ok", "*", "none", "improved"}
_ITEMS = {"id", "uttid", "sntid", "filename"}
# Columns of these names hold nothing but recordings, however often each of them stands there.
_RECORDINGS = {
    *("file", "filename", "utt", "uttid", "utterance", "wav", "wavfile", "wavname", "audio", "clip", "track", "song"),
    *("recording", "sntid"),
}
# ... and so do theirs with one of these behind them: `utt_id`, `snt_id`, `Sample No.`.
_OF_RECORDINGS = {*_RECORDINGS, "snt", "sent", "sentence", "sample", "item", "segment", "example", "mix", "mixture"}
_NAMING = {"id", "idx", "index", "no", "name", "key", "file", "path"}
_SYSTEMS = {"system", "systems", "model", "models", "method", "methods", "approach", "algorithm", "network", "variant"}
_SPEAKERS = {"speaker", "speaker id", "spk", "spk id", "talker"}
_CONDITIONS = {
    *_SPEAKERS,
    "noise",
    "noise type",
    "condition",
    "scenario",
    "environment",
    "room",
    "gender",
    "dataset",
    "language",
    "stem",
    "instrument",
}
# What is said about an evaluation, not of what it is.
_REMARKS = {"message", "msg", "event", "text", "log", "info", "comment", "comments", "note", "notes", "remarks"}
_SNRS = {"snr", "snr db", "input snr", "snr level", "input snr db"}
# So many rows with names of their own are files; fewer may be systems.
_MANY = 20
# Nearly every row has a name, nearly every name stands on one row; a reader need not remember more names than this.
_MOST, _SEEN = 0.9, 1000
# Names begin with a letter; what begins with a digit is a quantity with its unit.
_NAMES = 0.8


def number_of(name: str) -> float | None:
    """The epoch or the step that the name of a checkpoint counts: 7 of `CMGAN_epoch_7_0.105`, 120 of `ckpt-120.pth`."""
    found = _EPOCH_IN_NAME.search(name) or TRAILING_NUMBER.search(name)
    return None if found is None else float(found.group(1))


def _is_of_items(name: str) -> bool:
    """Whether a column holds what a recording is called: `utterance`, `snt_id`, `Audio File`, `sample index`."""
    first, _, last = name.rpartition(" ")
    return name in _RECORDINGS or (last in _NAMING and first in _OF_RECORDINGS)


def are_of_training(columns: Iterable[str]) -> bool:
    """Whether columns of these names hold what only a training has: its own loss, or its learning rate."""
    roles = map(infer, columns)
    return any(role.kind == "learning_rate" or (role.kind == "loss" and role.phase == "train") for role in roles)


def what_rows_are(column: str, texts: Collection[str], filled: float, rows: float) -> str:
    """ "audio file", "system" or "condition" where a column of words names another one on every row, else "".

    Args:
        column: the column's name.
        texts: its different words; as many as there are.
        filled: on which share of the rows it holds words.
        rows: how many rows there are of one series.
    """
    if rows < 2 or not texts:
        return ""
    audio = sum(1 for text in texts if _AUDIO.search(text))
    if rows > 2 and audio > len(texts) // 2:
        return "audio file"
    name = " ".join(words_of(column))
    of_items = _is_of_items(name) or (name == "key" and not (_are_counted(texts) or _are_moments(texts)))
    if of_items and filled >= _MOST and len(texts) > 2:
        return "audio file"
    if filled < _MOST or len(texts) < 2 or _are_moments(texts) or _are_counted(texts):
        return ""
    if name in _CONDITIONS:
        return "condition"
    if name in _REMARKS or are_evaluations(texts):
        return ""
    if name in _SYSTEMS:
        return "system"
    of_items = of_items or name in _ITEMS
    names = sum(1 for text in texts if text.lstrip(" *`([")[:1].isalpha())
    if len(texts) < _MOST * min(rows, _SEEN) or (not of_items and names < _NAMES * len(texts)):
        return ""
    return "audio file" if of_items or len(texts) > _MANY else "system"


def numbers_name_rows(column: str, numbers: Collection[float]) -> str:
    """ "audio file" or "condition" where a column of numbers tells the rows apart and counts no training.

    `uttid` holds an utterance's number, and an SNR in round decibels is what was mixed, not what came out.
    """
    name = " ".join(words_of(column))
    if _is_of_items(name) and len(numbers) > 2:
        return "audio file"
    if name in _SPEAKERS and len(numbers) > 2:
        return "condition"
    if name in _SNRS and len(numbers) > 1 and all((2 * number).is_integer() for number in numbers):
        return "condition"
    return ""


def _are_moments(texts: Collection[str]) -> bool:
    """Dates, times and flags say nothing about what a row is of."""
    return all(_MOMENT.search(text) or text.strip().lower() in _FLAGS for text in texts)


def _are_counted(texts: Collection[str]) -> bool:
    return 2 * sum(1 for text in texts if _COUNTED.search(text)) > len(texts)


def are_evaluations(texts: Collection[str]) -> bool:
    """`epoch_1`, `epoch_2`, `best`: one name with a number that counts; `SEGAN-2`, `DCCRN-4` are several names."""
    if _are_counted(texts):
        return True
    counted = [match for text in texts if (match := _LAST_NUMBER.search(text))]
    stems = {match.string[: match.start(1)].lower() for match in counted}
    return 2 * len(counted) > len(texts) and (len(stems) <= 2 or 3 * len(stems) <= len(counted))
