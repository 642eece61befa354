"""Draws that are made once for an item and kept: in a dictionary of the dataset, or by `functools.lru_cache`.

Only in one process: workers that end with the pass take what they kept with them.
"""

from __future__ import annotations

import ast

from cmgan_audit.facts.code import Code
from cmgan_audit.facts.items.generators import keeps_its_state
from cmgan_audit.facts.scene import Made
from cmgan_audit.finding import Location
from cmgan_audit.program.execution.trace import Context
from cmgan_audit.source.syntax import NamedFunction, arguments_named

_CACHES = frozenset({"cache", "cached_property"})


def is_kept(code: Code, made: Made, context: Context, draw: Location) -> bool:
    """Whether what comes of a draw stays with its item from pass to pass.

    Args:
        code: the source behind the run.
        made: the loader.
        context: what stood around the draw.
        draw: the draw.
    """
    if not keeps_its_state(made):
        return False
    if any(frame.value is not None and _is_cached(frame.value.node) for frame in context.frames):
        return True
    return any(_is_filled_in(code, place) for place in (*(frame.call for frame in context.frames), draw))


def _is_cached(function: ast.AST) -> bool:
    """Whether a function keeps what it gave for each of its arguments: `@lru_cache(maxsize=None)`.

    One that keeps the last so many, 128 by default, makes a set of evaluation anew that is larger.
    """
    for each in getattr(function, "decorator_list", []):
        called = each.func if isinstance(each, ast.Call) else each
        name = ast.unparse(called).removeprefix("functools.")
        most = [*each.args, *arguments_named(each, "maxsize")] if isinstance(each, ast.Call) else []
        is_limited = not most or (isinstance(most[0], ast.Constant) and most[0].value is not None)
        if name in _CACHES or (name == "lru_cache" and not is_limited):
            return True
    return False


def _is_filled_in(code: Code, place: Location) -> bool:
    """Whether a place stands where an entry is made that was missing: below `if index not in self.kept:`, or below
    `if self.kept[index] is None:`, with `self.kept[index] = ...` beside it."""
    node = code.node_at(place)
    for outer in code.parents(place.path, node) if node is not None else ():
        if isinstance(outer, NamedFunction):
            return False
        missing = _missing(outer.test) if isinstance(outer, ast.If) else None
        if missing is not None and isinstance(outer, ast.If):
            stored = [target for each in outer.body if isinstance(each, ast.Assign) for target in each.targets]
            return missing in map(ast.unparse, stored)
    return False


def _missing(test: ast.expr) -> str | None:
    """The entry that is missing where a test holds, as it is written: `self.kept[index]`."""
    match test:
        case ast.Compare(left=key, ops=[ast.NotIn()], comparators=[ast.Attribute(value=ast.Name(id="self")) as kept]):
            return f"{ast.unparse(kept)}[{ast.unparse(key)}]"
        case ast.Compare(left=ast.Subscript() as entry, ops=[ast.Is()], comparators=[ast.Constant(value=None)]):
            return ast.unparse(entry) if ast.unparse(entry).startswith("self.") else None
    return None
