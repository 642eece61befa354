"""Names in front of numbers: where a name begins, which counter it is, whether it may stand without a colon."""

from __future__ import annotations

import functools
import math
import re

from cmgan_audit.lazy_regex import regex
from cmgan_audit.logs.roles import infer, table, words_of
from cmgan_audit.logs.series import Role

_WRAPPER = regex(r"(?:torch\.)?(?:tensor|array)$|(?:np|numpy)\.float(?:16|32|64)$|\b(?:is|was|equals|now|reached)$")
# `reaches a PESQ of 2.64`: the name stands between the article and the word.
_OF = regex(r"\s+of$")
_ARTICLE = regex(r"^.*\b(?:an?|the)\s+")
_BALANCED = regex(r"\([^()]*\)|\[[^\[\]]*\]")
_DELIMITER = regex(r"[|│┃;,{}\t!?()\[\]\x01]|\s[-\u2013\u2014]+\s|--+|={2,}|\*{2,}|#{2,}|:(?=\s|[A-Za-z])|\.\s|>>+|>\s")
_NO_LETTERS = regex(r"^[^A-Za-z]+")
# The unit of the number before, `SI-SDR: 12.1 dB  PESQ: 2.3`; of `5 dB SNR: 2.3` it says which mixtures.
_UNIT_OF_LAST = regex(r"^dB\s+(?!SNR\b)(?=[A-Za-z])", re.IGNORECASE)
_LETTERS = regex(r"[A-Za-z]+")
_BRACKETS_BEHIND = regex(r"\s*\([^)]*\)$")
_SUFFIX = regex(r"[A-Za-z_]+")
_BOUND = regex(r"(?<![-=<>])>=?\s*$")
_TAG = regex(r"<[^<>]*>\s*$")
# `train_loss_step=0.31, val_pesq_epoch=2.5`: Lightning's names for the value of a batch and the mean of an epoch.
_PER_COUNTER = regex(r"\w[_/](?:epoch|step)$", re.IGNORECASE)
# A counter that is glued to the name: `E003 loss`, `epoch12 loss`, `PESQ@ep12`.
_COUNTED = regex(r"^(?:e|ep|epoch)_?\d+\b\W*(?=[A-Za-z])|@(?:ep|epoch|step|iter)_?\d+$", re.IGNORECASE)
_OF_HOW_MANY = regex(r"\s?/\s?\x00")
_SECONDS = regex(r"\s?(?:m?s|secs?|seconds?|msecs?)(?![\w/=:])(?!\s*[=:])", re.IGNORECASE)
_AT_RANK, _ANOTHER = regex(r"@\d+$"), regex(r"\s+[-+]?\x00")
_OPTION = regex(r"(?:^|\s)--[A-Za-z][\w\-]*[ =]+$")

# `total_ep = 15`, `Max epoch: 100`: how many there will be.
_IN_ALL = frozenset(("total", "max", "maximum"))

# What is said in front of how many, as against what is numbered.
_BEFORE_A_COUNT = frozenset(
    "a after at by complete completed done each end ended every finish finished first for from in info is last of on "
    "over past ran start started starting the till to took until was with within".split()
)


def is_part_of_word(after: str) -> bool:
    """`2x`, `10ms`, `1.10.0`: digits that belong to a word; `3Epoch`, `10dB` and `45%` do not."""
    if after[:1] == "." and after[1:2].isdigit():
        return True
    suffix = _SUFFIX.match(after)
    return suffix is not None and suffix.group().lower() not in ("db", "epoch", "st", "nd", "rd", "th")


def is_change(role: Role | None, signed: bool) -> bool:
    """Whether a percentage behind a name is a change: `PESQ +2.8%`; no score in MOS or in dB has percents."""
    measure = None if role is None else table().measure(role.measure)
    return measure is not None and (signed or bool(measure.unit))


def is_share(after: str) -> bool:
    """`45%` of a progress bar, and `+2.8%` of a comparison: a part or a change."""
    return after.lstrip(" ").startswith("%")


def is_of_another_kind(label: str, after: str) -> bool:
    """Whether a number is none of what its name says: how long something took, how many were right, one of two."""
    return _is_duration(after) or _is_number_of_hits(label, after) or _is_one_of_two(label, after)


def _is_one_of_two(label: str, after: str) -> bool:
    """`Prec@1   0 79.2`: with a second number behind it, whose the first one is remains open."""
    return _AT_RANK.search(label) is not None and _ANOTHER.match(after) is not None


def _is_duration(after: str) -> bool:
    """`batch_cost: 3.44 sec`: how long something took, whatever its name."""
    return _SECONDS.match(after) is not None


