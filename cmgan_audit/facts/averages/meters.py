"""Classes of the tree that average what their objects are given: meters, reporters, trackers."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from cmgan_audit.facts.averages.counting import CONVERSIONS
from cmgan_audit.facts.averages.means import means_of
from cmgan_audit.facts.averages.taking_in import Intake, intake_of, root
from cmgan_audit.facts.values import instances_of
from cmgan_audit.program.domain.values import ClassValue
from cmgan_audit.program.execution.trace import CallEvent
from cmgan_audit.source.syntax import methods_of, walk

_WEIGHTS = frozenset({"n", "num", "count", "weight", "k", "batch_size", "bs", "size"})


def method_of_tree(event: CallEvent) -> tuple[ast.ClassDef, ast.FunctionDef] | None:
    """The class and its method that a call on an object of the tree leads to."""
    name = event.callee.rpartition(".")[2]
    for owner in instances_of(event.receiver):
        method = methods_of(owner.cls.node).get(name) if isinstance(owner.cls, ClassValue) else None
        if method is not None and isinstance(owner.cls, ClassValue):
            return owner.cls.node, method
    return None


def weighs_equally(cls: ast.ClassDef, method: ast.FunctionDef) -> bool:
    """Whether a method that is given one value adds it to a mean in which every call weighs the same.

    Either it would take a weight, `update(self, value, n=1)`, or it takes none and its class divides by the calls.
    """
    parameters = method.args.args[1:]
    if any(parameter.arg in _WEIGHTS for parameter in parameters[1:]):
        return True
    if len(parameters) != 1 or method.args.kwonlyargs:
        return False
    return _averages_calls(cls, method, parameters[0].arg)


def weighs_equally_by_name(cls: ast.ClassDef, method: ast.FunctionDef) -> bool:
    """Whether a method that is given a name and one value adds it to the mean of that name, every call alike.

    As above: `update(self, name, value, n=1)`, or no weight and a class that divides by the calls.
    """
    parameters = method.args.args[1:]
    if len(parameters) == 3 and parameters[2].arg in _WEIGHTS:
        return bool(method.args.defaults) and _multiplies(method, parameters[1].arg, parameters[2].arg)
    if len(parameters) != 2 or method.args.kwonlyargs:
        return False
    return _averages_calls(cls, method, parameters[1].arg)


def _averages_calls(cls: ast.ClassDef, method: ast.FunctionDef, value: str) -> bool:
    taken = [each for each in _intakes(method) if root(each.value) == value]
    nodes = list(walk(cls))
    return any(True for each in taken for _ in means_of(each, nodes, _Calls(each, method, nodes)))


def _multiplies(method: ast.FunctionDef, value: str, weight: str) -> bool:
    """Whether a value is multiplied by its weight before it is added."""
    for node in walk(method):
        match node:
            case ast.BinOp(left=left, op=ast.Mult(), right=right):
                if {root(left), root(right)} == {value, weight}:
                    return True
    return False


def _intakes(method: ast.FunctionDef) -> Iterator[Intake]:
    for node in walk(method):
        found = intake_of(node)
        if found is not None:
            yield found


class _Calls:
    """What counts the calls of a method: a counter that it increases, the length of the list that it fills."""

    def __init__(self, taken: Intake, method: ast.FunctionDef, nodes: list[ast.AST]) -> None:
        self._taken = taken
        self._names: set[str] = set()
        for node in walk(method):
            match node:
                case (
                    ast.AugAssign(target=target, op=ast.Add(), value=ast.Constant(value=1))
                    | ast.Assign(
                        targets=[target],
                        value=ast.BinOp(
                            left=ast.Call(func=ast.Attribute(attr="get")), op=ast.Add(), right=ast.Constant(value=1)
                        ),
                    )
                ):  # `calls[name] = calls.get(name, 0) + 1` adds one too
                    self._names.add(root(target))
        for node in nodes:
            match node:
                case ast.Assign(targets=[name], value=value) if self._is_length(value):
                    self._names.add(ast.unparse(name))

    def counts(self, node: ast.expr) -> bool:
        """Whether an expression is the number of calls."""
        match node:
            case ast.Call(func=ast.Name(id=name), args=arguments) if name in CONVERSIONS:
                return any(self.counts(argument) for argument in arguments)
        return root(node) in self._names or self._is_length(node)

    def _is_length(self, node: ast.expr) -> bool:
        match node:
            case ast.Call(func=ast.Name(id="len"), args=[argument]):
                return self._taken.kind == "list" and root(argument) == self._taken.target
        return False
