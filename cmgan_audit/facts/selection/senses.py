"""In which direction a measured number is the better one: told from what it is computed of, never from its name.

A number is followed back through names, functions of the tree, sums and means to the loss functions and metrics of
libraries that give it. What is met on the way and is not understood leaves the answer open.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial

from cmgan_audit.facts.averages.meters import method_of_tree, weighs_equally
from cmgan_audit.facts.losses import is_loss
from cmgan_audit.facts.metrics.scoring import metric_called
from cmgan_audit.facts.selection.minimised import Minimised
from cmgan_audit.facts.selection.signs import is_turned_in_place, sign_of
from cmgan_audit.facts.selection.ways import was_taken
from cmgan_audit.facts.slices import Found
from cmgan_audit.facts.values import instances_of
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Location
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.values import External
from cmgan_audit.program.execution.trace import CallEvent
from cmgan_audit.program.naming.names import canonical
from cmgan_audit.source.syntax import called_name, walk

LOWER, HIGHER = "lower", "higher"
_HIGHER = frozenset({"PESQ", "STOI", "SI-SDR", "SI-SNR", "SDR", "SNR"})
# What changes the form of a number and not its order, or waits for it: `pool.submit(score, pair).result()`.
_PASSING = frozenset(
    "item cpu detach numpy mean sum float double tolist squeeze clone nanmean avg to cuda result get".split()
)
_OF_FIRST = frozenset(
    "float sum mean list nanmean average fmean stack tensor array asarray round as_tensor FloatTensor Tensor"
    " as_completed".split()
)
# What gives entries of a list in order, by the number of its arguments: `sorted(kept)`, `heapq.nsmallest(5, kept)`.
_ORDERED: dict[int, frozenset[str]] = {1: frozenset({"sorted"}), 2: frozenset({"nsmallest", "nlargest"})}
# What gives the values of a dictionary, of which any may be meant.
_OF_ALL = frozenset({"values", "items"})
# What makes a dictionary with nothing in it, and how much that is told: `defaultdict(float)`.
_EMPTY = {"defaultdict": 1, "dict": 0, "OrderedDict": 0, "Counter": 0}
# What makes an array whose places are filled later, or to which numbers are added.
_BLANK = frozenset("zeros ones empty zeros_like".split())
# What a meter calls its mean.
_MEANS = frozenset({"avg", "average", "mean"})
# Functions that give a metric negated, to be trained with.
_NEGATED = regex(r"loss|neg")
# What calls a function that it is given in another process, with the arguments behind it.
_HANDING = (".submit", ".apply_async", ".apply")
_SIGN_TURNED = " with its sign turned round"
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Module)
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
        trained: whether it is training that says so, by what it steps along.
    """

    better: str
    what: str = ""
    place: Location | None = None
    whole: bool = True
    trained: bool = False


_CONSTANT = Sense("")


