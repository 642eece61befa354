"""Layers of a program's own that keep running statistics: they write into a buffer only while `self.training` holds.

Complex batch normalisation is written like this, and so are code books that follow their vectors.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import lru_cache

from cmgan_audit.program.domain.values import ClassValue
from cmgan_audit.source.syntax import walk

_MODE = "training"
_REGISTERING = "register_buffer"


def keeps_statistics(cls: ClassValue) -> bool:
    """Whether a class writes into a buffer that it has registered, under a test of its mode."""
    parsed = cls.module.parsed
    return parsed is not None and _REGISTERING in parsed.text and _writes_in_training(cls.node)


@lru_cache(maxsize=2048)  # every part of every network that runs in a loop asks again
def _writes_in_training(node: ast.ClassDef) -> bool:
    buffers = set(_buffers(node))
    if not buffers:
        return False
    return any(
        isinstance(test, ast.If) and _asks_for_mode(test.test) and not buffers.isdisjoint(_written(test))
        for test in walk(node)
    )


def _buffers(node: ast.ClassDef) -> Iterator[str]:
    for call in walk(node):
        match call:
            case ast.Call(func=ast.Attribute(attr=attr), args=[ast.Constant(value=str(name)), *_]) if (
                attr == _REGISTERING
            ):
                yield name


def _asks_for_mode(test: ast.expr) -> bool:
    return any(_own(part) == _MODE for part in walk(test))


def _written(branch: ast.If) -> Iterator[str]:
    """The attributes that a branch assigns or changes in place: `self.mean = ...`, `self.mean.lerp_(...)`."""
    for statement in branch.body:
        for part in walk(statement):
            if isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Store):
                yield _own(part)
            elif isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute) and part.func.attr.endswith("_"):
                yield _own(part.func.value)


def _own(node: ast.AST) -> str:
    """The attribute's name in `self.name` and `self.name.data`; "" in anything else."""
    if isinstance(node, ast.Attribute) and node.attr == "data":
        node = node.value
    of_self = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"
    return node.attr if isinstance(node, ast.Attribute) and of_self else ""
