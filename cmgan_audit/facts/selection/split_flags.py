"""Flags of a data set such as `mode="test"`: whether they choose its items, or say only how these are given."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from cmgan_audit.facts.classes import values_within
from cmgan_audit.program.domain.values import ClassValue, Instance
from cmgan_audit.program.language.classes import constructor_of
from cmgan_audit.source.syntax import NamedFunction, called_name, children, single_parameters, walk

# Calls that are handed a flag without finding anything by it.
_SAYS = frozenset({"print", "info", "debug", "warning"})
_NO_SEARCH = _SAYS | {"__init__", "isinstance", "shuffle"}


def chooses_items(dataset: Instance, flag: str) -> bool:
    """Whether a data set finds its items by a flag: `open(f"{mode}.txt")`, `if mode == "test": self.files = ...`.

    A data set of a library, whose code is not seen, does.

    Args:
        dataset: the data set, or what wraps it.
        flag: the name of the flag, which is a parameter of its constructor.
    """
    takers = [function for function in _constructors(dataset) if flag in _parameters(function)]
    return not takers or any(_finds_by(node, flag) for function in takers for node in _at_work(function))


def _constructors(dataset: Instance) -> Iterator[NamedFunction]:
    """The constructors of the data sets of the tree within one."""
    for value in values_within(dataset, 3):
        if isinstance(value, Instance) and isinstance(value.cls, ClassValue):
            made = constructor_of(value.cls)
            if made is not None and isinstance(made.node, NamedFunction):
                yield made.node


def _parameters(function: NamedFunction) -> set[str]:
    return {each.arg for each in single_parameters(function.args)}


def _at_work(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function without what it only says: `raise ValueError(f"no such mode: {mode}")`."""
    if isinstance(node, ast.Raise | ast.Assert) or (isinstance(node, ast.Call) and called_name(node) in _SAYS):
        return
    yield node
    for child in children(node):
        yield from _at_work(child)


def _finds_by(node: ast.AST, flag: str) -> bool:
    match node:
        case ast.JoinedStr() | ast.BinOp():
            return _names(node, flag)
        case ast.Subscript(slice=index):
            return _names(index, flag)
        case ast.Call(args=args, keywords=keywords) if called_name(node) not in _NO_SEARCH:
            return any(_is_flag(each, flag) for each in (*args, *(keyword.value for keyword in keywords)))
        case ast.If(test=test) | ast.IfExp(test=test):
            return _names(test, flag) and _takes_items(node)
    return False


def _takes_items(node: ast.AST) -> bool:
    """Whether something may lead to other items: what a call gives, a part of a list, the name of a folder.

    Transforms that are made and what is printed lead to none.
    """
    match node:
        case ast.If(body=body, orelse=orelse):
            return any(map(_takes_items, (*body, *orelse)))
        case ast.IfExp(body=one, orelse=other):
            return _takes_items(one) or _takes_items(other)
        case ast.Call() if called_name(node) in _NO_SEARCH or (called_name(node) or "_")[0].isupper():
            return False
        case ast.Call() | ast.Subscript() | ast.Constant(value=str()):
            return True
    return any(map(_takes_items, children(node)))


def _is_flag(node: ast.expr, flag: str) -> bool:
    """Whether an expression is the flag itself, as it was given or as it is kept: `mode`, `self.mode`."""
    return ast.unparse(node) in (flag, f"self.{flag}")


def _names(node: ast.AST, flag: str) -> bool:
    return any(isinstance(each, ast.expr) and _is_flag(each, flag) for each in walk(node))
