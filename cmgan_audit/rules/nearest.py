"""The nearest known word, for errors about an unknown one."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import takewhile

# Share of equal characters from which on a word may have been meant.
ALIKE = 0.6


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the known word that is most like `word`, or "" when none is alike."""
    from difflib import SequenceMatcher  # only errors need it

    def likeness(name: str) -> tuple[float, int]:
        """How alike they are; among equals the one that begins in the same way."""
        one, other = word.casefold(), name.casefold()
        same = takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))
        return SequenceMatcher(None, one, other).ratio(), len(list(same))

    best = max(known, key=likeness, default="")
    return best if best and likeness(best)[0] >= ALIKE else ""


def unknown_word(what: str, word: str, known: Iterable[str]) -> str:
    """A sentence such as "unknown key 'wen' (did you mean 'when'?); known: at, over, when"."""
    names = list(known)
    near = nearest(word, names)
    hint = f" (did you mean {near!r}?)" if near else ""
    return f"unknown {what} {word!r}{hint}; known: {', '.join(names) or 'none'}"
