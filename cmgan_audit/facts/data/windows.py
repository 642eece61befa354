"""Slices of a list in a loop that together take all of it: `files[i * size:(i + 1) * size]`, `files[low:high]` for the
windows between one edge and the next."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from cmgan_audit.facts.code import stack_of
from cmgan_audit.facts.data.glances import is_told
from cmgan_audit.facts.data.held_out import gathered
from cmgan_audit.facts.view import View
from cmgan_audit.program.execution.trace import SliceEvent
from cmgan_audit.source.syntax import Function, Scope, called_name, first_of, names_in, walk

_RANGES = frozenset({"range", "arange", "trange"})
# What hands on what it is given, one by one.
_HANDING_ON = frozenset({"tqdm", "enumerate", "list", "tuple", "sorted", "tenumerate"})


def goes_through(view: View, event: SliceEvent) -> bool:
    """Whether a slice is one of those by which a loop takes all of a list, by how it is written.

    `files[i * size:(i + 1) * size]` and, of every so many one, `files[i::jobs]`: where each pass is followed by itself,
    the bounds are numbers like any other. `files[low:high]` where the loop gives both bounds, of which one is the next
    one's other: `zip(edges, edges[1:])`, or what a function makes of `len(files)`, and no window is used by itself.
    """
    node = view.code.node_of(event)
    if not isinstance(node, ast.Subscript) or not isinstance(node.slice, ast.Slice):
        return False
    bounds = node.slice
    first, last = names_in(bounds.lower), names_in(bounds.upper)
    for target, drawn in _drawn_around(view, event.location.path, node):
        names = names_in(target)
        if isinstance(target, ast.Name) and _counts(drawn):
            if names & first and (names & last or (bounds.upper is None and bounds.step is not None)):
                return True
        elif names & first and names & last and _gives_edges(view, event, drawn, ast.unparse(node.value)):
            return not _is_picked(view, event.location.path, node)
    return False


def _is_picked(view: View, path: str, window: ast.Subscript) -> bool:
    """Whether one of the windows is taken by its number out of a list of them: `parts[0]` to train on."""
    outer = list(view.code.parents(path, window))
    parts = gathered(outer, first_of(outer, ast.stmt))
    scope = next((each for each in outer if isinstance(each, Scope)), None)
    for node in walk(scope) if parts and scope is not None else ():
        match node:
            case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=int())) if name in parts:
                if not is_told(view, path, node):
                    return True
    return False


def _drawn_around(view: View, path: str, node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
    """The targets of the loops around a node in its function, each with what is drawn from."""
    for outer in view.code.parents(path, node):
        if isinstance(outer, Function):
            return
        loops = [outer] if isinstance(outer, ast.For) else getattr(outer, "generators", [])
        yield from ((each.target, each.iter) for each in loops)


def _counts(drawn: ast.expr) -> bool:
    """Whether a loop goes over numbers, behind a progress bar too: `tqdm(range(0, len(files), size))`."""
    while isinstance(drawn, ast.Call) and called_name(drawn) not in _RANGES and drawn.args:
        drawn = drawn.args[0]
    return isinstance(drawn, ast.Call) and called_name(drawn) in _RANGES


def _gives_edges(view: View, event: SliceEvent, drawn: ast.expr, names: str) -> bool:
    """Whether a loop draws the two ends of one window after the other of a list."""
    for each in _written(view, event, drawn):
        while isinstance(each, ast.Call) and called_name(each) in _HANDING_ON and each.args:
            each = each.args[0]
        match each:
            case ast.Call(args=[_]) if called_name(each) == "pairwise":
                return True
            case ast.Call(args=[first, second]) if called_name(each) == "zip":
                starts, ends = (set(_lists_in(view, event, side)) for side in (first, second))
                return bool(starts & ends)
            case ast.Call(args=arguments):
                return f"len({names})" in map(ast.unparse, arguments)
    return False


def _lists_in(view: View, event: SliceEvent, side: ast.expr) -> Iterator[str]:
    """The names of lists that one side of a zip is made of: `edges` of `edges[1:]`, also by another name."""
    yield from names_in(side)
    for each in _written(view, event, side):
        for part in walk(each):
            match part:
                case ast.Subscript(value=ast.Name(id=name), slice=ast.Slice()):
                    yield name


def _written(view: View, event: SliceEvent, node: ast.expr) -> list[ast.expr]:
    """What a name was given, or the expression itself."""
    if not isinstance(node, ast.Name):
        return [node]
    return view.slicer.given(node, event.location.path, stack_of(event.context))
