"""Displays that are tables of data: lexicons, alphabets of tokens, lists of names, by the thousand.

Such a display is read at once. Its items are constants like others, but for the way of each through the source, which
nobody asks of a line among thousands and which would take longer than everything else in the program.
"""

from __future__ import annotations

import ast

from cmgan_audit.program.domain.containers import key_of
from cmgan_audit.program.domain.values import Const, DictValue, Key, ListValue, Unknown, Value

# So many items make a table, and so many a table whose lists and dictionaries are not read.
_MANY, _TOO_MANY = 1_000, 10_000
_ENTRY = Unknown(reason="an entry of a table of thousands")
_KINDS: dict[type[ast.expr], str] = {ast.List: "list", ast.Tuple: "tuple"}


def table(node: ast.List | ast.Tuple | ast.Dict) -> Value | None:
    """What a display of many constants, and of displays of them, is; None for any other."""
    items = node.values if isinstance(node, ast.Dict) else node.elts
    return _plain(node) if len(items) >= _MANY else None


def _plain(node: ast.expr) -> Value | None:
    """A constant, or a list or dictionary of such; None for anything that has to be evaluated."""
    match node:
        case ast.Constant() if node.value is not ...:
            return Const(value=node.value)
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
            return Const(value=-number)
        case ast.List() | ast.Tuple():
            items = _all_plain(node.elts)
            return None if items is None else ListValue(items=items, kind=_KINDS[type(node)])
        case ast.Dict():
            return _plain_dictionary(node)
    return None


def _all_plain(nodes: list[ast.expr]) -> list[Value] | None:
    if len(nodes) >= _TOO_MANY:
        return [(_plain(each) if isinstance(each, ast.Constant) else None) or _ENTRY for each in nodes]
    found: list[Value] = []
    for node in nodes:
        value = _plain(node)
        if value is None:
            return None
        found.append(value)
    return found


def _plain_dictionary(node: ast.Dict) -> Value | None:
    values = _all_plain(node.values)
    if values is None:
        return None
    items: dict[Key, Value] = {}
    for key_node, value in zip(node.keys, values, strict=True):
        key = _plain(key_node) if key_node is not None else None
        held = None if key is None else key_of(key)
        if held is None:
            return None
        items[held[0]] = value
    return DictValue(items=items)
