"""A file that a merge left torn: what either side had written."""

from __future__ import annotations

_OURS, _BASE, _THEIRS, _END = "<<<<<<<", "|||||||", "=======", ">>>>>>>"
_MARKS = (_OURS, _BASE, _THEIRS, _END)


def is_torn(text: str) -> bool:
    """Whether git left marks of a conflict in a text."""
    return text.startswith(f"{_OURS} ") or f"\n{_OURS} " in text


def sides(text: str) -> tuple[str, str]:
    """The text as it would be if every conflict were decided for the one side, and for the other."""
    written: tuple[list[str], list[str]] = ([], [])
    takes: tuple[int, ...] = (0, 1)
    for line in text.splitlines(keepends=True):
        mark = line[: len(_OURS)]
        if mark in _MARKS and line[len(mark) : len(mark) + 1].strip() == "":
            takes = {_OURS: (0,), _BASE: (), _THEIRS: (1,), _END: (0, 1)}[mark]
        else:
            for side in takes:
                written[side].append(line)
    ours, theirs = written
    return "".join(ours), "".join(theirs)
