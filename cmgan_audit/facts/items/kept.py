"""Draws that are made once for an item and kept: in a dictionary of the dataset, or by `functools.lru_cache`.

Only in one process: workers that end with the pass take what they kept with them.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from cmgan_audit.facts.code import Code
from cmgan_audit.facts.items.generators import keeps_its_state
from cmgan_audit.facts.scene import Made
from cmgan_audit.finding import Location
from cmgan_audit.program.execution.trace import Context
from cmgan_audit.source.syntax import NamedFunction, arguments_named, walk

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
    """Whether a place stands where an entry of a dictionary of the dataset is made that was missing.

    It is below `if index not in self.kept:`, in `except KeyError:`, or behind `if index in self.kept: return`, and
    `self.kept[index] = ...` stands around the place or behind it. Of `self.kept.setdefault(index, draw)` the first draw
    stays.
    """
    within = code.node_at(place)
    missing, stored = set[str](), set[str]()
    for outer in code.parents(place.path, within) if within is not None else ():
        match outer:
            case ast.Call(func=ast.Attribute(value=kept, attr="setdefault"), args=[_, given]):
                if given is within and _is_own(kept):
                    return True
        for part in ("body", "orelse", "finalbody"):
            block = getattr(outer, part, None)
            if isinstance(block, list) and within in block:
                behind = block[block.index(within) :]
                missing.update(_missing(code, place.path, outer, block[: -len(behind)], is_body=part == "body"))
                stored.update(ast.unparse(to) for each in behind if isinstance(each, ast.Assign) for to in each.targets)
        if missing & stored:
            return True
        if isinstance(outer, NamedFunction):
            return False
        within = outer
    return False


def _missing(code: Code, path: str, outer: ast.AST, before: Sequence[ast.stmt], *, is_body: bool) -> Iterator[str]:
    """The entries, as they are written, that are missing in a part of a node, behind the statements `before` of it.

    Args:
        code: the code of the run.
        path: the file.
        outer: the node.
        before: statements of that part.
        is_body: whether it is the body, and not what stands under `else` or `finally`.
    """
    match outer:
        case ast.If(test=test):
            asked = _asked(code, path, test)
            if asked is not None and asked[1] is is_body:
                yield asked[0]
        case ast.ExceptHandler():
            tried = next((each for each in code.parents(path, outer) if isinstance(each, ast.Try)), None)
            yield from _looked_up(tried, outer)
    for statement in before:
        yield from _left_with(code, path, statement)


def _left_with(code: Code, path: str, statement: ast.stmt) -> Iterator[str]:
    """The entries with which a statement leaves the function, as they are written: behind it they are missing."""
    match statement:
        case ast.If(test=test, body=[*_, ast.Return()]):
            asked = _asked(code, path, test)
            if asked is not None and not asked[1]:
                yield asked[0]
        case ast.Try(body=[*_, ast.Return()], handlers=[handler]):
            yield from _looked_up(statement, handler)


def _looked_up(tried: ast.Try | None, handler: ast.ExceptHandler) -> Iterator[str]:
    """The entries of which a handler is told that they are missing: those read in the `try` of `except KeyError`."""
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    if tried is not None and "KeyError" in (each.id for each in caught if isinstance(each, ast.Name)):
        for node in (each for statement in tried.body for each in walk(statement)):
            if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load) and _is_own(node.value):
                yield ast.unparse(node)


def _asked(code: Code, path: str, test: ast.expr) -> tuple[str, bool] | None:
    """The entry that a test asks for, as it is written, and whether it is missing where the test holds."""
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=inner) if (asked := _asked(code, path, inner)) is not None:
            return asked[0], not asked[1]
        case ast.Compare(left=key, ops=[ast.In() | ast.NotIn() as how], comparators=[kept]) if _is_own(kept):
            return f"{ast.unparse(kept)}[{ast.unparse(key)}]", isinstance(how, ast.NotIn)
        case ast.Compare(left=left, ops=[ast.Is() | ast.IsNot() as how], comparators=[ast.Constant(value=None)]):
            entry = _entry(code, path, left)
            return None if entry is None else (entry, isinstance(how, ast.Is))
    entry = _entry(code, path, test)
    return None if entry is None else (entry, False)


def _entry(code: Code, path: str, node: ast.expr) -> str | None:
    """The entry that an expression reads, as it is written: `self.kept[index]`, `self.kept.get(index)`, a name that
    holds one."""
    match node:
        case ast.NamedExpr(value=value):
            return _entry(code, path, value)
        case ast.Subscript(value=kept) if _is_own(kept):
            return ast.unparse(node)
        case ast.Call(func=ast.Attribute(value=kept, attr="get"), args=[key] | [key, ast.Constant(value=None)]):
            return f"{ast.unparse(kept)}[{ast.unparse(key)}]" if _is_own(kept) else None
        case ast.Name(id=name):
            function = next((each for each in code.parents(path, node) if isinstance(each, NamedFunction)), None)
            given = [
                each.value
                for each in (walk(function) if function is not None else ())
                if isinstance(each, ast.Assign) and each.lineno < node.lineno and name in map(ast.unparse, each.targets)
            ]
            return _entry(code, path, given[-1]) if given and not isinstance(given[-1], ast.Name) else None
    return None


def _is_own(kept: ast.expr) -> bool:
    """Whether an expression is an attribute of the dataset, or an item of one."""
    return isinstance(kept, ast.Attribute | ast.Subscript) and ast.unparse(kept).startswith("self.")
