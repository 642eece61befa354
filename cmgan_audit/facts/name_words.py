"""The words of a name, however they are put together: `trainLoader`, `train_loader`, `TRAIN-loader`."""

from __future__ import annotations

from cmgan_audit.lazy_regex import regex

_WORD = regex(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def name_words(name: str) -> list[str]:
    """The words of a name in order, in lower case; digits and signs part them."""
    return [word.lower() for word in _WORD.findall(name)]
