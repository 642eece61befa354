"""In which direction a measured number is the better one: told from what it is computed of, never from its name.

A number is followed back through names, functions of the tree, sums and means to the loss functions and metrics of
libraries that give it. What is met on the way and is not understood leaves the answer open.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import replace

from cmgan_audit.facts.losses import is_loss
from cmgan_audit.facts.metrics.scoring import metric_called
from cmgan_audit.facts.slices import Found
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Location
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.naming.names import canonical

LOWER, HIGHER = "lower", "higher"
_HIGHER = frozenset({"PESQ", "STOI", "SI-SDR", "SI-SNR", "SDR", "SNR"})
# What changes the form of a number and not its order.
_PASSING = frozenset("item cpu detach numpy mean sum float double tolist squeeze clone nanmean avg".split())
_OF_FIRST = frozenset("float sum mean nanmean average fmean stack tensor array asarray round as_tensor".split())
# A factor that may turn the direction round.
_TURNING = regex(r"sign|mode|direction|better|greater|mult|factor|delta")
_SIGNS = (ast.UAdd, ast.USub)
_DEEPEST = 24
_MOST_STEPS = 1500


@dataclass(frozen=True, slots=True)
class Sense:
    """Which direction of a number is better, and what says so.

    Attributes:
        better: "lower" or "higher"; "" for a constant, which has no direction.
        what: the loss or metric that it is computed of ("l1_loss", "PESQ").
        place: where that is computed.
        whole: whether nothing else is added to it.
    """

    better: str
    what: str = ""
    place: Location | None = None
    whole: bool = True


_CONSTANT = Sense("")


class Senses:
    """The directions of the numbers of one run."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._slicer = view.slicer
        self._left = 0

    def of(self, node: ast.expr, path: str, stack: tuple[Location, ...]) -> Sense | None:
        """The direction of a number where it is read; None where it is open, or it is a constant.

        Args:
            node: the expression.
            path: its file.
            stack: the calls in which it is read.
        """
        self._left = _MOST_STEPS
        found = self._at(Found(node, path, stack), None, "", ())
        return found if found is not None and found.better else None

    def _at(self, here: Found, item: int | None, key: str, above: tuple[ast.AST, ...]) -> Sense | None:
        node = here.node
        if node in above:
            return _CONSTANT  # `total = total + loss`: what the others say of it counts
        self._left -= 1
        if len(above) > _DEEPEST or self._left < 0:
            return None
        way = (*above, node)
        match node:
            case ast.Constant():
                return _CONSTANT
            case ast.Name() | ast.Attribute(value=ast.Name(id="self")):
                return self._of_sources(here, item, key, way)
            case ast.Call():
                return self._of_call(here, node, item, key, way)
            case ast.Subscript(value=owner, slice=ast.Constant(value=str() as text)):
                return self._at(_beside(here, owner), None, text, way)
            case ast.Subscript(value=owner, slice=ast.Constant(value=int() as index)):
                return self._at(_beside(here, owner), index, key, way)
            case ast.BinOp(left=left, op=op, right=right):
                one, other = (self._at(_beside(here, each), None, key, way) for each in (left, right))
                return _combined(op, (left, one), (right, other))
            case ast.UnaryOp(op=op, operand=operand) if isinstance(op, _SIGNS):
                inner = self._at(_beside(here, operand), None, key, way)
                return _turned(inner) if isinstance(op, ast.USub) else inner
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                chosen = parts if item is None or item >= len(parts) else [parts[item]]
                return _agreed(self._at(_beside(here, each), None, key, way) for each in chosen)
            case ast.Dict(keys=keys, values=values):
                return _agreed(self._at(_beside(here, each), None, "", way) for each in _picked(keys, values, key))
            case ast.IfExp(body=one, orelse=other):
                return _agreed(self._at(_beside(here, each), item, key, way) for each in (one, other))
            case ast.ListComp(elt=inner) | ast.GeneratorExp(elt=inner) | ast.NamedExpr(value=inner):
                return self._at(_beside(here, inner), item, key, way)
        return None

    def _of_sources(self, here: Found, item: int | None, key: str, way: tuple[ast.AST, ...]) -> Sense | None:
        sources = self._slicer.sources(here, item)
        if not sources:
            return None
        return _agreed(self._of_source(each, which, key, way) for each, which in sources)

    def _of_source(self, given: Found, item: int | None, key: str, way: tuple[ast.AST, ...]) -> Sense | None:
        """The direction of what a name was given by one statement."""
        statement = next(self._view.code.parents(given.path, given.node), None)
        if isinstance(statement, ast.AugAssign) and not isinstance(statement.op, ast.Add | ast.Div):
            return None
        if isinstance(statement, ast.AugAssign) and isinstance(statement.op, ast.Div):
            return _CONSTANT  # a sum becomes a mean
        if key and isinstance(statement, ast.Assign | ast.AugAssign):
            stored = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
            if isinstance(stored, ast.Tuple) and item is not None and item < len(stored.elts):
                stored = stored.elts[item]
            match stored:
                case ast.Subscript(slice=ast.Constant(value=text)):
                    return self._at(given, item, "", way) if text == key else _CONSTANT
        return self._at(given, item, key, way)

    def _of_call(
        self, here: Found, node: ast.Call, item: int | None, key: str, way: tuple[ast.AST, ...]
    ) -> Sense | None:
        place = self._view.code.place_of(here.path, node)
        event = self._view.code.calls.get((place, here.stack))
        name = "" if event is None else canonical(event.callee)
        if name and is_loss(name):
            return Sense(LOWER, _short(name), place)
        metric = metric_called(name) if name else ""
        if metric:
            return Sense(HIGHER, metric, place) if metric in _HIGHER else None
        sources = self._slicer.sources(here, item)
        if any(isinstance(each.node, ast.Tuple) for each, _ in sources) and item is not None:
            sources = [
                each for each in sources if isinstance(each[0].node, ast.Tuple)
            ]  # what gives one value is not meant
        if sources:
            return _agreed(self._of_source(each, which, key, way) for each, which in sources)
        match node:
            case ast.Call(func=ast.Call(func=ast.Name(id="Parallel") | ast.Attribute(attr="Parallel")), args=[given]):
                return self._at(_beside(here, given), None, key, way)
            case ast.Call(func=ast.Attribute(value=owner, attr="get"), args=[ast.Constant(value=str() as text), *_]):
                return self._at(_beside(here, owner), None, text, way)
            case ast.Call(func=ast.Attribute(value=owner, attr=method), args=[] | [ast.Constant()]):
                return self._at(_beside(here, owner), None, key, way) if method in _PASSING else None
            case ast.Call(func=ast.Attribute(attr=function) | ast.Name(id=function), args=[given, *_]):
                return self._at(_beside(here, given), None, key, way) if function in _OF_FIRST else None
        return None