class Senses:
    """The directions of the numbers of one run."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._slicer = view.slicer
        self._minimised = Minimised(view, partial(sign_of, view.slicer))  # not a method: nothing here holds itself
        self._left = 0

    def of(
        self, node: ast.expr, path: str, stack: tuple[Location, ...], item: int | None = None, key: str = ""
    ) -> Sense | None:
        """The direction of a number where it is read; None where it is open, or it is a constant.

        Args:
            node: the expression.
            path: its file.
            stack: the calls in which it is read.
            item: which item of the expression is the number, where it is a tuple, or a list of them.
            key: under which name it stands, where the expression is a dictionary, or a list of them.
        """
        self._left = _MOST_STEPS
        found = self._at(Found(node, path, stack), item, key, ())
        return found if found is not None and found.better else None

    def _at(self, here: Found, item: int | None, key: str, above: tuple[ast.AST, ...]) -> Sense | None:
        found = self._of_node(here, item, key, above)
        name = self._minimised.name_of(here.node) if found is None and item is None and not key else ""
        if not name:
            return found
        place = self._view.code.place_of(here.path, here.node)
        return Sense(LOWER, f"{name} (what training makes smaller)", place, whole=False, trained=True)

    def _of_node(self, here: Found, item: int | None, key: str, above: tuple[ast.AST, ...]) -> Sense | None:
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
                part = self._comprehension_of(here)
                return self._of_sources(here, item, key, way) if part is None else self._drawn(here, part, key, way)
            case ast.Call():
                return self._of_call(here, node, item, key, way)
            case ast.Attribute(value=owner, attr=name) if name in _MEANS:
                return self._of_meter(here, owner, way)
            case ast.Subscript(value=owner, slice=ast.Slice()):
                return self._at(here.beside(owner), item, key, way)
            case ast.Subscript(value=owner, slice=ast.Constant(value=str() as text)):
                return self._at(here.beside(owner), None, text, way)
            case ast.Subscript(value=owner, slice=ast.Constant(value=int() as index)):
                return self._at(here.beside(owner), index, key, way)
            case ast.Subscript(value=owner, slice=ast.Name() | ast.Attribute() as asked):
                return self._at(here.beside(owner), None, self._text(here.beside(asked)), way)
            case ast.BinOp(left=left, op=op, right=right):
                one, other = (self._at(here.beside(each), None, key, way) for each in (left, right))
                if isinstance(op, ast.Mult):
                    return self._product(here, (left, one), (right, other))
                return _combined(op, one, other)
            case ast.UnaryOp(op=op, operand=operand) if isinstance(op, _SIGNS):
                inner = self._at(here.beside(operand), None, key, way)
                return _turned(inner) if isinstance(op, ast.USub) else inner
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                if any(isinstance(each, ast.Starred) for each in parts):
                    return None
                chosen = parts if item is None or item >= len(parts) else [parts[item]]
                return _agreed(self._at(here.beside(each), None, key, way) for each in chosen)
            case ast.Dict(keys=keys, values=values):
                return _agreed(self._at(here.beside(each), None, "", way) for each in _picked(keys, values, key))
            case ast.IfExp(body=one, orelse=other):
                return _agreed(self._at(here.beside(each), item, key, way) for each in (one, other))
            case ast.DictComp(key=name, value=inner):  # `{name: total / count for name, total in sums.items()}`
                return self._at(here.beside(inner), None, key if isinstance(name, ast.Name) else "", way)
            case ast.ListComp(elt=inner) | ast.GeneratorExp(elt=inner) | ast.NamedExpr(value=inner):
                return self._at(here.beside(inner), item, key, way)
        return None

    def _comprehension_of(self, here: Found) -> ast.comprehension | None:
        """The `for ... in` of a comprehension that a name belongs to; None where the name is none of its own."""
        if isinstance(here.node, ast.Name):
            for each in self._view.code.holders(here.path, here.node):
                if isinstance(each, _COMPREHENSIONS):
                    for part in each.generators:
                        if any(isinstance(own, ast.Name) and own.id == here.node.id for own in walk(part.target)):
                            return part
        return None

    def _drawn(self, here: Found, part: ast.comprehension, key: str, way: tuple[ast.AST, ...]) -> Sense | None:
        """The direction of a name that a comprehension draws."""
        names = [ast.unparse(each) for each in part.target.elts] if isinstance(part.target, ast.Tuple) else []
        place = names.index(ast.unparse(here.node)) if ast.unparse(here.node) in names else None
        match part.iter:
            case ast.Call(func=ast.Name(id="zip"), args=given) if place is not None and place < len(given):
                return self._at(here.beside(given[place]), None, key, way)
            case ast.Call(func=ast.Name(id="enumerate"), args=[given, *_]) if place == 1:
                return self._at(here.beside(given), None, key, way)
            case ast.Call(func=ast.Name(id="enumerate") | ast.Attribute(attr="items")) if place == 0:
                return None  # a number, or a key
        return self._at(here.beside(part.iter), None, key, way)

    def _text(self, key: Found) -> str:
        """The text that a name stands for; "" where it may be several, so that what lies under any key counts."""
        match [each.node for each, _ in self._slicer.sources(key)]:
            case [ast.Constant(value=str() as text)]:
                return text
        return ""

    def _product(
        self, here: Found, left: tuple[ast.expr, Sense | None], right: tuple[ast.expr, Sense | None]
    ) -> Sense | None:
        """The direction of a number with a factor, which turns it round where it is below zero."""
        (_, sense), (factor, own) = (left, right) if left[1] is not None and left[1].better else (right, left)
        if sense is None or not sense.better or (own is not None and own.better):
            return None
        sign = sign_of(self._slicer, here.beside(factor))
        return sense if sign > 0 else _turned(sense) if sign < 0 else None

    def _of_sources(self, here: Found, item: int | None, key: str, way: tuple[ast.AST, ...]) -> Sense | None:
        sources = self._slicer.sources(here, item)
        if len(sources) > 1:  # what a setting rules out was never given
            sources = [each for each in sources if was_taken(self._view, each[0]) is not False]
        if not sources or is_turned_in_place(self._view, here):
            return None
        return _agreed(self._of_source(each, which, key, way) for each, which in sources)

    def _of_source(self, given: Found, item: int | None, key: str, way: tuple[ast.AST, ...]) -> Sense | None:
        """The direction of what a name was given by one statement."""
        statement = next(self._view.code.parents(given.path, given.node), None)
        if (
            isinstance(statement, ast.AugAssign)
            and isinstance(statement.op, ast.Mult)
            and sign_of(self._slicer, given) > 0
        ):
            return _CONSTANT  # a mean is weighted
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

    def _of_meter(self, here: Found, owner: ast.expr, way: tuple[ast.AST, ...]) -> Sense | None:
        """The direction of the mean of a meter: that of what the function which reads it has given to it."""
        around = next(
            (each for each in self._view.code.parents(here.path, here.node) if isinstance(each, _SCOPES)), None
        )
        name, given = ast.unparse(owner), []
        for node in walk(around):
            match node:
                case ast.Call(func=ast.Attribute(value=meter, attr="update"), args=[value, *_]):
                    if ast.unparse(meter) == name and self._is_meter(here.beside(node)):
                        given.append(value)
        return _agreed(self._at(here.beside(each), None, "", way) for each in given) if given else None

    def _is_meter(self, call: Found) -> bool:
        """Whether a call updates an object of the tree that keeps the mean of what it is given."""
        event = self._slicer.event(call)
        found = method_of_tree(event) if event is not None else None
        return found is not None and weighs_equally(*found)

    def _of_training(self, here: Found, item: int | None, key: str, place: Location) -> Sense | None:
        """The direction of what a call gives when training itself makes it smaller, or larger.

        A dictionary of which a training step takes the loss may hold scores too: under a key nothing is said.
        """
        found = None if key else self._minimised.by(here, item)
        if found is None:
            return None
        name, smaller = found
        what = f"{name} (what training makes {'smaller' if smaller else 'larger'})"
        return Sense(LOWER if smaller else HIGHER, what, place, whole=False, trained=True)

    def _of_call(
        self, here: Found, node: ast.Call, item: int | None, key: str, way: tuple[ast.AST, ...]
    ) -> Sense | None:
        place = self._view.code.place_of(here.path, node)
        event = self._view.code.calls.get((place, here.stack))
        name = "" if event is None else _called(event)
        if name and is_loss(name):
            return Sense(LOWER, _short(name), place)
        if name and metric_called(name):
            return sense_of_metric(name, place)
        sources = self._slicer.sources(here, item)
        if any(isinstance(each.node, ast.Tuple) for each, _ in sources) and item is not None:
            # What gives one value is not meant.
            sources = [each for each in sources if isinstance(each[0].node, ast.Tuple)]
        if sources:
            found = _agreed(self._of_source(each, which, key, way) for each, which in sources)
            trained = self._of_training(here, item, key, place)
            if trained is None or (found is not None and not found.trained):
                return found
            # A function that returns a loss or a score, as it is told, runs another way here than in the training.
            return trained if found is None or found.better == trained.better else None
        trained = self._of_training(here, item, key, place)
        if trained is not None:
            return trained
        match node:
            case ast.Call(args=[given]) | ast.Call(args=[_, given]) if called_name(node) in _ORDERED[len(node.args)]:
                return self._at(here.beside(given), item, key, way)
            case ast.Call(keywords=[]) if called_name(node) in _EMPTY and len(node.args) <= _EMPTY[called_name(node)]:
                return _CONSTANT
            case ast.Call() if called_name(node) in _BLANK:
                return _CONSTANT
            case ast.Call(func=ast.Name(id="dict"), args=[], keywords=given) if all(each.arg for each in given):
                names, values = [ast.Constant(each.arg) for each in given], [each.value for each in given]
                return _agreed(self._at(here.beside(each), None, "", way) for each in _picked(names, values, key))
            case ast.Call(func=ast.Call(func=ast.Name(id="Parallel") | ast.Attribute(attr="Parallel")), args=[given]):
                return self._at(here.beside(given), None, key, way)
            case ast.Call(func=ast.Attribute(value=owner, attr="get"), args=[ast.Constant(value=str() as text), *_]):
                return self._at(here.beside(owner), None, text, way)
            case ast.Call(func=ast.Attribute(value=owner, attr=method), args=[] | [ast.Constant()]):
                passes = method in _PASSING or method in _OF_ALL
                return self._at(here.beside(owner), None, key, way) if passes else None
            case ast.Call(func=ast.Attribute(attr=function) | ast.Name(id=function), args=[given, *_]):
                return self._at(here.beside(given), None, key, way) if function in _OF_FIRST else None
        return None


def sense_of_metric(name: str, place: Location) -> Sense | None:
    """The direction of what a metric of a library gives; None where it is open, or the name is that of no metric.

    Args:
        name: what is called ("torchmetrics.audio.SignalDistortionRatio.compute").
        place: where.
    """
    metric = metric_called(name)
    better = LOWER if _NEGATED.search(name.lower()) else HIGHER  # `fast_bss_eval.si_sdr_loss`
    return Sense(better, metric if better == HIGHER else _short(name), place) if metric in _HIGHER else None


def _called(event: CallEvent) -> str:
    """What a call leads to: `delayed(pesq)(rate, clean, noisy)` of joblib and `pool.submit(pesq, ...)` to pesq."""
    name = canonical(event.callee)
    if name.endswith(_HANDING):
        given = event.arguments.get("fn", 0) or event.arguments.get("func", 0)
        return canonical(given.name) if isinstance(given, External) else name
    if name == "joblib.delayed.__call__":
        for made in instances_of(event.receiver):
            held = made.arguments.get("function", 0)
            return canonical(held.name) if isinstance(held, External) else name
    return name


def _short(name: str) -> str:
    return name.removesuffix(".__call__").removesuffix(".forward").rpartition(".")[2]


def _turned(sense: Sense | None) -> Sense | None:
    """The direction of a number with its sign turned round, as in `1 - loss`."""
    if sense is None or not sense.better:
        return sense
    what = sense.what.removesuffix(_SIGN_TURNED) if sense.what.endswith(_SIGN_TURNED) else sense.what + _SIGN_TURNED
    return replace(sense, better=HIGHER if sense.better == LOWER else LOWER, what=what, whole=False)


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
    """The values of a dictionary that an item may be; those under other names are not meant."""
    items = list(zip(keys, values, strict=True))
    named = [value for name, value in items if _is_text(name, key)]
    return named or [value for name, value in items if not key or not isinstance(name, ast.Constant)]


def _is_text(node: ast.expr | None, text: str) -> bool:
    return isinstance(node, ast.Constant) and node.value == text


def _combined(op: ast.operator, one: Sense | None, other: Sense | None) -> Sense | None:
    """The direction of a sum, a difference or a mean."""
    match op:
        case ast.Add():
            return _sum(one, other)
        case ast.Sub():
            whole = _sum(one, _turned(other)) if one is not None and other is not None else None
            return whole and replace(whole, whole=False)
        case ast.Div():
            return one if other is None or not other.better else None
    return None


def _sum(one: Sense | None, other: Sense | None) -> Sense | None:
    """A sum of numbers of one direction; a loss with something else added to it is still a loss."""
    if one is not None and other is not None:
        return _agreed((one, other))
    known = one or other
    return replace(known, whole=False) if known is not None and known.better == LOWER else None
