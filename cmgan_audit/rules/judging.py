"""Conditions over three values: true, false and unknown, each with the evidence that decided it.

An unknown is never silently false: `unknown and false` is false, `unknown and true` is unknown (Kleene). What decided
a result is kept: the facts that a true `and` needed, the first true operand of an `or`, the member that makes `any()`
true. A fact with several possible values is chosen by the world (`rules/worlds.py`).
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from functools import cache
from itertools import chain
from typing import Any

from cmgan_audit.finding import Confidence, Location, Trail
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.rules.condition import Condition, chain_of
from cmgan_audit.rules.record import Known, OneOf, Record, Unknown
from cmgan_audit.rules.worlds import World, explore


@dataclass(frozen=True, slots=True)
class Evidence:
    """A fact that took part in a result: how it was named, where it was found, and the record that holds it."""

    name: str
    trail: Trail
    holder: Record
    condition: str = ""
    confidence: Confidence = Confidence.HIGH

    @property
    def location(self) -> Location:
        """The place where the value is set; the record's own place where the fact has none."""
        return self.trail[0].location if self.trail else self.holder.location


@dataclass(frozen=True, slots=True)
class Result:
    """The value of an expression in one world; `unknown` holds the reasons why there is none."""

    value: Any = None
    unknown: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    witnesses: Mapping[str, Any] = field(default_factory=dict)

    @property
    def truth(self) -> bool | None:
        """True, false, or None for unknown."""
        return None if self.unknown else bool(self.value)


@dataclass(frozen=True, slots=True)
class Scope:
    """What the names of an expression stand for: a record, the parameters, and the variables of any() and all()."""

    record: Record
    parameters: Mapping[str, Any] = field(default_factory=dict)
    variables: Mapping[str, Any] = field(default_factory=dict)

    def bind(self, variables: Mapping[str, Any]) -> Scope:
        """The same scope with more variables."""
        return Scope(self.record, self.parameters, {**self.variables, **variables})


COMPARE: Mapping[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: lambda left, right: left in right,
    ast.NotIn: lambda left, right: left not in right,
}


def judge(condition: Condition, scope: Scope, world: World) -> Result:
    """Judge a condition in one world."""
    return _evaluate(condition.tree, scope, world)


def settled(condition: Condition, scope: Scope, given: World | None = None) -> bool | None:
    """Judge a condition in all worlds (that go on from a given one): true or false where they agree, else None."""
    outcomes = explore(lambda world: judge(condition, scope, world).truth, given)
    truths = {outcome.result for outcome in outcomes or ()}
    return truths.pop() if len(truths) == 1 else None


def look_up(path: tuple[str, ...], scope: Scope, world: World) -> Result:
    """Follow a chain of names to a value, a record or a relation, with the facts met on the way as evidence."""
    first, *rest = path
    if first in scope.variables:
        found = Result(scope.variables[first])
    elif first in scope.parameters:
        found = Result(scope.parameters[first])
    elif hasattr(scope.record, first):
        found = _field(scope.record, first, first, world)
    else:  # a variable of any(), named by a message, where another operand of an `or` was true
        found = Result(unknown=(f"there is no {first} here",))
    if first in scope.variables and not isinstance(found.value, Record):
        found = _open(found.value, first, scope.record, world)
    for position, name in enumerate(rest, start=2):
        if found.unknown:
            return found
        if found.value is None:
            missing = ".".join(path[: position - 1])
            return Result(unknown=(f"there is no {missing} here",), evidence=found.evidence)
        inner = _field(found.value, name, ".".join(path[:position]), world)
        found = Result(inner.value, inner.unknown, found.evidence + inner.evidence)
    return found


def _field(record: Record, name: str, path: str, world: World) -> Result:
    return _open(getattr(record, name), path, record, world)


def _open(value: object, path: str, holder: Record, world: World) -> Result:
    """Turn a field's content into a value: facts are opened, records, relations and plain values are as they are."""
    if isinstance(value, OneOf):
        if not value.options:
            return Result(unknown=(f"{path}: no possible value was found",))
        value = world.pick(value)
    elif isinstance(value, Known) and value.condition:
        value = world.hold(value)
    if isinstance(value, Unknown):
        formula = f" ({value.formula})" if value.formula else ""
        evidence = (Evidence(path, value.trail, holder),)
        return Result(unknown=(f"{path}{formula}: {value.reason}",), evidence=evidence)
    if isinstance(value, Known):
        return Result(value.value, evidence=(Evidence(path, value.trail, holder, value.condition, value.confidence),))
    if isinstance(value, Record):
        return Result(value)
    return Result(value, evidence=() if isinstance(value, tuple) else (Evidence(path, (), holder),))


