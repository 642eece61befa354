"""Under which condition a dataset object draws at random: flags that it has, and tests that stand around a draw."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from cmgan_audit.facts.loading.roles import leaning
from cmgan_audit.facts.records import DatasetObject
from cmgan_audit.fixes.python_text import PythonText
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.source.operands import sure_operands
from cmgan_audit.source.syntax import NamedFunction, single_parameters, walk

# Attributes that choose between training and evaluation, or whether to vary the data, without naming either.
_FLAGS = frozenset(
    "mode split phase subset partition part stage augment augmentation aug random randomize crop".split()
)

Flag = bool | str


@dataclass(frozen=True, slots=True)
class Separation:
    """An attribute whose value tells evaluation objects from all others."""

    name: str
    evaluation: frozenset[Flag]
    others: frozenset[Flag]

    def condition(self, source: PythonText) -> str:
        """The test, in a method of the object, that holds for all but the evaluation objects."""
        attribute = f"self.{self.name}"
        if self.evaluation <= {True, False}:
            return attribute if False in self.evaluation else f"not {attribute}"
        if len(self.others) == 1:
            return f"{attribute} == {source.literal(next(iter(self.others)))}"
        if len(self.evaluation) == 1:
            return f"{attribute} != {source.literal(next(iter(self.evaluation)))}"
        words = ", ".join(source.literal(word) for word in sorted(map(str, self.evaluation)))
        return f"{attribute} not in ({words})"


def separation(evaluation: Iterable[DatasetObject], others: Iterable[DatasetObject]) -> Separation | None:
    """The attribute that tells evaluation objects from others by its value; None where there is none."""
    ours, theirs = [dict(each.flags) for each in evaluation], [dict(each.flags) for each in others]
    for name in ours[0] if ours else ():
        if not (leaning(name) or name.strip("_") in _FLAGS):
            continue
        if not all(name in flags for flags in (*ours, *theirs)) or not theirs:
            continue
        here = frozenset(flags[name] for flags in ours)
        there = frozenset(flags[name] for flags in theirs)
        if not here & there and len({type(value) for value in here | there}) == 1:
            return Separation(name, here, there)
    return None


@dataclass(frozen=True, slots=True)
class Guard:
    """A test of a flag around a draw, and the value of the flag that keeps the draw away."""

    attribute: str
    excluding: Flag


def guards_around(source: PythonText, node: ast.AST, function: NamedFunction) -> Iterator[Guard]:
    """The tests of an object's own flags that decide, inside a method, whether a draw is reached, innermost first."""
    inner = node
    for outer in source.parents(node):
        if outer is function:
            return
        if isinstance(outer, ast.If | ast.IfExp) and inner is not outer.test:
            body = outer.body if isinstance(outer.body, list) else [outer.body]
            guard = _excluding(outer.test, holds=any(inner is each for each in body))
            if guard is not None:
                yield guard
        inner = outer


def _excluding(test: ast.expr, *, holds: bool) -> Guard | None:
    """The flag value that makes a test come out differently from what it has to be for the draw to be reached."""
    # `a and b` must be true for the draw: making one false is enough; likewise `a or b` that must be false.
    found = (_excluding_one(asked, holds=side) for asked, side in sure_operands(test, taken=holds))
    return next((guard for guard in found if guard is not None), None)


def _excluding_one(test: ast.expr, *, holds: bool) -> Guard | None:
    name = _own_attribute(test)
    if name:
        return Guard(name, not holds)
    if not isinstance(test, ast.Compare) or len(test.ops) != 1:
        return None
    name, right = _own_attribute(test.left), test.comparators[0]
    if not name or not isinstance(right, ast.Constant) or not isinstance(right.value, str | bool):
        return None
    equal = isinstance(test.ops[0], ast.Eq | ast.Is)
    if not equal and not isinstance(test.ops[0], ast.NotEq | ast.IsNot):
        return None
    if isinstance(right.value, bool):
        return Guard(name, right.value is not (equal == holds))
    if equal == holds:  # the draw needs this very word: any other keeps it away
        return Guard(name, "test" if leaning(right.value) >= 0 else "train")
    return Guard(name, right.value)


def _own_attribute(node: ast.expr) -> str:
    own = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"
    return node.attr if own and isinstance(node, ast.Attribute) else ""


def parameter_of(constructor: NamedFunction, attribute: str) -> str:
    """The parameter of a constructor that becomes an attribute as it is; "" where none does."""
    arguments = constructor.args
    names = {each.arg for each in single_parameters(arguments)}
    for target, value in _stores(constructor):
        if isinstance(value, ast.Name) and value.id in names and _own_attribute(target) == attribute:
            return value.id
    return ""


def _stores(function: NamedFunction) -> Iterator[tuple[ast.expr, ast.expr]]:
    """The targets and values of the assignments in a function; those of `a, b = c, d` one by one."""
    for node in walk(function):
        if isinstance(node, ast.AnnAssign) and node.value is not None:
            yield node.target, node.value
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                    yield from zip(target.elts, node.value.elts, strict=False)
                else:
                    yield target, node.value