def _is_number_of_hits(label: str, after: str) -> bool:
    """`Accuracy: 9812/10000`: how many were right of how many, and no share."""
    return _OF_HOW_MANY.match(after) is not None and infer(label).measure == "accuracy"


def is_bound(before: str) -> bool:
    """`PESQ > 3.0`: what a score shall reach, and no score; `<b>` and arrows are none."""
    return _BOUND.search(before) is not None and _TAG.search(before) is None


def is_option(before: str) -> bool:
    """`python enhance.py --snr 0.5`: a setting on a command line that the log repeats."""
    return _OPTION.search(before) is not None


def label_before(before: str) -> tuple[str, bool, bool, str]:
    """The name in front of a number, whether `:` or `=` separates them, whether a list opens, and the text before."""
    text, separated, listed, told_of = before, False, False, False
    while True:
        stripped = text.rstrip(" \t\"'`([{*=:~≈→>-±│┃")
        tail = text[len(stripped) :]
        separated = separated or any(c in tail for c in "=:≈→")
        listed = listed or "[" in tail
        told_of = told_of or _OF.search(stripped) is not None
        shorter = _OF.sub("", _WRAPPER.sub("", stripped))
        if shorter == stripped:
            break
        separated = separated or not shorter.endswith((".", "("))
        text = shorter
    shadow = _BALANCED.sub(_shadowed, stripped)
    cut = 0
    for delimiter in _DELIMITER.finditer(shadow):
        cut = delimiter.end()
    label = _UNIT_OF_LAST.sub("", _COUNTED.sub("", _NO_LETTERS.sub("", stripped[cut:]))).rstrip(" .")
    if told_of:
        label = _ARTICLE.sub("", label)
    for opening, closing in ("[]", "()"):
        if opening not in label:
            label = label.replace(closing, "", 1)  # of `[Val] average PESQ`, which began with the bracket
    words = label.split()
    return " ".join(words[-5:]), separated, listed, stripped[:cut]


def _shadowed(bracket: re.Match[str]) -> str:
    """What stands for a pair of brackets; a name begins right behind one: `[00:00<?, ?it/s]eval psnr: 21.1`."""
    after = bracket.string[bracket.end() : bracket.end() + 1]
    return "x" * (len(bracket.group()) - 1) + ("]" if after.isalpha() else "x")


def is_arrow(before: str) -> bool:
    """Whether nothing but an arrow stands in front of a number: `1.97 -> 2.64`, `1.97 to 2.64`."""
    return before.strip(" \t\"'()") in ("->", "-->", "=>", "→", "to")


def numbers_something(label: str) -> bool:
    """Whether a name in front of a number says what is numbered: `stage 1`, `gpu 0`; not `after 3`, `train 3`."""
    words = words_of(label)
    return bool(words) and words[-1] not in _BEFORE_A_COUNT and words[-1] not in table().phases


def counter_of(label: str) -> str | None:
    """ "epoch", "step", "rank" or "run" if a name in front of a number ends with the word for one."""
    words = words_of(label)
    if not words or (_PER_COUNTER.search(label) and infer(label).kind in ("metric", "loss")):
        return None
    t = table()
    if words[-1] in t.epochs:
        return None if words[-2:-1] and words[-2] in _IN_ALL else "epoch"
    if any(words[-len(name) :] == name for name in t.steps):
        return "step"
    if any(words[-len(name) :] == name for name in t.ranks):
        return "rank"
    return "run" if words[-1] in t.runs else None


def is_tight(label: str) -> bool:
    """Whether a name may stand before a number with nothing but a space between: `Pesq 2.51`, `Train Loss G 0.1`."""
    words = words_of(_BRACKETS_BEHIND.sub("", label))
    return 0 < len(words) <= 4 and words[-1] in _tight_words()


@functools.cache
def _tight_words() -> frozenset[str]:
    t = table()
    known = t.qualifiers | t.losses | set(t.phases) | set(t.networks)
    measures = {name[-1] for m in t.metrics for name in m.names} | {name[-1] for name in t.learning_rates}
    measures |= {name for m in t.metrics if m.key != "wer" for name in m.alone}  # "per" is too common a word
    return frozenset(known | measures)


def constant_of(text: str) -> float | None:
    """NaN or infinity as a log writes them; None for words that stand for no value."""
    word = text.lower().lstrip("+-")
    if word == "nan":
        return math.nan
    if word.startswith("inf"):
        return -math.inf if text.startswith("-") else math.inf
    return None


def words_as_written(text: str) -> list[str]:
    """The words of a text in their own spelling."""
    return _LETTERS.findall(text)
