"""What shell scripts work out about paths: where they lie themselves, the folder above, a name without its suffix."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence

from cmgan_audit.lazy_regex import regex

# `${path%/*}`, `${path##*/}`, `${name%.yaml}`: patterns without a wildcard in any other place.
_CUT = regex(r"(%%?|##?)(\*?)([^*?\[\]\\$`'\"]+)(\*?)")


def printed(commands: Sequence[Sequence[str]]) -> str | None:
    """What commands about paths print, as a path relative to the folder that they run in; None for any others.

    `pwd`, `dirname a/b.sh`, `basename a/b.sh .sh`, `realpath ..`, `readlink -f a`, and `cd a && pwd`.
    """
    plain = [[word for word in command if not word.startswith("-")] for command in commands]
    if len(plain) == 2 and plain[0][:1] == ["cd"] and len(plain[0]) == 2 and plain[1] == ["pwd"]:
        return posixpath.normpath(plain[0][1])
    if len(plain) != 1 or not plain[0]:
        return None
    name, *words = plain[0]
    if name == "pwd" and not words:
        return "."
    if name == "dirname" and len(words) == 1:
        return posixpath.dirname(words[0].rstrip("/")) or "."
    if name == "basename" and words and len(plain[0]) == len(commands[0]):
        base = posixpath.basename(words[0].rstrip("/"))
        return base.removesuffix(words[1]) if len(words) == 2 and base != words[1] else base
    if name in ("realpath", "readlink") and len(words) == 1 and (name == "realpath" or len(commands[0]) == 3):
        return posixpath.normpath(words[0])
    return None


def without(value: str, cut: str) -> str | None:
    """A value as `${value<cut>}` gives it: `%/*`, `##*/`, `%.yaml`; None when the pattern is another kind."""
    match = _CUT.fullmatch(cut)
    if match is None:
        return None
    operator, before, text, after = match.groups()
    if before and after:
        return None
    if operator.startswith("%") and not before:
        if not after:
            return value.removesuffix(text)
        head, found, _ = value.partition(text) if operator == "%%" else value.rpartition(text)
        return head if found else value
    if operator.startswith("#") and not after:
        if not before:
            return value.removeprefix(text)
        _, found, tail = value.rpartition(text) if operator == "##" else value.partition(text)
        return tail if found else value
    return None
