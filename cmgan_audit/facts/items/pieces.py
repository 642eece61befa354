"""Pieces into which a loop cuts something along its first dimension: `split`, `chunk`, slices that a counter begins."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from cmgan_audit.facts.bindings import given_to
from cmgan_audit.facts.code import Code
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.source.syntax import arguments_named, last_name, names_in, walk

# Calls around what a loop goes over.
_AROUND = frozenset({"enumerate", "tqdm", "zip", "list", "reversed"})
_SIZES = frozenset({"split_size", "split_size_or_sections", "chunks"})


@dataclass(frozen=True, slots=True, eq=False)
class Pieces:
    """What is cut into pieces, along its first dimension.

    Attributes:
        path: the file.
        cut: what is cut.
        size: how much a piece takes; None where only the number of pieces is written.
        names: the names that pieces get.
        piece: a slice that is a piece; None where the loop draws them.
    """

    path: str
    cut: ast.expr
    size: ast.expr | None
    names: frozenset[str]
    piece: ast.expr | None = None

    def stands_alone(self, loop: ast.For | ast.While) -> bool:
        """Whether each piece gets a dimension in front and is a batch of one then: `piece.unsqueeze(0)`."""
        for node in walk(loop):
            base = _before_new_axis(node)
            for each in walk(base):
                if each is self.piece or (isinstance(each, ast.Name) and each.id in self.names):
                    return True
        return False


def pieces_of(code: Code, path: str, loop: ast.For | ast.While) -> Iterator[Pieces]:
    """The pieces that a loop goes over."""
    if isinstance(loop, ast.While):
        for node in walk(loop):
            match node:
                case ast.AugAssign(target=ast.Name(id=counter), op=ast.Add(), value=size):
                    yield from _slices(path, loop, counter, size)
        return
    drawn = frozenset(names_in(loop.target))
    waiting, seen = [loop.iter], set[ast.expr]()
    while waiting:
        node = waiting.pop()
        if node in seen:
            continue
        seen.add(node)
        match node:
            case ast.Name():
                given = given_to(code, path, node)
                waiting += [] if given is None else [given]
            case ast.Call(func=ast.Name() | ast.Attribute() as function, args=parts) if last_name(function) in _AROUND:
                waiting += parts
            case ast.Call(func=ast.Name(id="range"), args=bounds) if isinstance(loop.target, ast.Name):
                yield from _slices(path, loop, loop.target.id, _step(bounds))
            case ast.ListComp(elt=element, generators=[part]) | ast.GeneratorExp(elt=element, generators=[part]):
                match part:
                    case ast.comprehension(
                        target=ast.Name(id=counter), iter=ast.Call(func=ast.Name(id="range"), args=bounds)
                    ):
                        for each in _slices(path, element, counter, _step(bounds)):
                            yield Pieces(path, each.cut, each.size, drawn)
            case ast.Call(func=ast.Attribute(attr="split" | "chunk")):
                yield from _split(code, path, node, drawn)


def _step(bounds: list[ast.expr]) -> ast.expr | None:
    """The third number of a range."""
    return bounds[2] if len(bounds) == 3 else None


def _split(code: Code, path: str, call: ast.Call, drawn: frozenset[str]) -> Iterator[Pieces]:
    """The pieces that a tensor is split into along its first dimension; words of a text are none."""
    match call:
        case ast.Call(func=ast.Attribute(value=ast.Name(id="torch"), attr=name), args=[cut, *given]):
            pass
        case ast.Call(func=ast.Attribute(value=cut, attr=name), args=given):
            pass
        case _:
            return
    sizes = [*given[:1], *arguments_named(call, *_SIZES)]
    ways = [*given[1:], *arguments_named(call, "dim", "axis")]
    if len(sizes) != 1 or not all(isinstance(each, ast.Constant) and each.value == 0 for each in ways):
        return
    size = sizes[0]
    written = given_to(code, path, size) if isinstance(size, ast.Name) else size
    if not (isinstance(written, ast.Constant) and not isinstance(written.value, int)):
        yield Pieces(path, cut, size if name == "split" else None, drawn)


def _slices(path: str, inside: ast.AST, counter: str, step: ast.expr | None) -> Iterator[Pieces]:
    """What is sliced from a counter on along its first dimension: `item[n : n + size]`, `item[n * size : ...]`."""
    given: dict[ast.expr, frozenset[str]] = {}
    for node in walk(inside):
        if isinstance(node, ast.Assign):
            names = frozenset(names_in(*node.targets))
            given.update({each: names for each in walk(node.value) if isinstance(each, ast.Subscript)})
    for node in walk(inside):
        match node:
            case ast.Subscript(value=cut, slice=ast.Slice(lower=ast.expr() as lower, upper=ast.expr())):
                pass
            case ast.Subscript(
                value=cut, slice=ast.Tuple(elts=[ast.Slice(lower=ast.expr() as lower, upper=ast.expr()), *_])
            ):
                pass
            case _:
                continue
        size = _size_from(lower, counter, step)
        if size is not None:
            yield Pieces(path, cut, size, given.get(node, frozenset()), node)


def _size_from(lower: ast.expr, counter: str, step: ast.expr | None) -> ast.expr | None:
    """How much a slice takes that begins at a counter, which grows by a step, or at a multiple of one."""
    match lower:
        case ast.Name(id=name) if name == counter:
            return step
        case ast.BinOp(left=ast.Name(id=name), op=ast.Mult(), right=size) if name == counter and step is None:
            return size
        case ast.BinOp(left=size, op=ast.Mult(), right=ast.Name(id=name)) if name == counter and step is None:
            return size
    return None


def _before_new_axis(node: ast.AST) -> ast.expr | None:
    """What gets a new dimension in front; None where nothing does."""
    match node:
        case ast.Call(
            func=ast.Attribute(value=ast.Name(id="torch"), attr="unsqueeze"), args=[base, ast.Constant(value=0)]
        ):
            return base
        case ast.Call(func=ast.Attribute(value=base, attr="unsqueeze" | "unsqueeze_"), args=[ast.Constant(value=0)]):
            return base
        case ast.Call(
            func=ast.Attribute(value=base, attr="unsqueeze"), keywords=[ast.keyword(value=ast.Constant(value=0))]
        ):
            return base
        case ast.Call(func=ast.Attribute(value=base, attr="view" | "reshape"), args=[ast.Constant(value=1), *_]):
            return base
        case ast.Subscript(value=base, slice=ast.Constant(value=None) | ast.Attribute(attr="newaxis")):
            return base
        case ast.Subscript(
            value=base, slice=ast.Tuple(elts=[ast.Constant(value=None) | ast.Attribute(attr="newaxis"), *_])
        ):
            return base
    return None
