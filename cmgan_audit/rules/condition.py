"""The expression language of a rule's `when`: what may be written, checked against the record when a rule loads.

A condition is a small Python expression:

- names of fields of the record, and chains through linked records (`dataset.random_crop`);
- parameters of the rule (`min_batch_size`), literals, and tuples or lists of literals;
- comparisons, also chained, `in`, `not in`, `is None`, `is not None`; `and`, `or`, `not`;
- `any(... for x in relation if ...)`, `all(...)`, `len(relation)`.

How it is judged over three values is in `rules/judging.py`.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from functools import cache
from itertools import pairwise
from types import MappingProxyType

from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.rules.nearest import unknown_word
from cmgan_audit.rules.record import Record
from cmgan_audit.rules.slots import Slot, slots_of

FACT = Slot()

FUNCTIONS = ("all", "any", "len")

COMPARISONS = (ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn, ast.Is, ast.IsNot)


class ConditionError(Exception):
    """A condition, a place or a template does not fit the record that its rule is over; the message says why."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A checked expression, ready to be judged."""

    text: str
    tree: ast.expr
    variables: Mapping[str, tuple[type[Record], ...]]  # of any(...): they may be named by `at` and by messages


@dataclass(frozen=True, slots=True)
class Names:
    """What a condition may name: the fields of the record classes, the parameters, the variables of any() and all()."""

    kinds: tuple[type[Record], ...]
    parameters: tuple[str, ...] = ()
    variables: Mapping[str, tuple[type[Record], ...]] | None = None

    def fields(self) -> Mapping[str, Slot]:
        """The fields that every class of record here has."""
        return common_fields(self.kinds)


@cache  # a catalogue asks for a few dozen of them five hundred times
def common_fields(kinds: tuple[type[Record], ...]) -> Mapping[str, Slot]:
    """Return the fields that all these classes of record have."""
    first, *rest = [slots_of(kind) for kind in kinds]
    fields = {name: slot for name, slot in first.items() if all(name in other for other in rest)}
    return MappingProxyType(fields)


def parse_condition(text: str, names: Names) -> Condition:
    """Parse a condition and check every name in it.

    Raises:
        ConditionError: it is not an expression of this language, or names something that the record does not have.
    """
    tree = parse_expression(text)
    checker = _Checker(names)
    checker.check(tree)
    return Condition(text, tree, checker.variables)


