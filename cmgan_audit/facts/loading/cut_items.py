"""Items that a loop cuts into pieces of its own before it trains on them: the pieces may be its batches.

for recording in DataLoader(dataset, batch_size=1):      # 1 x segments x samples
    for batch in recording.squeeze(0).split(16):         # 16 segments, or 16 frames of one signal
        loss(network(batch)).backward()

What is cut along its first dimension was a batch of segments or one signal; the program does not tell which, unless the
pieces are as long as signals are.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from cmgan_audit.facts.code import Code
from cmgan_audit.facts.scene import Made, Pass, Use
from cmgan_audit.facts.steps.guards import number_at
from cmgan_audit.finding import Step
from cmgan_audit.program.execution.trace import Condition
from cmgan_audit.rules.record import Fact, Known, Unknown
from cmgan_audit.source.syntax import walk

# So many items are no batch; a piece of so many is one of samples.
_SAMPLES = 1000
_AROUND = frozenset({"enumerate", "tqdm", "zip", "list", "reversed"})


def cut_batch(code: Code, made: Made, batch: Fact) -> Fact:
    """The batch that a training step sees where the loop over a loader of single items cuts each of them.

    Args:
        code: the source of the run.
        made: the loader.
        batch: what the loader gives at a time.

    Returns:
        `batch` where nothing is cut, or into pieces of signals; else that it is not known.
    """
    if not (isinstance(batch, Known) and batch.value == 1):
        return batch
    for single in code.scene.passes_over(made.loader):
        backwards = [use for use in code.scene.of("backward") if single.holds(use.event.context)]
        places = [place for use in backwards for place in [_cut_at(code, single, use)] if place is not None]
        if places and len(places) == len(backwards):
            return Unknown("the loop cuts each item along its first dimension: a batch, or a signal", tuple(places))
    return batch


def _cut_at(code: Code, single: Pass, use: Use) -> Step | None:
    """Where a loop between a pass and the gradients goes over pieces of an item; None where none does."""
    context = use.event.context
    loops = context.loops
    inner = loops[next(number for number, loop in enumerate(loops) if loop is single.event.loop) + 1 :]
    for loop in inner:
        node = code.node_at(loop.location)
        if not isinstance(node, ast.For):
            continue
        for cut, size in _cuts(node):
            here = Condition(ast.unparse(cut), loop.location)
            number = number_at(code, context, here, size)
            other = isinstance(number, Known) and number.value >= _SAMPLES
            other = other or (isinstance(size, ast.Constant) and isinstance(size.value, str))  # words of a text
            if not other and _is_of_item(code, single, loop.location.path, node, cut):
                return Step(loop.location, f"the loop goes over pieces of {ast.unparse(cut)}")
    return None


def _cuts(loop: ast.For) -> Iterator[tuple[ast.expr, ast.expr]]:
    """What a loop cuts along its first dimension, and into pieces of how many."""
    waiting = [loop.iter]
    while waiting:
        match waiting.pop():
            case ast.Call(func=ast.Name(id=name), args=given) if name in _AROUND:
                waiting += given
            case ast.Call(func=ast.Name(id="range"), args=[_, _, size]) if isinstance(loop.target, ast.Name):
                yield from ((cut, size) for cut in _sliced_from(loop, loop.target.id))
            case (
                ast.Call(func=ast.Attribute(value=ast.Name(id="torch"), attr="split"), args=[cut, size, *more]) as call
            ):
                if _is_first(more, call.keywords):
                    yield cut, size
            case ast.Call(func=ast.Attribute(value=cut, attr="split"), args=[size, *more]) as call:
                if _is_first(more, call.keywords):
                    yield cut, size


def _is_first(more: list[ast.expr], keywords: list[ast.keyword]) -> bool:
    """Whether a tensor is split along its first dimension."""
    given = [*more, *(keyword.value for keyword in keywords if keyword.arg == "dim")]
    return all(isinstance(each, ast.Constant) and each.value == 0 for each in given)


def _sliced_from(loop: ast.For, start: str) -> Iterator[ast.expr]:
    """What is sliced from a counter on along its first dimension: `item[start : start + size]`."""
    for node in walk(loop):
        match node:
            case ast.Subscript(value=cut, slice=ast.Slice(lower=ast.Name(id=name), upper=ast.expr())):
                pass
            case ast.Subscript(
                value=cut, slice=ast.Tuple(elts=[ast.Slice(lower=ast.Name(id=name), upper=ast.expr()), *_])
            ):
                pass
            case _:
                continue
        if name == start:
            yield cut


def _is_of_item(code: Code, single: Pass, path: str, loop: ast.For, cut: ast.expr) -> bool:
    """Whether what is cut comes from what the loader gives, or from what a function on the way is handed."""
    outer = code.node_at(single.event.loop.location)
    around = code.around(path, loop)
    if around is None or not isinstance(outer, ast.For | ast.AsyncFor):
        return False
    known = {each.id for each in walk(outer.target) if isinstance(each, ast.Name)}
    if not isinstance(around.node, ast.Module):
        known |= {each.arg for each in walk(around.node.args) if isinstance(each, ast.arg)} - {"self"}
    for node in around.own_nodes():
        if isinstance(node, ast.Assign) and node.lineno <= loop.lineno and known & _names_in(node.value):
            known |= set().union(*map(_names_in, node.targets))
    return bool(known & _names_in(cut))


def _names_in(node: ast.AST) -> set[str]:
    return {each.id for each in walk(node) if isinstance(each, ast.Name)}
