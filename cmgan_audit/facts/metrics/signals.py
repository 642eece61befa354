"""Which signal is the reference and which the estimate, by what they are called on the way to a metric."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import Self

from cmgan_audit.facts.metrics.scoring import Scoring, Spot
from cmgan_audit.facts.name_words import name_words
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Location
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.source.syntax import Function, positional_parameters, shown

REFERENCE, ESTIMATE = "reference", "estimate"

_OF_REFERENCE = frozenset(
    "clean cln ref refs reference references target targets tgt gt truth groundtruth original".split()
)
_OF_ESTIMATE = frozenset(
    "est esti estimate estimated estimation estimates enh enhanced enhancement deg degraded denoise denoised denoising "
    "pred preds predict predicted prediction predictions out outs output outputs fake gen generated recon "
    "reconstructed hat proc processed noisy separated".split()
)
# What is put to the name of a signal to call an estimate of it: `x_hat` of `x`.
_OF_ONE = frozenset("hat est esti estimate estimated pred predicted recon reconstructed".split())


def side_of(name: str) -> str:
    """The side that a name speaks for; "" for neither. An estimate of something clean is an estimate."""
    words = set(name_words(name))
    if words & _OF_ESTIMATE:
        return ESTIMATE
    return REFERENCE if words & _OF_REFERENCE else ""


def _exchanged(first: str, second: str) -> bool:
    """Whether the first name is that of an estimate and the second that of its reference: `x_hat` and `x` say it."""
    if (side_of(first), side_of(second)) == (ESTIMATE, REFERENCE):
        return True
    words, other = (set(name_words(name)) for name in (first, second))
    return bool(other) and bool(words & _OF_ONE) and words - _OF_ONE == other


@dataclass(frozen=True, slots=True)
class Pair:
    """The two signals of a call: what stands where the reference belongs, and where the estimate does."""

    reference: ast.expr
    estimate: ast.expr

    @classmethod
    def of(cls, call: ast.Call, reference: tuple[str, int], estimate: tuple[str, int]) -> Self | None:
        """The signals of a call by keyword or position; None when one of them cannot be seen."""
        first, second = _given(call, *reference), _given(call, *estimate)
        return cls(first, second) if first is not None and second is not None else None

    def through_loops(self, view: View, spot: Spot) -> Self:
        """The signals, each loop variable of them replaced by what it runs over."""
        return type(self)(*(_run_over(view, spot, each) or each for each in (self.reference, self.estimate)))

    @property
    def text(self) -> str:
        """The signals as the source has them."""
        return f"{shown(self.reference, 40)}, {shown(self.estimate, 40)}"


def swapped_at(view: View, scoring: Scoring, pair: Pair) -> tuple[Location | None, str, str]:
    """The innermost call on the way to a metric whose names say that the signals stand in each other's place.

    Gives its place, a sentence, and the two signals as they are called there.
    """
    for level, spot in enumerate(scoring.way):
        around = pair.through_loops(view, spot)
        own = (_named(view, spot, pair.reference), _named(view, spot, pair.estimate))
        for names in (own, (_root(around.reference), _root(around.estimate))):
            if _exchanged(*names):
                place = view.code.module(spot.path)
                where = None if place is None else place.location(spot.node)
                said = f"{names[0]} stands where the reference belongs, and {names[1]} where the estimate does"
                return where, said, pair.text if not level and names == own else ", ".join(names)
        above = scoring.way[level + 1] if level + 1 < len(scoring.way) else None
        outer = None if above is None else _handed_in(spot, above, around)
        if outer is None:
            break
        pair = outer
    return None, "", ""


def _given(call: ast.Call, keyword: str, position: int) -> ast.expr | None:
    for each in call.keywords:
        if each.arg == keyword:
            return each.value
    args = list(_spread_out(call))
    if position < len(args) and not any(isinstance(each, ast.Starred) for each in args[: position + 1]):
        return args[position]
    return None


def _spread_out(call: ast.Call) -> Iterator[ast.expr]:
    """The arguments of a call by position, with what is spread out where it stands: `pesq(16000, *(clean, noisy))`."""
    for each in call.args:
        match each:
            case ast.Starred(value=ast.Tuple(elts=parts) | ast.List(elts=parts)):
                yield from parts
            case _:
                yield each


def _root(node: ast.expr) -> str:
    """The name of a signal: of `clean[i, :n].cpu().numpy()` it is "clean", of `outputs["est"]` it is "est"."""
    match node:
        case ast.Name():
            return node.id
        case ast.Attribute():
            return node.attr if not isinstance(node.value, ast.Call) else _root(node.value)
        case ast.Subscript():
            if isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str):
                return node.slice.value
            return _root(node.value)
        case ast.Call(func=ast.Attribute(value=value)) if not node.args or not isinstance(value, ast.Name):
            return _root(value)
        case ast.Call() if node.args:
            return _root(node.args[0])
        case ast.Call(func=ast.Attribute(value=value)):
            return _root(value)
        case ast.Starred():
            return _root(node.value)
        case ast.BinOp(right=ast.Constant(value=str(part))) if side_of(part):
            return part  # of a path, as in `out_dir / "clean"`, what comes last tells
        case ast.BinOp():
            return _root(node.left)
    return ""


def _named(view: View, spot: Spot, node: ast.expr) -> str:
    """The name of a signal; for a loop variable over `zip(...)` without a telling name that of what it runs over."""
    name = _root(node)
    if side_of(name) or not isinstance(node, ast.Name | ast.Call | ast.Subscript | ast.Attribute):
        return name
    source = _run_over(view, spot, node)
    return name if source is None else _root(source)


def _run_over(view: View, spot: Spot, node: ast.expr) -> ast.expr | None:
    """What a loop variable over `zip(...)` runs over; None for what is none."""
    name = _root(node)
    sources = (
        source
        for parent, _ in spot.parents(view.code)
        for target, iterated in _loops(parent)
        for each, source in _zipped(target, iterated)
        if isinstance(each, ast.Name) and each.id == name
    )
    return next(sources, None)


def _zipped(target: ast.expr, iterated: ast.expr) -> Iterable[tuple[ast.expr, ast.expr]]:
    """The parts of the target of `for x, y in zip(xs, ys)`, each with what it runs over."""
    match target, iterated:
        case ast.Tuple(elts=[_, inner]), ast.Call(func=ast.Name(id="enumerate"), args=[numbered, *_]):
            return _zipped(inner, numbered)
        case ast.Tuple(elts=parts), ast.Call(func=ast.Name(id="zip"), args=lists):
            return zip(parts, lists, strict=False)
    return ()


def _loops(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
    if isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp):
        for generator in node.generators:
            yield generator.target, generator.iter
    elif isinstance(node, ast.For):
        yield node.target, node.iter


def _handed_in(spot: Spot, above: Spot, pair: Pair) -> Pair | None:
    """The signals as the caller of this function names them, where both are parameters of it."""
    function = spot.function
    call = above.node.value if isinstance(above.node, ast.Expr) else above.node
    if function is None or not isinstance(call, ast.Call):
        return None
    names = [parameter.arg for parameter in positional_parameters(function.args)]
    if names and names[0] in ("self", "cls"):
        names = names[1:]
    shift = 1 if _hands_on(call, function) else 0
    found = []
    for signal in (pair.reference, pair.estimate):
        name = _root(signal)
        given = _given(call, name, names.index(name) + shift) if name in names else None
        if given is None:
            return None
        found.append(given)
    return Pair(*found)


def _hands_on(call: ast.Call, function: Function) -> bool:
    """Whether a call gives a function to what calls it: `pool.submit(score, clean, out)`, and `map` alike."""
    first = ast.unparse(call.args[0]).rpartition(".")[2] if call.args else ""
    if not isinstance(function, ast.Lambda) and first == function.name:
        return True
    return isinstance(call.func, ast.Attribute) and call.func.attr == "submit"
