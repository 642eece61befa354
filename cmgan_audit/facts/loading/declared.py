"""Roles that a project declares in its settings, where neither loops nor names tell them."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Iterator

from cmgan_audit.errors import UsageError
from cmgan_audit.facts.records import EVAL, TRAIN
from cmgan_audit.lazy_dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DeclaredRoles:
    """Patterns of loaders that serve training or evaluation, whatever their loops and names say.

    A pattern is a name that the loader or its dataset is assigned to (`held_out`), the function that makes it
    (`make_held_out`), or both (`make_loaders.held_out`); with a file in front (`data/*.py:held_out`) it holds only
    there. `*` and `?` stand for what they stand for in a shell.
    """

    train: tuple[str, ...] = ()
    evaluation: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[str]:
        """Every pattern once."""
        return iter(dict.fromkeys((*self.train, *self.evaluation)))

    def role_of(self, path: str, function: str, names: Iterable[str]) -> tuple[str, str]:
        """The declared role of a loader and the pattern that declares it; empty texts where none does.

        Args:
            path: the file that makes the loader.
            function: the qualified name of the function that makes it.
            names: what the loader and its dataset are assigned to.

        Raises:
            UsageError: it is declared to serve both.
        """
        names = list(names)
        spellings = [function, *names, *(f"{function}.{name}" for name in names)]
        found = {
            role: pattern
            for role, patterns in ((TRAIN, self.train), (EVAL, self.evaluation))
            for pattern in patterns
            if any(_matches(pattern, path, spelling) for spelling in spellings)
        }
        if len(found) > 1:
            raise UsageError(
                f"the loader made in {function} ({path}) is declared by train_loaders ({found[TRAIN]!r}) and by "
                f"eval_loaders ({found[EVAL]!r})"
            )
        return next(iter(found.items()), ("", ""))


NO_ROLES = DeclaredRoles()


def _matches(pattern: str, path: str, spelling: str) -> bool:
    place, colon, name = pattern.rpartition(":")
    return fnmatch.fnmatchcase(spelling, name) and (not colon or fnmatch.fnmatchcase(path, place))
