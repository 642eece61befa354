"""Joining what two paths through the program left behind: equal values stay, different ones become a choice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.domain.facts import Facts, both
from cmgan_audit.program.domain.text_tests import exclude
from cmgan_audit.program.domain.values import (
    Absent,
    BoundMethod,
    Choice,
    ClassValue,
    Computation,
    Const,
    Draw,
    External,
    FunctionValue,
    HeapValue,
    ModuleValue,
    Option,
    Symbol,
    TextTest,
    Unknown,
    Value,
    changed,
)

MOST_OPTIONS = 12
LONGEST_CONDITION = 300


@dataclass(frozen=True, slots=True)
class Branch:
    """One side of an undecided branch: its source text, and its symbolic test with the outcome if it has one."""

    text: str
    facts: Facts = frozenset()


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
        case TextTest(), TextTest():
            return left.formula == right.formula and left.equal == right.equal
        case Unknown(reason=r), Unknown(reason=q):
            return r == q and left.outcome is right.outcome
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
    sides = list(sides)
    first = sides[0][0]
    if type(first) is not Choice:
        if len(sides) == 2:  # the two sides of an `if`, mostly with equal values
            second = sides[1][0]
            if second is first:
                return first.tainted(draws)
            if same(first, second):
                return _merged(first, second).tainted(second.draws).tainted(draws)
        elif all(value is first for value, _ in sides):
            return first.tainted(draws)
    joined = _Joined()
    for value, branch in sides:
        if isinstance(value, Choice):
            for option in value.options:
                condition = _both(branch.text, option.condition)
                joined.add(option.value, condition, both(option.facts, branch.facts) if branch.facts else option.facts)
        else:
            joined.add(value, _bounded(branch.text), branch.facts)
    values = joined.values
    if len(values) == 1:
        return values[0].tainted(draws)
    taint = draws.union(*(value.draws for value in values))
    if len(values) > MOST_OPTIONS:
        too_many = Unknown(reason=f"more than {MOST_OPTIONS} possible values", draws=taint)
        return too_many.made_from("or", tuple(values))
    return Choice(options=tuple(map(Option, values, joined.conditions, joined.facts)), draws=taint)


def branch_of(option: Option) -> Branch:
    """The side of the branch that chose an option."""
    return Branch(option.condition, option.facts)


def join_options(options: Iterable[Option]) -> Value:
    """One value for some of the options of a choice."""
    return join([(option.value, branch_of(option)) for option in options])


def join_each(choice: Choice, compute: Callable[[Value], Value]) -> Value:
    """What comes of each value that a choice may be, under the condition that chooses it."""
    return join([(compute(option.value), branch_of(option)) for option in choice.options])


def filled(choice: Choice, otherwise: Value) -> Value:
    """A choice with something else on the paths on which nothing was set."""
    return join_each(choice, lambda value: otherwise if isinstance(value, Absent) else value)


def join_outcomes(sides: Sequence[tuple[Value, Branch]]) -> Value:
    """What a test comes out as on each of several ways, joined.

    An outcome keeps what all its ways have in common, and of the tests behind the other outcomes those that each of its
    ways rules out: where `isinstance(scheduler, ReduceLROnPlateau)` is false for every scheduler but the one that is
    made for "plateau", the setting is not "plateau" there.
    """
    joined = join(sides)
    if not isinstance(joined, Choice):
        return joined
    options: list[Option] = []
    for option in joined.options:
        held = [branch.facts for value, branch in sides if same(value, option.value)]
        others = frozenset[tuple[str, bool]]().union(*(branch.facts for _, branch in sides))
        ruled_out = {(test, not came) for test, came in others if all(exclude([(test, came)], each) for each in held)}
        options.append(Option(option.value, option.condition, both(option.facts, frozenset(ruled_out))))
    return changed(joined, "options", tuple(options))


class _Joined:
    """The options so far. Wide choices are joined again and again in loops, so what is the same is found at once."""

    __slots__ = ("_at", "_kept", "_known", "conditions", "facts", "values")

    def __init__(self) -> None:
        self.values: list[Value] = []
        self.conditions: list[str] = []
        self.facts: list[Facts] = []
        self._at: dict[int, int] = {}
        self._known: dict[object, int] = {}
        self._kept: list[Value] = []  # an identity means something only while its object lives

    def add(self, value: Value, condition: str, facts: Facts) -> None:
        position = self._at.get(id(value))
        if position is None:
            position = self._position(value)
            self._kept.append(value)
            self._at[id(value)] = len(self.values) if position is None else position
            if position is None:
                self.values.append(value)
                self.conditions.append(condition)
                self.facts.append(facts)
                return
            self._keep(position, _merged(self.values[position], value).tainted(value.draws))
        elif value.draws:
            self._keep(position, self.values[position].tainted(value.draws))
        if self.conditions[position] != condition:
            self.conditions[position] = _either(self.conditions[position], condition)
        self.facts[position] &= facts

    def _keep(self, position: int, kept: Value) -> None:
        if kept is not self.values[position]:
            self.values[position] = kept
            self._kept.append(kept)
            self._at[id(kept)] = position

    def _position(self, value: Value) -> int | None:
        key = _key(value)
        if key is None:
            kind = type(value)
            return next((at for at, old in enumerate(self.values) if type(old) is kind and same(old, value)), None)
        position = self._known.setdefault(key, len(self.values))
        return None if position == len(self.values) else position


def _key(value: Value) -> object | None:
    """What two values have in common exactly when they are `same`; None for those that have to be held side by side.

    What is not known has one key whatever a test has told of it: merged, it is not known to be true or false.
    """
    kind = type(value)
    match value:
        case Const(value=constant):
            return (kind, type(constant), constant if constant == constant else "nan")
        case TextTest(formula=text, equal=equal):
            return (kind, text, equal)
        case Symbol(formula=text) | External(name=text) | Unknown(reason=text):
            return (kind, text)
        case HeapValue(cell=cell):
            return (kind, id(cell))
        case ClassValue(namespace=namespace):
            return (kind, id(namespace))
        case ModuleValue(module=module):
            return (kind, id(module))
        case Absent():
            return kind
    return None


# The same conditions meet again and again, in every cell that a branch touched and in every pass of a loop.
_REMEMBERED = 8192


@lru_cache(_REMEMBERED)
def _both(first: str, second: str) -> str:
    """Both conditions, where there are two."""
    return _bounded(f"{first} and {second}" if first and second else first or second)


def _merged(old: Value, new: Value) -> Value:
    """One of two values that count as the same: of two that are not known, both origins are kept."""
    if isinstance(old, Unknown) and isinstance(new, Unknown) and old.outcome is not new.outcome:
        old = changed(old, "outcome", None)
    if isinstance(old, Unknown) and isinstance(new, Unknown) and new.computed is not None:
        if old.computed is None:
            return new if type(old) is Unknown else old
        if old.computed is not new.computed and type(old) is Unknown:
            either = Computation("or", (old, new))
            return Unknown(reason=old.reason, trail=old.trail, draws=old.draws, computed=either)
    return old


@lru_cache(_REMEMBERED)
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
