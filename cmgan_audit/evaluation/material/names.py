"""Names of recordings: how two of them are told to be the same, and which parts of one may stand for an utterance."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import Path

# From this share of the utterances on, a way of reading names is one that may have been meant.
MEANT = 0.5
UTTERANCE = "<utterance>"
NAMES_SHOWN = 5


def shortened(names: Iterable[str], shown: int = NAMES_SHOWN) -> str:
    """The first few names, and how many more there are."""
    listed = list(names)
    rest = f" and {len(listed) - shown} more" if len(listed) > shown else ""
    return ", ".join(listed[:shown]) + rest


def folded(name: str) -> str:
    """A name as all file systems would write it: accents may be letters of their own, capitals small ones."""
    return unicodedata.normalize("NFC", name).casefold()


def by_folded_name(recordings: Mapping[str, Path]) -> dict[str, tuple[str, Path]]:
    """Name and recording by folded name; names that only their capitals tell apart are left out."""
    found: dict[str, list[tuple[str, Path]]] = {}
    for name, path in recordings.items():
        found.setdefault(folded(name), []).append((name, path))
    return {name: entries[0] for name, entries in found.items() if len(entries) == 1}


def word_spans(name: str) -> list[tuple[int, int]]:
    """Where parts of a name begin and end that are set off from the rest: `a_1` in `x-a_1.wav`, not in `xa_1`."""
    ends = word_ends(name)
    return [(start, end) for start in word_starts(name) for end in ends if start < end]


def word_starts(name: str) -> list[int]:
    """Where a part of a name may begin."""
    return [at for at in range(len(name)) if at == 0 or not name[at - 1].isalnum()]


def word_ends(name: str) -> list[int]:
    """Where a part of a name may end."""
    return [at for at in range(1, len(name) + 1) if at == len(name) or not name[at].isalnum()]
