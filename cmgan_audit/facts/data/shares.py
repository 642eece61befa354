"""Parts of a list that leave nothing out, because the rest is taken beside them.

A list that is filled up with its own first names, as a sampler does for processes that must have equally many, still
holds all of them. The first name, with which a sum or an average begins, and the others, which a loop adds to it, are
the whole list. Of the share of one process, worker or job of a cluster the others take the rest.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from cmgan_audit.facts.view import View
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.values import ListValue, Symbol, options_of
from cmgan_audit.program.execution.trace import SliceEvent
from cmgan_audit.source.syntax import NamedFunction, walk, words_in

# Which one of several this is; a fold is no share, as the rest of the names is trained on.
_RANK = regex(
    r"(?i)(?:\w*_)?(?:rank|ordinal|(?:shard|worker|job|task|gpu|proc|process)(?:_?(?:id|idx|index|info|no|rank))?)"
)
_MOST_STEPS = 3  # from a bound back to the rank: `first = rank * size`, `last = first + size`
_IN_FORMULA = regex(r"\brank\b")


def rest_is_taken(view: View, event: SliceEvent, part: ast.Subscript) -> bool:
    """Whether what a slice of a list leaves out is taken by the list itself, by a sum, or by other processes.

    Args:
        view: the run.
        event: the slice.
        part: the slice as it is written.
    """
    outer = list(view.code.parents(event.location.path, part))
    scope = next((each for each in outer if isinstance(each, NamedFunction | ast.Module)), None)
    beside = bool(outer) and (_fills_up(outer[0], part) or _follows_the_first(outer, part, scope))
    return beside or _goes_by_rank(event, part, scope)


def _fills_up(around: ast.AST, part: ast.Subscript) -> bool:
    """`names += names[:n]`, `names + names[:n]`, `names.extend(names[:n])`."""
    match around:
        case ast.AugAssign(target=whole, op=ast.Add(), value=added) if added is part:
            pass
        case ast.BinOp(left=whole, op=ast.Add(), right=added) if added is part:
            pass
        case ast.Call(func=ast.Attribute(value=whole, attr="extend"), args=[added]) if added is part:
            pass
        case _:
            return False
    return ast.unparse(whole) == ast.unparse(part.value)


def _follows_the_first(outer: Sequence[ast.AST], part: ast.Subscript, scope: ast.AST | None) -> bool:
    """`total = load(names[0])`, and a loop over `names[1:]` that goes on with the total."""
    if ast.unparse(part.slice) != "1:":
        return False
    loop = next((each for each in outer if isinstance(each, ast.For)), None)
    if loop is None or scope is None or not any(each is part for each in walk(loop.iter)):
        return False
    first = f"{ast.unparse(part.value)}[0]"
    begun = {
        target.id
        for each in walk(scope)
        if isinstance(each, ast.Assign) and any(ast.unparse(inner) == first for inner in walk(each.value))
        for target in each.targets
        if isinstance(target, ast.Name)
    }
    names = (each for statement in loop.body for each in walk(statement) if isinstance(each, ast.Name))
    return not begun.isdisjoint(each.id for each in names if isinstance(each.ctx, ast.Load))


def _goes_by_rank(event: SliceEvent, part: ast.Subscript, scope: ast.AST | None) -> bool:
    """Whether a bound tells which process this is, `names[rank::world_size]`, or was reckoned from what does."""
    bounds = event.index.items if isinstance(event.index, ListValue) else []
    held = [each.value for bound in bounds for each in options_of(bound)]
    if any(isinstance(each, Symbol) and _IN_FORMULA.search(each.formula) for each in held):
        return True
    known = set(words_in(part.slice))
    given = [each for each in walk(scope) if isinstance(each, ast.Assign)] if scope is not None else []
    for _ in range(_MOST_STEPS):
        values = [each.value for each in given if not known.isdisjoint(_variables(each))]
        known.update(words_in(*values))
    return any(map(_RANK.fullmatch, known))


def _variables(assignment: ast.Assign) -> set[str]:
    """The variables that an assignment gives a value: not the attributes of an object, nor items of a list."""
    targets = [part for each in assignment.targets for part in (each.elts if isinstance(each, ast.Tuple) else [each])]
    return {each.id for each in targets if isinstance(each, ast.Name)}
