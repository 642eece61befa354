"""Windows of a list that are held out one after the other, as folds of a cross-validation are.

A loop that goes from window to window reads all of a list, whatever its order. Where a pass takes a window and, beside
it, all that is left of the list, each pass has a part of its own. That is read from the source: `[name for name in
names if name not in held]`, `set(names) - set(held)`, `del rest[a:b]` of a copy, and all folds of a list but one.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from cmgan_audit.facts.data.glances import is_told
from cmgan_audit.facts.view import View
from cmgan_audit.source.syntax import NamedFunction, called_name, names_in, walk

_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.GeneratorExp)
_DIFFERENCES = frozenset({"difference", "setdiff1d"})
_COPIES = frozenset({"list", "copy", "deepcopy"})


def is_held_out(view: View, path: str, window: ast.Subscript) -> bool:
    """Whether a loop uses what is left of a list beside a window of it, or all windows but one.

    Args:
        view: the run.
        path: the file.
        window: a subscript of the list, by bounds that the loop counts on.
    """
    if not isinstance(window.slice, ast.Slice) or window.slice.lower is None:
        return False
    outer = list(view.code.parents(path, window))
    statement = next((each for each in outer if isinstance(each, ast.stmt)), None)
    loop = next((each for each in outer if isinstance(each, ast.For)), None)
    if loop is not None and any(_is_left(view, path, each, window, statement) for each in walk(loop)):
        return True
    folds = _gathered(outer, statement)
    scope = next((each for each in outer if isinstance(each, NamedFunction | ast.Module)), None)
    return bool(folds) and scope is not None and any(_leaves_one_out(each, folds) for each in walk(scope))


def _is_left(view: View, path: str, node: ast.AST, window: ast.Subscript, statement: ast.stmt | None) -> bool:
    """Whether an expression or a statement of the loop makes what a window leaves of its list."""
    whole, held = {ast.unparse(window.value)}, {ast.unparse(window), *_given_to(statement)}
    match node:
        case ast.Compare(ops=[ast.NotIn() | ast.In() as asked], comparators=[right]) if _speaks_of(right, held):
            return _is_asked_of_all(view, path, node, whole, asked)
        case ast.BinOp(left=ast.Call() as left, op=ast.Sub(), right=right) if called_name(left) == "set":
            found = _speaks_of(left, whole) and _speaks_of(right, held)
        case ast.Call() if called_name(node) in _DIFFERENCES:
            found = _speaks_of(node, whole) and any(_speaks_of(each, held) for each in node.args)
        case ast.Delete(targets=[ast.Subscript(value=ast.Name(id=rest), slice=cut)]):
            return ast.dump(cut) == ast.dump(window.slice) and _is_copy(view, path, node, rest, whole)
        case ast.For(iter=drawn, target=ast.Name(id=each)) if _speaks_of(drawn, held):
            return any(_is_copy(view, path, node, rest, whole) for rest in _losing(node, each))
        case _:
            return False
    return found and not is_told(view, path, node)


def _is_asked_of_all(view: View, path: str, test: ast.Compare, whole: set[str], asked: ast.cmpop) -> bool:
    """Whether each name of the list is asked whether it lies in the window, and something is done if it does not."""
    for outer in view.code.parents(path, test):
        match outer:
            case ast.If(orelse=[]) if isinstance(asked, ast.In):
                return False
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() if isinstance(asked, ast.NotIn):
                return any(_speaks_of(each.iter, whole) for each in outer.generators) and not is_told(view, path, outer)
            case ast.For(iter=drawn):
                return _speaks_of(drawn, whole)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                return False
    return False


def _is_copy(view: View, path: str, node: ast.AST, name: str, whole: set[str]) -> bool:
    """Whether the loop around a statement makes a name a copy of the list: `rest = list(names)`."""
    loop = next((each for each in view.code.parents(path, node) if isinstance(each, ast.For)), None)
    for each in walk(loop) if loop is not None else ():
        match each:
            case ast.Assign(targets=[ast.Name(id=given)], value=ast.Call() as value) if given == name:
                if called_name(value) in _COPIES and _speaks_of(value, whole):
                    return True
            case ast.Assign(targets=[ast.Name(id=given)], value=ast.Subscript(value=owner, slice=ast.Slice() as cut)):
                if given == name and ast.unparse(owner) in whole and cut.lower is cut.upper is None:
                    return True
    return False


def _losing(loop: ast.For, item: str) -> Iterator[str]:
    """The names of what a loop takes its items out of: `rest.remove(name)`."""
    for node in walk(loop):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=rest), attr="remove"), args=[ast.Name(id=taken)]):
                if taken == item:
                    yield rest


def _given_to(statement: ast.stmt | None) -> set[str]:
    """The names that a statement gives what it makes of a window."""
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    return {each.id for each in targets if isinstance(each, ast.Name)}


def _speaks_of(node: ast.AST, texts: set[str]) -> bool:
    return any(isinstance(each, ast.expr) and ast.unparse(each) in texts for each in walk(node))


def _gathered(outer: list[ast.AST], statement: ast.stmt | None) -> set[str]:
    """What a list of all windows is called: `folds = [names[...] for ...]`, `folds.append(names[...])`."""
    match statement:
        case ast.Assign(value=ast.ListComp() as made) if made in outer:
            return _given_to(statement)
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=folds), attr="append"))):
            return {folds}
    return set()


def _leaves_one_out(loop: ast.AST, folds: set[str]) -> bool:
    """Whether a loop over numbers goes, in each pass, through all folds but the one of its number."""
    if not isinstance(loop, ast.For):
        return False
    counters = names_in(loop.target)
    for inner in walk(loop):
        if inner is loop or not isinstance(inner, (ast.For, *_COMPREHENSIONS)) or not _speaks_of(inner, folds):
            continue
        drawn = inner.generators if not isinstance(inner, ast.For) else [inner]
        numbers = names_in(*(each.target for each in drawn))
        for test in walk(inner):
            match test:
                case ast.Compare(left=ast.Name(id=a), ops=[ast.NotEq() | ast.Eq()], comparators=[ast.Name(id=b)]):
                    if (a in counters and b in numbers) or (a in numbers and b in counters):
                        return True
    return False
