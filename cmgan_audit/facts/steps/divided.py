"""Whether losses are divided by the number of batches whose gradients one step sums."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence, Set

from cmgan_audit.facts.steps.guards import Guard
from cmgan_audit.facts.steps.windows import Update as Window
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Step
from cmgan_audit.lazy_regex import regex
from cmgan_audit.rules.record import NO, YES, Fact, Known, Unknown
from cmgan_audit.source.syntax import last_name, walk

_ACCUMULATES = regex(r"accum|grad_steps|iters_to", re.IGNORECASE)


def divided(view: View, window: Window, guard: Guard | None) -> Fact:
    """Whether anything that the run executed is divided by the number of batches that are summed."""
    if guard is None:
        return YES
    name = last_name(guard.divisor)
    around = [frame.value.node for frame in window.step.event.context.frames if frame.value is not None]
    around += [frame.value.node for each in window.backwards for frame in each.event.context.frames if frame.value]
    for reached in view.code.reached:
        # A number that is written out divides many things in a network; near the step it divides the loss.
        near = reached.node in around or not isinstance(reached.node, ast.FunctionDef)
        every = guard.every if near else Unknown("")
        nodes = reached.own_nodes()
        if any(_divides(node, {name}, every) or _divides_loss(node, guard.every) for node in nodes):
            return YES
        others = _names_of(nodes, name) - {name} if near else set[str]()
        if others and any(_divides(node, others, NO) and _leads_back(node, nodes) for node in nodes):
            return YES
    return Known(False, (Step(guard.location, "gradients of whole losses are summed until here"),))


def _names_of(nodes: Sequence[ast.AST], name: str) -> set[str]:
    """The names that stand for a number of batches: its own, and those of what is made of it for the last few.

    `group = accumulate if full else len(loader) % accumulate`
    """
    return {name}.union(
        *(
            {target.id for target in node.targets if isinstance(target, ast.Name)}
            for node in nodes
            if isinstance(node, ast.Assign)
            and name
            and any(last_name(part) == name for part in _numbers_in(node.value))
        )
    )


def _leads_back(division: ast.AST, nodes: Sequence[ast.AST]) -> bool:
    """Whether what is divided is a loss: by its name, or because a backward pass begins with it."""
    calls = [each for each in nodes if isinstance(each, ast.Call) and last_name(each.func) == "backward"]
    if not calls:
        return "loss" in ast.unparse(division).lower()
    used = [part for call in calls for part in walk(call)]
    names = _named_in(used)
    for each in reversed(nodes):  # `total = one + other` stands before its backward pass
        if any(ast.unparse(target) in names for target in _targets(each)):
            names |= _named_in(walk(each))
    targets = {ast.unparse(target) for each in nodes if division in walk(each) for target in _targets(each)}
    return division in used or any(each in names or "loss" in each.lower() for each in targets)


def _named_in(nodes: Iterable[ast.AST]) -> set[str]:
    return {ast.unparse(each) for each in nodes if isinstance(each, ast.Name | ast.Attribute)}


def _targets(node: ast.AST) -> Sequence[ast.expr]:
    match node:
        case ast.Assign(targets=targets):
            return targets
        case ast.AugAssign(target=target) | ast.AnnAssign(target=target):
            return [target]
    return []


def _numbers_in(value: ast.expr) -> list[ast.expr]:
    """The numbers of which an expression is one: both sides of a choice, and what min() and max() choose from."""
    match value:
        case ast.IfExp(body=one, orelse=other):
            return [*_numbers_in(one), *_numbers_in(other)]
        case ast.Call(func=ast.Name(id="min" | "max"), args=parts):
            return [each for part in parts for each in _numbers_in(part)]
    return [value]


def _divides_loss(node: ast.AST, every: Fact) -> bool:
    """Whether something that is called a loss is divided by that number, wherever that is."""
    match node:
        case ast.BinOp(left=divided, op=ast.Div()) | ast.AugAssign(target=divided, op=ast.Div()):
            return "loss" in ast.unparse(divided).lower() and _divides(node, {""}, every)
    return False


def _divides(node: ast.AST, names: Set[str], every: Fact) -> bool:
    """Whether something is divided by the number of batches, by one of its names or as a number."""
    match node:
        case ast.BinOp(op=ast.Div(), right=by) | ast.AugAssign(op=ast.Div(), value=by):
            pass
        case ast.Call(func=ast.Attribute(attr="div" | "div_"), args=[*_, by]):
            pass
        case _:
            return False
    if isinstance(by, ast.Constant):
        return isinstance(every, Known) and by.value == every.value
    # Also inside `float(accumulate)`, `max(1, accumulate)`, `(accumulate * processes)`.
    called = {last_name(each) for each in walk(by)} - {""}
    return not called.isdisjoint(names) or any(_ACCUMULATES.search(each) for each in called)
