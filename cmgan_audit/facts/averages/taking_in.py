"""What a loop takes in from each batch: values that it adds up, lists that it fills, meters that it updates."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence

from cmgan_audit.facts.averages.averaged import OF_ARRAYS
from cmgan_audit.facts.averages.counting import Count
from cmgan_audit.facts.averages.records import BatchMean
from cmgan_audit.facts.code import Reached
from cmgan_audit.facts.records import Loader
from cmgan_audit.facts.scene import Pass
from cmgan_audit.finding import Step
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.execution.trace import CallEvent, innermost_function
from cmgan_audit.rules.record import Known
from cmgan_audit.source.syntax import called_name, children, walk

# Names of what an evaluation reports; times, rates and counters are added up in such loops as well.
_MEASURED = regex(
    r"loss|criteri|crit(?!i)|err|pesq|stoi|sdr|snr|score|metric|mse|mae|csig|cbak|covl|(?<![a-z])(?:wer|cer|acc|lsd|l1|l2)(?![a-z])",
    re.IGNORECASE,
)
_SIZES = regex(r"(?:batch|bs|size|count|num|len|frames|n)(?:$|_)|(?:^|_)(?:n|b|batch|bs|size)$", re.IGNORECASE)
# Calls that bring together what every process has, as one tensor.
_TOGETHER = regex(r"(?:all_?)?(?:gather|reduce)(?:_for_metrics|_tensor|_mean|_value|_loss)?")
# Methods of meters.
METERS = frozenset({"update", "add"})
# What holds statements that one pass does not take once.
_BLOCKS = (ast.For, ast.AsyncFor, ast.While, ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


@dataclass(frozen=True, slots=True, eq=False)
class Intake:
    """One statement that takes a value in.

    Attributes:
        statement: the statement.
        target: what grows, without subscripts: the name of the sum, the list or the meter.
        value: the value of one batch.
        kind: "sum", "list", "array", "meter", or "mean" where the statement makes the mean so far.
        joined: of a list, whether each batch gives it a tensor of one dimension that holds one number per process.
    """

    statement: ast.AST
    target: str
    value: ast.expr
    kind: str
    joined: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Mean:
    """A mean of what every batch gives.

    Attributes:
        taken: what one batch gives.
        node: the expression that averages it.
        around: the function that this stands in.
        step: the function that takes the value in, where that is one of a framework's; else the pass itself does.
    """

    taken: Intake
    node: ast.AST
    around: Reached
    step: Reached | None = None


def behind(nodes: Iterable[ast.AST], statement: ast.AST) -> list[ast.AST]:
    """Those of some nodes that begin on a line behind a statement, or behind another node of which that is known."""
    last = getattr(statement, "end_lineno", 0) or 0
    return [node for node in nodes if getattr(node, "lineno", 0) > last]


def mean_of_calls(first: CallEvent, names: Iterable[str], single: Pass, loader: Loader) -> BatchMean:
    """The record of means that are kept by what the first of their calls calls, for each batch of a pass."""
    trail = (
        Step(first.location, "every batch weighs the same in this mean"),
        Step(single.event.location, "for each batch of the loader"),
    )
    return batch_mean(trail, f"{innermost_function(first.context)}.{first.callee}", names, loader)


def batch_mean(trail: tuple[Step, ...], anchor: str, names: Iterable[str], loader: Loader) -> BatchMean:
    """The record of means in which every batch of a loader weighs the same; the trail begins where the mean is."""
    return BatchMean(
        location=trail[0].location,
        anchor=anchor,
        names=", ".join(dict.fromkeys(names)),
        equal_weights=Known(True, trail),
        role=loader.role,
        batch_size=loader.batch_size,
        drop_last=loader.drop_last,
    )


def one_pass(loop: ast.For | ast.AsyncFor | ast.FunctionDef) -> Iterator[ast.AST]:
    """The nodes of what is done with one batch, the body of a loop or of a function that is called with each.

    Loops inside it are among them, but not what they and functions hold.
    """
    waiting: list[ast.AST] = list(reversed(loop.body))
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, _BLOCKS):
            waiting.extend(reversed(children(node)))


def intakes(body: Sequence[ast.AST], function: Sequence[ast.AST] = ()) -> Iterator[Intake]:
    """The values that one pass of a loop takes in with no weight of their own.

    Args:
        body: the nodes of one pass, without those of loops inside it.
        function: the nodes of the function around the loop, those that a call leaves out too.
    """
    for node in body:
        found = intake_of(node) or _appended(node, function or body)
        if found is None or any(map(is_weighted, _values_in(found.value))):
            continue
        if is_measure(found.target) or is_measure(ast.unparse(found.value)) or _is_made_of_measure(found.value, body):
            yield found


def _appended(node: ast.AST, function: Sequence[ast.AST]) -> Intake | None:
    """The number that an array is made longer by, `losses = np.append(losses, loss.item())`; of scores that a batch has
    one for each item, every one is taken in."""
    match node:
        case ast.Assign(targets=[target], value=ast.Call(func=ast.Attribute(attr="append"), args=[kept, value])):
            if ast.unparse(kept) == ast.unparse(target) and _is_one_number(value, function):
                return Intake(node, root(target), value, "array")
    return None


def _is_one_number(value: ast.expr, function: Sequence[ast.AST]) -> bool:
    """Whether an expression is one number: `loss.item()`, a mean, what a backward pass begins at, moved to the CPU."""
    match value:
        case ast.Call(func=ast.Name(id="float")) | ast.Call(func=ast.Attribute(attr="item")):
            return True
        case ast.Call(func=ast.Attribute(value=owner, attr="mean"), args=given, keywords=[]):
            return len(given) == (1 if ast.unparse(owner) in OF_ARRAYS else 0)  # any more is an axis
    name = root(value).removesuffix(".data")
    for node in function:
        match node:
            case ast.Call(func=ast.Attribute(value=loss, attr="backward")) if ast.unparse(loss) == name:
                return True
    return False


def filled_arrays(body: Sequence[ast.AST], function: Sequence[ast.AST], count: Count) -> Iterator[Intake]:
    """The arrays with one place per batch that one pass of a loop fills: `losses[index] = loss.item()`.

    Args:
        body: the nodes of one pass, without those of loops inside it.
        function: the nodes of the function around the loop.
        count: what counts the batches of the loop.
    """
    for node in body:
        match node:
            case ast.Assign(targets=[ast.Subscript(value=ast.Name(id=name), slice=ast.Name() as index)], value=value):
                measured = is_measure(name) or is_measure(ast.unparse(value))
                if measured and count.counts(index) and not is_weighted(value) and _is_empty(name, function, count):
                    yield Intake(node, name, value, "array")


def running_means(body: Sequence[ast.AST], count: Count) -> Iterator[Intake]:
    """The means that one pass of a loop brings up to date by themselves: `mean = (mean * i + loss.item()) / (i + 1)`.

    Args:
        body: the nodes of one pass, without those of loops inside it.
        count: what counts the batches of the loop.
    """
    for node in body:
        match node:
            case ast.Assign(
                targets=[target], value=ast.BinOp(left=ast.BinOp(left, ast.Add(), right), op=ast.Div(), right=number)
            ) if count.counts(number):
                for so_far, value in ((left, right), (right, left)):
                    measured = is_measure(f"{ast.unparse(target)} {ast.unparse(value)}")
                    if measured and _is_sum_so_far(so_far, target, count) and not is_weighted(value):
                        yield Intake(node, root(target), value, "mean")


def _is_sum_so_far(node: ast.expr, mean: ast.expr, count: Count) -> bool:
    """Whether an expression is a mean times the number of what it is of."""
    match node:
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            sides = (left, right), (right, left)
            return any(ast.unparse(one) == ast.unparse(mean) and count.counts(other) for one, other in sides)
    return False


def _is_empty(name: str, function: Sequence[ast.AST], count: Count) -> bool:
    """Whether an array is made with a place for each batch: `torch.zeros(len(loader))`."""
    for node in function:
        match node:
            case ast.Assign(
                targets=[ast.Name(id=made)],
                value=ast.Call(func=ast.Attribute(attr="zeros" | "empty" | "ones"), args=[size, *_]),
            ) if made == name:
                return count.counts(size)
    return False


def _is_made_of_measure(value: ast.expr, body: Sequence[ast.AST]) -> bool:
    """Whether one number of a batch, `x.item()`, is what a function that measures gave a line above, or comes of what
    all processes measured: `gathered.mean()`."""
    name = root(value)
    if name == ast.unparse(value):
        return False
    name = name.removesuffix(".mean()")
    for node in body:
        match node:
            case ast.Assign(targets=[ast.Name(id=given)], value=ast.Call(func=function) as call) if given == name:
                if (measured := of_processes(call)) is not None:
                    return is_measure(ast.unparse(measured)) and not is_weighted(measured)
                return is_measure(ast.unparse(function).rpartition(".")[2]) and not is_weighted(call)
    return False


def _values_in(value: ast.expr) -> Sequence[ast.expr]:
    """The values that one batch gives: those of a row `(loss, score)`, also as a tensor or an array, or the value."""
    match value:
        case ast.Tuple(elts=row) | ast.Call(args=[ast.Tuple(elts=row) | ast.List(elts=row)]) if row:
            # A size beside them is what the mean will weigh them by.
            return [value] if any(map(_is_size, row)) else row
    return [value]


def is_measure(text: str) -> bool:
    """Whether a text names something that an evaluation reports."""
    return bool(_MEASURED.search(text))


def of_processes(node: ast.AST) -> ast.expr | None:
    """What every process gives to a call that brings it together: `loss` of `accelerator.gather(loss)`."""
    match node:
        case ast.Call(args=[given, *_]) if _TOGETHER.fullmatch(called_name(node)):
            return given
    return None


def root(node: ast.expr) -> str:
    """The name of what a subscript or a conversion is about: `totals` for `totals["pesq"].item()`."""
    match node:
        case ast.Subscript(value=inner):
            return root(inner)
        case ast.Call(func=ast.Attribute(value=inner, attr="item" | "cpu" | "detach" | "numpy"), args=[]):
            return root(inner)
        case ast.Call(func=ast.Name(id="float"), args=[inner]):
            return root(inner)
    return ast.unparse(node)


def intake_of(node: ast.AST) -> Intake | None:
    """What a statement takes in, if it does."""
    match node:
        case ast.AugAssign(target=target, op=ast.Add(), value=ast.List(elts=[value])):
            return Intake(node, root(target), value, "list")
        case ast.AugAssign(target=target, op=ast.Add(), value=value) if not isinstance(value, ast.Constant):
            return Intake(node, root(target), value, "sum")
        case ast.Assign(targets=[target], value=ast.BinOp(left=left, op=ast.Add(), right=right)):
            if _is_content_of(left, target) and not isinstance(right, ast.Constant):
                return Intake(node, root(target), right, "sum")
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=owner, attr="append"), args=[value])):
            return Intake(node, root(owner), value, "list")
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=owner, attr=method), args=[value], keywords=[])):
            if method in METERS:
                return Intake(node, root(owner), value, "meter")
    return None


def _is_content_of(node: ast.expr, target: ast.expr) -> bool:
    """Whether an expression is what a target holds so far: `total`, or `totals.get(name, 0)` for `totals[name]`."""
    match node, target:
        case (
            ast.Call(func=ast.Attribute(value=owner, attr="get"), args=[key, ast.Constant(value=0)]),
            ast.Subscript(value=kept, slice=name),
        ):
            return ast.unparse(owner) == ast.unparse(kept) and ast.unparse(key) == ast.unparse(name)
    return ast.unparse(node) == ast.unparse(target)


def is_weighted(value: ast.expr) -> bool:
    """Whether the value of a batch grows with its number of items: a product with a size, a sum, a count."""
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Div):
        return is_weighted(value.left)  # what it is divided by decides elsewhere
    for node in walk(value):
        match node:
            case ast.BinOp(left=left, op=ast.Mult(), right=right) if _is_size(left) or _is_size(right):
                return True
            case ast.Call(func=ast.Attribute(attr="sum") | ast.Name(id="sum" | "len")):
                return True
            case ast.keyword(arg="reduction", value=ast.Constant(value="sum" | "none")):
                return True
            case ast.List() | ast.Tuple() | ast.Dict() | ast.ListComp() | ast.Compare():
                return True
    return False


def _is_size(node: ast.expr) -> bool:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return bool(_SIZES.search(name))
        case ast.Call(func=ast.Attribute(attr="size")) | ast.Call(func=ast.Name(id="len")):
            return True
        case ast.Subscript(value=ast.Attribute(attr="shape")):
            return True
    return False
