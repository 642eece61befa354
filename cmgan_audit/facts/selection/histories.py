"""Searches that keep more than one number: whether a new one is the best of all so far, or one of the best few."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from cmgan_audit.facts.bindings import PUSHES
from cmgan_audit.facts.selection.comparisons import Comparison, written
from cmgan_audit.facts.selection.extremes import extreme_of
from cmgan_audit.facts.selection.search import Search
from cmgan_audit.facts.selection.senses import HIGHER, LOWER
from cmgan_audit.facts.selection.ways import FUNCTIONS
from cmgan_audit.facts.slices import Found
from cmgan_audit.facts.view import View
from cmgan_audit.source.syntax import called_name, first_of, walk

# The operators that ask the same with both sides exchanged.
_TURNED: dict[type[ast.cmpop], type[ast.cmpop]] = {ast.Lt: ast.Gt, ast.LtE: ast.GtE, ast.Gt: ast.Lt, ast.GtE: ast.LtE}
# What puts an entry into a list that is kept in order, also in the place of another one.
_PUSHES = PUSHES | {"heapreplace", "heappushpop"}


def extreme_itself(view: View, test: Found, asked: ast.expr) -> Iterator[Search]:
    """The search that asks whether a number is the extreme itself: `best = min([*history, loss])`, `loss == best`."""
    match asked:
        case ast.Compare(left=left, ops=[ast.Eq()], comparators=[right]):
            sides = ((left, right), (right, left))
        case _:
            return
    for number, best in sides:
        if not isinstance(best, ast.Name | ast.Attribute):
            continue
        sources = [each.node for each, _ in view.slicer.sources(test.beside(best))]
        match [_later(each) for each in sources]:
            case [ast.Call(func=ast.Name(id="min" | "max" as extreme), args=given, keywords=[])]:
                text, less = ast.unparse(number), extreme == "min"
                if any(ast.unparse(node) == text for each in given for node in ast.walk(each)):
                    yield Search(asked, number, best, LOWER if less else HIGHER, less, test)


def _later(node: ast.AST) -> ast.AST:
    """What a best number is from the second time on: of `loss if best is None else min(best, loss)` the extreme."""
    match node:
        case ast.IfExp(body=ast.Call() as one, orelse=ast.Name() | ast.Attribute()):
            return one
        case ast.IfExp(body=ast.Name() | ast.Attribute(), orelse=ast.Call() as other):
            return other
    return node


def of_history(view: View, test: Found, asked: ast.expr) -> Iterator[Search]:
    """The search among all numbers so far: `losses.append(loss)`, and then `loss <= min(losses)` or `==` it."""
    if isinstance(asked, ast.BoolOp):
        for value in asked.values:
            yield from of_history(view, test, value)
        return
    match asked:
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            sides = ((left, op, right), (right, _TURNED.get(type(op), ast.Eq)(), left))
        case _:
            return
    for number, asks, asked_for in sides:
        found = extreme_of(asked_for)
        if found is None:
            continue
        held, less = found.held, found.least
        kept = held.value if isinstance(held, ast.Subscript) and isinstance(held.slice, ast.Slice) else held
        fits = (isinstance(asks, ast.Eq) and not isinstance(number, ast.Constant)) or (
            not found.place and isinstance(asks, (ast.Lt, ast.LtE) if less else (ast.Gt, ast.GtE))
        )
        added = _added(view, test, kept, mapped=found.mapped) if fits and found.of_numbers else None
        # `np.argmin(losses) == epoch`: the last one is the extreme.
        if added and (found.place or ast.unparse(number) in [*map(written, added), f"{ast.unparse(kept)}[-1]"]):
            yield Search(asked, added[0], kept, LOWER if less else HIGHER, less, test, among_all=True)


def _added(view: View, test: Found, kept: ast.expr, *, mapped: bool) -> list[ast.expr]:
    """The number that the function that asks adds to a list or dictionary, and the item that it becomes.

    Nothing where it adds anything else too.
    """
    parents = view.code.parents(test.path, test.node)
    around = next((each for each in parents if isinstance(each, FUNCTIONS)), None)
    name = ast.unparse(kept)
    given: list[list[ast.expr]] = []
    for node in walk(around):
        match node:
            case ast.Call(func=ast.Attribute(value=owner, attr="append" | "extend" | "insert"), args=args):
                if not mapped and ast.unparse(owner) == name:
                    given.append(args)
            case ast.Assign(targets=[ast.Subscript(value=owner) as item], value=value):
                if mapped and ast.unparse(owner) == name:
                    given.append([value, item])
    texts = {tuple(ast.unparse(each) for each in args) for args in given}
    return given[0] if len(texts) == 1 and (mapped or len(given[0]) == 1) else []


def best_few(view: View, test: Found, compares: Sequence[Comparison]) -> Iterator[Search]:
    """The searches for the best few: `len(kept) < 5 or loss < max(kept)[0]`, and then `kept.append((loss, path))`.

    Args:
        view: the run.
        test: the test of a branch.
        compares: the comparisons in it.
    """
    branch = first_of(view.code.parents(test.path, test.node), ast.If)
    added = list(_added_behind(branch)) if branch is not None and branch.test is test.node else []
    for compare in compares if added else ():
        for number, asked, less in compare.sides():
            kept = _list_asked(asked)
            entries = [entry for name, entry in added if kept is not None and name == ast.unparse(kept)]
            if kept is not None and any(_holds(entry, ast.unparse(number)) for entry in entries):
                yield Search(compare.node, number, kept, LOWER if less else HIGHER, less, test, among_all=True)


def _list_asked(node: ast.expr) -> ast.expr | None:
    """The list of which one entry is asked: `max(kept)[0]`, `kept[-1][0]`, `kept[-1]["loss"]`; None for a number."""
    found = extreme_of(node)
    if found is not None:
        return None if found.place and found.of_numbers else found.held
    match node:
        case ast.Subscript(value=ast.Name() | ast.Attribute() as held, slice=ast.Constant(value=int()) | ast.UnaryOp()):
            return held
        case ast.Subscript(value=inner, slice=ast.Constant()):
            return _list_asked(inner)
    return None


def _added_behind(branch: ast.If) -> Iterator[tuple[str, ast.expr]]:
    """The entries that a branch adds to lists and dictionaries, each with its holder as written."""
    for statement in branch.body:
        for node in walk(statement):
            match node:
                case ast.Call(func=ast.Attribute(value=owner, attr="append"), args=[entry]):
                    yield ast.unparse(owner), entry
                case ast.Call(args=[owner, entry]) if called_name(node) in _PUSHES:
                    yield ast.unparse(owner), entry
                case ast.Assign(targets=[ast.Subscript(value=owner)], value=entry):
                    yield ast.unparse(owner), entry


def _holds(entry: ast.expr, number: str) -> bool:
    """Whether an entry is a number, or a tuple or dictionary that holds it."""
    match entry:
        case ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Dict(values=parts):
            return any(ast.unparse(each) == number for each in parts)
    return ast.unparse(entry) == number
