"""Counters without a label before them: `3rd epoch`, `3/40epoch`, `epoch7`, `[E003]`, `rank_1`."""

from __future__ import annotations

import re
from collections.abc import Callable

from cmgan_audit.lazy_regex import regex

# `3rd epoch`, `3 epochs done`; but in `lr=1e-4 epoch=3` and `loss 0.31 epoch 3` the word names the next number.
_EPOCH_AFTER = regex(r"(?:st|nd|rd|th)?\s?[-_]?\s?epoch(?:(?!s)|s(?=\s(?:done|over|passed)\b))", re.IGNORECASE)
_OF_A_TOTAL = regex(r"^\s?/\s?\x00")
_NAMES_NEXT = regex(
    r"\s*epoch(?P<sign>\s*[=:#])?\s*[\[(]?\s*\x00(?!\s?%)(?P<unit>[a-z]|\s(?:s|secs?|min|batches|steps|iters?)\b)?",
    re.IGNORECASE,
)
_GLUED_COUNTER = regex(r"(?<![A-Za-z/\\])(epoch|ep|step|iter)[_ ]?(\d+)(?!\w)(?!\.\d)", re.IGNORECASE)
# `[E003] loss=0.31`, `E12 | loss 0.31`: no error code, as a value stands behind it and nothing else counts.
_LETTER_EPOCH = regex(r"[^\w\x00\x01]*(?:(?<=\[)|(?<![^\s]))E(\d{1,4})(?=\s*[\]:|,]|\s)", re.IGNORECASE)
_GLUED_RANK = regex(r"\brank_?(\d+)\b", re.IGNORECASE)


def is_before_epoch(after: str, is_named: Callable[[], bool]) -> bool:
    """Whether a number is that of the epoch because the word stands behind it, or behind the total of epochs.

    In a line that ends with a value, `3/40 epoch 5 loss 0.31`, the names stand first, and the epoch is 5.

    Args:
        after: all that stands behind the number.
        is_named: whether what stands before it says what it is.
    """
    rest = _OF_A_TOTAL.sub("", after)
    if not _EPOCH_AFTER.match(rest):
        return False
    names_next = _NAMES_NEXT.match(rest)
    if names_next is None:
        return True
    names_first = rest != after and not names_next["unit"] and after.rstrip(" \t\r)]%").endswith("\0")
    return not (names_next["sign"] or names_first or is_named())


def glues_counter(text: str, start: int) -> bool:
    """Whether a line holds `epoch7` or `step_100`."""
    return _GLUED_COUNTER.search(text, start) is not None


def glued_epoch(text: str, start: int) -> float | None:
    """7 of `epoch7`; None where the first that is so written is no epoch."""
    found = _GLUED_COUNTER.search(text, start)
    return float(found.group(2)) if found is not None and found.group(1).lower().startswith("ep") else None


def letter_epoch(text: str, start: int) -> float | None:
    """3 of `[E003]` with which a line begins."""
    found = _LETTER_EPOCH.match(text, start)
    return None if found is None else float(found.group(1))


def glued_rank(text: str) -> int:
    """1 of `rank_1`; 0 where no process is named."""
    found = _GLUED_RANK.search(text)
    return 0 if found is None else int(found.group(1))
