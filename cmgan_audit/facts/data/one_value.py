"""Whether an expression gives the same value in two places, as far as the source tells: `files[low:high]` in a function
that is called twice, with the same bounds or with others.
"""

from __future__ import annotations

import ast

from cmgan_audit.facts.slices import Found
from cmgan_audit.facts.view import View
from cmgan_audit.source.syntax import walk

_MOST_STEPS = 12

# Where a name comes from, and which item of that it is.
_End = tuple[Found, int | None]


def gives_the_same(view: View, one: Found, other: Found, *, but: str = "") -> bool:
    """Whether two expressions are written alike, and all that they read comes from the same constants or calls.

    Args:
        view: the run.
        one: an expression.
        other: another one.
        but: a name that is not looked at: the variable of a comprehension.
    """
    if one.node is other.node and one.stack == other.stack:
        return True
    if ast.dump(one.node) != ast.dump(other.node):
        return False
    functions = {id(part) for call in walk(one.node) if isinstance(call, ast.Call) for part in walk(call.func)}
    return all(
        _come_from_one(view, one.beside(mine), other.beside(its))
        for mine, its in zip(walk(one.node), walk(other.node), strict=True)
        if isinstance(mine, ast.Name) and mine.id != but and id(mine) not in functions
    )


def _come_from_one(view: View, one: Found, other: Found) -> bool:
    ends = _end(view, one), _end(view, other)
    if ends[0] is None or ends[1] is None:
        return False
    (mine, item), (its, other_item) = ends[0], ends[1]
    if isinstance(mine.node, ast.Constant | ast.Name):  # a name that nothing in the tree gives a value: a module
        return item == other_item and ast.dump(mine.node) == ast.dump(its.node)
    return item == other_item and mine.node is its.node and mine.stack == its.stack


def _end(view: View, found: Found) -> _End | None:
    """Where a name comes from at last; None where that may be more than one thing."""
    item: int | None = None
    for _ in range(_MOST_STEPS):
        if isinstance(found.node, ast.Tuple) and item is not None and item < len(found.node.elts):
            found, item = found.beside(found.node.elts[item]), None
        sources = view.slicer.sources(found, item) if isinstance(found.node, ast.expr) else []
        if not sources:
            return found, item
        if len(sources) > 1:
            return None
        found, item = sources[0]
    return None
