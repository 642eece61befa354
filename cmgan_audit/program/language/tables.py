"""Displays that are tables of data: lexicons, alphabets of tokens, lists of names, by the thousand.

The constants of such a display are read at once. They are items like others, but for the way of each through the
source, which nobody asks of a line among thousands and which would take longer than everything else in the program.
"""

from __future__ import annotations

import ast

from cmgan_audit.program.domain.containers import key_of
from cmgan_audit.program.domain.values import Const, DictValue, Key, ListValue, Unknown, Value

# So many items make a table, and so many a table whose lists and dictionaries are not read.
_MANY, _TOO_MANY = 1_000, 10_000
_ENTRIES_PER_STEP = 20
# Every list that is not read is this one: what looks through a table looks at it once.
_NOT_READ = Unknown(reason="an entry of a table of thousands")
_KINDS: dict[type[ast.expr], str] = {ast.List: "list", ast.Tuple: "tuple"}


def steps_of(size: int) -> int:
    """The steps that reading a table of so many items counts as; 0 for what is none, whose items count themselves."""
    return size // _ENTRIES_PER_STEP if size >= _MANY else 0


def entry_of(node: ast.expr, size: int) -> Value | None:
    """What an item of a display of so many items holds, if that is a table and need not be evaluated for it."""
    if size < _MANY:
        return None
    if size >= _TOO_MANY and isinstance(node, ast.List | ast.Tuple | ast.Dict):
        return _NOT_READ
    return _plain(node)


def key_in(node: ast.expr, size: int) -> Value | None:
    """What a key of a dictionary of so many items is, on the same terms."""
    return _plain(node) if size >= _MANY else None


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
    found: list[Value] = []
    for node in nodes:
        value = _plain(node)
        if value is None:
            return None
        found.append(value)
    return found


def _plain_dictionary(node: ast.Dict) -> Value | None:
    items: dict[Key, Value] = {}
    for key_node, value_node in zip(node.keys, node.values, strict=True):
        key = _plain(key_node) if key_node is not None else None
        held = None if key is None else key_of(key)
        value = None if held is None else _plain(value_node)
        if held is None or value is None:
            return None
        items[held[0]] = value
    return DictValue(items=items)
