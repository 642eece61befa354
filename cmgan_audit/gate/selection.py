"""Which rules run: by id, by name, or by the beginning of an id (`CMG2` for all data rules)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cmgan_audit.errors import UsageError
from cmgan_audit.rules.catalogue import Catalogue
from cmgan_audit.rules.nearest import unknown_word
from cmgan_audit.rules.rule import Rule

DOOR = "check"


def selected_rules(
    catalogue: Catalogue, select: Sequence[str] = (), ignore: Sequence[str] = (), *, preview: bool = False
) -> tuple[Rule, ...]:
    """Return the rules of the static door that run.

    A longer word is more precise and wins: `select CMG2, ignore CMG201` runs all data rules but one, `ignore CMG2,
    select CMG201` runs CMG201. Rules in preview run with `preview`, or where they are selected by id or name.

    Raises:
        UsageError: a word names no rule, or none of the selected ones is left: looking at nothing finds nothing.
    """
    chosen = []
    for rule in [rule for rule in catalogue if rule.door == DOOR]:
        wanted = max((_precision(rule, word) for word in select), default=1)
        unwanted = max((_precision(rule, word) for word in ignore), default=0)
        named = any(word.casefold() in (rule.id.casefold(), rule.name) for word in select)
        if wanted > unwanted and (preview or named or not rule.preview):
            chosen.append(rule)
    check_words((*select, *ignore), catalogue)
    check_door(select, catalogue, DOOR)
    if select and not chosen:
        raise UsageError(f"no rule is left to run (select: {', '.join(select)}; ignore: {', '.join(ignore)})")
    return tuple(chosen)


def check_words(words: Iterable[str], catalogue: Catalogue) -> None:
    """Check that every word names a rule, or the beginning of some.

    Raises:
        UsageError: one names none; the nearest is said.
    """
    for word in words:
        if not any(_precision(rule, word) for rule in catalogue):
            known = [name for rule in catalogue for name in (rule.id, rule.name)]
            near = unknown_word("rule", word, known).split(";")[0]
            raise UsageError(f"{near}; `cmgan-audit rules` lists them all")


def check_door(words: Iterable[str], catalogue: Catalogue, door: str) -> None:
    """Check that every word names a rule of a command, or the beginning of some.

    Raises:
        UsageError: the rules that one names are those of another command.
    """
    for word in words:
        doors = [rule.door for rule in catalogue if _precision(rule, word)]
        if doors and door not in doors:
            raise UsageError(f"{word} is for `cmgan-audit {doors[0]}`; `{door}` has no such rule")


def of_door(words: Iterable[str], catalogue: Catalogue, door: str) -> tuple[str, ...]:
    """The words of a project's settings without those that speak of the rules of other commands."""
    return tuple(word for word in words if any(rule.door == door and _precision(rule, word) for rule in catalogue))


def matches_rule(rule: Rule, words: Iterable[str]) -> bool:
    """Whether one of the words names this rule."""
    return any(_precision(rule, word) for word in words)


def _precision(rule: Rule, word: str) -> int:
    """How precisely a word names a rule: 0 not at all, 1 with all others, more for longer beginnings of its id."""
    if word == "ALL":
        return 1
    if word.casefold() == rule.name:
        return 1 + len(rule.id)
    return 1 + len(word) if rule.id.startswith(word.upper()) and word else 0
