"""What the tests on the way tell about a setting that is not known: that it is one of several texts, or that it holds.

`if args.scheduler == "plateau": ... elif args.scheduler == "cosine": ...` leaves both open, and what is made on one
side is not there where another test asks for the other text.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import TypeGuard

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
_COMPARES = frozenset(COMPARISONS.values())
# Methods that give a text, and the same one each time that they are called on the same object with the same key.
READS_A_TEXT = frozenset({"get", "lower", "upper", "strip"})
# Methods that change nothing of what they are called on: of texts and of dictionaries.
_READING = READS_A_TEXT | frozenset(
    "items keys values copy split rsplit startswith endswith replace lstrip rstrip casefold encode format".split()
)


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
                operation in _COMPARES
            ):
                parts.append(f"{operation} {other!r}")
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


def formula_of(number: int, text: str) -> str:
    """How a test of a value for a text stands among the facts: "?3 is 'cosine'"."""
    return f"{_ASKED}{number}{_IS}{text!r}"


def exclude(some: Iterable[tuple[str, bool]], others: Collection[tuple[str, bool]]) -> bool:
    """Whether tests cannot come out as they did on one path where others came out as they did."""
    return any((formula, not outcome) in others or (outcome and denied(formula, others)) for formula, outcome in some)


def denied(formula: str, facts: Iterable[tuple[str, bool]]) -> bool:
    """Whether a value cannot be a text where other tests came out as they did: it is another text, or known not to be.

    Args:
        formula: as `formula_of` gives it; of other formulas nothing is told.
        facts: tests with their outcomes.
    """
    if not formula.startswith(_ASKED):
        return False
    value = formula[: formula.index(_IS) + len(_IS)]
    return any(other.startswith(value) and holds != (other == formula) for other, holds in facts)


def test_of(answers: Choice) -> TextTest | None:
    """The test for a text whose answers a choice holds, where some are known: of a setting that is open, or else has
    its default. None where they are answers of several tests, or of another kind.
    """
    tests = {(each.value.formula, each.value.equal): each.value for each in answers.options if _is_open(each.value)}
    known = [each.value for each in answers.options if isinstance(each.value, Const)]
    if len(tests) != 1 or len(known) + 1 != len(answers.options):
        return None
    (test,) = tests.values()
    value, _, text = test.formula.partition(_IS)
    defaults = [f"|{each.trail[0].location.line}:{each.trail[0].location.column}" for each in known if each.trail]
    return TextTest(reason=test.reason, formula=f"{value}{''.join(defaults)}{_IS}{text}", equal=test.equal)


def _is_open(answer: Value) -> TypeGuard[TextTest]:
    return isinstance(answer, TextTest)


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

    def truth_of(self, value: Value) -> tuple[str, bool] | None:
        """How the question whether a setting is true stands among the facts, and how it comes out where a value is
        true that is made of it, `not cfg.resume`; None where it is no setting.

        A list that is not known may be empty now and hold something later: only what is read from somewhere, or was
        given when the program was started, is a setting.
        """
        outcome = True
        while isinstance(value, Unknown) and value.computed is not None and value.computed.operation == "not":
            (value,), outcome = value.computed.operands, not outcome
        way = _way_to(value)
        if way is None or not (way[1] or (isinstance(way[0], Unknown) and cause_of(way[0].reason) in GIVEN_AT_START)):
            return None
        return f"{_HOLDS}{self.number_of(value)}", outcome

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
