"""Averages of weights that take the weights over as they are at their first update, whatever they were made with."""

from __future__ import annotations

import ast
import operator
from collections.abc import Iterable, Iterator, Mapping, Sequence

from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.source.syntax import called_name, defaults_of, methods_of, walk

_Start = int | float | None
_COPIES = frozenset({"copy_", "load_state_dict", "clone", "deepcopy", "copy_params", "copy"})
# What weighs what is held with what comes, beside a product.
_WEIGHS = frozenset({"mul_", "lerp_", "lerp", "mul", "_foreach_lerp_", "_foreach_mul_"})
_ORDERS = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


def copies_first(cls: ast.ClassDef) -> bool:
    """Whether an update copies, or weighs what is held with nothing, while a flag or counter is at its start.

    `if not self.started: copy`, `decay = 0.0 if self.count == 0 else self.decay`, and a weight that grows with a count
    of the object, `min(self.decay, (1 + n) / (10 + n))`, which lets go of the beginning within a few updates. Only
    methods that weigh are looked at, and those that they call: another one may put weights aside and bring them back.

    Args:
        cls: the class that updates an average.
    """
    methods = methods_of(cls)
    made = methods.pop("__init__", None)
    starts = dict(_started(made)) if made is not None else {}
    changed = {name for method in methods.values() for name in _set(method)}
    counters = {name: start for name, start in starts.items() if name in changed}
    weighing = [each for each in methods.values() if any(map(_weighs, walk(each)))]
    updating = [
        each for each in methods.values() if each in weighing or not _called_by(each).isdisjoint(_names(weighing))
    ]
    helping = {name for each in updating for name in _called_by(each)}
    looked = [each for each in methods.values() if each in updating or each.name in helping]
    grown = _Grown(frozenset(counters))
    return any(
        _begins_anew(node, counters) or grown.weighs_by(method, node) for method in looked for node in walk(method)
    )


def _names(methods: Iterable[ast.FunctionDef]) -> set[str]:
    return {each.name for each in methods}


def _called_by(method: ast.FunctionDef) -> set[str]:
    """The methods of its own object that a method calls."""
    return {
        node.func.attr
        for node in walk(method)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and ast.unparse(node.func.value) == "self"
    }


def _weighs(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        return called_name(node) in _WEIGHS
    return isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Mult)


def _started(made: ast.FunctionDef) -> Iterator[tuple[str, _Start]]:
    """The attributes that a constructor gives a flag, a number or None, and what they are then."""
    defaults = {each.arg: value for each, value in defaults_of(made.args)}
    for node in walk(made):
        match node:
            case ast.Assign(targets=[ast.Attribute(value=ast.Name(id="self"), attr=name)], value=given):
                start = defaults.get(given.id) if isinstance(given, ast.Name) else given
            case ast.Call(func=ast.Attribute(attr="register_buffer"), args=[ast.Constant(value=str() as name), held]):
                tensors = (each for each in walk(held) if isinstance(each, ast.Call) and called_name(each) == "tensor")
                start = next((each.args[0] for each in tensors if each.args), None)
            case _:
                continue
        if isinstance(start, ast.Constant) and isinstance(start.value, int | float | None):
            yield name, start.value


def _set(method: ast.FunctionDef) -> Iterator[str]:
    for node in walk(method):
        match node:
            case ast.Assign(targets=[ast.Attribute(value=ast.Name(id="self"), attr=name)]):
                yield name
            case ast.AugAssign(target=ast.Attribute(value=ast.Name(id="self"), attr=name)):
                yield name


def _begins_anew(node: ast.AST, counters: Mapping[str, _Start]) -> bool:
    match node:
        case ast.If(test=test, body=body, orelse=orelse):
            return any(_copies(part) for each in _first_side(test, body, orelse, counters) for part in walk(each))
        case ast.IfExp(test=test, body=one, orelse=other):
            return any(
                isinstance(each, ast.Constant) and each.value in (0, None)
                for each in _first_side(test, [one], [other], counters)
            )
    return False


@dataclass(frozen=True, slots=True)
class _Grown:
    """Weights that grow with a count of the object.

    Attributes:
        counters: the attributes that count.
    """

    counters: frozenset[str]

    def weighs_by(self, method: ast.FunctionDef, node: ast.AST) -> bool:
        """Whether the count goes into a number as a weight does: it divides, is a power, or a function is asked."""
        names = {
            each.id
            for part in walk(method)
            if isinstance(part, ast.Assign) and self._reads(part.value, set())
            for each in part.targets
            if isinstance(each, ast.Name)
        }
        match node:
            case ast.BinOp(op=ast.Div() | ast.Pow(), right=count):
                return self._reads(count, names)
            case ast.Call(func=ast.Attribute(attr="exp") | ast.Name(id="exp"), args=[count]):
                return self._reads(count, names)
            case ast.Call(func=ast.Attribute(value=ast.Name(id="self")), args=[count]):
                return self._reads(count, names)  # `self.decay_at(self.updates)`, a method or a lambda
        return False

    def _reads(self, node: ast.AST, names: set[str]) -> bool:
        return any(
            (isinstance(each, ast.Attribute) and each.attr in self.counters)
            or (isinstance(each, ast.Name) and each.id in names)
            for each in walk(node)
        )


def _copies(node: ast.AST) -> bool:
    """Whether something is copied as it is, and not what came of weighing it: `held.copy_(held * decay + new)`."""
    if not isinstance(node, ast.Call) or called_name(node) not in _COPIES:
        return False
    return not any(_weighs(part) for given in node.args for part in walk(given))


def _first_side(
    test: ast.expr, body: Sequence[ast.AST], orelse: Sequence[ast.AST], counters: Mapping[str, _Start]
) -> Sequence[ast.AST]:
    """The side of a branch that is taken while its counter is at its start, or one behind; none where both may be."""
    held = _at_start(test, counters)
    return body if held is True else orelse if held is False else ()


def _at_start(test: ast.expr, counters: Mapping[str, _Start]) -> bool | None:
    """What a test of a flag or counter comes to at its start; None where it asks for something else."""
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            held = _at_start(operand, counters)
            return None if held is None else not held
        case ast.Attribute(value=ast.Name(id="self"), attr=name) if name in counters:
            return bool(counters[name])
        case ast.Compare(left=ast.Attribute(value=ast.Name(id="self"), attr=name), ops=[op], comparators=[other]):
            return _compared(counters[name], op, other) if name in counters else None
    return None


def _compared(start: _Start, op: ast.cmpop, other: ast.expr) -> bool | None:
    if isinstance(op, ast.Is | ast.IsNot) and isinstance(other, ast.Constant):
        return (start is other.value) == isinstance(op, ast.Is)
    if start is None:
        return None
    order = _ORDERS.get(type(op))
    if isinstance(other, ast.Constant) and isinstance(other.value, int | float):
        if isinstance(op, ast.Eq | ast.NotEq):  # it may have been counted up just before
            return (other.value in (start, start + 1)) == isinstance(op, ast.Eq)
        return None if order is None else bool(order(start, other.value))
    # A count begins below how many updates come first, whatever a setting says that is: `self.count < self.warmup`.
    return None if order is None else isinstance(op, ast.Lt | ast.LtE)
