"""Expressions that give the least or the greatest number of a list, or the place where it stands."""

from __future__ import annotations

import ast

from cmgan_audit.source.syntax import called_name

_LEAST = {"min": True, "amin": True, "max": False, "amax": False}
_PLACES = {"argmin": True, "argmax": False}
_LISTS = frozenset({"array", "asarray", "tensor", "list"})


def extreme_of(node: ast.expr) -> tuple[ast.expr, bool, bool] | None:
    """The list whose extreme an expression is, whether it is the least one, and whether its place is meant.

    `min(losses)`, `sorted(losses)[0]`, `np.argmin(losses)`, `np.array(losses).argmin()`, `losses.index(min(losses))`.
    """
    match node:
        case ast.Call(func=ast.Name(id="int"), args=[inner], keywords=[]):
            return extreme_of(inner)
        case ast.Call(func=ast.Attribute(attr="item" | "tolist", value=inner), args=[], keywords=[]):
            return extreme_of(inner)
        case ast.Call(func=ast.Attribute(attr="index", value=held), args=[inner], keywords=[]):
            found = extreme_of(inner)
            same = found is not None and not found[2] and ast.unparse(found[0]) == ast.unparse(held)
            return (held, found[1], True) if found is not None and same else None
        case ast.Call(args=[held], keywords=[]) if called_name(node) in _LEAST:
            return _list_of(held), _LEAST[called_name(node)], False
        case ast.Call(args=[held], keywords=[]) if called_name(node) in _PLACES:
            return _list_of(held), _PLACES[called_name(node)], True
        case ast.Call(func=ast.Attribute(value=ast.Call() as made, attr=name), args=[], keywords=[]):
            held = _list_of(made)
            if held is not made and name in _LEAST | _PLACES:
                return held, (_LEAST | _PLACES)[name], name in _PLACES
        case ast.Subscript(value=ast.Call(func=ast.Name(id="sorted"), args=[held], keywords=given), slice=place):
            first = {"0": True, "-1": False}.get(ast.unparse(place))
            turned = {"": False, "reverse=True": True, "reverse=False": False}.get(", ".join(map(ast.unparse, given)))
            return (held, first is not turned, False) if first is not None and turned is not None else None
    return None


def _list_of(node: ast.expr) -> ast.expr:
    """What `np.array(losses)` is made of."""
    match node:
        case ast.Call(args=[held], keywords=[]) if called_name(node) in _LISTS:
            return held
    return node
