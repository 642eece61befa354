"""Weights that a run writes again and again beside its optimisers: an average that follows a network, a codebook.

Which network they are of is told by the calls that the written tensor comes of (`dict(ema.named_parameters())[name]`),
by what the network is called where it runs (`ema.body.weight.data = ...`), or by the class that writes into itself.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import islice

from cmgan_audit.facts.code import Reached, Stack
from cmgan_audit.facts.values import instances_of
from cmgan_audit.facts.view import View
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.domain.values import Instance
from cmgan_audit.source.syntax import first_of, names_in, walk

_IN_PLACE = frozenset({"copy_", "lerp_", "mul_", "add_", "sub_", "addcmul_", "set_"})
_OF_NETWORK = (".parameters", ".named_parameters", ".state_dict")
# Where a network gets its first weights.
_CONSTRUCTORS = ("__init__", "init", "reset", "_init", "_reset")
_MOST_CALLS = 12


@dataclass(frozen=True, slots=True, eq=False)
class Written:
    """One place that writes into weights again and again.

    Attributes:
        networks: those whose parameters it goes through.
        words: the names and attributes by which it comes to the weights.
        owner: the class whose own weights it writes; None for others.
    """

    networks: tuple[Instance, ...]
    words: frozenset[str]
    owner: ast.ClassDef | None


def written_again(view: View) -> Iterator[Written]:
    """The places of a run that write into weights in a loop, or in a function that a loop calls."""
    for function in view.code.reached:
        path = function.module.path
        for node in function.own_nodes():
            weights = _weights_of(node)
            if weights is None:
                continue
            stacks = [stack for stack in _stacks(view, function) if _is_repeated(view, path, node, stack)]
            owner = _owner(view, path, function.node, weights)
            if stacks or owner is not None:
                networks = tuple(each for stack in stacks for each in _asked(view, weights, path, stack))
                yield Written(networks, _words(weights) if stacks else frozenset(), owner)


def _weights_of(node: ast.AST) -> ast.expr | None:
    """The tensor that a node writes into: `p` of `p.data = ...`, `p.data.mul_(0.99)`."""
    match node:
        case (
            ast.Assign(targets=[ast.Attribute(attr="data", value=written)])
            | ast.AugAssign(target=ast.Attribute(attr="data", value=written))
        ):
            return written
        case ast.Call(func=ast.Attribute(value=written, attr=method)) if method in _IN_PLACE:
            return written
    return None


def _words(weights: ast.expr) -> frozenset[str]:
    return frozenset(names_in(weights) | {each.attr for each in walk(weights) if isinstance(each, ast.Attribute)})


def _stacks(view: View, function: Reached) -> list[Stack]:
    if isinstance(function.node, ast.Module):
        return [()]
    called = (stack for stack, node in view.code.activations.items() if node is function.node)
    return list(islice(called, _MOST_CALLS))


def _is_repeated(view: View, path: str, node: ast.AST, stack: Stack) -> bool:
    """Whether a loop goes around a node that is not one over parameters alone, or around a call that leads to it."""
    calls = [(place.path, view.code.call_at(place)) for place in stack]
    return any(
        isinstance(outer, ast.For | ast.AsyncFor | ast.While)
        for where, inner in ((path, node), *calls)
        if inner is not None
        for outer in view.code.parents(where, inner)
        if not (isinstance(outer, ast.For) and _goes_through_weights(outer))
    )


def _goes_through_weights(loop: ast.For) -> bool:
    return any(isinstance(each, ast.Attribute) and f".{each.attr}" in _OF_NETWORK for each in walk(loop.iter))


def _asked(view: View, weights: ast.expr, path: str, stack: Stack) -> Iterator[Instance]:
    """The networks that were asked for the weights which a tensor is one of."""
    for found in view.slicer.behind(weights, path, stack).calls:
        event = view.slicer.event(found)
        if event is not None and event.callee.endswith(_OF_NETWORK):
            yield from instances_of(event.receiver)


def _owner(view: View, path: str, function: ast.AST, weights: ast.expr) -> ast.ClassDef | None:
    """The class that writes into its own weights, elsewhere than where it gives them their first values; no optimiser
    gets its buffers."""
    first = first_of(walk(weights), ast.Name)
    if first is None or first.id != "self" or getattr(function, "name", "").startswith(_CONSTRUCTORS):
        return None
    owner = first_of(view.code.parents(path, function), ast.ClassDef)
    return None if owner is not None and _words(weights) & set(_buffers(owner)) else owner


def _buffers(owner: ast.ClassDef) -> Iterator[str]:
    """The names of the tensors of a class that are no weights: `self.register_buffer("mean", ...)`."""
    for node in walk(owner):
        match node:
            case ast.Call(
                func=ast.Attribute(attr="register_buffer"),
                args=[ast.Constant(value=str() as name), *_],
            ):
                yield name
