"""Joining what two paths through the program left behind: equal values stay, different ones become a choice."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cmgan_audit.program.values import (
    Absent,
    BoundMethod,
    Choice,
    ClassValue,
    Const,
    Draw,
    External,
    FunctionValue,
    HeapValue,
    ModuleValue,
    Option,
    Symbol,
    Unknown,
    Value,
    options_of,
)

MOST_OPTIONS = 12
LONGEST_CONDITION = 300


@dataclass(frozen=True, slots=True)
class Branch:
    """One side of an undecided branch: its source text, and its symbolic test with the outcome if it has one."""

    text: str
    facts: frozenset[tuple[str, bool]] = frozenset()


def same(left: Value, right: Value) -> bool:
    """Whether two values are certainly the same, whatever way they came."""
    if left is right:
        return True
    if type(left) is not type(right):
        return False
    match left, right:
        case Const(value=a), Const(value=b):
            return type(a) is type(b) and (a == b or (a != a and b != b))  # NaN is the same as NaN here
        case Symbol(formula=f), Symbol(formula=g):
            return f == g
        case External(name=n), External(name=m):
            return n == m
        case HeapValue(), HeapValue():
            return left == right
        case FunctionValue(), FunctionValue():
            return left.node is right.node and left.closure is right.closure and _same_or_none(left, right)
        case ClassValue(), ClassValue():
            return left.namespace is right.namespace
        case ModuleValue(module=a), ModuleValue(module=b):
            return a is b
        case BoundMethod(), BoundMethod():
            return left.name == right.name and same(left.receiver, right.receiver)
        case Unknown(reason=r), Unknown(reason=q):
            return r == q
        case Absent(), Absent():
            return True
        case Choice(options=a), Choice(options=b):
            return len(a) == len(b) and all(
                x.condition == y.condition and same(x.value, y.value) for x, y in zip(a, b, strict=True)
            )
    return False


def _same_or_none(left: FunctionValue, right: FunctionValue) -> bool:
    if left.bound_to is None or right.bound_to is None:
        return left.bound_to is right.bound_to
    return same(left.bound_to, right.bound_to)


def join(sides: Iterable[tuple[Value, Branch]], draws: frozenset[Draw] = frozenset()) -> Value:
    """One value for several paths. `draws` are those that the branch itself depended on.

    Options that are the same are kept once, without a condition if the paths between them cover it.
    """
    options: list[Option] = []
    for value, branch in sides:
        for option in options_of(value):
            condition = _bounded(" and ".join(part for part in (branch.text, option.condition) if part))
            _add(options, Option(option.value, condition, option.facts | branch.facts))
    if len(options) == 1:
        return options[0].value.tainted(draws)
    if len(options) > MOST_OPTIONS:
        taint = draws.union(*(option.value.draws for option in options))
        return Unknown(reason=f"more than {MOST_OPTIONS} possible values", draws=taint)
    return Choice(options=tuple(options), draws=draws.union(*(option.value.draws for option in options)))


def _add(options: list[Option], new: Option) -> None:
    for position, old in enumerate(options):
        if same(old.value, new.value):
            merged = old.value.tainted(new.value.draws)
            options[position] = Option(merged, _either(old.condition, new.condition), old.facts & new.facts)
            return
    options.append(new)


def _either(left: str, right: str) -> str:
    if left == right:
        return left
    if not left or not right or opposite(left) == right or opposite(right) == left:
        return ""
    known = left.split(" or ")
    if all(part in known for part in right.split(" or ")):
        return left
    return _bounded(f"{left} or {right}")


def _bounded(text: str) -> str:
    """A condition as long as a person reads; joins in loops would otherwise double it again and again."""
    return text if len(text) <= LONGEST_CONDITION else f"{text[: LONGEST_CONDITION - 2]} …"


def opposite(text: str) -> str:
    """The source text of the other side of a branch."""
    if text.startswith("not (") and text.endswith(")"):
        return text[5:-1]
    return f"not ({text})"