def parse_expression(text: str) -> ast.expr:
    """Parse text as one Python expression.

    Raises:
        ConditionError: it is none.
    """
    try:
        return ast.parse(" ".join(text.split()), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else str(error)
        raise ConditionError(f"not an expression: {reason}") from error


def chain_of(node: ast.expr) -> tuple[str, ...] | None:
    """Return ("dataset", "random_crop") for `dataset.random_crop`; None when the expression is no chain of names."""
    if isinstance(node, ast.Name):
        return (node.id,)
    if isinstance(node, ast.Attribute):
        head = chain_of(node.value)
        return None if head is None else (*head, node.attr)
    return None


def resolve(chain: tuple[str, ...], names: Names, *, through_relations: bool = False) -> Slot:
    """Return what a chain of names ends in.

    Args:
        chain: names from the record, or from a variable, to the field.
        names: what may be named.
        through_relations: whether a link of the chain may be a relation (messages join the members).

    Raises:
        ConditionError: a name is unknown at its place, or the chain goes on behind a plain fact.
    """
    variables = names.variables or {}
    first = chain[0]
    if first in variables:
        slot = Slot(variables[first])
    elif first in names.parameters:
        slot = FACT
    else:
        slot = _field(first, names.kinds, (*variables, *names.parameters))
    for before, name in pairwise(chain):
        if not slot.records:
            raise ConditionError(f"{'.'.join(chain)}: {before!r} is {slot.what} and has no field {name!r}")
        if slot.many and not through_relations:
            raise ConditionError(f"{'.'.join(chain)}: {before!r} is a relation; use any(... for x in {before})")
        many, slot = slot.many, _field(name, slot.records)
        slot = Slot(slot.records, slot.many or many)
    return slot


def _field(name: str, kinds: tuple[type[Record], ...], others: tuple[str, ...] = ()) -> Slot:
    fields = common_fields(kinds)
    if name not in fields:
        where = " or ".join(kind.__name__ for kind in kinds)
        raise ConditionError(f"{where}: {unknown_word('field', name, (*fields, *others))}")
    return fields[name]


class _Checker:
    """Walks an expression once; remembers the variables that any() and all() bind."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self.variables: dict[str, tuple[type[Record], ...]] = dict(names.variables or {})

    def check(self, node: ast.expr) -> Slot:
        if isinstance(node, ast.BoolOp):
            for value in node.values:
                self.check(value)
            return FACT
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            self.check(node.operand)
            return FACT
        if isinstance(node, ast.Compare):
            return self._comparison(node)
        if isinstance(node, ast.Call):
            return self._call(node)
        if is_literal(node):
            return FACT
        chain = chain_of(node)
        if chain is None:
            raise ConditionError(
                f"{ast.unparse(node)}: not allowed here; a condition is made of fields, parameters, literals, "
                "comparisons, and / or / not, in, any(), all() and len()"
            )
        return resolve(chain, Names(self._names.kinds, self._names.parameters, self.variables))

    def _comparison(self, node: ast.Compare) -> Slot:
        sides = [node.left, *node.comparators]
        slots = [self.check(side) for side in sides]
        for (left, operator, right), (left_slot, right_slot) in zip(
            zip(sides, node.ops, sides[1:], strict=False), pairwise(slots), strict=True
        ):
            text = ast.unparse(ast.Compare(left, [operator], [right]))
            against_none = any(isinstance(side, ast.Constant) and side.value is None for side in (left, right))
            if isinstance(operator, ast.Is | ast.IsNot) and not against_none:
                raise ConditionError(f"{text}: `is` is for None; compare values with ==")
            for side, slot in ((left, left_slot), (right, right_slot)):
                if slot.many and slot.records:
                    raise ConditionError(f"{text}: {ast.unparse(side)} is a relation; use any(), all() or len()")
                if slot.is_link and not against_none:
                    raise ConditionError(f"{text}: {ast.unparse(side)} is a linked record; compare one of its fields")
        return FACT

    def _call(self, node: ast.Call) -> Slot:
        if not isinstance(node.func, ast.Name):
            raise ConditionError(f"{ast.unparse(node)}: only any(), all() and len() can be called")
        name = node.func.id
        if node.keywords:
            raise ConditionError(f"{ast.unparse(node)}: no keyword arguments here")
        if name in ("any", "all"):
            self._quantifier(name, node)
        elif name == "len":
            self._len(node)
        else:
            raise ConditionError(unknown_word("function", name, FUNCTIONS))
        return FACT

    def _quantifier(self, name: str, node: ast.Call) -> None:
        generator = node.args[0] if len(node.args) == 1 else None
        if not isinstance(generator, ast.GeneratorExp) or len(generator.generators) != 1:
            raise ConditionError(f"{ast.unparse(node)}: write {name}(CONDITION for x in RELATION)")
        loop = generator.generators[0]
        if not isinstance(loop.target, ast.Name):
            raise ConditionError(f"{ast.unparse(node)}: one variable, as in {name}(CONDITION for x in RELATION)")
        variable = loop.target.id
        taken = (*self._names.fields(), *self._names.parameters)
        if variable in taken or variable in self.variables:
            raise ConditionError(f"{ast.unparse(node)}: {variable!r} already names something else; take another name")
        relation = self.check(loop.iter)
        if relation.is_link or chain_of(loop.iter) is None:
            raise ConditionError(f"{ast.unparse(loop.iter)}: not a relation; any() and all() walk over relations")
        self.variables[variable] = relation.records
        for condition in (*loop.ifs, generator.elt):
            self.check(condition)

    def _len(self, node: ast.Call) -> None:
        if len(node.args) != 1 or chain_of(node.args[0]) is None:
            raise ConditionError(f"{ast.unparse(node)}: write len(RELATION)")
        if self.check(node.args[0]).is_link:
            raise ConditionError(f"{ast.unparse(node)}: len() is for relations")


def is_literal(node: ast.expr) -> bool:
    """Whether an expression is a constant, or a tuple, list or set of constants."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return isinstance(node.operand, ast.Constant)
    if isinstance(node, ast.Tuple | ast.List | ast.Set):
        return all(is_literal(element) for element in node.elts)
    return isinstance(node, ast.Constant)