def _beside(here: Found, node: ast.AST) -> Found:
    return replace(here, node=node)


def _short(name: str) -> str:
    return name.removesuffix(".__call__").removesuffix(".forward").rpartition(".")[2]


def _turned(sense: Sense | None) -> Sense | None:
    if sense is None or not sense.better:
        return sense
    return replace(sense, better=HIGHER if sense.better == LOWER else LOWER, whole=False)


def _agreed(senses: Iterable[Sense | None]) -> Sense | None:
    """The one direction of several numbers of which any may be meant; constants agree with all."""
    found: Sense = _CONSTANT
    for each in senses:
        if each is None or (each.better and found.better and each.better != found.better):
            return None
        if each.better:
            found = each if not found.better else replace(found, whole=found.whole and each.whole)
    return found


def _picked(keys: Sequence[ast.expr | None], values: Sequence[ast.expr], key: str) -> list[ast.expr]:
    named = [value for name, value in zip(keys, values, strict=True) if _is_text(name, key)]
    return named if key and named else list(values)


def _is_text(node: ast.expr | None, text: str) -> bool:
    return isinstance(node, ast.Constant) and node.value == text


def _combined(
    op: ast.operator, left: tuple[ast.expr, Sense | None], right: tuple[ast.expr, Sense | None]
) -> Sense | None:
    """The direction of a sum, a difference, a product with a weight, or a mean."""
    one, other = left[1], right[1]
    match op:
        case ast.Add():
            return _sum(one, other)
        case ast.Sub():
            whole = _sum(one, _turned(other)) if one is not None and other is not None else None
            return whole and replace(whole, whole=False)
        case ast.Mult():
            return _weighted(one, right) if one is not None and one.better else _weighted(other, left)
        case ast.Div():
            return one if other is None or not other.better else None
    return None


def _sum(one: Sense | None, other: Sense | None) -> Sense | None:
    """A sum of numbers of one direction; a loss with something else added to it is still a loss."""
    if one is not None and other is not None:
        return _agreed((one, other))
    known = one or other
    return replace(known, whole=False) if known is not None and known.better == LOWER else None


def _weighted(sense: Sense | None, weight: tuple[ast.expr, Sense | None]) -> Sense | None:
    node, own = weight
    if sense is None or not sense.better or (own is not None and own.better):
        return None
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return _turned(sense)
    return None if _TURNING.search(ast.unparse(node).lower()) else sense
