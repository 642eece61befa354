"""The name of a tensor of the batch at hand, where something is made: `clean`, in `clean = batch[0].to(device)`.

Only names are followed, from the loop over the loader through the calls that lead to the place: what a batch is cut or
reshaped into has another length.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence

from cmgan_audit.facts.view import View
from cmgan_audit.program.execution.trace import CallEvent, Frame, Loop
from cmgan_audit.source.syntax import NamedFunction, bound_in, is_line_of, positional_parameters, walk

# Methods of a tensor that keep its first axis, and what else shows that a name is a tensor.
_KEEPING = frozenset("to cuda cpu float double half detach clone contiguous requires_grad_ pin_memory".split())
_OF_TENSORS = _KEEPING | frozenset("size shape dim ndim squeeze unsqueeze permute transpose view reshape dtype".split())

_ITEM, _PART = "item", "part"  # all that the loader hands out at a time, and one field of it
_Names = dict[str, str]


def batch_tensor(view: View, event: CallEvent, loop: Loop) -> str:
    """The name of a tensor of the batch that stands in scope where an event happens; "" where none is known.

    Args:
        view: the run.
        event: what happens, inside the loop.
        loop: the loop over the loader.
    """
    head = view.code.node_at(loop.location)
    place = view.code.call_at(event.location)
    if not isinstance(head, ast.For) or place is None or not head.body:
        return ""
    names = _targets(head)
    body: Sequence[ast.stmt] = head.body
    for frame in _frames_within(event.context.frames, loop, head):
        call = view.code.call_at(frame.call)
        function = None if frame.value is None else frame.value.node
        if call is None or not isinstance(function, NamedFunction):
            return ""
        names = _handed_on(call, function, _holding(view, body, names, frame.call.path, call))
        body = function.body
    holding = _holding(view, body, names, event.location.path, place)
    own = [node for statement in body for node in walk(statement)]
    return next((name for name in holding if _is_tensor(name, own)), "")


def _frames_within(frames: Iterable[Frame], loop: Loop, head: ast.For) -> list[Frame]:
    """The calls that lead from the body of the loop to the place."""
    chain = list(frames)
    for position, frame in enumerate(chain):
        if frame.call.path == loop.location.path and is_line_of(frame.call.line, *head.body):
            return chain[position:]
    return []


def _targets(head: ast.For) -> _Names:
    """The names that a loop binds to what the loader hands out."""
    target = head.target
    counted = any(isinstance(node, ast.Name) and node.id == "enumerate" for node in walk(head.iter))
    if counted:
        if not isinstance(target, ast.Tuple) or len(target.elts) != 2:
            return {}
        target = target.elts[1]
    return _bound(target, _ITEM)


def _bound(target: ast.expr, kind: str) -> _Names:
    """The names of a target to which a batch, or a part of one, is assigned."""
    if isinstance(target, ast.Name):
        # A loader may hand out a single tensor: whether it is one shows in how it is used.
        return {target.id: kind}
    if isinstance(target, ast.Tuple | ast.List) and kind == _ITEM:
        return {each.id: _PART for each in target.elts if isinstance(each, ast.Name)}
    return {}


def _handed_on(call: ast.Call, function: NamedFunction, names: _Names) -> _Names:
    """The parameters of a function that get names of the caller as they are."""
    parameters = [each.arg for each in positional_parameters(function.args)]
    if parameters[:1] == ["self"] and isinstance(call.func, ast.Attribute):
        parameters = parameters[1:]
    given: list[tuple[str, ast.expr]] = list(zip(parameters, call.args, strict=False))
    if any(isinstance(each, ast.Starred) for each in call.args):
        return {}
    given += [(each.arg, each.value) for each in call.keywords if each.arg is not None]
    kinds = [(name, _kind(value, names)) for name, value in given]
    return {name: kind for name, kind in kinds if kind}


def _kind(value: ast.expr, names: _Names) -> str:
    """What an expression holds of a batch; "" for anything else."""
    match value:
        case ast.Name(id=name):
            return names.get(name, "")
        case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant()):
            return _PART if names.get(name) == _ITEM else ""
        case ast.Call(func=ast.Attribute(value=inner, attr=method)) if method in _KEEPING:
            kind = _kind(inner, names)
            return _PART if kind else ""
    return ""


def _holding(view: View, body: Sequence[ast.stmt], names: _Names, path: str, place: ast.Call) -> _Names:
    """The names that surely hold a batch, or a part of it, where a place is reached."""
    outer = list(view.code.parents(path, place))
    statements = [node for each in body for node in walk(each) if isinstance(node, ast.stmt)]
    loops = [each for each in statements if isinstance(each, ast.For | ast.While) and each in outer]
    again = [node for each in loops for node in walk(each)]  # what follows in a loop comes before, the next time
    found, lost = dict(names), set()
    for statement in sorted(statements, key=lambda node: (node.lineno, node.col_offset)):
        if statement.lineno >= place.lineno and statement not in again:
            continue
        surely = statement in body or next(view.code.parents(path, statement), None) in outer
        for target, value in _assigned(statement):
            bound = _bound(target, _kind(value, found) if value is not None else "")
            for name in (part.id for part in bound_in(target)):
                if not bound.get(name):
                    lost.add(name)
                elif surely or name in found:
                    found[name] = bound[name]
    return {name: kind for name, kind in found.items() if name not in lost}


def _assigned(statement: ast.stmt) -> Iterator[tuple[ast.expr, ast.expr | None]]:
    """The targets of a statement with what they get; pairs of tuples one by one."""
    match statement:
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                if (
                    isinstance(target, ast.Tuple)
                    and isinstance(value, ast.Tuple)
                    and len(target.elts) == len(value.elts)
                ):
                    yield from zip(target.elts, value.elts, strict=True)
                else:
                    yield target, value
        case ast.AnnAssign(target=target, value=value):
            yield target, value
        case ast.AugAssign(target=target) | ast.For(target=target):
            yield target, None
        case ast.With(items=items):
            yield from ((item.optional_vars, None) for item in items if item.optional_vars is not None)


def _is_tensor(name: str, own: Iterable[ast.AST]) -> bool:
    """Whether a name is used, or made, as a tensor."""
    for node in own:
        match node:
            case ast.Attribute(value=ast.Name(id=held), attr=attribute) if held == name and attribute in _OF_TENSORS:
                return True
            case ast.Assign(targets=[ast.Name(id=held)], value=ast.Call(func=ast.Attribute(attr=method))):
                if held == name and method in _KEEPING:
                    return True
    return False
