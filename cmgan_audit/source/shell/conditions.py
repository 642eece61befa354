"""Which way a shell script goes where what it asks for is known: `case $1 in`, `[ $# -gt 0 ]`, `[[ $a == train ]]`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from cmgan_audit.lazy_regex import regex
from cmgan_audit.source.shell.expansion import UnknownWord
from cmgan_audit.source.shell.syntax import Statement, Undecided
from cmgan_audit.source.shell.words import Token

# What a script or a function was started with, or how much of it there is.
_POSITIONAL = regex(r"\$\{?[1-9@*#]")
_NUMBER = regex(r"-?[0-9]{1,18}")
_GLOB = regex(r"[*?\[]")
_QUOTING = regex(r"[\\'\"$`]")
_BRACKETS = {"[": "]", "[[": "]]"}
_TEXTS: dict[str, Callable[[str, str], bool]] = {
    "=": lambda left, right: left == right,
    "==": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
}
_NUMBERS: dict[str, Callable[[int, int], bool]] = {
    "-eq": lambda left, right: left == right,
    "-ne": lambda left, right: left != right,
    "-lt": lambda left, right: left < right,
    "-le": lambda left, right: left <= right,
    "-gt": lambda left, right: left > right,
    "-ge": lambda left, right: left >= right,
}
Expand = Callable[[Token], list[str]]


def asks_of_arguments(statement: Undecided) -> bool:
    """Whether a statement tests what the script or the function was started with: `case $1 in`."""
    asked = [token for test in statement.tests for token in test]
    if statement.subject is not None:
        asked.append(statement.subject)
    return any(_POSITIONAL.search(token.text) for token in asked)


def taken(statement: Undecided, expand: Expand) -> list[Statement] | None:
    """What runs of several bodies; nothing where all tests fail, None where that is not known."""
    if not statement.tests:
        return None
    if statement.subject is not None:
        subject = expand(statement.subject)
        number = _matching(subject[0], statement.tests, expand) if len(subject) == 1 else None
        return None if number is None else [*statement.bodies, []][number]
    for test, body in zip(statement.tests, statement.bodies, strict=True):
        outcome = _verdict(test, expand) if test else True
        if outcome is not False:
            return body if outcome else None
    return []


def _verdict(condition: Sequence[Token], expand: Expand) -> bool | None:
    """How the condition of an `if` or a `while` comes out; None where that is not known.

    Args:
        condition: its tokens; tests may be joined by `&&` alone or `||` alone.
        expand: makes words of a token.
    """
    tokens = list(condition)
    while tokens and tokens[-1].operator and tokens[-1].text in {";", "\n"}:
        tokens.pop()
    parts: list[list[Token]] = [[]]
    joints: set[str] = set()
    for token in tokens:
        if token.operator:
            joints.add(token.text)
            before = parts[-1]
            if before and before[0].text == "[[" and before[-1].text != "]]":
                before.append(replace(token, text="]]", operator=False))  # `[[ a && b ]]` is `[[ a ]] && [[ b ]]`
                parts.append(before[:1])
            else:
                parts.append([])
        else:
            parts[-1].append(token)
    if len(joints) > 1 or not joints <= {"&&", "||"}:
        return None
    outcomes = [_test(part, expand) for part in parts]
    decisive = joints == {"||"}
    if decisive in outcomes:
        return decisive
    return None if None in outcomes else not decisive


def _test(tokens: Sequence[Token], expand: Expand) -> bool | None:
    """How one command of a condition comes out: a test in brackets, `test ...`, `true` and `false`."""
    if tokens and tokens[0].text == "!":
        outcome = _test(tokens[1:], expand)
        return None if outcome is None else not outcome
    spread = [expand(token) for token in tokens]
    # A word that becomes none or several changes what is tested in one pair of brackets, and not in the other.
    words = [part[0] for part in spread if len(part) == 1 and not isinstance(part[0], UnknownWord)]
    if not words or len(words) < len(spread):
        return None
    closing = _BRACKETS.get(words[0])
    if words[0] == "test":
        return _tested(words[1:])
    if closing is None:
        return words[0] == "true" if len(words) == 1 and words[0] in {"true", "false"} else None
    return _tested(words[1:-1]) if words[-1] == closing else None


def _tested(words: Sequence[str]) -> bool | None:
    match words:
        case ["!", *rest]:
            outcome = _tested(rest)
            return None if outcome is None else not outcome
        case ["-z", text]:
            return not text
        case ["-n", text]:
            return bool(text)
        case [left, comparison, right] if comparison in _TEXTS:
            return _TEXTS[comparison](left, right)
        case [left, comparison, right] if comparison in _NUMBERS and _NUMBER.fullmatch(left):
            return _NUMBERS[comparison](int(left), int(right)) if _NUMBER.fullmatch(right) else None
    return None


def _matching(subject: str, patterns: Sequence[Sequence[Token]], expand: Expand) -> int | None:
    """Which list of patterns of a `case` a text is the first to match: their number where none, None where that is not
    known."""
    if isinstance(subject, UnknownWord):
        return None
    for number, alternatives in enumerate(patterns):
        outcomes = [_matches(subject, token, expand) for token in alternatives if not token.operator]
        if True in outcomes:
            return number
        if None in outcomes:
            return None
    return len(patterns)


def _matches(subject: str, token: Token, expand: Expand) -> bool | None:
    if _GLOB.search(token.text):
        return None if _QUOTING.search(token.text) else fnmatchcase(subject, token.text)
    words = expand(token)
    return None if len(words) != 1 or isinstance(words[0], UnknownWord) else subject == words[0]
