"""Regular expressions that are compiled when they are first used.

`re.compile` costs a tenth of a millisecond on average, and a module pays for all of its expressions while it is
imported. An audit loads some 160 and asks fewer than half of them: compiling the others took 0.01 s of the 0.35 s of a
small repository.
"""

from __future__ import annotations

import re
from typing import AnyStr, cast

# What the package asks of an expression. They become attributes of the object that stands for it, so that every use
# after the first costs what it costs with `re.compile`.
_ASKED = ("match", "fullmatch", "search", "finditer", "findall", "split", "sub", "subn", "pattern", "flags")


def regex(text: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """An expression as `re.compile` makes it, but made by whoever uses it first.

    Raises:
        re.error: from its first use, where the text is no regular expression.
    """
    return cast("re.Pattern[AnyStr]", _Later(text, flags))


class _Later:
    """Stands for an expression; `__getattr__` is called only until it is compiled."""

    def __init__(self, text: str | bytes, flags: int) -> None:
        self._text = text
        self._flags = flags

    def __getattr__(self, name: str) -> object:
        if name not in _ASKED:
            raise AttributeError(f"a regular expression of this package has no {name!r}; lazy_regex says what it has")
        compiled = re.compile(self._text, self._flags)
        vars(self).update({asked: getattr(compiled, asked) for asked in _ASKED})
        return getattr(compiled, name)

    def __repr__(self) -> str:
        return f"regex({self._text!r}, {self._flags!r})"
