"""Expressions that average what a loop took in, every batch with the same weight."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import replace

from cmgan_audit.facts.averages.counting import Count, unguarded
from cmgan_audit.facts.averages.taking_in import Intake, of_processes, root
from cmgan_audit.lazy_regex import regex
from cmgan_audit.source.syntax import called_name, walk

_MEAN_FUNCTIONS = frozenset({"mean", "fmean", "nanmean", "average"})
_SUM_FUNCTIONS = frozenset({"sum", "fsum"})
_AS_ARRAY = frozenset({"array", "asarray", "tensor", "stack", "as_tensor", "FloatTensor", "Tensor"})
_JOINS = frozenset({"cat", "concat", "concatenate", "hstack"})
_PROCESSES = regex(r"(?i)world_?size|num_processes|n_?(?:gpus?|procs)|num_gpus?|num_replicas")


def means_of(taken: Intake, nodes: Sequence[ast.AST], count: Count) -> Iterator[ast.AST]:
    """The expressions behind a loop that average one intake.

    Args:
        taken: what is averaged.
        nodes: the nodes of the function behind the loop.
        count: what counts the batches of the loop.
    """
    for node in nodes:
        match node:
            case ast.BinOp(left=left, op=ast.Div(), right=right) if _holds(left, taken):
                if _divides(right, taken, count) and not _is_beside(left, taken):
                    yield node
            case ast.AugAssign(target=target, op=ast.Div(), value=value) if root(target) == taken.target:
                if _divides(value, taken, count) and not _is_beside(target, taken):
                    yield node
            case ast.DictComp(value=ast.BinOp(op=ast.Div(), right=right), generators=[generator]):
                if _draws_from(generator.iter, taken) and (count.counts(right) or _averages_lists(node, taken)):
                    yield node
            case ast.DictComp(value=ast.Call(), generators=[generator]) if _draws_from(generator.iter, taken):
                if _averages_lists(node, taken):
                    yield node
            case ast.Call() if taken.kind in ("list", "array") and _is_mean(node, taken):
                yield node


def is_joined(taken: Intake, nodes: Sequence[ast.AST]) -> bool:
    """Whether what a list holds is joined behind a loop, `torch.cat(losses)`: each batch gave as many as there are.

    Args:
        taken: what fills the list.
        nodes: the nodes of the function behind the loop.
    """
    return taken.kind == "list" and any(
        isinstance(node, ast.Call) and called_name(node) in _JOINS and node.args and root(node.args[0]) == taken.target
        for node in nodes
    )


def as_arrays(taken: Intake, nodes: Sequence[ast.AST]) -> Iterator[Intake]:
    """The arrays and tensors that a list is made into behind a loop: `losses = np.array(losses)`.

    Args:
        taken: what fills the list.
        nodes: the nodes of the function behind the loop.
    """
    for node in nodes if taken.kind == "list" else ():
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call() as call):
                held = _unpacked(call, joins=taken.joined)
                if held is not call and root(held) == taken.target:
                    yield replace(taken, target=name, kind="array")


def means_so_far(taken: Intake, body: Sequence[ast.AST], behind: Sequence[ast.AST], count: Count) -> Iterator[ast.AST]:
    """Means that each pass makes anew and that are read behind the loop: `mean = total / step` under a progress bar.

    Args:
        taken: what is averaged.
        body: the nodes of one pass.
        behind: the nodes of the function behind the loop.
        count: what counts the batches of the loop.
    """
    read = _read_behind(behind)
    for node in body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name in read:
                yield from means_of(taken, [value], count)


def is_read(taken: Intake, behind: Sequence[ast.AST]) -> bool:
    """Whether something may read the mean that a pass has brought up to date when the loop is over: a line behind it
    or, where an object keeps it, one elsewhere.

    Args:
        taken: what is the mean so far.
        behind: the nodes of the function behind the loop.
    """
    return not taken.target.isidentifier() or taken.target in _read_behind(behind)


def _read_behind(behind: Sequence[ast.AST]) -> set[str]:
    """The names that are read behind a loop, and not given something else there."""
    names = [node for node in behind if isinstance(node, ast.Name)]
    read = {node.id for node in names if isinstance(node.ctx, ast.Load)}
    return read - {node.id for node in names if isinstance(node.ctx, ast.Store)}


def with_equal_weights(node: ast.Call, *, joins: bool = False) -> ast.expr | None:
    """What a call averages, every value with the same weight: `values` of `torch.stack(values).mean()`.

    Args:
        node: the call.
        joins: whether `torch.cat(values)` holds equally many of every batch, too.
    """
    match node:
        case ast.Call(func=ast.Attribute(value=owner, attr="mean"), args=[] | [ast.Constant(value=0)]):
            if not isinstance(owner, ast.Name):
                return _unpacked(owner, joins=joins)
        case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name), args=[inner, *_]) if name in _MEAN_FUNCTIONS:
            return None if any(keyword.arg == "weights" for keyword in node.keywords) else _unpacked(inner, joins=joins)
    return None


def _unpacked(node: ast.expr, *, joins: bool) -> ast.expr:
    """The values behind what makes an array or a tensor of them, or gathers those of all processes."""
    match node:
        case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name), args=[inner, *_]) if name in _AS_ARRAY:
            return _unpacked(inner, joins=joins)
        case ast.Call(args=[inner, *_]) if joins and called_name(node) in _JOINS:
            return _unpacked(inner, joins=joins)
    gathered = of_processes(node)
    return node if gathered is None else _unpacked(gathered, joins=joins)


def divided_inside(taken: Intake, count: Count) -> bool:
    """Whether each batch is divided by the number of batches while it is added: `total += loss / len(loader)`."""
    value = taken.value
    return isinstance(value, ast.BinOp) and isinstance(value.op, ast.Div) and count.counts(value.right)


def _holds(node: ast.expr, taken: Intake) -> bool:
    """Whether an expression is the sum of an intake, or a constant multiple of it (per cent)."""
    kept = taken.kind in ("list", "array")
    summed = _summed(node) if kept else None
    if summed is not None and root(_unpacked(summed, joins=False)) == taken.target:
        return True
    match node:
        case (
            ast.BinOp(left=ast.Constant(), op=ast.Mult(), right=inner)
            | ast.BinOp(left=inner, op=ast.Mult(), right=ast.Constant())
        ):
            return _holds(inner, taken)
        case ast.BinOp(left=inner, op=ast.Div(), right=number) if _counts_processes(number):
            return _holds(inner, taken)
        case ast.Call(func=ast.Attribute(value=owner, attr="item" | "mean" | "sum"), args=[]):
            gathered = of_processes(owner)
            if gathered is not None or isinstance(owner, ast.Call):
                return _holds(owner if gathered is None else gathered, taken)
    return not kept and root(node) == taken.target


def _summed(node: ast.expr) -> ast.expr | None:
    """What a call adds up: `losses` of `sum(losses)`, `reduce(add, losses)`, `losses.sum()`."""
    match node:
        case ast.Call(args=[inner]) if called_name(node) in _SUM_FUNCTIONS:
            return inner
        case ast.Call(args=[adds, inner, *_]) if called_name(node) == "reduce" and _adds(adds):
            return inner
        case ast.Call(func=ast.Attribute(value=owner, attr="sum"), args=[]):
            return owner
    return None


def _adds(function: ast.expr) -> bool:
    """Whether a function of two values adds them: `operator.add`, `lambda total, loss: total + loss`."""
    match function:
        case ast.Name(id="add") | ast.Attribute(attr="add"):
            return True
        case ast.Lambda(
            args=ast.arguments(args=[ast.arg(arg=one), ast.arg(arg=other)]),
            body=ast.BinOp(left=ast.Name(id=left), op=ast.Add(), right=ast.Name(id=right)),
        ):
            return {left, right} == {one, other}
    return False


def _is_beside(node: ast.expr, taken: Intake) -> bool:
    """Whether an expression is kept in one place with an intake, under another key: `stats["seconds"]`, `stats[2]`."""
    match taken.statement:
        case ast.AugAssign(target=target) | ast.Assign(targets=[target]):
            keys = [_key(target), _key(node)]
            return None not in keys and keys[0] != keys[1]
    return False


def _key(node: ast.expr) -> str | None:
    """The key that is written in an expression, as it is written."""
    keys = (each.slice for each in walk(node) if isinstance(each, ast.Subscript))
    return next((ast.unparse(key) for key in keys if isinstance(key, ast.Constant)), None)


def _divides(node: ast.expr, taken: Intake, count: Count) -> bool:
    of_values = taken.kind in ("list", "array") and _is_length_of(node, taken.target)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):  # so many of each process
        sides = (node.left, node.right), (node.right, node.left)
        return any(_counts_processes(one) and _divides(other, taken, count) for one, other in sides)
    return of_values or count.counts(node)


def _counts_processes(node: ast.expr) -> bool:
    """Whether an expression is the number of processes: `dist.get_world_size()`, `accelerator.num_processes`."""
    match node:
        case ast.Call(args=[]):
            return called_name(node) == "get_world_size"
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return bool(_PROCESSES.fullmatch(name))
    return False


def _draws_from(node: ast.expr, taken: Intake) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(value=owner, attr="items")):
            return root(owner) == taken.target
    return False


def _averages_lists(node: ast.DictComp, taken: Intake) -> bool:
    """Whether a dictionary holds the means of lists: `{name: mean(x) for name, x in lists.items()}`."""
    match node:
        case ast.DictComp(generators=[ast.comprehension(target=ast.Tuple(elts=[_, ast.Name(id=values)]))]):
            each = replace(taken, target=values)
        case _:
            return False
    match node.value:
        case ast.Call():
            return taken.kind == "list" and _is_mean(node.value, each)
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            return taken.kind == "list" and _holds(left, each) and _is_length_of(right, values)
    return False


def _is_length_of(node: ast.expr, name: str) -> bool:
    match unguarded(node):
        case ast.Call(func=ast.Name(id="len"), args=[inner]):
            return root(inner) == name
    return False


def _is_mean(node: ast.Call, taken: Intake) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="mean"), args=[] | [ast.Constant(value=0)]):
            return taken.kind == "array" and name == taken.target
    values = with_equal_weights(node, joins=taken.joined)
    return values is not None and root(values) == taken.target
