"""How many processes a run has, and what a number that depends on it, such as `16 // world_size`, can come to."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable

from cmgan_audit.facts.scene import Scene
from cmgan_audit.program.domain.values import Value

Number = int | float

# Machines that people train on.
PROCESSES = (1, 2, 4, 8)

_OPERATORS: dict[type[ast.operator], Callable[[Number, Number], Number]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
}
_FUNCTIONS: dict[str, Callable[..., Number]] = {"int": int, "max": max, "min": min, "round": round, "float": float}


def values_of(formula: str) -> tuple[Number, ...]:
    """What a formula comes to with 1, 2, 4 and 8 processes, each value once; empty when it cannot be computed.

    Every name in the formula stands for the number of processes.
    """
    try:
        tree = ast.parse(formula, mode="eval").body
        values = [_value(tree, count) for count in PROCESSES]
    except (SyntaxError, ValueError, TypeError, ArithmeticError, RecursionError, MemoryError):
        return ()
    return tuple(dict.fromkeys(values))


def sizes_of_groups(scene: Scene) -> list[Value | None]:
    """How many processes each group that a run opens is told that it has; None for one that is told nothing."""
    groups = scene.named(lambda name: name.endswith("init_process_group"))
    return [event.arguments.get("world_size", 3) for event in groups]


def _value(node: ast.expr, count: int) -> Number:
    match node:
        case ast.Constant(value=int() | float() as number):
            return number
        case ast.Name():
            return count
        case ast.BinOp(op=op) if type(op) in _OPERATORS:
            return _OPERATORS[type(op)](_value(node.left, count), _value(node.right, count))
        case ast.Call(func=ast.Name(id=name), keywords=[]) if name in _FUNCTIONS:
            return _FUNCTIONS[name](*(_value(argument, count) for argument in node.args))
    raise ValueError(f"{ast.unparse(node)} is not arithmetic with the number of processes")
