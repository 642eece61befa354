"""Means over what a comprehension makes of the batches: `np.mean([loss(model(x), y).item() for x, y in loader])`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from cmgan_audit.facts.averages.counting import BatchCount
from cmgan_audit.facts.averages.means import as_arrays, means_of
from cmgan_audit.facts.averages.outputs import converted
from cmgan_audit.facts.averages.summed import sums_items
from cmgan_audit.facts.averages.taking_in import Intake, Mean, behind, is_measure, is_weighted
from cmgan_audit.facts.code import Code, Reached, stack_of
from cmgan_audit.facts.losses import is_loss
from cmgan_audit.facts.scene import Pass
from cmgan_audit.facts.view import View
from cmgan_audit.source.syntax import walk

_COMPREHENSIONS = (ast.ListComp, ast.GeneratorExp)
_LONGEST_NAME = 60


def comprehension_at(code: Code, single: Pass) -> ast.ListComp | ast.GeneratorExp | None:
    """The comprehension that draws the batches of a pass; None where something else does."""
    place = single.event.loop.location
    node = code.node_at(place)
    for each in () if node is None else (node, *code.holders(place.path, node)):
        if isinstance(each, _COMPREHENSIONS):
            alone = len(each.generators) == 1 and not each.generators[0].ifs
            return each if alone else None
    return None


def comprehended_means(
    view: View, single: Pass, made: ast.ListComp | ast.GeneratorExp, around: Reached
) -> Iterator[Mean]:
    """The first mean of what a comprehension makes of each batch.

    Args:
        view: the run.
        single: the pass over a loader.
        made: the comprehension.
        around: the function that it stands in.
    """
    path = single.event.loop.location.path
    holders = list(view.code.holders(path, made))
    statement = holders[-1] if holders else made
    name = _name_of(statement, made)
    text = ast.unparse(made.elt)
    if is_weighted(made.elt) or not (is_measure(f"{name} {text}") or _gives_loss(view, single, made.elt)):
        return
    if sums_items(view, made.elt, path, stack_of(single.event.context)):
        return
    nodes = around.own_nodes()
    count = BatchCount(made.generators[0], [], nodes)
    taken = Intake(made, ast.unparse(made), made.elt, "list")
    shown = replace(taken, target=name or (text if len(text) <= _LONGEST_NAME else "the values of a batch"))
    found = list(means_of(taken, holders, count))
    if name and not found:
        later = behind(nodes, statement)
        named = [replace(taken, target=name), *as_arrays(taken, [statement])]
        named += as_arrays(named[0], later)
        found = [node for each in named for node in means_of(each, later, count)]
    yield from (Mean(shown, node, around) for node in found[:1])


def _gives_loss(view: View, single: Pass, value: ast.expr) -> bool:
    """Whether the value of a batch is what a loss of torch gives, or a function that returns what is called one."""
    call, path, stack = converted(value), single.event.loop.location.path, stack_of(single.event.context)
    event = view.code.calls.get((view.code.place_of(path, call), stack)) if isinstance(call, ast.Call) else None
    if event is None:
        return False
    function = view.code.activations.get((*stack, event.location))
    returned = [node.value for node in walk(function) if isinstance(node, ast.Return)] if function is not None else []
    return is_loss(event.callee) or any(
        each is not None and not is_weighted(each) and is_measure(ast.unparse(converted(each))) for each in returned
    )


def _name_of(statement: ast.AST, made: ast.expr) -> str:
    """The name that a comprehension, or the array made of it, is given; "" where it has none."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            whole = Intake(made, ast.unparse(made), made, "list")
            return name if value is made or any(True for _ in as_arrays(whole, [statement])) else ""
    return ""
