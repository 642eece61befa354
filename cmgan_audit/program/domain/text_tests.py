"""What the tests on the way tell about a setting that is not known: that it is one of several texts, or that it holds.

`if args.scheduler == "plateau": ... elif args.scheduler == "cosine": ...` leaves both open, and what is made on one
side is not there where another test asks for the other text.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from itertools import chain
from typing import TypeGuard

from cmgan_audit.program.domain.facts import Facts, is_fork
from cmgan_audit.program.domain.reasons import GIVEN_AT_START, cause_of
from cmgan_audit.program.domain.values import (
    CALLED_ON,
    BoundMethod,
    Choice,
    Computation,
    Const,
    DictValue,
    External,
    HeapValue,
    Instance,
    TextTest,
    Unknown,
    Value,
)

_ASKED = "?"
_IS = " is "
_HOLDS = "~"
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
_QUESTIONS = frozenset(COMPARISONS.values()) | {"hasattr"}
# Methods that give a text, and the same one each time that they are called on the same object with the same key.
READS_A_TEXT = frozenset({"get", "lower", "upper", "strip", "replace", "startswith", "endswith"})
# Methods that change nothing of what they are called on: of texts and of dictionaries.
_READING = READS_A_TEXT | frozenset("items keys values copy split rsplit lstrip rstrip casefold encode format".split())


def _asserted(value: Value) -> tuple[Value, bool]:
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


def _way_to(value: Value) -> tuple[Value, tuple[str, ...]] | None:
    """What is not known behind a value, and the names and keys by which it is read from there, the last one first.

    `cfg.train.get("mode").lower()` is another object each time that it is read, and the same text all the same.
    """
    parts: list[str] = []
    innermost: tuple[Value, tuple[str, ...]] | None = None
    while True:
        if isinstance(value, Unknown):
            innermost = value.first or value, tuple(parts)
        match value:
            case BoundMethod(receiver=owner, name=name):
                parts.append(f".{name}")
            case Unknown(computed=Computation(operation="[]", operands=(owner, Const(value=str() as key)))):
                parts.append(f"[{key!r}]")
            case Unknown(computed=Computation(operation="str", operands=(owner,))):
                parts.append("str()")
            case Unknown(computed=Computation(operation=operation, operands=(owner, Const(value=other)))) if (
                operation in _QUESTIONS
            ):
                parts.append(f"{operation} {other!r}")
            case Unknown(computed=Computation(operation=operation, operands=(Const(value=other), owner))) if (
                operation in _QUESTIONS
            ):
                parts.append(f"{other!r} {operation}")
            case Instance(cls=External()) if (called := _called_on(value)) is not None:
                owner, part = called
                parts.append(part)
            case External(name=name):
                return value, (*parts, *(f".{each}" for each in reversed(name.split(".")[1:])))
            case Instance(cls=External()) | DictValue() if parts:
                return value, tuple(parts)
            case _:
                return innermost
        value = owner


def _called_on(result: Instance) -> tuple[Value, str] | None:
    """What a method that reads a text was called on, and the call; None where the result is something else."""
    before, _, member = result.external_name.rpartition(".")
    given = [each.value for each in result.arguments.every if isinstance(each, Const)]
    if member not in READS_A_TEXT or len(given) != len(result.arguments.every):
        return None
    if member == "get" and not (given and isinstance(given[0], str)):
        return None  # `queue.get()` and `queue.get(True)` give another one each time
    owner = result.attrs.get(CALLED_ON)
    if owner is None and "." not in before:
        return None  # a function of a module
    return owner or External(name=before), f"{member}({', '.join(map(repr, given))})"


def formula_of(number: int | str, texts: Iterable[str]) -> str:
    """How a test whether a value is one of several texts stands among the facts: "?3 is ['cosine', 'plateau']"."""
    value = f"{_ASKED}{number}" if isinstance(number, int) else number
    return f"{value}{_IS}{sorted(set(texts))!r}"


@lru_cache(4096)
def _texts_of(formula: str) -> frozenset[str]:
    """The texts of which a formula says that a value is one."""
    return frozenset(ast.literal_eval(formula.partition(_IS)[2]))


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
    among: frozenset[str] | None = None
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
    value, _, texts = test.formula.partition(_IS)
    defaults = [f"|{each.trail[0].location.line}:{each.trail[0].location.column}" for each in known if each.trail]
    return TextTest(reason=test.reason, formula=f"{value}{''.join(defaults)}{_IS}{texts}", equal=test.equal)


def _is_open(answer: Value) -> TypeGuard[TextTest]:
    return isinstance(answer, TextTest)


def _put_together(answers: Choice) -> TextTest | None:
    """`name == "a" or name == "b"` is True where the first test holds, else the second one: for which texts the whole
    is true is tried out with each of them, and with one, here None, that no test names."""
    ways: list[tuple[bool, list[tuple[str, bool]]]] = []  # how it comes out, and what has to hold there
    for option in answers.options:
        answer, outcome = _asserted(option.value)
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
    every = frozenset[str]().union(*texts.values())
    met = {
        text
        for text in (*every, None)
        if any(
            holds and all((text in texts[formula]) is outcome for formula, outcome in facts) for holds, facts in ways
        )
    }
    wanted = every - met if None in met else every & met
    return TextTest(reason="a test at run time", formula=formula_of(asked.pop(), wanted), equal=None not in met)


class AskedFor:
    """What is not known and was asked for, each with a number: it tells one from another, and finds it again where it
    was handed on, or read once more from where it stands."""

    def __init__(self) -> None:
        # An identity means something only while its object lives, so that is kept.
        self._numbers: dict[tuple[object, ...], tuple[int, object]] = {}
        self._changes: Counter[tuple[object, tuple[str, ...]]] = Counter()

    def number_of(self, value: Value) -> int | None:
        """The number of a value; None where it is no text that may be asked for again."""
        way = _way_to(value)
        if way is None:
            return None
        root, parts = way
        identity = _identity(root)
        changes = tuple(self._changes[identity, parts[behind:]] for behind in range(len(parts) + 1))
        held = root.cell if isinstance(root, HeapValue) else root
        return self._numbers.setdefault((identity, parts, changes), (len(self._numbers), held))[0]

    def where(self, asked: Value, texts: Collection[object], *, holds: bool = True) -> Facts:
        """What is known where something that is not known is one of several texts, or with `holds` false none of them;
        nothing where others than texts are among them."""
        wanted = [text for text in texts if isinstance(text, str)]
        number = self.number_of(asked) if len(wanted) == len(texts) and not asked.draws else None
        return frozenset() if number is None else frozenset({(formula_of(number, wanted), holds)})

    def truth_of(self, value: Value) -> tuple[str, bool] | None:
        """How the question whether a setting is true stands among the facts, and how it comes out where a value is
        true that is made of it, `not cfg.resume`; None where it is no setting.

        A list that is not known may be empty now and hold something later: only what is read from somewhere, or was
        given when the program was started, is a setting.
        """
        value, outcome = _asserted(value)
        if isinstance(value, Choice):
            value = test_of(value) or value
        if isinstance(value, TextTest):
            return value.formula, value.equal is outcome
        if isinstance(value, Choice):
            return self._truth_of_operands(value)
        way = _way_to(value)
        if way is None or not (way[1] or (isinstance(way[0], Unknown) and cause_of(way[0].reason) in GIVEN_AT_START)):
            return None
        return f"{_HOLDS}{self.number_of(value)}", outcome

    def _truth_of_operands(self, answers: Choice) -> tuple[str, bool] | None:
        """What `truth_of` says of the value of `cfg.resume or cfg.plateau`: where the first one is true that is the
        answer, else the second one. None where it hangs on anything but settings."""
        ways: list[tuple[list[tuple[str, bool]], str, bool]] = []
        for option in answers.options:
            answer = ("", bool(option.value.value)) if isinstance(option.value, Const) else self.truth_of(option.value)
            if answer is None or not option.facts or any(is_fork(formula) for formula, _ in option.facts):
                return None
            ways.append((sorted(option.facts), *answer))
        outcome = min(ways)[2]  # a test and its negation are one question
        question = frozenset((*facts, formula, holds is outcome) for facts, formula, holds in ways)
        return f"{_HOLDS}{self._numbers.setdefault((question,), (len(self._numbers), None))[0]}", outcome

    def changed(self, target: Value) -> None:
        """Something is stored in what is not known, or it may change itself: what is read from it later may be another
        text. What it was read from itself is what it was."""
        if self._numbers:
            root, parts = _way_to(target) or (target, ())
            self._changes[_identity(root), parts] += 1

    def called(self, owner: Value, method: str) -> None:
        """A method is called on what is not known: `trainer.step()`, `cfg.merge_from_file(path)` may change it."""
        if method not in _READING:
            self.changed(owner)


def _identity(value: Value) -> object:
    if isinstance(value, External):
        return value.name.partition(".")[0]
    return id(value.cell if isinstance(value, HeapValue) else value)
