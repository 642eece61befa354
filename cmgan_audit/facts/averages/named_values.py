"""What a loop takes in from each batch by name: `for name, value in losses.items(): totals[name] += value`."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence

from cmgan_audit.facts.averages.taking_in import Intake, intake_of, is_measure, is_weighted, one_pass, root
from cmgan_audit.source.syntax import walk

_VIEWS = frozenset({"items", "keys"})


def named_intakes(body: Sequence[ast.AST], keys_given: Callable[[ast.expr], Sequence[str]]) -> Iterator[Intake]:
    """The values that one pass takes in under their names, each batch with the same weight.

    Loops over the items of a batch look alike: they go over numbers, and what they take in has no name as its key.

    Args:
        body: the nodes of one pass.
        keys_given: the keys of the dictionaries that a call gives, as far as the tree shows them.
    """
    for node in body:
        name = _name_of(node) if isinstance(node, ast.For) else None
        if name is None or not isinstance(node, ast.For):
            continue
        measured = is_measure(" ".join(_sources(node, body, keys_given)))
        for inner in one_pass(node):
            found = intake_of(inner)
            if found is None or is_weighted(found.value) or not _is_kept_under(inner, name):
                continue
            if measured or is_measure(f"{found.target} {ast.unparse(found.value)}"):
                yield found


def _name_of(loop: ast.For) -> str | None:
    """The variable that holds the name of a value, in a loop over a dictionary or over names that are written out."""
    target = loop.target.elts[0] if isinstance(loop.target, ast.Tuple) and loop.target.elts else loop.target
    if not isinstance(target, ast.Name):
        return None
    match loop.iter:
        case ast.Call(func=ast.Attribute(attr=view), args=[]) if view in _VIEWS:
            return target.id
        case ast.List(elts=names) | ast.Tuple(elts=names):
            texts = [each for each in names if isinstance(each, ast.Constant) and isinstance(each.value, str)]
            return target.id if texts and len(texts) == len(names) else None
        case ast.Name() | ast.Attribute() if target is loop.target:
            return target.id
    return None


def _is_kept_under(node: ast.AST, name: str) -> bool:
    """Whether a statement writes to, or fills, the item of a name: `totals[name]`."""
    match node:
        case ast.AugAssign(target=kept) | ast.Assign(targets=[kept]):
            pass
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=kept))):
            pass
        case _:
            return False
    return isinstance(kept, ast.Subscript) and isinstance(kept.slice, ast.Name) and kept.slice.id == name


def _sources(loop: ast.For, body: Sequence[ast.AST], keys_given: Callable[[ast.expr], Sequence[str]]) -> Iterator[str]:
    """Texts that tell what the named values are: what the loop goes over, the calls that gave it, and their keys."""
    owner = loop.iter
    if isinstance(owner, ast.Call) and isinstance(owner.func, ast.Attribute):
        owner = owner.func.value
    yield ast.unparse(loop.iter)
    yield from keys_given(owner)
    for node in body:
        match node:
            case ast.Assign(targets=targets, value=ast.Call(func=function) as call):
                names = {root(each) for target in targets for each in walk(target) if isinstance(each, ast.expr)}
                if root(owner) in names:
                    yield ast.unparse(function)
                    yield from keys_given(call)
