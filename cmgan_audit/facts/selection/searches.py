"""Searches for the best number so far: the comparison that a new number has to win to become it, and in which sense.

One function often serves both senses, with a `mode` that says which: then a comparison counts only where the run shows
that its side was taken.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import replace

from cmgan_audit.facts.checkpoints.guards import Guard
from cmgan_audit.facts.selection.comparisons import Comparison, comparison_of, written
from cmgan_audit.facts.selection.histories import best_few, extreme_itself, of_history
from cmgan_audit.facts.selection.search import Search
from cmgan_audit.facts.selection.senses import HIGHER, LOWER
from cmgan_audit.facts.selection.ways import FUNCTIONS, was_taken
from cmgan_audit.facts.slices import Found
from cmgan_audit.facts.view import View
from cmgan_audit.source.operands import operands
from cmgan_audit.source.statements import SAYS, calls_one
from cmgan_audit.source.syntax import first_of, positional_parameters, walk

_LOOPS = (ast.For, ast.AsyncFor, ast.While)


def search_of(view: View, guard: Guard) -> Search | None:
    """The search that a test belongs to, which the branch behind it answers by keeping the new number as the best one.

    Args:
        view: the run.
        guard: the test, and the side of it on which a model is kept.
    """
    parents = list(view.code.parents(guard.path, guard.node))
    branch = first_of((guard.node, *parents), ast.If)
    if branch is None or branch.test is not guard.node:
        return None
    here = Found(guard.node, guard.path, guard.stack)
    if isinstance(guard.node, ast.Name) or (isinstance(guard.node, ast.Call) and comparison_of(view, here) is None):
        kept = {name: value for each in _alike(branch, parents) for name, value in _assigned(each.body)}
        found = _behind_flag(view, here, kept) if guard.taken else ()
    else:
        found = _of_branch(view, here, branch, taken=guard.taken)
    searches = list(found)
    senses = {each.taken for each in searches}
    return searches[0] if len(senses) == 1 else None


def _alike(branch: ast.If, around: Sequence[ast.AST]) -> Iterator[ast.If]:
    """The branches beside one that ask the same: `if is_best: best = loss`, and again `if is_best: save()`."""
    asked = ast.unparse(branch.test)
    block = next((block for each in around for block in _blocks(each) if branch in block), [branch])
    yield from (each for each in block if isinstance(each, ast.If) and ast.unparse(each.test) == asked)


def _of_branch(view: View, test: Found, branch: ast.If, *, taken: bool) -> Iterator[Search]:
    """The searches of a test whose one side keeps the new number, and only that one."""
    around = list(view.code.parents(test.path, branch))
    behind = list(_behind(branch, around))
    block, other = (branch.body, branch.orelse) if taken else (branch.orelse, branch.body)
    if not taken and not block:  # `if loss >= best: continue`, and what follows
        block, behind = behind, []
    always = {*_assigned(other), *_assigned(behind)}
    for search in _in_test(view, test, dict(_assigned(block)), taken=taken):
        # Else it is the number before: `if loss > last: ...` and then `last = loss`.
        if always.isdisjoint(_pairs(search)):
            yield search


def _pairs(search: Search) -> Iterator[tuple[str, str]]:
    """The best number and the new one as written, and what they are items of."""
    yield ast.unparse(search.best), ast.unparse(search.number)
    if isinstance(search.best, ast.Subscript) and isinstance(search.number, ast.Subscript):
        yield ast.unparse(search.best.value), ast.unparse(search.number.value)


def _behind(branch: ast.stmt, around: Sequence[ast.AST]) -> Iterator[ast.stmt]:
    """The statements behind a branch, up to the end of the loop or function that it stands in."""
    inner: ast.AST = branch
    for outer in around:
        for block in _blocks(outer):
            if inner in block:
                yield from block[block.index(inner) + 1 :]
        if isinstance(outer, (*FUNCTIONS, *_LOOPS)):
            return
        inner = outer


def _behind_flag(view: View, flag: Found, given: dict[str, str], depth: int = 3) -> Iterator[Search]:
    """The searches that a flag tells of: `is_best = loss < best`, or True where a branch keeps the new number.

    So does a function that is asked: `if self.is_best(loss):`.
    """
    for source, _ in view.slicer.sources(flag):
        parents = list(view.code.parents(source.path, source.node))
        if isinstance(flag.node, ast.Call):
            given = _as_parameters(flag.node, parents, given)
        statement = first_of(parents, ast.stmt)
        if isinstance(source.node, ast.Name) and depth:
            yield from _behind_flag(view, source, given, depth - 1)
        elif isinstance(source.node, ast.expr) and any(_comparisons(view, source, source.node)):
            block = next((block for each in parents for block in _blocks(each) if statement in block), [])
            yield from _in_test(view, source, {**dict(_extremes(block)), **given}, taken=True)
        elif isinstance(source.node, ast.Constant) and source.node.value is True:
            branch = first_of(parents, ast.If)
            if branch is not None:
                test = source.beside(branch.test)
                yield from _of_branch(view, test, branch, taken=statement in branch.body)


def _as_parameters(call: ast.Call, parents: Sequence[ast.AST], given: dict[str, str]) -> dict[str, str]:
    """What a caller gives to names, with the parameters of the function that it asks in place of its arguments."""
    function = next((each for each in parents if isinstance(each, FUNCTIONS)), None)
    if function is None or isinstance(function, ast.Module):
        return given
    names = [each.arg for each in positional_parameters(function.args)]
    if isinstance(call.func, ast.Attribute) and names[:1] in (["self"], ["cls"]):
        names = names[1:]
    meant = {ast.unparse(each): name for name, each in zip(names, call.args, strict=False)}
    meant |= {ast.unparse(each.value): each.arg for each in call.keywords if each.arg is not None}
    return {meant.get(name, name): meant.get(value, value) for name, value in given.items()}


def _in_test(view: View, test: Found, given: dict[str, str], *, taken: bool) -> Iterator[Search]:
    """The comparisons in a test behind which the best number becomes the new one, as what is given there says."""
    assert isinstance(test.node, ast.expr)
    if taken:
        yield from extreme_itself(view, test, test.node)
        yield from of_history(view, test, test.node)
    compares = list(_comparisons(view, test, test.node))
    if taken:
        yield from best_few(view, test, compares)
    for compare in compares:
        if not taken and isinstance(test.node, ast.BoolOp):
            continue
        for side, best, less in compare.sides():
            new = _becomes(best, given)
            number = next(
                (each for each in (side, _first(side)) if each is not None and ast.unparse(each) == new), None
            )
            if number is not None:
                search = Search(compare.node, number, best, LOWER if less == taken else HIGHER, less, test)
                if _is_meant(view, search, given):
                    yield search


def _is_meant(view: View, search: Search, given: dict[str, str]) -> bool:
    """Whether the run asks a comparison: not where another one beside it asks the opposite and may be the one."""
    decided = was_taken(view, search.test.beside(search.compare))
    if decided is None and _has_opposite(view, search, given):
        return False
    return decided is not False


def _has_opposite(view: View, search: Search, given: dict[str, str]) -> bool:
    """Whether the function also asks the opposite of the same two numbers: one side for losses, one for scores.

    Where a branch asks it once the first question came to nothing, and keeps no number, epochs without progress are
    counted: `if loss < best: best = loss`, `elif loss > best + margin: waited += 1`.
    """
    parents = list(view.code.parents(search.test.path, search.test.node))
    function = next((each for each in parents if isinstance(each, FUNCTIONS)), None)
    branch = first_of(parents, ast.If)
    pair = (ast.unparse(search.number), _without_margin(search.best, given))
    for node in walk(function):
        if not isinstance(node, ast.Compare | ast.Call) or node is search.compare:
            continue
        asked = comparison_of(view, search.test.beside(node))
        for one, other, less in asked.sides() if asked is not None else ():
            opposite = less != search.asks_less
            if opposite and (ast.unparse(one), _without_margin(other, given)) == pair:
                counted = branch is not None and _only_counts(node, branch, pair)
                if not counted and not _only_tells(view, search.test, node):
                    return True
    return False


def _only_counts(node: ast.expr, branch: ast.If, pair: tuple[str, str]) -> bool:
    """Whether a test is that of an `elif` of a branch, behind which nothing becomes the best number."""
    for other in branch.orelse[:1]:
        if isinstance(other, ast.If) and node in ast.walk(other.test):
            return (pair[1], pair[0]) not in _assigned(other.body)
    return False


def _only_tells(view: View, test: Found, node: ast.expr) -> bool:
    """Whether an expression is the test of a branch that says something on each side, and does nothing else."""
    branch = next(view.code.parents(test.path, node), None)
    return isinstance(branch, ast.If) and all(calls_one(each, SAYS) for each in (*branch.body, *branch.orelse))


def _blocks(node: ast.AST) -> Iterator[list[ast.stmt]]:
    for name in ("body", "orelse", "finalbody"):
        block = getattr(node, name, None)
        if isinstance(block, list):
            yield block


def _extremes(block: Sequence[ast.stmt]) -> Iterator[tuple[str, str]]:
    """What becomes the best number in a block without a test of its own: `best = max(best, number)`."""
    for statement in block:
        match statement:
            case ast.Assign(targets=[target], value=ast.Call(func=ast.Name(id="min" | "max"), args=[one, other])):
                texts = [ast.unparse(each) for each in (one, other)]
                name = ast.unparse(target)
                if name in texts:
                    yield name, texts[1 - texts.index(name)]


def _comparisons(view: View, found: Found, test: ast.expr) -> Iterator[Comparison]:
    """The comparisons of two that a test is made of; `not loss < best` asks whether the loss is more, and so does one
    in `not (warm and loss < best)`."""
    for asked, holds in operands(test, taken=True):
        compare = comparison_of(view, found.beside(asked))
        if compare is not None:
            yield compare if holds else replace(compare, less=not compare.less)


def _first(number: ast.expr) -> ast.expr | None:
    """The number in `number - margin`."""
    return number.left if isinstance(number, ast.BinOp) and isinstance(number.op, ast.Add | ast.Sub) else None


def _assigned(block: Sequence[ast.stmt]) -> Iterator[tuple[str, str]]:
    """What a block gives to names, both as written; of a number that is converted, the number."""
    for statement in block:
        if isinstance(statement, ast.Expr):
            yield from _updated(statement.value)
        if not isinstance(statement, ast.Assign):
            continue
        for target in statement.targets:
            value = statement.value
            if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
                pairs = zip(target.elts, value.elts, strict=False)
                yield from ((ast.unparse(name), written(each)) for name, each in pairs)
            else:
                yield ast.unparse(target), written(value)


def _updated(call: ast.expr) -> Iterator[tuple[str, str]]:
    """What a call gives to items of a dictionary: `best.update(loss=loss, epoch=epoch)`."""
    match call:
        case ast.Call(func=ast.Attribute(value=kept, attr="update"), args=[], keywords=given):
            yield from ((f"{ast.unparse(kept)}[{each.arg!r}]", written(each.value)) for each in given if each.arg)
        case ast.Call(func=ast.Attribute(value=kept, attr="update"), args=[ast.Dict(keys=keys, values=values)]):
            items = zip(keys, values, strict=True)
            yield from ((f"{ast.unparse(kept)}[{ast.unparse(key)}]", written(each)) for key, each in items if key)


def _becomes(best: ast.expr, given: dict[str, str]) -> str | None:
    """What the best number becomes, as written: `best["pesq"]` is an item of all scores in `best = scores`."""
    match best:
        case ast.Subscript(value=kept, slice=key) if ast.unparse(kept) in given and ast.unparse(best) not in given:
            return f"{given[ast.unparse(kept)]}[{ast.unparse(key)}]"
    return given.get(_without_margin(best, given))


def _without_margin(best: ast.expr, given: dict[str, str]) -> str:
    """The name of the best number in `best`, `best + delta` or `best - delta`."""
    if isinstance(best, ast.BinOp) and isinstance(best.op, ast.Add | ast.Sub) and ast.unparse(best.left) in given:
        return ast.unparse(best.left)
    return ast.unparse(best)
