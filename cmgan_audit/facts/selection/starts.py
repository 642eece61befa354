"""The number that a search for the best one begins with, and whether any is better than that."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from cmgan_audit.facts.selection.comparisons import written
from cmgan_audit.facts.selection.search import Search
from cmgan_audit.facts.selection.senses import HIGHER, LOWER, Sense
from cmgan_audit.facts.selection.ways import was_taken
from cmgan_audit.facts.slices import Found
from cmgan_audit.facts.view import View
from cmgan_audit.lazy_regex import regex
from cmgan_audit.source.syntax import called_name, first_of, last_name, walk

_INFINITE = regex(r"float\(['\"]\+?(?:inf|infinity)['\"]\)|(?:math|np|numpy|torch)\.[iI]nf|sys\.maxsize")
# No speech metric gets there, and no mean loss there.
_OUT_OF_REACH, _AS_GOOD_AS_INFINITE = 1000, 1e9
# What grows without end gets there: how much was seen, and when.
_GROWS = regex(
    r"(?<![a-z])(?:steps?|iter\w*|samples?|tokens?|frames?|epochs?|time|now|count\w*|seen)(?![a-z])", re.IGNORECASE
)
# Losses that are logarithms of densities, or become negative where their arguments are no distributions.
_BELOW_ZERO = regex(r"nll|kl_?div|logits|sdr|snr|stoi")


def start_of(view: View, search: Search) -> ast.expr | None:
    """The one constant that a search begins with in this run; None where there are several, or another may be restored.

    Where the first number becomes the best one without a question, a search begins with that.
    """
    kept_in = search.best
    if isinstance(kept_in, ast.Subscript) and _key(kept_in) is not None:
        kept_in = kept_in.value
    sources = view.slicer.sources(search.test.beside(kept_in))
    if kept_in is not search.best and _is_stored_elsewhere(view, search, kept_in, [each.node for each, _ in sources]):
        return None
    number, best = ast.unparse(search.number), last_name(search.best)
    found = [each.beside(node) for each, _ in sources for node in _given(view, search, each)]
    if any(written(each.node) == number and _lets_first_in(view, search, each) for each, _ in sources):
        return None
    kept = {number, *(f"{extreme}({pair})" for extreme in ("min", "max") for pair in _orders(search))}
    found = [each for each in found if not _is_restored(view, each, best) and was_taken(view, each) is not False]
    others = [each for each in found if written(each.node) not in kept]
    first = others[0].node if len(others) == 1 else None
    if isinstance(first, ast.Tuple) and first.elts:
        return first.elts[0]  # a tuple is compared by its first item: `best = (math.inf, -1)`
    return first if isinstance(first, ast.expr) else None


def _orders(search: Search) -> tuple[str, str]:
    number, best = ast.unparse(search.number), ast.unparse(search.best)
    return f"{number}, {best}", f"{best}, {number}"


def _lets_first_in(view: View, search: Search, given: Found) -> bool:
    """Whether a number becomes the best one on a branch apart from the search: `if epoch == 0: best = loss`."""
    around = list(view.code.parents(search.test.path, search.test.node))
    asked = first_of(around, ast.If)
    branch = first_of(view.code.parents(given.path, given.node), ast.If)
    if branch is None or branch in around:
        return False
    if asked is None or asked.test is not search.test.node:  # the search gives a flag, and `if is_best:` asks for it
        return not isinstance(branch.test, ast.Name | ast.Attribute | ast.Call)
    return asked not in view.code.parents(given.path, given.node)


def _key(best: ast.expr) -> str | None:
    """The key under which a dictionary keeps the best number: `best["loss"]`."""
    match best:
        case ast.Subscript(slice=ast.Constant(value=str() as key)):
            return key
    return None


def _is_stored_elsewhere(view: View, search: Search, kept_in: ast.expr, known: Sequence[ast.AST]) -> bool:
    """Whether the file stores an item in a dictionary where the way to the search does not tell of it."""
    *_, module = view.code.parents(search.test.path, search.test.node)
    name = ast.unparse(kept_in)
    for part in walk(module):
        match part:
            case ast.Assign(targets=[ast.Subscript(value=owner)], value=value) if ast.unparse(owner) == name:
                if value not in known:
                    return True
    return False


def _items(view: View, found: Found, key: str) -> Iterator[ast.AST]:
    """What stands under a key of a dictionary that was given, or stored under it: nothing where the key is another."""
    parent = next(view.code.parents(found.path, found.node), None)
    match found.node, parent:
        case _, ast.Assign(targets=[ast.Subscript(slice=ast.Constant(value=str() as own))]) | ast.keyword(arg=str(own)):
            yield from [found.node] if own == key else []
        case ast.Dict(keys=keys, values=values), _ if all(isinstance(each, ast.Constant) for each in keys):
            held = zip(keys, values, strict=True)
            yield from (value for name, value in held if isinstance(name, ast.Constant) and name.value == key)
        case ast.Call(func=ast.Name(id="dict"), args=[], keywords=given), _:
            yield from (each.value for each in given if each.arg == key)
        case _:
            yield found.node


def _given(view: View, search: Search, found: Found) -> Iterator[ast.AST]:
    """What a number was given: of `-inf if higher else inf` the side that the run took, as far as it tells."""
    key = _key(search.best)
    if key is not None:
        yield from _items(view, found, key)
        return
    match found.node:
        case ast.IfExp(body=one, orelse=other):
            sides = [each for each in (one, other) if was_taken(view, found.beside(each)) is not False]
            yield from sides if len(sides) == 1 else [found.node]
        case _:
            yield found.node


def _is_restored(view: View, found: Found, best: str) -> bool:
    """Whether an expression is the best number of an earlier run: `checkpoint["best_loss"]` for `self.best_loss`, or
    `checkpoint.best_loss` of what was loaded."""
    match found.node:
        case ast.Subscript(value=ast.Name() | ast.Attribute(), slice=ast.Constant(value=str() as key)):
            return bool(best) and key == best
        case ast.Attribute(value=ast.Name() | ast.Attribute() as owner, attr=key):
            return bool(best) and key == best and _is_loaded(view, found.beside(owner))
    return False


def _is_loaded(view: View, found: Found) -> bool:
    """Whether something was read from a file: `state = torch.load(path)`."""
    sources = (each.node for each, _ in view.slicer.sources(found))
    return any(isinstance(each, ast.Call) and "load" in called_name(each).lower() for each in sources)


def is_never(search: Search, sense: Sense | None, start: ast.expr | None) -> bool:
    """Whether no number is better than the one that a search begins with."""
    if start is None or not _is_needed(search.compare, search.test.node):
        return False  # `epoch == 0 or loss < best` lets the first one in
    text = ast.unparse(start)
    value = _number(start)
    if search.taken == HIGHER:
        if _INFINITE.fullmatch(text):
            return True
        if sense is not None and sense.better == LOWER:
            return False  # the comparison is the wrong way round, and that says more
        if sense is None and _GROWS.search(f"{ast.unparse(search.number)} {ast.unparse(search.best)}"):
            return False
        return value is not None and value >= (_AS_GOOD_AS_INFINITE if sense is None else _OUT_OF_REACH)
    if text.startswith("-") and _INFINITE.fullmatch(text[1:]):
        return True
    if sense is None:
        return value is not None and value <= -_AS_GOOD_AS_INFINITE
    known = sense.better == LOWER and sense.whole and not _BELOW_ZERO.search(sense.what.lower())
    return known and value is not None and value <= 0


def _is_needed(compare: ast.expr, test: ast.AST) -> bool:
    """Whether a test is true only where a comparison in it is: `higher and score > best`."""
    match test:
        case ast.BoolOp(op=ast.And(), values=values):
            return any(_is_needed(compare, each) for each in values)
    return test is compare


def _number(node: ast.expr) -> float | None:
    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            return float(value)
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
            return -float(value)
    return None
