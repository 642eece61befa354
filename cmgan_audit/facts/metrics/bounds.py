"""Whether a call only cuts scores off at a bound, so that PESQ stays above 1: `np.clip(scores, 1, 4.5)`."""

from __future__ import annotations

import ast

from cmgan_audit.source.syntax import arguments_named

_BOTH = frozenset({"clip", "clamp", "clip_", "clamp_"})
_FROM_ABOVE = frozenset({"minimum", "fmin", "clamp_max", "clamp_max_"})
_FROM_BELOW = frozenset({"maximum", "fmax", "clamp_min", "clamp_min_"})
_HIGHEST = frozenset({"max", "a_max"})
_WRAPPED = frozenset({"tensor", "as_tensor", "float", "array", "float32", "float64"})


def stays_above_one(node: ast.Call, *, of_receiver: bool) -> bool:
    """Whether what a call gives is above 1 wherever the scores are that it is given.

    Args:
        node: the call.
        of_receiver: whether the scores are what its method is called on: `scores.clip(1, 4.5)`.
    """
    function = node.func
    member = function.attr if isinstance(function, ast.Attribute) else ""
    if isinstance(function, ast.Name):  # Python's own for one score; as methods they take the axis
        member = {"min": "minimum", "max": "maximum"}.get(function.id, function.id)
    bounds = node.args if of_receiver else node.args[1:]
    if member in _BOTH:
        named = arguments_named(node, *_HIGHEST)
        highest = named[0] if named else (bounds[1] if len(bounds) > 1 else None)
        return highest is None or _is_none(highest) or _is_above_one(_number(highest))
    numbers = [number for each in node.args if (number := _number(each)) is not None]
    if len(node.args) != (1 if of_receiver else 2) or len(numbers) != 1:
        return False
    return member in _FROM_BELOW or (member in _FROM_ABOVE and _is_above_one(numbers[0]))


def _is_above_one(number: float | None) -> bool:
    return number is not None and number > 1


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _number(node: ast.expr) -> float | None:
    """The number that is written there, also as a tensor: `4.5`, `-1`, `torch.tensor(4.5)`."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        number = _number(node.operand)
        return None if number is None else -number
    if isinstance(node, ast.Call) and len(node.args) == 1:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
        return _number(node.args[0]) if name in _WRAPPED else None
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return float(node.value)
    return None
