"""Variables that only got another name: statements that read alike but for it tell what it was called before."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import TypeVar

from cmgan_audit.source.syntax import NamedFunction

# So much of the statements of two definitions, or of those that have two names, has to be alike for one to be the other
# under a new name: of whole files, git asks half.
LEAST_ALIKE = 0.6
# Names are compared among so many pairs at most.
MOST_PAIRS = 40_000

_SCOPES = NamedFunction | ast.ClassDef
# What is compared one by one; what lies inside of one is another.
UNITS = ast.stmt | ast.excepthandler | ast.match_case

# The kinds of nodes, the names and the constants of a statement in order. Only names are identifiers.
Words = tuple[str, ...]
Part = TypeVar("Part", bound=Hashable)


def renamed_variables(before: ast.AST, now: ast.AST) -> Mapping[str, str]:
    """New name -> old name of what a function, or the top level of a file, calls otherwise than it did.

    A name counts that is nowhere in the other text, so that no two things are taken for one. Layout does not matter.

    Args:
        before: the function or file as it was.
        now: the same as it is.
    """
    old, new = [*statements(before)], [*statements(now)]
    were, are = _names(old), _names(new)
    gone, come = [name for name in were if name not in are], [name for name in are if name not in were]
    if len(gone) * len(come) > MOST_PAIRS:
        return {}
    earlier, later = _uses(old, gone), _uses(new, come)
    alike = [
        (share, name, other)
        for name in gone
        for other in come
        if (share := alike_share(earlier[name], later[other])) >= LEAST_ALIKE
    ]
    found: dict[str, str] = {}
    for _, name, other in sorted(alike, key=lambda each: -each[0]):  # of equals the first of the text
        if other not in found and name not in found.values():
            found[other] = name
    return found


def alike_share(first: Counter[Part], second: Counter[Part]) -> float:
    """The share that two texts have in common."""
    common = sum(min(first[part], second[part]) for part in first.keys() & second.keys())
    return 2 * common / (first.total() + second.total())


def statements(scope: ast.AST) -> Iterator[Words]:
    """The statements of a function or class, or those of a file that are in none."""
    whole = not isinstance(scope, ast.Module)
    waiting = [*ast.iter_child_nodes(scope)]
    for node in waiting:
        if isinstance(node, UNITS) and (whole or not isinstance(node, _SCOPES)):
            yield tuple(words_of(node))
            waiting += [each for each in ast.iter_child_nodes(node) if isinstance(each, UNITS)]


def words_of(statement: ast.AST) -> Iterator[str]:
    """What a statement says without those inside of it. Nothing here calls itself: code may nest deeply."""
    waiting: list[object] = [statement]
    while waiting:
        part = waiting.pop()
        if isinstance(part, str):
            yield part
        elif isinstance(part, ast.Constant):
            value = part.value
            yield f"={value:#x}" if type(value) is int else f"={value!r}"  # of decimal digits there is a limit
        elif isinstance(part, ast.AST) and (part is statement or not isinstance(part, UNITS)):
            yield f":{type(part).__name__}"
            held = [value for _, value in ast.iter_fields(part)]
            waiting += reversed([each for value in held for each in (value if isinstance(value, list) else [value])])


def _names(statements: Sequence[Words]) -> Mapping[str, None]:
    """The names in statements, in order."""
    return dict.fromkeys(word for each in statements for word in each if word.isidentifier())


def _uses(statements: Sequence[Words], names: Sequence[str]) -> Mapping[str, Counter[Words]]:
    """Per name the statements that have it, with marks in place of it and of the other names."""
    uses: dict[str, Counter[Words]] = {name: Counter() for name in names}
    for each in statements:
        for name in uses.keys() & {*each}:
            uses[name][tuple("@" if word == name else "_?" if word in uses else word for word in each)] += 1
    return uses
