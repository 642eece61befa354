"""The nearest known word, for errors about an unknown one."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the known word that is most like `word`, or "" when none is alike."""
    from difflib import get_close_matches  # only errors need it

    by_case = {name.casefold(): name for name in known}
    found = get_close_matches(word.casefold(), by_case, n=1, cutoff=0.6)
    return by_case[found[0]] if found else ""


def unknown_word(what: str, word: str, known: Iterable[str]) -> str:
    """A sentence such as "unknown key 'wen' (did you mean 'when'?); known: at, over, when"."""
    names = list(known)
    near = nearest(word, names)
    hint = f" (did you mean {near!r}?)" if near else ""
    return f"unknown {what} {word!r}{hint}; known: {', '.join(names) or 'none'}"
