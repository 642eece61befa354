"""Layers of a program's own that keep running statistics: they write into a buffer only while `self.training` holds.

Complex batch normalisation is written like this, and so are code books that follow their vectors.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from functools import lru_cache

from cmgan_audit.program.domain.values import ClassValue
from cmgan_audit.program.language.classes import order_of_bases
from cmgan_audit.source.operands import sure_operands
from cmgan_audit.source.syntax import walk

_MODE = "training"
_REGISTERING = "register_buffer"
_LEAVING = (ast.Return, ast.Raise, ast.Continue, ast.Break)


def keeps_statistics(cls: ClassValue) -> bool:
    """Whether a class, or one that it derives from, writes into a buffer of its own only in training mode."""
    return any(
        base.module.parsed is not None and _REGISTERING in base.module.parsed.text and _writes_in_training(base.node)
        for base in order_of_bases(cls)
        if isinstance(base, ClassValue)
    )


@lru_cache(maxsize=2048)  # every part of every network that runs in a loop asks again
def _writes_in_training(node: ast.ClassDef) -> bool:
    buffers = set(_buffers(node))
    methods = [each for each in node.body if isinstance(each, ast.FunctionDef)]
    return bool(buffers) and any(
        not buffers.isdisjoint(_written(statement))
        for method in methods
        for statement in _only_in_training(method.body)
    )


def _buffers(node: ast.ClassDef) -> Iterator[str]:
    for call in walk(node):
        match call:
            case ast.Call(func=ast.Attribute(attr=attr), args=[ast.Constant(value=str(name)), *_]) if (
                attr == _REGISTERING
            ):
                yield name


def _only_in_training(block: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a block, and of those in it, that are executed in training mode alone."""
    for position, statement in enumerate(block):
        if isinstance(statement, ast.If):
            if _says_training(statement.test, taken=True):
                yield from statement.body
            elif _says_training(statement.test, taken=False):
                yield from statement.orelse
                if isinstance(statement.body[-1], _LEAVING):
                    yield from block[position + 1 :]
        for name in ("body", "orelse", "finalbody"):
            yield from _only_in_training(getattr(statement, name, ()))


def _says_training(test: ast.expr, *, taken: bool) -> bool:
    """Whether a test comes out like this in training mode alone."""
    return any(holds and _own(asked) == _MODE for asked, holds in sure_operands(test, taken=taken))


def _written(statement: ast.stmt) -> Iterator[str]:
    """The attributes that are assigned or changed in place: `self.mean = ...`, `self.mean[0] = ...`, `.lerp_(...)`."""
    for part in walk(statement):
        if isinstance(part, ast.Attribute | ast.Subscript) and isinstance(part.ctx, ast.Store):
            yield _own(part.value if isinstance(part, ast.Subscript) else part)
        elif isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute) and part.func.attr.endswith("_"):
            yield _own(part.func.value)


def _own(node: ast.AST) -> str:
    """The attribute's name in `self.name` and `self.name.data`; "" in anything else."""
    if isinstance(node, ast.Attribute) and node.attr == "data":
        node = node.value
    of_self = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"
    return node.attr if isinstance(node, ast.Attribute) and of_self else ""
