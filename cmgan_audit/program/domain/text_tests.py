"""What the tests on the way tell about a setting that is not known: which of several texts it is.

`if args.scheduler == "plateau": ... elif args.scheduler == "cosine": ...` leaves both open, and what is made on one
side is not there where another test asks for the other text.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from itertools import chain
from typing import TypeGuard

from cmgan_audit.program.domain.values import (
    Choice,
    Computation,
    Const,
    TextTest,
    Unknown,
    Value,
)

_ASKED = "?"
_IS = " is "
_OR_ELSE = "|"  # between a setting and where its default is written
COMPARISONS: Mapping[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Is: "is",
    ast.IsNot: "is not",
    ast.In: "in",
    ast.NotIn: "not in",
}
# Each is true where the other one is not.
OPPOSITES: Mapping[type[ast.cmpop], type[ast.cmpop]] = {
    ast.NotEq: ast.Eq,
    ast.IsNot: ast.Is,
    ast.NotIn: ast.In,
    ast.LtE: ast.Gt,
    ast.GtE: ast.Lt,
}


def asserted(value: Value) -> tuple[Value, bool]:
    """What `not value`, `bool(value)` ask for, and whether it has to be true where they are true."""
    outcome = True
    while True:
        match value:
            case Unknown(computed=Computation(operation="not", operands=(value,))):
                outcome = not outcome
            case Unknown(computed=Computation(operation="bool", operands=(value,))):
                pass
            case _:
                return value, outcome


def formula_of(number: int | str, texts: Iterable[str], choices: Iterable[str] = ()) -> str:
    """How a test whether a value is one of several texts stands among the facts: "?3 is ['cosine', 'plateau']".

    Args:
        number: of the value, or the value as it stands in another formula.
        texts: those that are asked for.
        choices: all that the value can be, where that is known.
    """
    value = f"{_ASKED}{number}" if isinstance(number, int) else number
    asked, among = sorted(set(texts)), sorted(set(choices))
    return f"{value}{_IS}{(asked, among) if among else asked!r}"


@lru_cache(4096)
def _texts_of(formula: str) -> frozenset[str]:
    """The texts of which a formula says that a value is one."""
    stated = ast.literal_eval(formula.partition(_IS)[2])
    return frozenset(stated[0] if isinstance(stated, tuple) else stated)


@lru_cache(4096)
def _choices_of(formula: str) -> frozenset[str]:
    """All texts that the value of a formula can be; none where that is not known."""
    stated = ast.literal_eval(formula.partition(_IS)[2])
    return frozenset(stated[1] if isinstance(stated, tuple) else ())


def _value_of(formula: str) -> str:
    """The value of which a formula says that it is one of several texts; empty for another formula."""
    return formula.partition(_IS)[0] if formula.startswith(_ASKED) else ""


def exclude(some: Collection[tuple[str, bool]], others: Collection[tuple[str, bool]]) -> bool:
    """Whether tests cannot come out as they did on one path where others came out as they did."""
    for formula, outcome in some:
        if (formula, not outcome) in others:
            return True
        if formula.startswith(_ASKED) and not _leave_a_text(formula, chain(some, others)):
            return True
    return False


def is_left_over(some: Collection[tuple[str, bool]], others: Collection[tuple[str, bool]]) -> bool:
    """Whether tests and others come out together only where a setting is a text that none of them asks for.

    `8 if mode == "train" else 1` is 1 behind `if mode == "test": return` for whoever gives a third mode. A default that
    may stand for the setting may be that mode.
    """
    every = (*some, *others)
    for formula, holds in some:
        value = "" if holds or _OR_ELSE in formula else _value_of(formula)
        if value and not _choices_of(formula) and not any(each for text, each in every if _value_of(text) == value):
            denied = [_texts_of(text) for text, _ in others if _value_of(text) == value]
            if any(not texts <= _texts_of(formula) for texts in denied):
                return True
    return False


def told(formula: str, facts: Collection[tuple[str, bool]]) -> bool | None:
    """How a test comes out where others came out as they did: of a text also those for other texts tell.

    Args:
        formula: as it stands among the facts.
        facts: tests with their outcomes.

    Returns:
        None where the other tests tell nothing of it.
    """
    for outcome in (True, False):
        if (formula, outcome) in facts:
            return outcome
        if formula.startswith(_ASKED) and not _leave_a_text(formula, chain(facts, [(formula, not outcome)])):
            return outcome
    return None


def _leave_a_text(asked: str, facts: Iterable[tuple[str, bool]]) -> bool:
    """Whether there is a text that the value of a formula may be where tests came out as they did."""
    value = f"{_value_of(asked)}{_IS}"
    among: frozenset[str] | None = _choices_of(asked) or None
    denied: frozenset[str] = frozenset()
    for formula, holds in facts:
        if not formula.startswith(value):
            continue
        if not holds:
            denied |= _texts_of(formula)
        else:
            among = _texts_of(formula) if among is None else among & _texts_of(formula)
    return among is None or not among <= denied


def test_of(answers: Choice) -> TextTest | None:
    """The one test for texts whose answers a choice holds: of a setting that is open, or else has its default, or of
    several tests of one setting that `and`, `or` put together. None where they are answers of another kind.
    """
    return _put_together(answers) or _or_of_default(answers)


def _or_of_default(answers: Choice) -> TextTest | None:
    tests = {(each.value.formula, each.value.equal): each.value for each in answers.options if _is_open(each.value)}
    known = [each.value for each in answers.options if isinstance(each.value, Const)]
    if len(tests) != 1 or len(known) + 1 != len(answers.options):
        return None
    (test,) = tests.values()
    written = [each.trail[0].location if each.trail else None for each in known]
    defaults = [_OR_ELSE + (f"{place.line}:{place.column}" if place else "") for place in written]
    value = f"{_value_of(test.formula)}{''.join(defaults)}"
    # A default may be none of the texts that the setting takes.
    return TextTest(reason=test.reason, formula=formula_of(value, _texts_of(test.formula)), equal=test.equal)


def _is_open(answer: Value) -> TypeGuard[TextTest]:
    return isinstance(answer, TextTest)


def _put_together(answers: Choice) -> TextTest | None:
    """`name == "a" or name == "b"` is True where the first test holds, else the second one: for which texts the whole
    is true is tried out with each of them, and with one, here None, that no test names."""
    ways: list[tuple[bool, list[tuple[str, bool]]]] = []  # how it comes out, and what has to hold there
    for option in answers.options:
        answer, outcome = asserted(option.value)
        if not option.facts or not isinstance(answer, Const | TextTest):
            return None
        if isinstance(answer, Const):
            ways.append((bool(answer.value), list(option.facts)))
        else:
            ways += [
                (holds, [*option.facts, (answer.formula, answer.equal is (outcome is holds))])
                for holds in (True, False)
            ]
    asked = {_value_of(formula) for _, facts in ways for formula, _ in facts}
    if len(asked) != 1 or "" in asked:
        return None
    texts = {formula: _texts_of(formula) for _, facts in ways for formula, _ in facts}
    choices = frozenset[str]().union(*map(_choices_of, texts))
    every = choices.union(*texts.values())
    met = {
        text
        for text in (every if choices else (*every, None))
        if any(
            holds and all((text in texts[formula]) is outcome for formula, outcome in facts) for holds, facts in ways
        )
    }
    wanted = every - met if None in met else every & met
    return TextTest(
        reason="a test at run time", formula=formula_of(asked.pop(), wanted, choices), equal=None not in met
    )