def _evaluate(node: ast.expr, scope: Scope, world: World) -> Result:
    if isinstance(node, ast.BoolOp):
        decided = isinstance(node.op, ast.Or)
        return _connect((_evaluate(value, scope, world) for value in node.values), decided)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        inner = _evaluate(node.operand, scope, world)
        return Result(not inner.truth, inner.unknown, inner.evidence)
    if isinstance(node, ast.Compare):
        sides = [_evaluate(side, scope, world) for side in (node.left, *node.comparators)]
        pairs = zip(node.ops, sides, sides[1:], strict=False)
        return _connect((_compare(type(op), left, right) for op, left, right in pairs), decided=False)
    if isinstance(node, ast.Call):
        return _call(node, scope, world)
    names, literal = _parts(node)
    return literal if names is None else look_up(names, scope, world)


@cache  # the expressions of the catalogue
def _parts(node: ast.expr) -> tuple[tuple[str, ...] | None, Result]:
    """The chain of names that an expression is; else its literal value."""
    names = chain_of(node)
    return names, Result(ast.literal_eval(node)) if names is None else Result()


def _connect(results: Iterable[Result], decided: bool) -> Result:
    """`and` (decided by false) or `or` (decided by true): the first result that decides; else unknown if any is."""
    unknown: list[str] = []  # grown in place: a relation may have thousands of members
    evidence: list[Evidence] = []
    witnesses: dict[str, Any] = {}
    for result in results:
        if result.truth is decided:
            return Result(decided, (), result.evidence, result.witnesses)
        unknown += result.unknown
        evidence += result.evidence
        witnesses.update(result.witnesses)
    return Result(None if unknown else not decided, tuple(unknown), tuple(evidence), witnesses)


def _compare(comparison: type[ast.cmpop], left: Result, right: Result) -> Result:
    unknown = left.unknown + right.unknown
    evidence = left.evidence + right.evidence
    if unknown:
        return Result(None, unknown, evidence)
    try:
        return Result(bool(COMPARE[comparison](left.value, right.value)), (), evidence)
    except TypeError:
        names = ", ".join(item.name for item in evidence)
        reason = f"{names}: {left.value!r} cannot be compared with {right.value!r}"
        return Result(None, (reason,), evidence)


def _call(node: ast.Call, scope: Scope, world: World) -> Result:
    assert isinstance(node.func, ast.Name)
    name = node.func.id
    if name in ("any", "all"):
        return _quantify(node, scope, world)
    assert name == "len", "the checker lets nothing else through"
    inner = _evaluate(node.args[0], scope, world)
    if inner.unknown:
        return inner
    if not isinstance(inner.value, tuple | list):
        return Result(None, (f"{ast.unparse(node.args[0])} is {inner.value!r} and has no length",), inner.evidence)
    return Result(len(inner.value), (), inner.evidence)


def _quantify(node: ast.Call, scope: Scope, world: World) -> Result:
    """any() and all() over the members of a relation; a guard that is false leaves a member out."""
    generator = node.args[0]
    assert isinstance(node.func, ast.Name) and isinstance(generator, ast.GeneratorExp)
    loop = generator.generators[0]
    assert isinstance(loop.target, ast.Name)
    relation = _evaluate(loop.iter, scope, world)
    if relation.unknown:
        return relation
    if not isinstance(relation.value, tuple | list):
        return Result(None, (f"{ast.unparse(loop.iter)} is {relation.value!r}, not a relation",), relation.evidence)
    decided = node.func.id == "any"
    variable = loop.target.id

    def member_results() -> Iterable[Result]:
        for member in relation.value:
            inner = scope.bind({variable: member})
            # any(p if g) asks for g and p; all(p if g) asks for not g, or p.
            guards = (_evaluate(guard, inner, world) for guard in loop.ifs)
            parts = guards if decided else map(_negate, guards)
            verdict = (_evaluate(part, inner, world) for part in (generator.elt,))
            result = _connect(chain(parts, verdict), decided=not decided)
            yield Result(result.value, result.unknown, result.evidence, {variable: member, **result.witnesses})

    result = _connect(member_results(), decided)
    witnesses = result.witnesses if result.truth is decided else {}
    return Result(result.value, result.unknown, relation.evidence + result.evidence, witnesses)


def _negate(result: Result) -> Result:
    return Result(not result.truth, result.unknown, result.evidence)
