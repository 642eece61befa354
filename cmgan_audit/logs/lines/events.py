"""What a line says as a whole: that a process begins, that a training goes on, that one utterance is scored."""

from __future__ import annotations

import re

from cmgan_audit.lazy_regex import regex

_RESUMED = regex(r"\bresum(?:e|ed|es|ing)\b|loading last state|continuing from|will begin at", re.IGNORECASE)
_FROM = regex(r"\b(?:resum(?:ed|es|ing)|continu(?:ed|es|ing))\b.*\bfrom\b", re.IGNORECASE)
# It goes on from nothing, or from what another training has left.
_FROM_ELSEWHERE = regex(
    r"\b(?:no|not|none|null|false|cannot|could|\w+n't|fail\w*|unable|scratch|beginning|pre-?train\w*|fine-?tun\w*)\b",
    re.IGNORECASE,
)
_OF_EPOCH = regex(r"\bepoch\W{0,3}\x00", re.IGNORECASE)
_LOADED = regex(
    r"\b(?:load|loaded|loading|restor\w*)\b.*\b(?:checkpoint|ckpt|state|pretrain\w*|weights|model)\b", re.IGNORECASE
)
_PROCESS = regex(r"\bnamespace\(|^\s*job id\b|beginning experiment|^\s*\$ python|starting training for", re.IGNORECASE)
_NO_BETTER = regex(r"\b(?:was not in top|did(?: not|n't) improve|(?:was|has|is) not improved)\b", re.IGNORECASE)
# What is loaded or evaluated as the best; said of a training that goes on, it is saved, or the learning rate decays.
_THING = r"(?:model|checkpoint|ckpt|weights?|epoch|state|network|net|generator|parameters|params|iteration|step)"
_FILE = r"[\w\-]*best[\w\-]*\.(?:pth?|ckpt|th|tar|h5|pkl|bin|safetensors)\b"
_BEST = rf"(?:\bbest[ _\-](?:\w+[ _\-]){{0,2}}?{_THING}s?\b|{_FILE})"
_USED = r"\b(?:re)?(?:load|restor|evaluat|validat|test|scor|averag|us)(?:e|ed|es|s|ing)?\b"
_OF_THE_BEST = regex(rf"{_USED}.*?{_BEST}|^\W*best[ _\-]{_THING}\b", re.IGNORECASE)
_OVER = regex(
    r"\b(?:training|fitting) (?:is |has |was )?(?:over|done|finished|complete|completed|ended)\b"
    r"|\b(?:finished|completed|done) (?:the )?training\b|\bfinal (?:test|testing|evaluation)\b"
    r"|\bfinal (?:\w+ )?(?:metrics|results?|scores|performance)\b"
    # What W&B prints when a run is over: the last values of all that was logged.
    r"|^(?:wandb:)?\W*run (?:summary|history):\W*$",
    re.IGNORECASE,
)
_OF_THE_COURSE = regex(
    r"\b(?:sav(?:e|es|ed|ing)|new|so far|updat\w+|improv\w+|resum\w+|continu\w+|lr|learning[ _]rate|decay\w*)\b",
    re.IGNORECASE,
)
_OF_A_LOSS = regex(r"(?<![A-Za-z])loss(?:es)?(?![A-Za-z])", re.IGNORECASE)
# Values of one utterance or clip: its file is named, or `track: p232_001`, which is no number and no checkpoint.
_ITEM = regex(
    r"\.(?:wav|flac|mp3|ogg|npy|mp4|mkv|avi|mov)\b"
    r"|^\W*(?:file|sample|utt|utterance|audio|clip|sentence|track|item)\s*[#:]?\s*\x00(?![^|]*\b(?:loss|epoch)\b)"
    r"|\bp\d{3}_\d{3}\b"
    r"|\b(?:track|utt|utterance|clip|(?:file|audio|wav|sample)[ _]?(?:name|id))(?:[ _]?(?:name|id))?\s*[:=]\s*"
    r"(?![\w./\\-]*\.(?:pth?|ckpt|th|tar|bin|safetensors|onnx)\b)[\w./\\-]*[A-Za-z]",
    re.IGNORECASE,
)


def begins_process(body: str) -> bool:
    """Whether a process begins: its settings are printed, a logger is set up."""
    return _PROCESS.search(body) is not None


def says_resumed(body: str) -> bool:
    """Whether a training surely goes on from a checkpoint."""
    return _RESUMED.search(body) is not None


def says_from_where(body: str) -> bool:
    """Whether a line that says that a training goes on also says from which checkpoint of its own.

    `resume: False` among settings does not, nor `resumed from None`, nor `continuing from the pretrained weights`.
    """
    return _FROM.search(body) is not None and _FROM_ELSEWHERE.search(body) is None


def epoch_of_checkpoint(text: str, start: int) -> int | None:
    """Where the epoch stands with which a training goes on: `Resuming from epoch _`, `from last.pth (epoch _)`."""
    found = _OF_EPOCH.search(text, start)
    return None if found is None else found.end() - 1


def says_loaded(body: str) -> bool:
    """Whether some checkpoint was loaded, perhaps only to be evaluated."""
    return _LOADED.search(body) is not None


def says_no_better(body: str) -> bool:
    """Whether a score did not improve, as checkpoint callbacks say: `'val/pesq' was not in top 1`."""
    return _NO_BETTER.search(body) is not None and _OF_A_LOSS.search(body) is None


def says_over(body: str) -> bool:
    """Whether a training is over, or its best checkpoint named, loaded or evaluated; not that one is saved."""
    of_the_end = _OVER.search(body) is not None or _OF_THE_BEST.search(body) is not None
    return of_the_end and _OF_THE_COURSE.search(body) is None


def is_of_one_item(line: str) -> bool:
    """Whether the values are those of one utterance."""
    return _ITEM.search(line) is not None
