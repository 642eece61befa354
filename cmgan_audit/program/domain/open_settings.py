"""Settings that are not known, told from one another: each by the way in which it is read from what is not known.

`cfg.train.get("mode")` is another object at each read and the same text all the same, until something is stored there
or a call may have changed it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from cmgan_audit.program.domain.facts import Facts, is_fork
from cmgan_audit.program.domain.reasons import GIVEN_AT_START, cause_of
from cmgan_audit.program.domain.text_tests import COMPARISONS, asserted, formula_of, test_of
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
    ListValue,
    TextTest,
    Unknown,
    Value,
)

_HOLDS = "~"
_QUESTIONS = frozenset(COMPARISONS.values()) | {"hasattr", "isinstance"}
# Methods that give a text, and the same one each time that they are called on the same object with the same key.
READS_A_TEXT = frozenset({"get", "lower", "upper", "strip", "replace", "startswith", "endswith"})
# Methods that change nothing of what they are called on: of texts and of dictionaries.
_READING = READS_A_TEXT | frozenset("items keys values copy split rsplit lstrip rstrip casefold encode format".split())


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
            case Unknown(computed=Computation(operation="str" | "len" as function, operands=(owner,))):
                parts.append(f"{function}()")
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
    given = [_written(each) for each in result.arguments.every]
    if member not in READS_A_TEXT or None in given:
        return None
    if member == "get" and not (given and given[0] and given[0][0] in "'\""):
        return None  # `queue.get()` and `queue.get(True)` give another one each time
    owner = result.attrs.get(CALLED_ON)
    if owner is None and "." not in before:
        return None  # a function of a module
    return owner or External(name=before), f"{member}({', '.join(map(str, given))})"


def _written(given: Value) -> str | None:
    """A constant, or an empty list or dictionary, as it is written; None for anything else."""
    if isinstance(given, ListValue | DictValue):
        return None if given.items or not given.complete else "[]"
    return repr(given.value) if isinstance(given, Const) else None


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

    def number_of_question(self, *question: object) -> int:
        """The number of the answer to a question, the same one each time that it is asked."""
        return self._numbers.setdefault((question,), (len(self._numbers), None))[0]

    def formula_of(self, value: Value, texts: Collection[str]) -> str | None:
        """How the question whether a value is one of several texts stands among the facts; None where it is no text
        that may be asked for again."""
        number = None if value.draws else self.number_of(value)
        if number is None:
            return None
        return formula_of(number, texts, value.choices if isinstance(value, Unknown) else ())

    def where(self, asked: Value, texts: Collection[object], *, holds: bool = True) -> Facts:
        """What is known where something that is not known is one of several texts, or with `holds` false none of them;
        nothing where others than texts are among them."""
        wanted = [text for text in texts if isinstance(text, str)]
        formula = self.formula_of(asked, wanted) if len(wanted) == len(texts) else None
        return frozenset() if formula is None else frozenset({(formula, holds)})

    def truth_of(self, value: Value) -> tuple[str, bool] | None:
        """How the question whether a setting is true stands among the facts, and how it comes out where a value is
        true that is made of it, `not cfg.resume`; None where it is no setting.

        A list that is not known may be empty now and hold something later: only what is read from somewhere, or was
        given when the program was started, is a setting.
        """
        value, outcome = asserted(value)
        if isinstance(value, Choice):
            value = test_of(value) or value
        if isinstance(value, TextTest):
            return value.formula, value.equal is outcome
        if isinstance(value, Choice):
            return self._truth_of_operands(value)
        if not self.is_setting(value):
            return None
        return f"{_HOLDS}{self.number_of(value)}", outcome

    def is_setting(self, value: Value) -> bool:
        """Whether something that is not known is read from somewhere, or was given when the program was started."""
        way = _way_to(value)
        if way is None:
            return False
        return bool(way[1]) or (isinstance(way[0], Unknown) and cause_of(way[0].reason) in GIVEN_AT_START)

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
        return f"{_HOLDS}{self.number_of_question(question)}", outcome

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
