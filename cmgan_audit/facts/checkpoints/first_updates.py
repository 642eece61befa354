"""Averages of weights that take the weights over as they are at their first update, whatever they were made with."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from cmgan_audit.source.syntax import called_name, walk

_COPIES = frozenset({"copy_", "load_state_dict", "clone", "deepcopy", "copy_params", "copy"})


def copies_first(cls: ast.ClassDef) -> bool:
    """Whether a class copies, or weighs what it holds with nothing, while a flag or counter of its own is at its start.

    `if not self.started: copy`, `decay = 0.0 if self.count == 0 else self.decay`, and `min(self.decay, (1 + n) / (10 +
    n))` with a count of its own, which lets go of the beginning within a few updates.

    Args:
        cls: the class that updates an average.
    """
    methods = [each for each in cls.body if isinstance(each, ast.FunctionDef)]
    begun = {name for method in methods if method.name == "__init__" for name in _started(method)}
    others = [method for method in methods if method.name != "__init__"]
    counters = begun & {name for method in others for name in _set(method)}
    return any(_begins_anew(node, counters) for method in others for node in walk(method))


def _started(made: ast.FunctionDef) -> Iterator[str]:
    """The attributes that a constructor gives a constant, or registers as a buffer."""
    for node in walk(made):
        match node:
            case ast.Assign(targets=[ast.Attribute(value=ast.Name(id="self"), attr=name)], value=ast.Constant()):
                yield name


def _set(method: ast.FunctionDef) -> Iterator[str]:
    for node in walk(method):
        match node:
            case ast.Assign(targets=[ast.Attribute(value=ast.Name(id="self"), attr=name)]):
                yield name
            case ast.AugAssign(target=ast.Attribute(value=ast.Name(id="self"), attr=name)):
                yield name


def _begins_anew(node: ast.AST, counters: set[str]) -> bool:
    match node:
        case ast.If(test=test, body=body, orelse=orelse) if _reads(test, counters):
            return any(
                isinstance(part, ast.Call) and called_name(part) in _COPIES
                for each in (*body, *orelse)
                for part in walk(each)
            )
        case ast.IfExp(test=test, body=one, orelse=other) if _reads(test, counters):
            return any(isinstance(each, ast.Constant) and each.value in (0, None) for each in (one, other))
        case ast.Call(func=ast.Name(id="min"), args=given):
            return any(_reads(each, counters) for each in given)
    return False


def _reads(node: ast.AST, names: set[str]) -> bool:
    return any(isinstance(each, ast.Attribute) and each.attr in names for each in walk(node))
