"""Batches that a loop gathers from the items of a loader, in an array or a list, before it trains on them.

for index, (noisy, clean) in enumerate(loader):      # one item at a time
    buffer[index % 16] = noisy
    if (index + 1) % 16 == 0:
        loss(network(buffer)).backward()             # on sixteen
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from cmgan_audit.facts.code import Code
from cmgan_audit.facts.conditions import is_taken, test_behind
from cmgan_audit.facts.named_numbers import number_at
from cmgan_audit.facts.scene import Made, Use
from cmgan_audit.finding import Step
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.rules.record import Fact, Known, Unknown
from cmgan_audit.source.operands import sure_operands
from cmgan_audit.source.syntax import names_in, walk

# What a test that waits for a number of items asks, where it holds and where it does not.
_WAITS = {True: (ast.Eq, ast.GtE, ast.Gt), False: (ast.NotEq, ast.Lt, ast.LtE)}


@dataclass(frozen=True, slots=True, eq=False)
class _Store:
    """What a loop fills.

    Attributes:
        name: its name.
        counters: the names that count how far (`index` in `buffer[index] = item`).
        waiting: those of which `>= N` waits for N items each time: of a list only what begins again in the loop, since
            `index >= N` is true ever after, as behind a warm-up.
    """

    name: str
    counters: frozenset[str]
    waiting: frozenset[str]


def gathered_batch(code: Code, made: Made, batch: Fact) -> Fact:
    """The batch that a training step sees where the loop over a loader of single items gathers several of them.

    Args:
        code: the source of the run.
        made: the loader.
        batch: what the loader gives at a time.

    Returns:
        The number of gathered items; `batch` where nothing is gathered.
    """
    if not (isinstance(batch, Known) and batch.value == 1):
        return batch
    for single in code.scene.passes_over(made.loader):
        loop = code.node_at(single.event.loop.location)
        backwards = [use for use in code.scene.of("backward") if single.holds(use.event.context)]
        stores = _stores_used(loop) if isinstance(loop, ast.For | ast.AsyncFor) and backwards else []
        sizes = [size for use in backwards for size in [_size_at(code, use, stores)] if size is not None]
        if sizes and len(sizes) == len(backwards):
            return sizes[0]
    return batch


def _stores_used(loop: ast.For | ast.AsyncFor) -> list[_Store]:
    """What a loop fills and hands on as a whole: `stack(buffer)`, `batch = buffer`."""
    used: set[str] = set()
    for node in walk(loop):
        match node:
            case ast.Call(func=ast.Name(id="len")):
                continue
            case ast.Call(args=arguments):
                used |= {each.id for each in arguments if isinstance(each, ast.Name)}
            case ast.Assign(value=ast.Name(id=name)):
                used.add(name)
    return [store for store in _stores(loop) if store.name in used]


def _stores(loop: ast.For | ast.AsyncFor) -> Iterator[_Store]:
    counted = frozenset(_counters(loop))
    begins_again = counted & frozenset(_set_back(loop))
    for node in walk(loop):
        match node:
            case ast.Assign(targets=[ast.Subscript(value=ast.Name(id=name), slice=index)]):
                used = names_in(index) & counted
                if used:
                    yield _Store(name, frozenset(used), frozenset(used))
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append"), args=[item]):
                if not _is_number(item):
                    yield _Store(name, counted, begins_again)
            case ast.Assign(targets=[target], value=ast.Call(args=arguments)):
                for name in _names(target) & {each.id for each in arguments if isinstance(each, ast.Name)}:
                    yield _Store(name, counted, begins_again)


def _names(target: ast.expr) -> set[str]:
    """The names that an assignment gives: `batch, lengths = added(item, batch, lengths)` adds to what they hold."""
    parts = target.elts if isinstance(target, ast.Tuple) else [target]
    return {part.id for part in parts if isinstance(part, ast.Name)}


def _is_number(item: ast.expr) -> bool:
    """Whether a number is kept, for a log: `losses.append(loss.item())`."""
    match item:
        case ast.Call(func=ast.Attribute(attr="item") | ast.Name(id="float")):
            return True
    return isinstance(item, ast.Constant)


def _counters(loop: ast.For | ast.AsyncFor) -> Iterator[str]:
    """The names that grow by one with each item: the index that is drawn along, `filled += 1`."""
    if isinstance(loop.target, ast.Tuple) and isinstance(loop.target.elts[0], ast.Name):
        if isinstance(loop.iter, ast.Call) and ast.unparse(loop.iter.func).endswith("enumerate"):
            yield loop.target.elts[0].id
    for node in walk(loop):
        match node:
            case ast.AugAssign(target=ast.Name(id=name), op=ast.Add(), value=ast.Constant(value=1)):
                yield name


def _set_back(loop: ast.For | ast.AsyncFor) -> Iterator[str]:
    for node in walk(loop):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant()):
                yield name


def _size_at(code: Code, use: Use, stores: list[_Store]) -> Fact | None:
    """How many items have been gathered where gradients are computed; None where no test waits for them."""
    for condition in use.event.context.conditions:
        test = test_behind(code, condition)
        asked = None if test is None else _number(test, stores, taken=is_taken(code, condition, test))
        if asked is not None:
            size = number_at(code, use.event.context, condition, asked)
            waits = Step(condition.location, f"items are gathered until {condition.text}")
            if not isinstance(size, Known):
                return Unknown(f"items are gathered until {condition.text}", (waits,))
            return Known(size.value, (*size.trail[:-1], waits), confidence=size.confidence) if size.value > 1 else None
    return None


def _number(test: ast.expr, stores: list[_Store], *, taken: bool) -> ast.expr | None:
    """N in a test that waits for N items: `index == N`, `len(buffer) >= N`, `(index + 1) % N == 0`."""
    for asked, holds in sure_operands(test, taken=taken):
        match asked:
            case ast.Compare(left=ast.BinOp(left=counter, op=ast.Mod(), right=number), ops=[ast.Eq()]) if holds:
                exactly = True
            case ast.Compare(left=counter, ops=[op], comparators=[number]) if isinstance(op, _WAITS[holds]):
                exactly = isinstance(op, ast.Eq | ast.NotEq)
            case _:
                continue
        if _counts(counter, stores, exactly=exactly):
            return number
    return None


def _counts(node: ast.expr, stores: list[_Store], *, exactly: bool = True) -> bool:
    """Whether an expression counts the gathered items, as a test that asks for just N of them or for at least N."""
    measured = _measured(node)
    if measured:
        return any(measured == store.name for store in stores)
    match node:
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub(), right=ast.Constant()):
            return _counts(left, stores, exactly=exactly)
        case ast.Name(id=name):
            return any(name in (store.counters if exactly else store.waiting) for store in stores)
    return False


def _measured(node: ast.expr) -> str:
    """What an expression gives the number of items of: `len(batch)`, `batch["noisy"].shape[0]`; "" for another one."""
    match node:
        case ast.Call(func=ast.Name(id="len"), args=[held]):
            pass
        case ast.Subscript(value=ast.Attribute(value=held, attr="shape"), slice=ast.Constant(value=0)):
            pass
        case ast.Call(func=ast.Attribute(value=held, attr="size"), args=[ast.Constant(value=0)]):
            pass
        case _:
            return ""
    held = held.value if isinstance(held, ast.Subscript) else held
    return held.id if isinstance(held, ast.Name) else ""
